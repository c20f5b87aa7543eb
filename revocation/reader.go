package revocation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jot-auth/jot"
)

// ReaderOptions say which feed a Reader follows. URL, Issuer, Keys and Credential are required.
type ReaderOptions struct {
	URL        string        // of the feed: https, or http on loopback; redirects are not followed
	Issuer     string        // whose statements count, and no other's
	Keys       jot.KeySource // the feed's keys; never those of the tokens
	Credential string        // bearer token for the feed, sent to the URL's host only

	// ForeignIssuers are the other issuers of whose tokens this feed tells which are refused, each with the longest
	// life of its tokens: those whose logout tokens the server takes (OpenID Connect Back-Channel Logout 1.0). About
	// the tokens of all others the reader answers jot.ErrUnavailable, whatever the feed says of them. A feed can only
	// refuse: no rule makes a token good.
	ForeignIssuers map[string]time.Duration

	Client       *http.Client  // its Transport is used, its Timeout and redirects are not; nil: one of the reader's own
	MaxStaleness time.Duration // how old the issuer's last word may be; 0 means 10 s, at least 2 s and at most what the issuer allows
	WithoutLease Policy        // what to answer when it's older; the zero value is Closed
	VerifierID   string        // what the issuer calls this reader, before a random part: letters, digits, - _ and dots; empty: the random part alone
	MaxRules     int           // bound on the rules held in memory; 0 means 1,048,576
	HistoryFile  string        // where the reader remembers how far the log had come, so that nothing is taken back while it's off; empty: nowhere
	SnapshotFile string        // where the reader keeps a snapshot, so that its next start needs only what was added; empty: nowhere
	OnError      func(error)   // told why a connection failed, and of a log that replaced another, from the reader's goroutines, one at a time; must not block

	// Now is the clock; nil means time.Now. Its times must have a monotonic reading, as time.Now's have, or
	// leases end by the wall clock.
	Now func() time.Time
}

const (
	defaultMaxStaleness = 10 * time.Second
	minMaxStaleness     = 2 * time.Second
	defaultMaxRules     = 1 << 20

	sweepEvery = time.Minute

	// skew is how long rules are kept beyond the longest life of a token, and how far the issuer's clock
	// may be set.
	skew = 10 * time.Minute
)

// errForgotten asks for a new snapshot.
var errForgotten = errors.New("feed: the issuer's clock was set back, and rules were dropped by the time of before")

// errReplaced tells of a log that rightly took the place of another one.
var errReplaced = errors.New("feed: the issuer's log is another one, as after a restored backup; every token of before is refused")

// Reader follows an issuer's feed and answers from memory whether a token is revoked: a jot.RevocationChecker. It
// answers jot.ErrUnavailable until snapshot and stream are proven fresh, and, unless WithoutLease says otherwise,
// whenever the issuer's last word is older than MaxStaleness. It's safe for concurrent use.
type Reader struct {
	options  ReaderOptions
	client   *client
	verifier *StatementVerifier // for the reader's goroutine, which knows what feed keys are revoked
	beside   *StatementVerifier // for the one that keeps snapshots, of which nothing counts before the other has seen it
	clock    clock
	status   *status
	grant    atomic.Pointer[grant]
	lapsed   atomic.Pointer[grant] // the last one that ended without another after it
	noLease  atomic.Pointer[error] // what to answer without a lease
	acks     *acknowledger

	stop    context.CancelFunc
	done    chan struct{} // closed when the goroutines have ended
	telling sync.Mutex
	stored  *snapshotFile

	// Only the reader's goroutine touches these.
	cursor  *cursor // nil: a snapshot is needed
	history history
	file    historyFile
	swept   time.Time // the issuer's
	way     way
}

// grant is what allows a reader to answer: rules, and the lease on their freshness.
type grant struct {
	set      *Set
	lease    lease
	timeline timeline
	maxTTL   time.Duration
}

// NewReader checks the options and starts to follow the feed, in goroutines that Close ends: one for the feed, one for
// acknowledgements, one for the SnapshotFile. It doesn't wait for the feed; WaitFresh does.
func NewReader(o ReaderOptions) (*Reader, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	return newReader(o, newClock(o.Now))
}

func newReader(o ReaderOptions, now clock) (*Reader, error) {
	if o.MaxStaleness == 0 {
		o.MaxStaleness = defaultMaxStaleness
	}
	if o.MaxRules == 0 {
		o.MaxRules = defaultMaxRules
	}
	switch {
	case o.Issuer == "":
		return nil, errors.New("revocation: the issuer is missing: give ReaderOptions.Issuer, whose feed it is")
	case o.Keys == nil:
		return nil, errors.New("revocation: the feed's keys are missing: give ReaderOptions.Keys, a jwks.Source of what the issuer's metadata name as jot_feed_jwks_uri")
	case o.MaxStaleness < minMaxStaleness || o.MaxRules < 0 || o.WithoutLease < Closed || o.WithoutLease > Open:
		return nil, fmt.Errorf("revocation: MaxStaleness has to be at least %v, MaxRules positive, and WithoutLease one of the policies", minMaxStaleness)
	}
	foreign, err := checkForeign(o.Issuer, o.ForeignIssuers)
	if err != nil {
		return nil, err
	}
	o.ForeignIssuers = foreign
	client, err := newClient(o)
	if err != nil {
		return nil, err
	}
	file := historyFile{path: o.HistoryFile, issuer: o.Issuer}
	past, err := file.load()
	if err != nil {
		return nil, err
	}
	o.Credential = "" // the client's alone, where nothing prints it
	ctx, stop := context.WithCancel(context.Background())
	r := &Reader{
		options: o, client: client, clock: now, status: newStatus(),
		stop: stop, done: make(chan struct{}), history: past, file: file, stored: newSnapshotFile(o.SnapshotFile), acks: newAcknowledger(client),
	}
	verifier, err1 := newStatementVerifier(o.Keys, o.Issuer, feedKeys{r})
	beside, err2 := NewStatementVerifier(o.Keys, o.Issuer)
	if err := errors.Join(err1, err2); err != nil {
		stop()
		return nil, err
	}
	r.verifier, r.beside = verifier, beside
	r.lacksLease(nil)
	go r.run(ctx)
	return r, nil
}

// CheckRevocation returns what the rules say of the token. Without a lease the policy decides, and the error wraps
// jot.ErrUnavailable, as it does for a token of an issuer in which the feed has no say. A token that is older than the
// longest life of its issuer's tokens is revoked, because the rules about it may be gone. So is one from the issuer's
// future, because they may be gone before it expires, and one that doesn't say when it was issued. It doesn't allocate,
// nor wait for anything.
func (r *Reader) CheckRevocation(_ context.Context, f *jot.RevocationFacts) (jot.Verdict, error) {
	if !r.speaksFor(f.Issuer) {
		return jot.Revoked, errOtherIssuer
	}
	now := r.clock()
	g := r.grant.Load()
	if g != nil && g.lease.remaining(now) == 0 {
		r.lapse(g)
		g = nil
	}
	if g == nil {
		return r.withoutLease(f, now)
	}
	if g.outOfTime(f, now, r.maxTTLOf(g, f.Issuer)) {
		return jot.Revoked, nil
	}
	return g.set.Verdict(f), nil
}

// outOfTime reports whether the token was issued so long ago, or so far ahead, that its rules may expire
// before it does.
func (g *grant) outOfTime(f *jot.RevocationFacts, now instant, maxTTL time.Duration) bool {
	issuerTime := g.timeline.issuerTime(now)
	return outlived(f, issuerTime, maxTTL) || f.IssuedAt > issuerTime.Add(skew).Unix()
}

// outlived reports whether the token was issued so long ago that its rules may be gone, as they may be where it doesn't
// say when it was issued.
func outlived(f *jot.RevocationFacts, issuerTime time.Time, maxTTL time.Duration) bool {
	return !f.HasIssuedAt || f.IssuedAt < issuerTime.Add(-maxTTL-skew).Unix()
}

// WaitFresh waits until the reader can answer. It returns the context's error, joined with the reason
// for which the feed failed last, or an error when the reader was closed.
func (r *Reader) WaitFresh(ctx context.Context) error {
	for {
		state, changed := r.status.read()
		if g := r.grant.Load(); g != nil && g.lease.remaining(r.clock()) > 0 {
			return nil
		}
		select {
		case <-changed:
		case <-r.done:
			return errors.New("revocation: the reader is closed")
		case <-ctx.Done():
			return errors.Join(ctx.Err(), state.LastError)
		}
	}
}

// State returns what the reader knows about itself now.
func (r *Reader) State() State {
	state, _ := r.status.read()
	if g := r.grant.Load(); g != nil {
		state.Lease, state.Rules = g.lease.remaining(r.clock()), g.set.Len()
	}
	return state
}

// Close ends the reader's goroutines and waits for that. The reader answers jot.ErrUnavailable from then
// on. Its error is always nil; it may be called more than once.
func (r *Reader) Close() error {
	r.stop()
	<-r.done
	return nil
}

func (r *Reader) run(ctx context.Context) {
	var keeper sync.WaitGroup
	if r.options.SnapshotFile != "" {
		keeper.Go(func() { r.keepSnapshots(ctx) })
	}
	defer close(r.done)
	defer keeper.Wait()
	defer r.end()
	var acknowledging sync.WaitGroup
	acknowledging.Go(func() { r.acks.run(ctx) })
	defer acknowledging.Wait()
	var delay backoff
	for {
		began := r.clock().monotonic
		frames, err := r.follow(ctx)
		if frames > 1 {
			delay = 0
		}
		if ctx.Err() != nil {
			return
		}
		now := r.clock().monotonic
		if !meantToEnd(err) {
			r.report(err)
		}
		switch r.way.after(err, now) {
		case atOnce:
		case afterPause:
			delay = 0
			sleep(ctx, began+pollPause-now)
		case later:
			if !delay.wait(ctx) {
				return
			}
		}
	}
}

func (r *Reader) end() {
	r.grant.Store(nil)
	r.lapsed.Store(nil)
	r.remember(true)
	r.status.update(func(s *State) { s.ConnectedSince, s.Connection = time.Time{}, Disconnected })
	if r.options.Client == nil {
		r.client.http.CloseIdleConnections()
	}
}

func (r *Reader) report(err error) {
	r.lacksLease(err)
	r.status.update(func(s *State) { s.LastError, s.ConnectedSince, s.Connection = err, time.Time{}, Disconnected })
	r.tell(err)
}

// tell tells whoever runs the reader of an error.
func (r *Reader) tell(err error) {
	if err != nil && r.options.OnError != nil {
		r.telling.Lock()
		defer r.telling.Unlock()
		r.options.OnError(err)
	}
}

// follow takes a snapshot, if the reader needs one, and then the live stream until that fails. It
// returns how many frames were good.
func (r *Reader) follow(ctx context.Context) (frames int, err error) {
	if r.cursor == nil {
		if err := r.takeSnapshot(ctx); err != nil {
			return 0, err
		}
	}
	frames, err = r.catchUp(ctx)
	if !keepsCursor(err) {
		r.cursor = nil
	}
	return frames, err
}

// keepsCursor reports whether the stream can go on from the cursor after this error. After anything
// that the feed said wrongly, a snapshot is needed.
func keepsCursor(err error) bool {
	var link *linkError
	return errors.As(err, &link) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, jot.ErrUnavailable) ||
		errors.Is(err, errRemap) || errors.Is(err, errPolled) || errors.Is(err, errSuspended) || errors.Is(err, errBackwards)
}

// takeFrames opens the live stream and takes its frames in until it fails.
func (r *Reader) takeFrames(ctx context.Context) (frames int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watchdog.Stop()

	link := newLink(rand.Text(), r.clock())
	body, err := r.client.live(ctx, r.cursor.head, link.nonce, r.way.polls)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	for in := NewFrameReader(body); ; frames++ {
		frame, err := in.Next()
		if err == io.EOF {
			return frames, r.way.ended(frames)
		}
		if err != nil {
			return frames, err
		}
		before := link.last
		if err := r.takeFrame(ctx, link, frame); err != nil {
			return frames, err
		}
		if link.last.After(before) { // a frame that is repeated is no sign of life
			watchdog.Reset(silence)
		}
		if r.clock().monotonic > link.remapAt {
			return frames + 1, errRemap
		}
	}
}

// takeFrame applies a frame when everything about it holds, and renews the lease. Rules count even
// when the lease can't be renewed: refusing more is always safe.
func (r *Reader) takeFrame(ctx context.Context, link *link, f Frame) error {
	s, err := r.verifier.Verify(ctx, f.Statement)
	switch {
	case err != nil:
		return err
	case s.Sequence != f.Sequence || s.Digest != nil:
		return errors.New("feed: a frame and its statement don't belong together")
	case s.Nonce != link.expects():
		return errors.New("feed: a frame that was made for somebody else")
	}
	if err := r.cursor.follow(f.Rules, s.Head); err != nil {
		return err
	}
	if err := errors.Join(r.history.check(s.Head), r.checkReplacement(s, r.cursor.set)); err != nil {
		return err
	}
	now := r.clock()
	lease, err := link.lease(s.Time, now, r.options.MaxStaleness)
	if err != nil {
		return err
	}
	if err := r.keepBounds(s.Time); err != nil {
		return err
	}
	if r.history.noteFresh(s, r.cursor.set) {
		r.tell(errReplaced)
	}
	r.remember(false)
	r.renew(s, now, &grant{r.cursor.set, lease, link.timeline, s.MaxTTL})
	if s.Acknowledge {
		r.acks.tell(s.Cursor())
	}
	return nil
}

// remember writes the history to its file. A reader that can't goes on: what it holds in memory is as good.
func (r *Reader) remember(last bool) {
	r.tell(r.file.save(&r.history, r.clock().monotonic, last))
}

// keepBounds drops expired rules, by the issuer's time, and checks how many are left. The issuer may take
// back even a time that the lease allowed: then the rules that were dropped by it are needed again.
func (r *Reader) keepBounds(now time.Time) error {
	if r.swept.Sub(now) > skew {
		return errForgotten
	}
	full := r.cursor.set.Len() > r.options.MaxRules
	if full || now.Sub(r.swept) > sweepEvery {
		r.cursor.set.Sweep(now)
		r.swept = now
	}
	if full && r.cursor.set.Len() > r.options.MaxRules {
		return fmt.Errorf("feed: more than %d rules; raise MaxRules", r.options.MaxRules)
	}
	return nil
}

// renew lets the reader answer from the grant. A longer lease from an earlier connection stays good.
func (r *Reader) renew(s Statement, now instant, g *grant) {
	lag := now.monotonic - (g.lease.until - r.options.MaxStaleness)
	if old := r.grant.Load(); old != nil && old.set == g.set && !now.jumped(old.lease.granted) {
		g.lease.until = max(g.lease.until, old.lease.until)
	}
	r.grant.Store(g)
	r.status.update(func(state *State) {
		state.LogID, state.Sequence, state.MaxTTL, state.Lag, state.Connection = s.LogID, s.Sequence, s.MaxTTL, lag, r.way.connection()
		if state.ConnectedSince.IsZero() {
			state.ConnectedSince = r.options.Now()
			r.lacksLease(nil)
		}
	})
}
