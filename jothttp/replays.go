package jothttp

import (
	"crypto/sha256"
	"sync"
	"time"
)

// replays remembers which proofs were used, for at least as long as they'd be accepted again, and never more of them than its limit. Two generations take
// turns, so that forgetting costs nothing. It's safe for concurrent use.
type replays struct {
	window time.Duration
	limit  int

	mu       sync.Mutex
	began    time.Time // of the generation that new proofs are put in
	current  map[fingerprint]struct{}
	previous map[fingerprint]struct{}
}

// fingerprint stands for one use of one key's ID.
type fingerprint [16]byte

func fingerprintOf(thumbprint, id string) fingerprint {
	sum := sha256.Sum256([]byte(thumbprint + " " + id)) // no thumbprint has a space
	return fingerprint(sum[:16])
}

// remember notes a proof. It returns false for one that is known, and when there is no room.
func (r *replays) remember(f fingerprint, now time.Time) (fresh, room bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if age := now.Sub(r.began); age >= r.window { // a negative one is that of a caller who read the clock before another began a generation
		if r.previous = r.current; age >= 2*r.window {
			r.previous = nil
		}
		r.current, r.began = make(map[fingerprint]struct{}), now
	}
	_, known := r.current[f]
	_, knownBefore := r.previous[f]
	switch {
	case known || knownBefore:
		return false, true
	case len(r.current)+len(r.previous) >= r.limit:
		return false, false
	}
	r.current[f] = struct{}{}
	return true, true
}

// forget takes a proof back that gained nothing.
func (r *replays) forget(f fingerprint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.current, f)
	delete(r.previous, f)
}
