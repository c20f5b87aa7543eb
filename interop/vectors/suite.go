package vectors

import (
	"bytes"
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

// ErrNotOffered is a case whose algorithms, or curves, jot doesn't have.
var ErrNotOffered = errors.New("not offered")

// Suite judges one kind of case: Open answers the content of an accepted one, nil where there is none to compare.
type Suite struct {
	Name string
	Open func(*Case) (content []byte, err error)
	// Content is what an accepted case must hold; nil where the vector doesn't say.
	Content func(*Case) *Text
	// Deviations are the cases that come out otherwise than their source says, with the reason.
	Deviations map[string]string
}

// Result is how the cases of a suite came out. Lists are by their reason, algorithm or outcome.
type Result struct {
	Name       string
	Cases      int
	Gating     int
	Held       int // of those that gate, without the newer ones
	Newer      int // gating, and offered from Go 1.27 on
	NotOffered map[string][]string
	Deviations map[string][]string // of those that gate
	Agreed     map[string][]string // of those that don't, and came out as their source has it
	Otherwise  map[string][]string // of those that don't, and came out otherwise
}

// Run runs each case in a subtest. The gating ones must come out as they expect; each one that doesn't, gating or not,
// has a reason.
func (s Suite) Run(t *testing.T, cases []Case) Result {
	result := Result{Name: s.Name, NotOffered: lists{}, Deviations: lists{}, Agreed: lists{}, Otherwise: lists{}}
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.ID] {
			t.Errorf("two cases are called %s", c.ID)
		}
		seen[c.ID] = true
		t.Run(c.ID, func(t *testing.T) { s.check(t, &c, &result) })
	}
	for _, id := range slices.Sorted(maps.Keys(s.Deviations)) {
		if !seen[id] {
			t.Errorf("the table of deviations names %s, and there is no such case", id)
		}
	}
	return result
}

type lists = map[string][]string

func (s Suite) check(t *testing.T, c *Case, result *Result) {
	result.Cases++
	if c.Gates() {
		result.Gating++
	}
	var content []byte
	var err error
	if fault := bounded(func() { content, err = s.Open(c) }); fault != "" {
		t.Fatal(fault)
	}
	held := (err == nil) == c.ExpectsAcceptance() || c.Expect == "either"
	if want := s.Content(c); held && err == nil && want != nil && !bytes.Equal(content, *want) {
		t.Fatalf("accepted, with another content: %q, want %q", content, *want)
	}
	t.Logf("%s %s: %v", c.Level, c.Expect, err)
	reason, deviates := s.Deviations[c.ID]
	switch {
	case held && deviates:
		t.Errorf("comes out as its source says: take it out of the table of deviations (%s)", reason)
	case c.needsMLDSA() && (held || errors.Is(err, ErrNotOffered) && !hasMLDSA()):
		result.Newer++
	case held && c.Gates():
		result.Held++
	case held:
		add(result.Agreed, outcome(c, err), c.ID)
	case deviates && c.Gates():
		add(result.Deviations, reason, c.ID)
	case deviates:
		add(result.Otherwise, outcome(c, err)+": "+reason, c.ID)
	case errors.Is(err, ErrNotOffered) && c.Gates():
		add(result.NotOffered, strings.Join(c.Algorithms, ", "), c.ID)
	case errors.Is(err, ErrNotOffered):
		add(result.Otherwise, outcome(c, err), c.ID)
	default:
		t.Errorf("expected %s, got %v", c.Expect, err)
	}
}

func add(to lists, group, id string) { to[group] = append(to[group], id) }

// outcome says what became of a case that decides nothing.
func outcome(c *Case, err error) string {
	switch group := cmp.Or(c.Level, c.Expect); {
	case errors.Is(err, ErrNotOffered):
		return group + ", not offered"
	case err != nil:
		return group + ", refused"
	default:
		return group + ", accepted"
	}
}
