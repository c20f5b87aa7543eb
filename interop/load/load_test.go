package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/interop/machine"
	"github.com/jot-auth/jot/interop/measure"
	"github.com/jot-auth/jot/interop/programs"
)

// binary is the command that TestMain builds.
var binary string

// TestMain lets the test's own program be the server that does nothing, as the real one is.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == emptyCommand {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(machine.RunWithJot(m, &binary))
}

// load runs the whole command.
func load(t *testing.T, args ...string) string {
	t.Helper()
	var out, problems bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &out, &problems); code != 0 || problems.Len() > 0 {
		t.Fatalf("load %v: %d: %s", args, code, problems.String())
	}
	return out.String()
}

// A tiny run measures nothing of worth, but every line, and each operation succeeds.
func TestEveryLine(t *testing.T) {
	var got report
	out := load(t, "-binary", binary, "-database", sqlite, "-clients", "2", "-rounds", "1", "-turn", "20ms", "-sessions", "25", "-json")
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got.Date == "" || got.Cores == 0 || got.Clients != 2 || got.Sessions != 25 {
		t.Errorf("the circumstances are %+v", got)
	}
	found := map[string]line{}
	for _, l := range got.Lines {
		found[l.Operation] = l
	}
	for _, o := range operations() {
		if l := found[o.name]; l.Operations == 0 || l.P50 == 0 || l.P99 < l.P50 || l.Goal != o.goals.sqlite && !o.overrun || l.Database != sqlite {
			t.Errorf("%s: %+v", o.name, l)
		}
	}
	for _, name := range []string{
		"binary", emptyLine, signatureLine, hashLine, syncLine,
		"start to first answer, empty", "resident memory, empty", "start to first answer, 25 sessions", "resident memory, 25 sessions",
	} {
		if _, ok := found[name]; !ok {
			t.Errorf("no line for %s", name)
		}
	}
	if l := found[syncLine]; l.Measured <= 0 {
		t.Errorf("%+v", l)
	}
}

// The same issuer that the server is, on a PostgreSQL that is started for it.
func TestCluster(t *testing.T) {
	machine.Need(t, "run .ci/prepare", "/usr/lib/postgresql/*/bin/postgres")
	c, err := programs.StartCluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		if _, err := programs.CPU(c.PID()); err == nil {
			t.Error("PostgreSQL is still there")
		}
	}()
	url, err := c.Database(t.Context(), "full")
	if err != nil {
		t.Fatal(err)
	}
	d := deployment{filepath.Join(t.TempDir(), "data"), url, c}
	if err := d.seed(t.Context(), 25, measure.NewProgress(io.Discard)); err != nil {
		t.Fatal(err)
	}
	held, err := plan{clients: 1, rounds: 1, turn: time.Millisecond}.stock(t.Context(), d)
	if err != nil || len(held.toRefresh) != sessionsPerClient || len(held.toRevoke) != 2 {
		t.Errorf("%d tokens to refresh and %d to revoke: %v", len(held.toRefresh), len(held.toRevoke), err)
	}
	if spent, err := programs.CPUOfFamily(c.PID()); err != nil || spent == 0 {
		t.Errorf("PostgreSQL spent %v: %v", spent, err)
	}
}

func TestSeed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if out := load(t, "seed", "-data", dir, "-sessions", "2345"); !strings.Contains(out, "2345 sessions in ") || !strings.Contains(out, dir) {
		t.Error(out)
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{
		{"-clients", "0"}, {"-clients", "257"}, {"-rounds", "0"}, {"-turn", "0s"}, {"-turn", "2m"}, {"-sessions", "-1"}, {"-database", "oracle"},
		{"-only", "x", "-write", "y"}, {"surplus"}, {"-binary", "no/such/file"},
		{"seed"}, {"seed", "-data", "x", "-sessions", "0"}, {"seed", "-data", "x", "surplus"},
	} {
		if args[0] != "-binary" && args[0] != "seed" {
			args = append([]string{"-binary", binary}, args...)
		}
		var out, problems bytes.Buffer
		if run(t.Context(), args, strings.NewReader(""), &out, &problems) == 0 || !strings.Contains(problems.String(), "load: ") {
			t.Errorf("%v is accepted: %s", args, problems.String())
		}
	}
}

func TestOnlyLoopback(t *testing.T) {
	for _, base := range []string{"http://192.0.2.1", "http://localhost.example.com:80"} {
		if err := newCaller(base, 1).get(t.Context(), "/"); err == nil || !strings.Contains(err.Error(), "not on loopback") {
			t.Errorf("%s: %v", base, err)
		}
	}
}

func TestTable(t *testing.T) {
	r := newReport(plan{clients: 8, rounds: 5, turn: time.Second, sessions: 10})
	r.hash = 20
	slow := cost{server: []float64{0.9, 0.4, 0.5}, database: []float64{0, 0, 0}, took: []time.Duration{time.Millisecond, 60 * time.Millisecond}}
	hashing := cost{server: []float64{20.9}, database: []float64{0.25}, took: []time.Duration{time.Millisecond}}
	r.addOperation(operation{name: "refresh", goals: goals{0.35, 0.6}}, sqlite, slow)
	r.addOperation(operation{name: "refresh", goals: goals{0.35, 0.6}}, postgreSQL, slow)
	r.addOperation(operation{name: "login", goals: goals{1, 1}, overrun: true}, postgreSQL, hashing)
	r.addOperation(operation{name: "beside", goals: goals{50, 50}, tail: true}, sqlite, slow)
	r.add(line{Operation: "binary", Measured: 12, Unit: "MB"})
	want := `| operation | database | measured | goal | PostgreSQL's CPU | p50 | p99 | operations |
|---|---|--:|---|--:|--:|--:|--:|
| refresh | SQLite | 0.500 ms of CPU | MISSED: ≤ 0.350 |  | 60.00 ms | 60.00 ms | 2 |
| refresh | PostgreSQL | 0.500 ms of CPU | ≤ 0.600 |  | 60.00 ms | 60.00 ms | 2 |
| login | PostgreSQL | 20.90 ms of CPU | ≤ 21.00 | 0.250 ms | 1.00 ms | 1.00 ms | 1 |
| beside | SQLite | 60.00 ms | MISSED: ≤ 50.00 |  | 60.00 ms | 60.00 ms | 2 |
| binary |  | 12.00 MB |  |  |  |  |  |
`
	if got := measure.Markdown(r); !strings.HasPrefix(got, want) {
		t.Errorf("the table is\n%s", got)
	}
	var out strings.Builder
	if err := (measure.Output{}).Write(&out, r); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^refresh +SQLite +0\.500 ms of CPU +MISSED: ≤ 0\.350 `).MatchString(out.String()) {
		t.Errorf("the table is\n%s", out.String())
	}
}
