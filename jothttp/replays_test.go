package jothttp

import (
	"strconv"
	"testing"
	"time"
)

// TestReplaysOfLateComers: the clock is read before the memory's turn comes, so that a time may be older than the one
// before. It forgets nothing.
func TestReplaysOfLateComers(t *testing.T) {
	r := replays{window: time.Minute, limit: 10}
	begin := time.Unix(1_800_000_000, 0)
	used, late := useOf("key", "used"), useOf("key", "late")
	r.remember(used, begin.Add(59*time.Second))
	r.remember(useOf("key", "first"), begin.Add(119*time.Second)) // a new generation begins
	if fresh, room := r.remember(late, begin.Add(118*time.Second)); !fresh || !room {
		t.Errorf("late: %v, %v", fresh, room)
	}
	for name, f := range map[string]use{"used": used, "late": late} {
		if fresh, _ := r.remember(f, begin.Add(118*time.Second)); fresh {
			t.Errorf("%s: taken twice", name)
		}
	}
}

// TestReplaysOfOneKey: a key takes half of the memory and no more; others have what is left, in shares that get
// smaller, and a new one finds room at the end.
func TestReplaysOfOneKey(t *testing.T) {
	r := replays{window: time.Minute, limit: 120}
	now := time.Unix(1_800_000_000, 0)
	take := func(key string) (taken int) {
		for n := range 200 {
			if fresh, _ := r.remember(useOf(key, strconv.Itoa(n)), now); fresh {
				taken++
			}
		}
		return taken
	}
	for _, share := range []struct {
		key  string
		want int
	}{{"first", 60}, {"second", 30}, {"third", 15}, {"first", 0}, {"new", 8}} {
		if got := take(share.key); got != share.want {
			t.Errorf("%s took %d, want %d", share.key, got, share.want)
		}
	}
	// What a key has in the generation before counts on, and what gained nothing is given back.
	now = now.Add(time.Minute)
	if fresh, room := r.remember(useOf("first", "one more"), now); fresh || room {
		t.Errorf("in the next generation: %v, %v", fresh, room)
	}
	for n := range 60 {
		r.forget(useOf("first", strconv.Itoa(n)))
		r.forget(useOf("first", strconv.Itoa(n))) // once
	}
	if got := take("first"); got != 34 { // of 67 that are left
		t.Errorf("after giving back: %d", got)
	}
	now = now.Add(2 * time.Minute)
	if got := take("third"); got != 60 {
		t.Errorf("in an empty memory: %d", got)
	}
}
