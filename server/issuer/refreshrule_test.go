package issuer

import (
	"testing"
	"time"
)

func TestRefreshRule(t *testing.T) {
	const grace = 30 * time.Second
	rotation := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		name              string
		current, previous uint64
		presented         uint64
		after             time.Duration
		want              outcome
		wantCurrent       uint64
		wantPrevious      uint64
		wantRotatedNow    bool
	}{
		{"first refresh", 1, 0, 1, time.Hour, rotated, 2, 1, true},
		{"no token has number 0", 1, 0, 0, time.Second, reused, 1, 0, false},
		{"first, ahead", 1, 0, 2, time.Second, rewound, 1, 0, false},
		{"current", 5, 4, 5, 0, rotated, 6, 5, true},
		{"current, within the grace", 5, 4, 5, time.Second, rotated, 6, 5, true},
		{"current, long after", 5, 4, 5, 1000 * time.Hour, rotated, 6, 5, true},
		{"current after a lost reply", 6, 4, 6, time.Second, rotated, 7, 6, true},
		{"previous at once", 5, 4, 4, 0, repeated, 5, 4, false},
		{"previous at the end of the grace", 5, 4, 4, grace, repeated, 5, 4, false},
		{"previous after the grace", 5, 4, 4, grace + time.Millisecond, replyLost, 6, 4, true},
		{"previous after two lost replies", 6, 4, 4, grace + time.Millisecond, replyLost, 7, 4, true},
		{"previous within the grace after a lost reply", 6, 4, 4, grace, repeated, 6, 4, false},
		{"previous with a clock that went back", 5, 4, 4, -time.Hour, repeated, 5, 4, false},
		{"burned", 6, 4, 5, time.Second, reused, 6, 4, false},
		{"burned, long after", 9, 4, 7, time.Hour, reused, 9, 4, false},
		{"before previous", 5, 4, 3, time.Second, reused, 5, 4, false},
		{"before previous, after a lost reply", 6, 4, 3, time.Second, reused, 6, 4, false},
		{"the very first", 5, 4, 1, time.Second, reused, 5, 4, false},
		{"ahead", 5, 4, 6, time.Second, rewound, 5, 4, false},
		{"far ahead", 5, 4, 1 << 62, time.Second, rewound, 5, 4, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := rotation.Add(test.after)
			next, meaning := Counters{test.current, test.previous, rotation}.present(test.presented, now, grace)
			want := Counters{test.wantCurrent, test.wantPrevious, rotation}
			if test.wantRotatedNow {
				want.RotatedAt = now
			}
			if meaning != test.want || next != want {
				t.Errorf("got %v, %+v, want %v, %+v", meaning, next, test.want, want)
			}
		})
	}
}

// TestRefreshRuleNeverForks walks every short history and checks what the rule is for: at most one token is good for a
// new one beside the previous one, and a spent token never becomes good again.
func TestRefreshRuleNeverForks(t *testing.T) {
	const grace, steps = 30 * time.Second, 5
	var walk func(c Counters, now time.Time, spent map[uint64]bool, left int)
	walk = func(c Counters, now time.Time, spent map[uint64]bool, left int) {
		if left == 0 {
			return
		}
		for presented := uint64(1); presented <= c.Current; presented++ {
			for _, pause := range []time.Duration{time.Second, time.Minute} {
				next, meaning := c.present(presented, now.Add(pause), grace)
				if spent[presented] != (meaning == reused) {
					t.Fatalf("%+v, token %d after %v: outcome %v, spent %v", c, presented, pause, meaning, spent[presented])
				}
				if meaning == reused {
					continue // the session ends
				}
				spentNext := make(map[uint64]bool)
				for number := uint64(1); number < next.Current; number++ {
					if spentNext[number] = number != next.Previous; spent[number] && !spentNext[number] {
						t.Fatalf("token %d was spent and is good again", number)
					}
				}
				walk(next, now.Add(pause), spentNext, left-1)
			}
		}
	}
	walk(Counters{Current: 1}, time.Unix(0, 0), map[uint64]bool{}, steps)
}
