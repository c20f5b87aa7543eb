package jothttp

import (
	"testing"
	"time"
)

// TestReplaysOfLateComers: the clock is read before the memory's turn comes, so that a time may be older than the one before. It forgets nothing.
func TestReplaysOfLateComers(t *testing.T) {
	r := replays{window: time.Minute, limit: 10}
	begin := time.Unix(1_800_000_000, 0)
	used, late := fingerprintOf("key", "used"), fingerprintOf("key", "late")
	r.remember(used, begin.Add(59*time.Second))
	r.remember(fingerprintOf("key", "first"), begin.Add(119*time.Second)) // a new generation begins
	if fresh, room := r.remember(late, begin.Add(118*time.Second)); !fresh || !room {
		t.Errorf("late: %v, %v", fresh, room)
	}
	for name, f := range map[string]fingerprint{"used": used, "late": late} {
		if fresh, _ := r.remember(f, begin.Add(118*time.Second)); fresh {
			t.Errorf("%s: taken twice", name)
		}
	}
}
