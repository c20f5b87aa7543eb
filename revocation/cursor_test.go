package revocation

import (
	"strings"
	"testing"
)

// A log that takes another's place has other rules at every number: a fork is one of the same name.
func TestForksAreOfOneLog(t *testing.T) {
	known := Head{LogID: "log", Sequence: 1}
	for name, forked := range map[string]bool{"log": true, "another": false} {
		if err := newCursor(NewLog(name), NewSet(), known).extend([]Rule{sessionRule("a")}); (err != nil) != forked {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What nobody has signed takes up little memory, however long a cache makes the rules of its segments.
func TestPendingRulesAreBounded(t *testing.T) {
	long := sessionRule(strings.Repeat("x", maxText))
	long.Subject = long.Value
	rules := make([]Rule, SegmentRules)
	for n := range rules {
		rules[n] = long
	}
	c := newCursor(NewLog("log"), NewSet(), Head{})
	for range MaxSegments {
		if err := c.extend(rules); err != nil {
			if bytes := 2 * maxText * len(c.pending); bytes < maxPending/2 || keepsCursor(err) {
				t.Errorf("after %d bytes: %v", bytes, err)
			}
			return
		}
	}
	t.Errorf("%d rules are kept", len(c.pending))
}
