package feed

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

const credential = "a-credential-of-at-least-32-characters"

// fakeIssuer is a log in memory, which can be slow, broken, or rewound.
type fakeIssuer struct {
	fakeVerifiers
	signer *jot.Signer
	keys   *jot.KeySet

	mu      sync.Mutex
	log     []revocation.Rule
	heads   []revocation.Head
	changed chan struct{}
	broken  error
	swept   uint64        // up to which the log isn't kept any more
	looks   int           // calls of Now
	ahead   time.Duration // its clock
	dumps   int           // calls of ActiveRules
}

func newFakeIssuer(t testing.TB) *fakeIssuer {
	t.Helper()
	key, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: revocation.StatementType})
	if err != nil {
		t.Fatal(err)
	}
	return &fakeIssuer{
		signer: signer, keys: jot.NewKeySet(key.Public()), changed: make(chan struct{}),
		heads: []revocation.Head{revocation.NewLog(rand.Text())},
	}
}

func (f *fakeIssuer) URL() string                 { return "http://127.0.0.1/base" }
func (f *fakeIssuer) MaxTTL() time.Duration       { return time.Hour }
func (f *fakeIssuer) FeedSigner() *jot.Signer     { return f.signer }
func (f *fakeIssuer) FeedKeySet() *jot.KeySet     { return f.keys }
func (f *fakeIssuer) KeySetMaxAge() time.Duration { return 7 * time.Minute }
func (f *fakeIssuer) head() revocation.Head       { return f.heads[len(f.heads)-1] }
func (f *fakeIssuer) now() time.Time              { return time.Now().Add(f.ahead).Truncate(time.Millisecond) }
func (f *fakeIssuer) do(change func())            { f.mu.Lock(); defer f.mu.Unlock(); change() }
func (f *fakeIssuer) breakDown(err error)         { f.do(func() { f.broken = err }) }
func (f *fakeIssuer) rule(n int) revocation.Rule {
	return revocation.Rule{
		Kind: revocation.Session, Issuer: f.URL(), Value: fmt.Sprint("sid_", n), Subject: "sub", Expires: time.Now().Add(time.Hour).Unix(),
	}
}

func (f *fakeIssuer) Now(context.Context) (time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks++
	return f.now(), f.broken
}

func (f *fakeIssuer) lookCount() (looks int) {
	f.do(func() { looks = f.looks })
	return looks
}

func (f *fakeIssuer) LogChanged() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

func (f *fakeIssuer) LogEntries(_ context.Context, after uint64, limit int) ([]revocation.Rule, revocation.Head, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return nil, revocation.Head{}, f.broken
	}
	if after > uint64(len(f.log)) {
		return nil, revocation.Head{}, issuer.ErrNotFound
	}
	if after < f.swept {
		return nil, revocation.Head{}, issuer.ErrSwept
	}
	end := min(int(after)+limit, len(f.log))
	return slices.Clone(f.log[after:end]), f.heads[end], nil
}

func (f *fakeIssuer) LogHead(context.Context) (revocation.Head, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.head(), f.broken
}

func (f *fakeIssuer) LogHeadNow(context.Context) (revocation.Head, time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.head(), f.now(), f.broken
}

func (f *fakeIssuer) ActiveRules(_ context.Context, last uint64, each func(revocation.Rule) error) (revocation.Head, time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dumps++
	if f.broken != nil {
		return revocation.Head{}, time.Time{}, f.broken
	}
	for _, r := range f.log[:last] {
		if err := each(r); err != nil {
			return revocation.Head{}, time.Time{}, err
		}
	}
	return f.heads[last], f.now(), nil
}

// revoke appends rules about the sessions in [from, to).
func (f *fakeIssuer) revoke(from, to int) {
	var rules []revocation.Rule
	for n := from; n < to; n++ {
		rules = append(rules, f.rule(n))
	}
	f.append(rules...)
}

func (f *fakeIssuer) append(rules ...revocation.Rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range rules {
		f.log = append(f.log, r)
		f.heads = append(f.heads, f.head().Append(r))
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

// rewind takes the log back to a sequence, under another name if one is given.
func (f *fakeIssuer) rewind(to int, logID string) {
	f.do(func() {
		f.log, f.heads = f.log[:to:to], f.heads[:to+1:to+1]
		if logID != "" {
			f.heads[to].LogID = logID
		}
	})
}

func facts(n int) *jot.RevocationFacts {
	return &jot.RevocationFacts{
		Issuer: []byte("http://127.0.0.1/base"), Subject: []byte("sub"), SessionID: fmt.Appendf(nil, "sid_%d", n),
		IssuedAt: time.Now().Unix(), HasIssuedAt: true,
	}
}

// network dials with net.Pipe, which works on fake time. Nobody answers while no listener accepts.
type network chan net.Conn

func (n network) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case n <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// listener accepts what a network dials until it is closed.
type listener struct {
	network network
	closed  chan struct{}
}

func (l listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.network:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l listener) Close() error {
	close(l.closed)
	return nil
}

func (l listener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// house is a feed on fake time: an http.Server, with timeouts that would cut a stream, and its network.
type house struct {
	*fakeIssuer
	t       *testing.T
	feed    *Server
	http    *http.Server
	network network
	client  *http.Client
	mu      sync.Mutex
	asked   map[string]int // requests by path
}

// open runs a test with a house in a synctest bubble. When a goroutine of the feed or of a reader is left
// at the end, the bubble never ends, and that is an error.
func open(t *testing.T, c Config, test func(t *testing.T, h *house)) {
	synctest.Test(t, func(t *testing.T) {
		h := &house{fakeIssuer: newFakeIssuer(t), t: t, network: make(network), asked: map[string]int{}}
		h.client = &http.Client{Transport: &http.Transport{DialContext: h.network.DialContext}}
		h.start(c)
		defer h.end()
		test(t, h)
	})
}

func (h *house) start(c Config) {
	h.t.Helper()
	if c.Credentials == nil {
		c.Credentials = []string{"another-credential-for-another-verifier", credential}
	}
	c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	var err error
	if h.feed, err = New(h.fakeIssuer, c); err != nil {
		h.t.Fatal(err)
	}
	mux := http.NewServeMux()
	h.feed.Register(mux)
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		path := r.URL.Path
		if parent, last := filepath.Split(path); strings.Trim(last, "0123456789") == "" {
			path = parent + "*"
		}
		if r.URL.Query().Has("poll") {
			path += "?poll"
		}
		h.asked[path]++
		h.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
	h.http = &http.Server{Handler: counted, ReadTimeout: 2 * time.Second, WriteTimeout: 2 * time.Second, IdleTimeout: time.Second}
	go h.http.Serve(listener{h.network, make(chan struct{})})
}

// end shuts down in good order; it takes no time when nothing is wrong.
func (h *house) end() {
	h.t.Helper()
	began := time.Now()
	h.feed.EndStreams()
	h.client.CloseIdleConnections()
	if err := h.http.Shutdown(h.t.Context()); err != nil && h.t.Context().Err() == nil {
		h.t.Error(err)
	}
	if err := h.feed.Close(); err != nil {
		h.t.Error(err)
	}
	if took := time.Since(began); took > time.Second {
		h.t.Errorf("the end took %v", took)
	}
}

func (h *house) count(path string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked["/base/feed/"+path]
}

func (h *house) reader() *revocation.Reader {
	h.t.Helper()
	r, err := revocation.NewReader(revocation.ReaderOptions{
		URL: "http://127.0.0.1/base/feed", Issuer: h.URL(), Keys: h.keys, Credential: credential, Client: h.client,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// get asks the feed with these headers, in the form "Name: value".
func (h *house) get(path string, headers ...string) *http.Response {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, "http://127.0.0.1/base/feed/"+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	response, err := h.client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	return response
}

// says checks the verdict about session n.
func (h *house) says(r *revocation.Reader, n int, want jot.Verdict) {
	h.t.Helper()
	if got, err := r.CheckRevocation(h.t.Context(), facts(n)); err != nil || got != want {
		h.t.Fatalf("session %d: %v, %v, want %v; %+v", n, got, err, want, r.State())
	}
}
