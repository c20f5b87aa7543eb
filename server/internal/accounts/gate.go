package accounts

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
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
// strangers come, they don't turn them away; and nobody alone takes all places.
type gate struct {
	inside    chan struct{} // holds one element for each caller that is inside
	strangers chan struct{} // and one for each stranger that waits
	known     chan struct{} // and one for each of those who are known
	wait      time.Duration
	left      atomic.Uint64 // callers that were inside

	mu   sync.Mutex
	held map[caller]int // places in which callers wait, but for those who are nobody's
}

// caller is who comes to the gate.
type caller struct {
	known bool   // logged in, or on a device that was
	from  string // whose places it takes: a stranger's network, the subject of somebody known; "" is nobody's
}

var (
	stranger = caller{}
	known    = caller{known: true}
)

// One network of strangers may take half of their places, for an office is one, and one subject a sixteenth: a person
// has few devices.
const (
	strangerShare = 2
	knownShare    = 16
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
		held: make(map[caller]int),
	}, nil
}

// enter returns nil when the caller may go through, and leave must follow; or
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
	if !g.take(who) {
		return issuer.ErrBusy
	}
	defer g.free(who)
	return g.await(ctx)
}

// take takes a place to wait in, if there is one for this caller.
func (g *gate) take(who caller) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.crowded(who) {
		return false
	}
	select {
	case g.places(who) <- struct{}{}:
	default:
		return false
	}
	if who.from != "" {
		g.held[who]++
	}
	return true
}

func (g *gate) free(who caller) {
	g.mu.Lock()
	defer g.mu.Unlock()
	<-g.places(who)
	if g.held[who]--; g.held[who] <= 0 {
		delete(g.held, who)
	}
}

// crowded reports whether those whom a caller comes from have all the places that they may have.
func (g *gate) crowded(who caller) bool {
	share := strangerShare
	if who.known {
		share = knownShare
	}
	return g.held[who] >= max(1, cap(g.places(who))/share)
}

// full reports whether whoever comes now is most likely turned away.
func (g *gate) full(who caller) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	waiting := g.places(who)
	return len(g.inside) == cap(g.inside) && (len(waiting) == cap(waiting) || g.crowded(who))
}

// places are those in which callers wait.
func (g *gate) places(who caller) chan struct{} {
	if who.known {
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

func (g *gate) leave() {
	g.left.Add(1)
	<-g.inside
}
