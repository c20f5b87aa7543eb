package revocation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
)

// fakeFeed is an issuer with its feed, as an http.RoundTripper, so that it works inside a synctest
// bubble. Its hooks make it lie.
type fakeFeed struct {
	t      testing.TB
	signer *jot.Signer
	keys   *jot.KeySet

	mu        sync.Mutex
	head      Head
	rules     []Rule
	heads     []Head // heads[n] is the head after n rules
	offset    time.Duration
	changed   chan struct{} // closed at the next append
	closing   chan struct{} // closed to end all streams
	snapshots int
	streams   int

	// Hooks, nil for an honest feed.
	spoilFrame    func(n int, f *Frame, s *Statement)              // before signing; n counts in the connection
	spoilBytes    func(n int, frame []byte) [][]byte               // what is sent instead
	spoilSnapshot func(s *Statement, rules []Rule) []Rule          // before signing
	spoilAnswer   func(snapshot []byte) []byte                     // after signing
	refuse        func(*http.Request) *http.Response               // answers in place of the feed
	signWith      *jot.Signer                                      // in place of the feed's
	delay         func(made time.Duration) (arrives time.Duration) // since the stream began
}

func newFakeFeed(t testing.TB) *fakeFeed {
	key, signer := feedKey(t)
	head := NewLog("log-1")
	return &fakeFeed{
		t: t, signer: signer, keys: jot.NewKeySet(key.Public()), head: head, heads: []Head{head},
		changed: make(chan struct{}), closing: make(chan struct{}),
	}
}

func feedKey(t testing.TB) (*jot.PrivateKey, *jot.Signer) {
	t.Helper()
	key, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: StatementType})
	if err != nil {
		t.Fatal(err)
	}
	return key, signer
}

func (f *fakeFeed) options() ReaderOptions {
	return ReaderOptions{
		URL: "https://auth.example.com/feed", Issuer: testIssuer, Keys: f, Credential: "let-me-in",
		Client: &http.Client{Transport: f},
	}
}

// VerificationKeys makes the feed the source of its own keys.
func (f *fakeFeed) VerificationKeys(ctx context.Context, alg jot.Algorithm, kid string) ([]jot.VerificationKey, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.keys.VerificationKeys(ctx, alg, kid)
}

// asked returns how many snapshots and streams were asked for.
func (f *fakeFeed) asked() (snapshots, streams int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.snapshots, f.streams
}

// do changes the feed under its lock.
func (f *fakeFeed) do(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// revoke appends rules and wakes the streams.
func (f *fakeFeed) revoke(rules ...Rule) {
	f.do(func() {
		for _, r := range rules {
			f.rules = append(f.rules, r)
			f.head = f.head.Append(r)
			f.heads = append(f.heads, f.head)
		}
		close(f.changed)
		f.changed = make(chan struct{})
	})
}

// restart ends all streams, as a server that stops does.
func (f *fakeFeed) restart() {
	f.do(func() {
		close(f.closing)
		f.closing = make(chan struct{})
	})
	synctest.Wait()
}

// restore replaces the log by another one.
func (f *fakeFeed) restore(logID string, rules ...Rule) {
	f.do(func() {
		f.head = NewLog(logID)
		f.heads, f.rules = []Head{f.head}, nil
	})
	f.revoke(rules...)
	f.restart()
}

// honest takes all hooks away and ends the streams that lie.
func (f *fakeFeed) honest() {
	f.do(func() {
		f.spoilFrame, f.spoilBytes, f.spoilSnapshot, f.spoilAnswer = nil, nil, nil, nil
		f.refuse, f.signWith, f.delay = nil, nil, nil
	})
	f.restart()
}

func (f *fakeFeed) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.URL.Host != "auth.example.com" || r.URL.Scheme != "https" {
		f.t.Errorf("the reader talks to %s", r.URL.Host)
	}
	if r.Header.Get("Authorization") != "Bearer let-me-in" {
		return answer(http.StatusUnauthorized, "", nil), nil
	}
	if f.refuse != nil {
		if response := f.refuse(r); response != nil {
			return response, nil
		}
	}
	if r.URL.Path == "/feed/snapshot" {
		f.snapshots++
		return answer(http.StatusOK, SnapshotType, io.NopCloser(bytes.NewReader(f.snapshot(r)))), nil
	}
	return f.live(r), nil
}

// pipe answers with what a function writes of the snapshot, in its own time.
func (f *fakeFeed) pipe(r *http.Request, write func(snapshot []byte, out *io.PipeWriter)) *http.Response {
	in, out := io.Pipe()
	ctx := r.Context()
	context.AfterFunc(ctx, func() { out.CloseWithError(ctx.Err()) })
	go write(f.snapshot(r), out)
	return answer(http.StatusOK, SnapshotType, in)
}

func answer(status int, mediaType string, body io.ReadCloser) *http.Response {
	if body == nil {
		body = http.NoBody
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {mediaType}}, Body: body}
}

func (f *fakeFeed) statement(head Head, nonce string) Statement {
	return Statement{Head: head, Time: time.Now().Add(f.offset), MaxTTL: time.Hour, Nonce: nonce}
}

func (f *fakeFeed) snapshot(r *http.Request) []byte {
	s, rules := f.statement(f.head, ""), slices.Clone(f.rules)
	if f.spoilSnapshot != nil {
		rules = f.spoilSnapshot(&s, rules)
	}
	body := encodeSnapshot(f.t, f.key(), s, rules)
	if f.spoilAnswer != nil {
		return f.spoilAnswer(body)
	}
	return body
}

func encodeSnapshot(t testing.TB, signer *jot.Signer, s Statement, rules []Rule) []byte {
	var snapshot Snapshot
	for _, r := range rules {
		if err := snapshot.Add(r); err != nil {
			t.Error(err)
		}
	}
	encoded, err := snapshot.Encode(context.Background(), signer, testIssuer, s)
	if err != nil {
		t.Error(err)
	}
	return encoded
}

func (f *fakeFeed) key() *jot.Signer {
	if f.signWith != nil {
		return f.signWith
	}
	return f.signer
}

func (f *fakeFeed) live(r *http.Request) *http.Response {
	f.streams++
	query := r.URL.Query()
	after, err := strconv.ParseUint(query.Get("after"), 10, 64)
	if err != nil {
		f.t.Error(err)
	}
	if query.Get("log") != f.head.LogID || after > f.head.Sequence {
		return answer(http.StatusConflict, "", nil)
	}
	in, out := io.Pipe()
	ctx := r.Context()
	context.AfterFunc(ctx, func() { out.CloseWithError(ctx.Err()) })
	line := make(chan delivery, 1000)
	go f.stream(ctx.Done(), f.closing, line, after, query.Get("nonce"))
	go deliver(ctx, out, line)
	return answer(http.StatusOK, FrameType+"; charset=utf-8", in)
}

// delivery is a piece of a stream that arrives later than it was sent.
type delivery struct {
	at   time.Time
	data []byte
}

func deliver(ctx context.Context, out *io.PipeWriter, line <-chan delivery) {
	defer func() { out.CloseWithError(ctx.Err()) }() // as a connection whose end the reader wanted never ends well
	for d := range line {
		select {
		case <-time.After(time.Until(d.at)):
		case <-ctx.Done():
			continue // to the end, so that the stream can end
		}
		out.Write(d.data) // fails when the reader is gone
	}
}

// stream makes the frames of one connection until it is ended.
func (f *fakeFeed) stream(done, closing <-chan struct{}, line chan<- delivery, after uint64, nonce string) {
	defer close(line)
	began := time.Now()
	beat := time.NewTicker(time.Second)
	defer beat.Stop()
	for n := 0; ; n++ {
		f.mu.Lock()
		frames, arrives := f.frames(n, after, nonce), time.Now()
		if f.delay != nil {
			arrives = began.Add(f.delay(time.Since(began)))
		}
		after, nonce = f.head.Sequence, ""
		changed := f.changed
		f.mu.Unlock()
		for _, frame := range frames {
			line <- delivery{arrives, frame}
		}
		select {
		case <-changed:
		case <-beat.C:
		case <-closing:
			return
		case <-done:
			return
		}
	}
}

func (f *fakeFeed) frames(n int, after uint64, nonce string) [][]byte {
	if after > f.head.Sequence {
		return nil // the log was restored under this stream
	}
	frame, s := Frame{Rules: slices.Clone(f.rules[after:])}, f.statement(f.head, nonce)
	if f.spoilFrame != nil {
		f.spoilFrame(n, &frame, &s)
	}
	return f.encode(n, frame, s)
}

func (f *fakeFeed) encode(n int, frame Frame, s Statement) [][]byte {
	signed, err := s.Sign(context.Background(), f.key(), testIssuer)
	if err != nil {
		f.t.Error(err)
		return nil
	}
	frame.Sequence, frame.Statement = s.Sequence, signed
	data, err := frame.AppendTo(nil)
	if err != nil {
		f.t.Error(err)
	}
	if f.spoilBytes != nil {
		return f.spoilBytes(n, data)
	}
	return [][]byte{data}
}

// watched is a reader under test, and what it told its operator.
type watched struct {
	*Reader
	t      testing.TB
	errors []error
	mu     sync.Mutex
}

func watch(t testing.TB, o ReaderOptions) *watched {
	t.Helper()
	return watchClock(t, o, newClock(time.Now))
}

func watchClock(t testing.TB, o ReaderOptions, c clock) *watched {
	t.Helper()
	w := &watched{t: t}
	o.OnError = func(err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.errors = append(w.errors, err)
	}
	if o.Now != nil {
		c = newClock(o.Now)
	} else {
		o.Now = time.Now
	}
	r, err := newReader(o, c)
	if err != nil {
		t.Fatal(err)
	}
	w.Reader = r
	return w
}

// told returns the errors so far, as text.
func (w *watched) told() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprint(errors.Join(w.errors...))
}

func sessionRule(id string) Rule {
	return Rule{Kind: Session, Issuer: testIssuer, Value: id, Subject: "sub", Expires: time.Now().Add(time.Hour).Unix()}
}

func sessionFacts(id string) *jot.RevocationFacts {
	return &jot.RevocationFacts{
		Issuer: []byte(testIssuer), Subject: []byte("sub"), SessionID: []byte(id),
		IssuedAt: time.Now().Unix(), HasIssuedAt: true,
	}
}

// says checks the verdict about a session.
func (w *watched) says(id string, want jot.Verdict) {
	w.t.Helper()
	if got, err := w.CheckRevocation(w.t.Context(), sessionFacts(id)); err != nil || got != want {
		w.t.Fatalf("session %s: %v, %v, want %v; %+v", id, got, err, want, w.State())
	}
}

// saysNothing checks that the reader has no lease.
func (w *watched) saysNothing() {
	w.t.Helper()
	got, err := w.CheckRevocation(w.t.Context(), sessionFacts("any"))
	if !errors.Is(err, jot.ErrUnavailable) || errors.Is(err, jot.ErrInvalidToken) || got != jot.Revoked || w.State().Lease != 0 {
		w.t.Fatalf("answers %v, %v without a lease; %+v", got, err, w.State())
	}
}
