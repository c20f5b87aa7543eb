package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// Each contender of each operation does what it says, several times over.
func TestEveryOperationWorks(t *testing.T) {
	k := testKeyring(t)
	for _, o := range operations() {
		t.Run(o.name+" × "+o.against.name, func(t *testing.T) {
			contenders, err := o.contenders(k)
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range contenders {
				if c == nil {
					continue
				}
				if err := c(3); err != nil {
					t.Errorf("contender %d: %v", i, err)
				}
			}
		})
	}
}

// An acceptance, and a refusal for another reason than the one that is measured, are noticed.
func TestRefusalsAreChecked(t *testing.T) {
	for _, test := range []struct {
		answer error
		passes bool
	}{{nil, false}, {jot.ErrExpired, false}, {jot.ErrSignature, true}} {
		if err := repeatRefusal(func() error { return test.answer }, jot.ErrSignature)(1); (err == nil) != test.passes {
			t.Errorf("the answer %v comes out as %v", test.answer, err)
		}
	}
}

func TestTable(t *testing.T) {
	o := operation{name: "sign", against: baseline{"hmac.New", newHMAC(accessInput)}, goal: 1.5}
	none := measurement{}
	rows := []row{
		{o, measurement{1, 1.25, 0, 2}, []measurement{{1, 1.2, 0.8, 40}, {1, 1.2, 0.7, 7}, none, none, none}, 3},
		{o, measurement{1, 1.75, 0, 4}, []measurement{none, none, none, none, none}, 3},
		{operation{name: "size", goal: 50}, measurement{12.4, 0, 0, 0}, []measurement{none, none, none, none, none}, -1},
	}
	want := `| operation | × | jot | goal | allocations | golang-jwt | kataras/jwt | go-jose | tink | jwx |
|---|---|--:|---|--:|--:|--:|--:|--:|--:|
| sign | hmac.New | 1.25 | ≤ 1.50 | 2, ≤ 3 | **1.20 (40)** | 1.20 (7) |  |  |  |
| sign | hmac.New | 1.75 | **missed:** ≤ 1.50 | 4, **missed:** ≤ 3 |  |  |  |  |  |
| size |  | 12 ns | ≤ 50 ns | 0 |  |  |  |  |  |
`
	if got := table(rows).Markdown(); got != want {
		t.Errorf("the table is\n%s", got)
	}
	if got := quicker(rows); got != "Quicker than jot: golang-jwt at “sign”." {
		t.Error(got)
	}
	if got := quicker(rows[1:]); !strings.HasPrefix(got, "No other library") {
		t.Error(got)
	}
}

// The whole command, at a pace that measures nothing of worth.
func TestCommand(t *testing.T) {
	var out, problems strings.Builder
	args := []string{"-rounds", "1", "-turn", "1us", "-only", "HS256 `Verify"}
	if code := run(args, &out, &problems); code != 0 || problems.Len() > 0 {
		t.Fatalf("%d: %s", code, problems.String())
	}
	for _, want := range []string{
		`(?m)^\| HS256 .Verify\[T\]., all claims decoded \| hmac\.New \| [\d.]+ \|.*[\d.]+ \(\d+\)`,
		time.Now().Format("2006-01"), `golang-jwt v5\.`, `go1\.2`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
	for _, args := range [][]string{{"-rounds", "0"}, {"-turn", "0s"}, {"-only", "x", "-write", "y"}, {"surplus"}} {
		if run(args, &out, &problems) == 0 {
			t.Errorf("%v is accepted", args)
		}
	}
}
