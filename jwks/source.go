package jwks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jot-auth/jot"
)

// Options adjusts a [Source]. The zero value is the recommended one.
type Options struct {
	// Client fetches the set; nil means a client of the source's own, which keeps no connection open. Its
	// redirects are limited to the same scheme, host and port whatever its own CheckRedirect says.
	Client *http.Client
	// Algorithm is that of a set whose keys don't name theirs. As for [jot.ParseKeySet], a key of the set that names
	// another one is then skipped. Empty means that every key names its own, and that one which doesn't is skipped.
	Algorithm jot.Algorithm
	// Timeout bounds one fetch, from dialling to the last byte. Zero means 5 seconds.
	Timeout time.Duration
	// MinRefresh is the cool-down between two fetches and the shortest time that a set counts as fresh.
	// Zero means 10 seconds.
	MinRefresh time.Duration
	// MaxAge is the longest time that a set counts as fresh, and the time taken when the issuer states none.
	// It also bounds how long a key that the issuer withdrew is still accepted while the issuer can be
	// reached. Zero means 10 minutes.
	MaxAge time.Duration
	// MaxStale is the age at which a set that could not be refreshed is dropped, counted from its last
	// successful fetch. It takes the place of the response's must-revalidate and stale-if-error. Equal to
	// MaxAge it means that stale sets hardly serve at all. Zero means 1 hour.
	MaxStale time.Duration
	// MaxKeys is the largest set that is accepted, unusable keys included, up to the 128 of [jot.ParseKeySet]. Zero
	// means 64.
	MaxKeys int
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// withDefaults fills the zero fields and refuses contradictory ones.
func (o Options) withDefaults() (Options, error) {
	setDefault(&o.Timeout, 5*time.Second)
	setDefault(&o.MinRefresh, 10*time.Second)
	setDefault(&o.MaxAge, 10*time.Minute)
	setDefault(&o.MaxStale, time.Hour)
	setDefault(&o.MaxKeys, 64)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Timeout < 0 || o.MinRefresh < 0 || o.MaxKeys < 0 {
		return o, errors.New("jwks: negative option: leave it zero for the default")
	}
	if o.MinRefresh > o.MaxAge || o.MaxAge > o.MaxStale {
		return o, fmt.Errorf("jwks: MinRefresh %v, MaxAge %v and MaxStale %v must not decrease: set all three",
			o.MinRefresh, o.MaxAge, o.MaxStale)
	}
	return o, nil
}

func setDefault[T int | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// Source is a remote key set that refreshes itself, a [jot.KeySource]. It is safe for concurrent use. The zero value
// has no keys, and says so to every look-up.
//
// A source owns at most one goroutine, the fetch under way. It ends with the answer, at Options.Timeout or
// by Close, whichever comes first. Between fetches there is none.
type Source struct {
	url     string
	client  *http.Client
	options Options

	current atomic.Pointer[keySet] // written under mu

	mu        sync.Mutex
	flight    *flight   // the fetch under way, or nil
	notBefore time.Time // the end of the cool-down
	failures  int       // fetches that failed since one succeeded
	lastError error     // of the latest fetch
	missing   missing
	closed    bool
}

// flight is one fetch and those who wait for it.
type flight struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when the source holds the result
	err    error         // readable once done is closed
}

var (
	// errClosed answers every look-up after Close.
	errClosed = fmt.Errorf("jwks: the source is closed: %w", jot.ErrUnavailable)
	// errNoSource answers those of the zero value.
	errNoSource = fmt.Errorf("jwks: the zero value of a source is none: use NewSource: %w", jot.ErrUnavailable)
)

// NewSource makes a source that reads the JWK Set at url: https, or http on a loopback host. It does no
// network access: the first look-up does.
func NewSource(url string, o Options) (*Source, error) {
	if _, err := parseURL(url); err != nil {
		return nil, err
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Source{url: url, client: sameOrigin(o.Client), options: o}, nil
}

// VerificationKeys returns the keys that may verify a token with this algorithm and key ID, as [jot.KeySource] says. A
// known key of a fresh set, or of a stale one between two attempts to refresh it, is answered without a lock or an
// allocation. Otherwise it may wait for a fetch, until ctx ends. Without a usable set, and for an unknown key while
// fetches fail, the error wraps [jot.ErrUnavailable]; where the set has keys that don't name themselves, which may be
// the unknown one, they are answered in its place.
func (s *Source) VerificationKeys(ctx context.Context, alg jot.Algorithm, kid string) ([]jot.VerificationKey, error) {
	if s.client == nil {
		return nil, errNoSource
	}
	now := s.options.Now()
	if set := s.current.Load(); set != nil && now.Before(set.refreshAt) && set.names(kid) {
		if keys, err := set.keys.VerificationKeys(ctx, alg, kid); len(keys) > 0 || err != nil {
			return keys, err
		}
	}
	if err := s.prepare(ctx, alg, kid, now); err != nil {
		return nil, err
	}
	set := s.current.Load()
	if set == nil { // closed meanwhile
		return nil, errClosed
	}
	return set.keys.VerificationKeys(ctx, alg, kid)
}

// prepare starts the fetch that a look-up calls for, if any, and waits where the answer depends on it.
// Nil means that the current set may answer.
func (s *Source) prepare(ctx context.Context, alg jot.Algorithm, kid string, now time.Time) error {
	f, err := s.plan(alg, kid, now)
	if f == nil {
		return err
	}
	select {
	case <-f.done:
		return s.settle(f, alg, kid)
	case <-ctx.Done():
		return fmt.Errorf("jwks: waiting for %s: %w: %w", s.url, context.Cause(ctx), jot.ErrUnavailable)
	}
}

// plan decides what a look-up needs: a fetch to wait for, or, without one, the current set (nil) or an
// error.
func (s *Source) plan(alg jot.Algorithm, kid string, now time.Time) (*flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.current.Load()
	switch {
	case s.closed:
		return nil, errClosed
	case !set.usable(now):
		if f := s.fetch(now); f != nil {
			return f, nil
		}
		return nil, s.lastError
	case !set.names(kid):
		if s.missing.has(kid, now) {
			return nil, nil
		}
		f := s.fetch(now)
		if s.failures > 0 && set.answers(alg, kid) {
			return nil, nil // nobody waits for an issuer that is down, as for a known key
		}
		if f != nil {
			return f, nil
		}
		return nil, s.lastError // nil in the cool-down after a success: the key does not exist
	case now.Before(set.refreshAt):
		return nil, nil // another caller refreshed it meanwhile, or no key has the algorithm
	case now.Before(set.freshUntil), s.failures > 0:
		s.fetch(now)
		return nil, nil
	default:
		return s.fetch(now), nil
	}
}

// settle says what a finished fetch means to a caller who waited for it.
func (s *Source) settle(f *flight, alg jot.Algorithm, kid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, set := s.options.Now(), s.current.Load()
	if s.closed {
		return errClosed
	}
	if !set.usable(now) {
		if f.err != nil {
			return f.err
		}
		return fmt.Errorf("jwks: the keys of %s are older than MaxStale: %w", s.url, jot.ErrUnavailable)
	}
	if set.names(kid) {
		return nil
	}
	if f.err == nil {
		s.missing.add(kid, now, now.Add(missingCooldowns*s.options.MinRefresh))
		return nil
	}
	if set.answers(alg, kid) {
		return nil
	}
	return f.err
}

// fetch joins the fetch under way or starts one. It answers nil in the cool-down. The caller holds s.mu.
func (s *Source) fetch(now time.Time) *flight {
	if s.flight != nil || now.Before(s.notBefore) {
		return s.flight
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.options.Timeout)
	f := &flight{cancel: cancel, done: make(chan struct{})}
	s.flight = f
	previous := s.current.Load()
	go func() { // owned by the source: ends with the answer, the time-out or Close
		defer cancel()
		set, err := s.download(ctx, previous, now)
		s.land(f, set, err)
	}()
	return f
}

// land records a fetch's result and lets the waiting callers go.
func (s *Source) land(f *flight, set *keySet, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(f.done)
	s.flight = nil
	switch {
	case s.closed:
		f.err = errClosed
	case err != nil:
		f.err = fmt.Errorf("jwks: %w: %w", err, jot.ErrUnavailable)
		s.lastError = f.err
		s.failures++
		s.postpone(s.options.Now())
	default:
		s.lastError = nil
		s.failures = 0
		s.notBefore = set.fetched.Add(s.options.MinRefresh)
		s.current.Store(set)
	}
}

// postpone sets when to try again after a failure: while a set still serves, after the cool-down, until when its
// known keys are answered without a lock again; without one sooner, after 1, 2, 4, … seconds, because then no token
// can be verified.
func (s *Source) postpone(now time.Time) {
	set := s.current.Load()
	if set.usable(now) {
		s.notBefore = now.Add(s.options.MinRefresh)
		s.current.Store(set.postponed(s.notBefore))
		return
	}
	doubling := time.Second << min(s.failures-1, 20)
	s.notBefore = now.Add(min(s.options.MinRefresh, doubling))
}

// Close ends the fetch under way, waits for its goroutine and forgets the keys: every later look-up answers
// an error that wraps [jot.ErrUnavailable]. It always returns nil, and may be called again.
func (s *Source) Close() error {
	s.mu.Lock()
	s.closed = true
	s.current.Store(nil)
	f := s.flight
	s.mu.Unlock()
	if f != nil {
		f.cancel()
		<-f.done
	}
	return nil
}
