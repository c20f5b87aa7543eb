package feed

import (
	"slices"

	"github.com/jot-auth/jot/revocation"
)

// tail is the newest rules of the log, at least as many as fit into a frame: from within it, a reader
// resumes without a snapshot.
type tail struct {
	head  revocation.Head // of the log
	rules []revocation.Rule
}

// with returns the tail with rules chained to the log. It lets the oldest ones go by the frameful, not one by one.
func (t tail) with(rules []revocation.Rule) tail {
	for _, r := range rules {
		t.head = t.head.Append(r)
	}
	t.rules = append(t.rules, rules...)
	if len(t.rules) > 2*revocation.MaxFrameRules {
		t.rules = slices.Clone(t.rules[len(t.rules)-revocation.MaxFrameRules:])
	}
	return t
}

// since returns the rules that follow a sequence up to the head, if they fit into a frame and the tail
// reaches back so far.
func (t *tail) since(after uint64) ([]revocation.Rule, bool) {
	missing, held := t.head.Sequence-after, uint64(len(t.rules))
	if missing > min(held, revocation.MaxFrameRules) {
		return nil, false
	}
	return t.rules[held-missing:], true
}
