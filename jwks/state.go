package jwks

import (
	"slices"
	"time"

	"github.com/jot-auth/jot"
)

// State is what a [Source] holds at one moment, for health pages and logs. Nothing in it is secret.
type State struct {
	URL        string           // of the set
	Keys       []*jot.PublicKey // that verify now, in the set's order
	Skipped    []jot.SkippedKey // keys of the set that can't be used, and why
	Fetched    time.Time        // when the set was last fetched or confirmed; zero: never
	FreshUntil time.Time        // when the next look-up waits for a refresh
	StaleUntil time.Time        // when the set is dropped if no refresh succeeds
	Fetching   bool             // whether a fetch is under way
	LastError  error            // of the latest fetch; nil when it succeeded
}

// State reports the keys, their age and the latest error. It starts no fetch. Before the first fetch and after Close
// it has no keys.
func (s *Source) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := State{URL: s.url, Fetching: s.flight != nil, LastError: s.lastError}
	if set := s.current.Load(); set != nil {
		if set.usable(s.options.Now()) {
			state.Keys = set.keys.Keys()
		}
		state.Skipped = slices.Clone(set.skipped)
		state.Fetched, state.FreshUntil, state.StaleUntil = set.fetched, set.freshUntil, set.staleUntil
	}
	return state
}
