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
	all    map[string]issuer.Verifier
	asked  revocation.Cursor
	writes int
	broken error
	slow   time.Duration // for a registration
}

func (f *fakeVerifiers) RegisterVerifiers(_ context.Context, verifiers []issuer.Verifier) (time.Time, error) {
	time.Sleep(f.slow)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	if f.all == nil {
		f.all = make(map[string]issuer.Verifier)
	}
	for _, v := range verifiers {
		v.Registered, v.Acknowledged = time.Now(), f.all[v.ID].Acknowledged
		f.all[v.ID] = v
	}
	return time.Now(), f.broken
}

func (f *fakeVerifiers) AcknowledgeVerifiers(_ context.Context, all []issuer.Acknowledgement) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range all {
		if v, ok := f.all[a.Verifier]; ok {
			v.Acknowledged = a.Cursor
			f.all[a.Verifier] = v
		}
	}
	return f.broken
}

func (f *fakeVerifiers) ForgetVerifiers(_ context.Context, verifiers []issuer.Verifier) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range verifiers {
		if now := f.all[v.ID]; now.Server == v.Server && now.Registered.Equal(v.Registered) {
			delete(f.all, v.ID)
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
	f.asked = until
	return f.broken
}

func (f *fakeVerifiers) Asked(context.Context) (revocation.Cursor, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked, f.broken
}

func (f *fakeVerifiers) OthersWrote() <-chan struct{} { return nil }
