package revocation

import (
	"strings"
	"testing"
)

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
