package feed

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

// fakeVerifiers are the registered verifiers in memory, as one database has them for several servers.
type fakeVerifiers struct {
	mu     sync.Mutex
	all    map[whereabouts]issuer.Verifier
	asked  revocation.Cursor
	writes int
	broken error
	slow   time.Duration // for a registration
	full   bool          // rows can be deleted, but not added or changed
}

func (f *fakeVerifiers) RegisterVerifiers(_ context.Context, verifiers []issuer.Verifier) (time.Time, error) {
	time.Sleep(f.slow)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full {
		return time.Time{}, issuer.ErrFull
	}
	f.writes++
	if f.all == nil {
		f.all = make(map[whereabouts]issuer.Verifier)
	}
	for _, v := range verifiers {
		at := whereabouts{v.ID, v.Server}
		v.Registered, v.Acknowledged = time.Now(), f.all[at].Acknowledged
		f.all[at] = v
	}
	return time.Now(), f.broken
}

func (f *fakeVerifiers) AcknowledgeVerifiers(_ context.Context, all []issuer.Acknowledgement) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full {
		return issuer.ErrFull
	}
	for _, a := range all {
		for at, v := range f.all {
			if at.verifier == a.Verifier && !v.Acknowledged.Covers(a.Cursor) {
				v.Acknowledged = a.Cursor
				f.all[at] = v
			}
		}
	}
	return f.broken
}

func (f *fakeVerifiers) DoubtVerifiers(_ context.Context, verifiers []issuer.Verifier) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full && len(verifiers) > 0 {
		return issuer.ErrFull
	}
	for _, v := range verifiers {
		if at := (whereabouts{v.ID, v.Server}); f.all[at].Registered.Equal(v.Registered) {
			v.Registered, v.Acknowledged = time.Time{}, f.all[at].Acknowledged
			f.all[at] = v
		}
	}
	return f.broken
}

func (f *fakeVerifiers) ForgetVerifiers(_ context.Context, verifiers []issuer.Verifier) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range verifiers {
		if at := (whereabouts{v.ID, v.Server}); f.all[at].Registered.Equal(v.Registered) {
			delete(f.all, at)
		}
	}
	return f.broken
}

func (f *fakeVerifiers) Verifiers(context.Context) ([]issuer.Verifier, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []issuer.Verifier
	for _, v := range f.all {
		all = append(all, v)
	}
	return slices.Clip(all), f.broken
}

func (f *fakeVerifiers) AskVerifiers(_ context.Context, until revocation.Cursor) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full {
		return issuer.ErrFull
	}
	f.asked = until
	return f.broken
}

func (f *fakeVerifiers) Asked(context.Context) (revocation.Cursor, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked, f.broken
}

func (f *fakeVerifiers) OthersWrote() <-chan struct{} { return nil }
