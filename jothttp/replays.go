package jothttp

import (
	"crypto/sha256"
	"sync"
	"time"
)

// replays remembers which proofs were used, for at least as long as they'd be accepted again, and never more of them
// than its limit. Two generations take turns, so that forgetting costs nothing. It's safe for concurrent use.
//
// One key takes no more of it than what is left: alone that is half of the memory, with another greedy one a third, and
// so on. So whoever holds a bound token fills it for nobody else, and a key that is new here has room as long as there
// is any.
type replays struct {
	window time.Duration
	limit  int

	mu       sync.Mutex
	began    time.Time // of the generation that new proofs are put in
	current  generation
	previous generation
}

// generation is what was used in a window of time.
type generation struct {
	proofs map[fingerprint]struct{}
	keys   map[fingerprint]int // proofs of each
}

// use is one use of one key's ID.
type use struct{ proof, key fingerprint }

// fingerprint stands for a text.
type fingerprint [16]byte

func fingerprintOf(text string) fingerprint {
	sum := sha256.Sum256([]byte(text))
	return fingerprint(sum[:16])
}

func useOf(thumbprint, id string) use {
	return use{proof: fingerprintOf(thumbprint + " " + id), key: fingerprintOf(thumbprint)} // no thumbprint has a space
}

// remember notes a proof. It returns false for one that is known, and when there is no room.
func (r *replays) remember(u use, now time.Time) (fresh, room bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if age := now.Sub(r.began); age >= r.window { // a negative one is that of a caller who read the clock before another began a generation
		if r.previous = r.current; age >= 2*r.window {
			r.previous = generation{}
		}
		r.current, r.began = generation{make(map[fingerprint]struct{}), make(map[fingerprint]int)}, now
	}
	_, known := r.current.proofs[u.proof]
	_, knownBefore := r.previous.proofs[u.proof]
	left := r.limit - len(r.current.proofs) - len(r.previous.proofs)
	switch {
	case known || knownBefore:
		return false, true
	case r.current.keys[u.key]+r.previous.keys[u.key] >= left:
		return false, false
	}
	r.current.proofs[u.proof] = struct{}{}
	r.current.keys[u.key]++
	return true, true
}

// forget takes a proof back that gained nothing.
func (r *replays) forget(u use) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current.forget(u)
	r.previous.forget(u)
}

func (g generation) forget(u use) {
	if _, known := g.proofs[u.proof]; !known {
		return
	}
	delete(g.proofs, u.proof)
	if g.keys[u.key]--; g.keys[u.key] == 0 {
		delete(g.keys, u.key)
	}
}
