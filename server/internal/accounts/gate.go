package accounts

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	defaultMaxWaiting = 64
	defaultMaxWait    = 5 * time.Second
)

// gate lets a bounded number of callers through at once, in the order in which they
// came. A bounded number of others wait for a bounded time; the rest are turned away.
// Those who are known have places of their own to wait in, so that however many
// strangers come, they don't turn them away.
type gate struct {
	inside    chan struct{} // holds one element for each caller that is inside
	strangers chan struct{} // and one for each stranger that waits
	known     chan struct{} // and one for each of those who are known
	wait      time.Duration
}

// caller says whether somebody at the gate is known: logged in, or on a device that was.
type caller bool

const (
	stranger caller = false
	known    caller = true
)

// newGate makes a gate; zero bounds stand for the defaults of Config.
func newGate(concurrent, waiting int, wait time.Duration) (*gate, error) {
	if concurrent < 0 || waiting < 0 || wait < 0 {
		return nil, errors.New("accounts: the bounds on hashing must not be negative")
	}
	if concurrent == 0 {
		concurrent = max(1, runtime.GOMAXPROCS(0)-1)
	}
	if waiting == 0 {
		waiting = defaultMaxWaiting
	}
	if wait == 0 {
		wait = defaultMaxWait
	}
	return &gate{
		inside: make(chan struct{}, concurrent), strangers: make(chan struct{}, waiting), known: make(chan struct{}, waiting), wait: wait,
	}, nil
}

// enter answers nil when the caller may go through, and leave must follow; or
// issuer.ErrBusy; or the context's error.
func (g *gate) enter(ctx context.Context, who caller) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case g.inside <- struct{}{}:
		return nil
	default:
	}
	waiting := g.places(who)
	select {
	case waiting <- struct{}{}:
		defer func() { <-waiting }()
	default:
		return issuer.ErrBusy
	}
	return g.await(ctx)
}

// full says that whoever comes now is most likely turned away.
func (g *gate) full(who caller) bool {
	waiting := g.places(who)
	return len(g.inside) == cap(g.inside) && len(waiting) == cap(waiting)
}

// places are those in which callers wait.
func (g *gate) places(who caller) chan struct{} {
	if who == known {
		return g.known
	}
	return g.strangers
}

func (g *gate) await(ctx context.Context) error {
	timer := time.NewTimer(g.wait)
	defer timer.Stop()
	select {
	case g.inside <- struct{}{}:
		return nil
	case <-timer.C:
		return issuer.ErrBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) leave() { <-g.inside }
