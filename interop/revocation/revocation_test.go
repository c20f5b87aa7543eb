package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/jot-auth/jot/interop/machine"
	"github.com/jot-auth/jot/interop/measure"
)

// binary is the command that TestMain builds.
var binary string

func TestMain(m *testing.M) { os.Exit(machine.RunWithJot(m, &binary)) }

// A tiny run measures nothing of worth, but every line.
func TestEveryLine(t *testing.T) {
	machine.Need(t, "run .ci/prepare", "redis-server")
	machine.Need(t, "run .ci/prepare", "/usr/lib/postgresql/*/bin/postgres")
	var out, problems bytes.Buffer
	if code := run(t.Context(), []string{"-binary", binary, "-small", "-json"}, &out, &problems); code != 0 || problems.Len() > 0 {
		t.Fatalf("%d: %s", code, problems.String())
	}
	var got report
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	found := map[string]line{}
	for _, l := range got.Lines {
		found[l.Name] = l
	}
	for _, name := range []string{
		"check, 1,000 rules", "the same check as map and sync.RWMutex", "the same check as sync.Map", "the same check as Redis GET",
		"the same check as PostgreSQL SELECT", "memory a rule, a million at once", "memory a rule, at the worst moment of growing to two millions",
		"memory while a set is rebuilt, by what it takes afterwards", "a writer beside 2 askers: rules a second", "snapshot of a million rules", "snapshot of a million rules, verified and loaded",
	} {
		if l := found[name]; l.Measured <= 0 || l.AtMost == 0 && l.AtLeast == 0 {
			t.Errorf("%s: %+v", name, l)
		}
	}
	for _, database := range []string{"SQLite", "PostgreSQL"} {
		for _, name := range []string{
			"rules a second", "cores for 10 connections", "memory a connection",
			"delay to each connection, p50", "delay to each connection, p99", "delay to the refusal, p50", "delay to the refusal, p99",
		} {
			if _, ok := found["feed, "+database+": "+name]; !ok {
				t.Errorf("no line for %s on %s", name, database)
			}
		}
	}
	if got.Date == "" || got.Cores == 0 {
		t.Errorf("the circumstances are %+v", got)
	}
}

func TestTable(t *testing.T) {
	r := newReport(plan{rounds: 1})
	r.add(line{Name: "check", Measured: 30, Unit: "ns", AtMost: 25, Note: "0 allocations"})
	r.addPeer("map", 8, []float64{10, 10, 20}, []float64{90, 100, 100})
	want := `| what | measured | goal |  |
|---|--:|---|---|
| check | 30 ns | MISSED: ≤ 25 | 0 allocations |
| the same check as map | 9 × | ≥ 8 | 100 ns against 10 ns |
`
	if got := measure.Markdown(r); !strings.HasPrefix(got, want) {
		t.Errorf("the table is\n%s", got)
	}
}

func TestNumbers(t *testing.T) {
	if n, whole := number([]byte("123\nid")); n != 123 || !whole {
		t.Error(n, whole)
	}
	if _, whole := number([]byte("12")); whole {
		t.Error("a number that may go on is taken for whole")
	}
	if got := grouped(10_000_000); got != "10,000,000" {
		t.Error(got)
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"-only", "x", "-write", "y"}, {"-small", "-write", "y"}, {"surplus"}, {"-binary", "no/such/file"}} {
		if args[0] != "-binary" {
			args = append([]string{"-binary", binary}, args...)
		}
		var out, problems bytes.Buffer
		if run(t.Context(), args, &out, &problems) == 0 || !strings.Contains(problems.String(), "revocation: ") {
			t.Errorf("%v is accepted: %s", args, problems.String())
		}
	}
}

func TestOnlyLoopback(t *testing.T) {
	for _, base := range []string{"http://192.0.2.1:80", "http://localhost.example.com:80"} {
		if _, err := connect(base, "/"); err == nil || !strings.Contains(err.Error(), "not on loopback") {
			t.Errorf("%s: %v", base, err)
		}
	}
}
