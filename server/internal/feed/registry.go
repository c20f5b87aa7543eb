package feed

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	// registrationLife is for how long a registration needn't be written again.
	registrationLife = time.Minute
	// streamLife bounds a live stream. A jot reader begins a new one every five minutes at most.
	streamLife = 6 * time.Minute

	turnGap     = 10 * time.Millisecond // between two turns at the database: what comes meanwhile shares the second one
	turnTimeout = 5 * time.Second
	recall      = time.Second // between two looks at what other servers' waiters want, without word from the database

	maxRegistered = 2 * defaultMaxStreams // verifiers that a server answers for, those that have just left included
)

// Verifiers is what this package needs of an *issuer.Issuer about those who follow the feed.
type Verifiers interface {
	RegisterVerifiers(ctx context.Context, verifiers []issuer.Verifier) (at time.Time, err error)
	AcknowledgeVerifiers(ctx context.Context, all []issuer.Acknowledgement) error
	DoubtVerifiers(ctx context.Context, verifiers []issuer.Verifier) error
	ForgetVerifiers(ctx context.Context, verifiers []issuer.Verifier) error
	Verifiers(ctx context.Context) ([]issuer.Verifier, error)
	AskVerifiers(ctx context.Context, until revocation.Cursor) error
	Asked(ctx context.Context) (revocation.Cursor, error)
	OthersWrote() <-chan struct{}
}

// registry knows who follows the feed; enforce.go waits for them. A verifier stands in the database before it hears
// anything that a lease could stand on, and until every lease that it may have has run out. Its goroutine alone uses
// the database, so that of two things about one verifier the second finds the first done; close ends it.
type registry struct {
	issuer       Verifiers
	server       string        // this one
	maxStaleness time.Duration // that a verifier may have
	alone        bool          // no other server has the database
	logger       *slog.Logger
	asks         chan struct{} // tells the hub that asked is new
	wake         chan struct{}
	stop         context.CancelFunc
	done         chan struct{}

	mu        sync.Mutex
	present   map[string]*presence // by verifier
	held      map[holder]int       // how many of these each has
	coming    map[string]*presence // of these, those to be written
	said      map[string]revocation.Cursor
	waiters   map[*waiter]bool
	newcomers []*waiter         // of these, those who have come since the last turn
	asked     revocation.Cursor // up to where all servers ask for acknowledgements

	// Only the goroutine touches these.
	looked    time.Time // at the database
	searched  time.Time // for orphans
	stale     bool      // something in the database is new
	cohorts   []*cohort
	asking    time.Time // when this server last raised what is asked
	strangers map[whereabouts]sighting
	failed    bool
}

// presence is a verifier that this server answers for.
type presence struct {
	verifier     issuer.Verifier
	holder       holder // that registered it first
	streams      int
	left         time.Time     // when the last stream ended
	written      time.Time     // when the newest registration began to be written; zero: never
	standing     time.Duration // MaxStaleness as it's in the database; zero: nothing is, as far as is known
	registration *registration
	acknowledged revocation.Cursor
}

// registration is one writing of a verifier, for which those who wait share the outcome.
type registration struct {
	done chan struct{}
	err  error // once done is closed
}

func startRegistry(v Verifiers, c Config) *registry {
	ctx, stop := context.WithCancel(context.Background())
	r := &registry{
		issuer: v, server: rand.Text(), maxStaleness: c.MaxStaleness, alone: c.Alone, logger: c.Logger, stop: stop,
		asks: make(chan struct{}, 1), wake: make(chan struct{}, 1), done: make(chan struct{}),
		present: make(map[string]*presence), held: make(map[holder]int), coming: make(map[string]*presence), said: make(map[string]revocation.Cursor),
		waiters: make(map[*waiter]bool), strangers: make(map[whereabouts]sighting),
	}
	go r.run(ctx)
	return r
}

func (r *registry) close() {
	r.stop()
	<-r.done
}

// rouse lets the goroutine take a turn.
func (r *registry) rouse() { signal(r.wake) }

// signal fills a channel that has room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// enter registers a verifier for a stream, and returns when that is durable. Call leave when the stream has ended. It
// fails with issuer.ErrBusy when there are too many, of all or of the holder.
func (r *registry) enter(ctx context.Context, by holder, id string, maxStaleness time.Duration) (*presence, error) {
	p, writing, err := r.expect(by, id, maxStaleness)
	if err != nil {
		return nil, err
	}
	select {
	case <-writing.done:
		err = writing.err
	case <-r.done:
		err = errClosed
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		r.leave(p)
		return nil, err
	}
	return p, nil
}

// expect counts a stream in, and has its verifier written unless that was done lately.
func (r *registry) expect(by holder, id string, maxStaleness time.Duration) (*presence, *registration, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.present[id]
	if p == nil {
		if len(r.present) == maxRegistered || by != (holder{}) && r.held[by] == maxOfHolder {
			return nil, nil, issuer.ErrBusy
		}
		p = &presence{verifier: issuer.Verifier{ID: id, Server: r.server}, holder: by}
		r.present[id] = p
		r.held[by]++
	}
	p.streams++
	longer := maxStaleness > p.verifier.MaxStaleness
	p.verifier.MaxStaleness = max(maxStaleness, p.verifier.MaxStaleness)
	if r.coming[id] == nil && (longer || p.written.IsZero() || time.Since(p.written) > registrationLife) {
		p.registration = &registration{done: make(chan struct{})}
		r.coming[id] = p
		r.rouse()
	}
	return p, p.registration, nil
}

// leave counts a stream out.
func (r *registry) leave(p *presence) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.streams--; p.streams == 0 {
		p.left = time.Now()
		r.rouse()
	}
}

func (r *registry) run(ctx context.Context) {
	defer close(r.done)
	for ctx.Err() == nil {
		others := r.issuer.OthersWrote() // before the database is read, so that nothing is missed
		began := time.Now()
		r.report(r.turn(ctx))
		timer := time.NewTimer(r.rest())
		select {
		case <-r.wake:
		case <-others:
			r.stale = true
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		pause(ctx, turnGap-time.Since(began))
	}
}

// turn does what there is to do.
func (r *registry) turn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	return errors.Join(r.writeComing(ctx), r.writeSaid(ctx), r.forgetLeft(ctx), r.settle(ctx), r.forgetOrphans(ctx))
}

// report logs the first failure of several, and the end of them.
func (r *registry) report(err error) {
	switch {
	case errors.Is(err, context.Canceled): // the registry is closed
		return
	case err != nil && !r.failed:
		r.logger.Error("verifiers of the revocation feed can't be registered", slog.Any("error", err))
	case err == nil && r.failed:
		r.logger.Info("verifiers of the revocation feed are registered again")
	}
	r.failed = err != nil
}

// rest is how long nothing is to be done unless something happens.
func (r *registry) rest() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.searched.Add(orphanSearch)
	soonest := func(t time.Time) {
		if t.Before(next) {
			next = t
		}
	}
	for _, p := range r.present {
		if p.streams == 0 {
			soonest(p.leaseEnd())
		}
		soonest(r.looked.Add(recall))
	}
	for _, c := range r.cohorts {
		soonest(r.looked.Add(askPatience))
		for _, end := range c.pending {
			soonest(end)
		}
	}
	if r.failed {
		return max(time.Until(next), recall)
	}
	return time.Until(next)
}

// leaseEnd is when the leases of a verifier that left have run out.
func (p *presence) leaseEnd() time.Time { return p.left.Add(p.verifier.MaxStaleness + leaseMargin) }

// entrant is a verifier as it's to be written.
type entrant struct {
	*presence
	verifier     issuer.Verifier
	registration *registration
}

// writeComing writes those who register, and lets their streams begin.
func (r *registry) writeComing(ctx context.Context) error {
	entrants, verifiers := r.receive()
	if len(entrants) == 0 {
		return nil
	}
	at, err := r.issuer.RegisterVerifiers(ctx, verifiers)
	unforgotten := r.unforgotten(ctx, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range entrants {
		switch {
		case err == nil:
			e.presence.verifier.Registered, e.standing = at, e.verifier.MaxStaleness
		case e.standing < e.verifier.MaxStaleness || !unforgotten(e.verifier.ID):
			e.written, e.registration.err = time.Time{}, err
		}
		close(e.registration.done)
	}
	return err
}

// receive takes over those who have come. Who comes once more from now on is another entrant.
func (r *registry) receive() (entrants []entrant, verifiers []issuer.Verifier) {
	r.mu.Lock()
	defer r.mu.Unlock()
	began := time.Now()
	for _, p := range r.coming {
		p.written = began
		entrants = append(entrants, entrant{p, p.verifier, p.registration})
		verifiers = append(verifiers, p.verifier)
	}
	clear(r.coming)
	return entrants, verifiers
}

// writeSaid writes what was acknowledged; after a failure the next turn does.
func (r *registry) writeSaid(ctx context.Context) error {
	r.mu.Lock()
	var all []issuer.Acknowledgement
	said := r.said
	r.said = make(map[string]revocation.Cursor)
	for id, cursor := range said {
		all = append(all, issuer.Acknowledgement{Verifier: id, Cursor: cursor})
	}
	r.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	r.stale = true
	err := r.issuer.AcknowledgeVerifiers(ctx, all)
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		maps.Copy(said, r.said) // what was said since is newer
		r.said = said
	}
	return err
}

// forgetLeft forgets verifiers whose leases have run out since they left. Who comes back is written anew, after this.
func (r *registry) forgetLeft(ctx context.Context) error {
	var gone []issuer.Verifier
	r.mu.Lock()
	for id, p := range r.present {
		if p.streams == 0 && r.coming[id] == nil && !time.Now().Before(p.leaseEnd()) {
			delete(r.present, id)
			if r.held[p.holder]--; r.held[p.holder] == 0 {
				delete(r.held, p.holder)
			}
			gone = append(gone, p.verifier)
		}
	}
	r.mu.Unlock()
	if len(gone) == 0 {
		return nil
	}
	return r.issuer.ForgetVerifiers(ctx, gone)
}
