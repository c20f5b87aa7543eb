package jothttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/jothttp"
)

// world is an issuer that trades each refresh token once, and an API that takes its newest access token only.
type world struct {
	t         *testing.T
	issuer    *httptest.Server
	api       *httptest.Server
	now       atomic.Int64 // seconds, the clients' clock
	refreshes atomic.Int64
	calls     atomic.Int64

	mu      sync.Mutex
	current int                              // number of the newest pair
	answer  func(w http.ResponseWriter) bool // of the issuer, in place of tokens; false: tokens all the same
	serve   http.HandlerFunc                 // of the API, for a good token
	bodies  []string                         // that the API got with a good token
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, current: 1, serve: func(http.ResponseWriter, *http.Request) {}}
	w.now.Store(1_000_000)
	w.issuer = httptest.NewServer(http.HandlerFunc(w.token))
	w.api = httptest.NewServer(http.HandlerFunc(w.call))
	t.Cleanup(w.issuer.Close)
	t.Cleanup(w.api.Close)
	return w
}

func (w *world) clock() time.Time { return time.Unix(w.now.Load(), 0) }

func (w *world) token(rw http.ResponseWriter, r *http.Request) {
	w.refreshes.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.answer != nil && w.answer(rw) {
		return
	}
	if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != "refresh_token" || r.PostForm.Get("client_id") != "client_app" {
		w.t.Errorf("a refresh with %v, %v", r.PostForm, err)
	}
	if r.PostForm.Get("refresh_token") != fmt.Sprintf("refresh%d", w.current) {
		http.Error(rw, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	w.current++
	fmt.Fprintf(rw, `{"access_token":"access%d","token_type":"bearer","expires_in":900,"refresh_token":"refresh%d"}`, w.current, w.current)
}

func (w *world) call(rw http.ResponseWriter, r *http.Request) {
	w.calls.Add(1)
	body, _ := io.ReadAll(r.Body)
	w.mu.Lock()
	good := r.Header.Get("Authorization") == fmt.Sprintf("Bearer access%d", w.current)
	if good {
		w.bodies = append(w.bodies, string(body))
	}
	serve := w.serve
	w.mu.Unlock()
	if !good {
		rw.Header().Set("WWW-Authenticate", `Bearer realm="api", error="invalid_token", error_description="stale claims"`)
		rw.WriteHeader(http.StatusUnauthorized)
		return
	}
	serve(rw, r)
}

// outdate makes the access token that clients hold stale: the next refresh brings a good one.
func (w *world) outdate() {
	w.serveWith(nil)
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.current
	w.serve = func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == fmt.Sprintf("Bearer access%d", before) {
			rw.Header().Set("WWW-Authenticate", `Bearer realm="api", error="invalid_token", error_description="stale claims"`)
			rw.WriteHeader(http.StatusUnauthorized)
		}
	}
}

func (w *world) serveWith(h http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.serve = h; h == nil {
		w.serve = func(http.ResponseWriter, *http.Request) {}
	}
}

func (w *world) answerWith(f func(http.ResponseWriter) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = f
}

func (w *world) pair(n int) jothttp.TokenPair {
	return jothttp.TokenPair{Access: fmt.Sprintf("access%d", n), Refresh: fmt.Sprintf("refresh%d", n), Expires: w.clock().Add(15 * time.Minute)}
}

func (w *world) options() jothttp.TransportOptions {
	return jothttp.TransportOptions{TokenURL: w.issuer.URL, ClientID: "client_app", Origins: []string{w.api.URL}, Now: w.clock}
}

// another returns a client that holds what the options' store does.
func (w *world) another(o jothttp.TransportOptions) (*http.Client, *jothttp.Transport) {
	w.t.Helper()
	transport, err := jothttp.NewTransport(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return &http.Client{Transport: transport}, transport
}

// loggedIn returns a client that holds the first pair.
func (w *world) loggedIn(o jothttp.TransportOptions) (*http.Client, *jothttp.Transport) {
	w.t.Helper()
	client, transport := w.another(o)
	if err := transport.LogIn(w.t.Context(), w.pair(1)); err != nil {
		w.t.Fatal(err)
	}
	return client, transport
}

func (w *world) status(client *http.Client, method, body string) int {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.api.URL, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

func (w *world) want(refreshes, calls int64) {
	w.t.Helper()
	if w.refreshes.Load() != refreshes || w.calls.Load() != calls {
		w.t.Errorf("%d refreshes and %d calls, want %d and %d", w.refreshes.Load(), w.calls.Load(), refreshes, calls)
	}
}

// However many requests find the access token expired, or about to expire, one refresh brings the next.
func TestOneRefreshForAll(t *testing.T) {
	w := newWorld(t)
	client, _ := w.loggedIn(w.options())
	if status := w.status(client, "GET", ""); status != http.StatusOK {
		t.Fatal(status)
	}
	w.want(0, 1)
	w.now.Add(15*60 - 29) // within 30 s of its end
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if status := w.status(client, "GET", ""); status != http.StatusOK {
				t.Error(status)
			}
		})
	}
	all.Wait()
	w.want(1, 51)
}

// A request that is refused for stale claims is sent once more, body and all, with a new token.
func TestStaleClaims(t *testing.T) {
	w := newWorld(t)
	client, _ := w.loggedIn(w.options())
	w.outdate()
	if status := w.status(client, "POST", "a pet"); status != http.StatusOK {
		t.Error(status)
	}
	w.want(1, 2)
	if got := strings.Join(w.bodies, "|"); got != "a pet|a pet" {
		t.Errorf("the API got %q", got)
	}
}

// summed is a body that writes a trailer when it has been read, as the sum of what is streamed.
type summed struct {
	io.Reader
	trailer http.Header
}

func (s summed) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err == io.EOF {
		s.trailer.Set("Sum", "42")
	}
	return n, err
}

// What a body writes into the request's Trailer while it's read is sent (http.Request), the second time, too.
func TestTrailer(t *testing.T) {
	w := newWorld(t)
	client, _ := w.loggedIn(w.options())
	w.outdate()
	r, err := http.NewRequestWithContext(t.Context(), "POST", w.api.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Trailer = http.Header{"Sum": nil}
	r.GetBody = func() (io.ReadCloser, error) {
		return io.NopCloser(summed{strings.NewReader("streamed"), r.Trailer}), nil
	}
	r.Body, _ = r.GetBody()
	var sums []string
	stale := w.serve
	w.serveWith(func(rw http.ResponseWriter, r *http.Request) {
		sums = append(sums, r.Trailer.Get("Sum"))
		stale(rw, r)
	})
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 || strings.Join(sums, " ") != "42 42" {
		t.Errorf("status %d, trailers %q", response.StatusCode, sums)
	}
}

// refusing is an API that refuses each token, whatever it says of it.
func refusing(description string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("WWW-Authenticate", `Bearer realm="api", error="invalid_token"`+description)
		rw.WriteHeader(http.StatusUnauthorized)
	}
}

const staleClaims = `, error_description="stale claims"`

// An API that refuses each token gets the request twice, and no more; what can't be sent again is sent once.
func TestNoLoop(t *testing.T) {
	w := newWorld(t)
	client, _ := w.loggedIn(w.options())
	w.serveWith(refusing(""))
	if status := w.status(client, "GET", ""); status != http.StatusUnauthorized {
		t.Error(status)
	}
	w.want(1, 2)
	response, err := client.Post(w.api.URL, "text/plain", io.MultiReader(strings.NewReader("x")))
	if err != nil || response.StatusCode != http.StatusUnauthorized {
		t.Fatal(response, err)
	}
	response.Body.Close()
	w.want(1, 3)
	w.serveWith(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusUnauthorized) }) // not about the token
	w.status(client, "GET", "")
	w.want(1, 4)
}

// An API that refuses new tokens, too, causes a refresh a minute, and not one a request: a second where it says that
// claims have changed, which they may have done once more.
func TestRefreshedInVain(t *testing.T) {
	for description, pause := range map[string]int64{"": 60, staleClaims: 1} {
		w := newWorld(t)
		client, _ := w.loggedIn(w.options())
		w.serveWith(refusing(description))
		for range 3 {
			w.status(client, "GET", "")
		}
		w.want(1, 4)
		w.now.Add(pause - 1)
		w.status(client, "GET", "")
		w.want(1, 5)
		w.now.Add(1)
		w.status(client, "GET", "")
		w.want(2, 7)
	}
}

// streamed is a body that can be sent once.
func streamed() io.Reader { return io.MultiReader(strings.NewReader("a film")) }

func (w *world) upload(client *http.Client) int {
	w.t.Helper()
	response, err := client.Post(w.api.URL, "text/plain", streamed())
	if err != nil {
		w.t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

// A body that can't be sent again is refused for stale claims once: the next one has the new token. Where that's
// refused as well, it causes no refresh for each.
func TestStaleClaimsOfStream(t *testing.T) {
	w := newWorld(t)
	client, _ := w.loggedIn(w.options())
	w.outdate()
	if first, second := w.upload(client), w.upload(client); first != http.StatusUnauthorized || second != http.StatusOK {
		t.Error(first, second)
	}
	w.want(1, 2)
	w.serveWith(refusing(""))
	for range 3 {
		w.upload(client)
	}
	w.want(2, 5)
}

// Where the issuer has given no token a moment ago, refused requests don't ask it for one each.
func TestRefusedWhileIssuerDown(t *testing.T) {
	w := newWorld(t)
	client, transport := w.loggedIn(w.options())
	w.answerWith(func(rw http.ResponseWriter) bool { rw.WriteHeader(http.StatusServiceUnavailable); return true })
	w.outdate()
	for range 3 {
		if status := w.status(client, "GET", ""); status != http.StatusUnauthorized {
			t.Error(status)
		}
	}
	w.want(1, 3)
	w.answerWith(nil)
	w.now.Add(1)
	if status := w.status(client, "GET", ""); status != http.StatusOK {
		t.Error(status)
	}
	w.want(2, 4)
	w.answerWith(func(rw http.ResponseWriter) bool { rw.WriteHeader(http.StatusServiceUnavailable); return true })
	w.outdate()
	w.status(client, "GET", "")
	w.want(3, 5)
	w.answerWith(nil)
	if err := transport.LogIn(t.Context(), w.pair(2)); err != nil {
		t.Fatal(err)
	}
	if status := w.status(client, "GET", ""); status != http.StatusOK { // what failed was of another login
		t.Error(status)
	}
	w.want(4, 7)
}

// Whoever is refused while the issuer is asked once more waits for what it says.
func TestRefusedBesideSecondRefresh(t *testing.T) {
	w := newWorld(t)
	client, _ := w.loggedIn(w.options())
	w.answerWith(func(rw http.ResponseWriter) bool { rw.WriteHeader(http.StatusServiceUnavailable); return true })
	w.outdate()
	w.status(client, "GET", "")

	asked, answer, called, refuse := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
	w.answerWith(func(http.ResponseWriter) bool { close(asked); <-answer; return false })
	w.serveWith(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer access1" {
			close(called)
			<-refuse
			refusing(staleClaims)(rw, r)
		}
	})
	statuses := make(chan int, 2)
	go func() { statuses <- w.status(client, "GET", "") }()
	<-called
	w.now.Add(1)
	go func() { statuses <- w.status(client, "GET", "") }()
	<-asked
	close(refuse)
	select {
	case status := <-statuses:
		close(answer)
		t.Fatalf("%d, before the issuer has answered", status)
	case <-time.After(100 * time.Millisecond):
	}
	close(answer)
	if first, second := <-statuses, <-statuses; first != http.StatusOK || second != http.StatusOK {
		t.Error(first, second)
	}
	w.want(2, 4)
}

// Changed claims are fetched at once, also at an API that refused new tokens a moment ago, and by whoever has got a
// token just now.
func TestClaimsThatChangeSoon(t *testing.T) {
	w := newWorld(t)
	client, _ := w.loggedIn(w.options())
	w.serveWith(refusing(""))
	w.status(client, "GET", "")
	w.want(1, 2)
	for n := range int64(3) {
		w.outdate()
		if status := w.status(client, "GET", ""); status != http.StatusOK {
			t.Error(status)
		}
		w.want(2+n, 4+2*n)
	}
}

// What an API says of a token that was got before it was refused says nothing of a newer one: no refresh was in vain.
func TestClaimsThatChangeBesideRequest(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	o.Tokens = &jothttp.MemoryStore{}
	client, _ := w.loggedIn(o)
	w.serveWith(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer access1" {
			w.outdate() // for the second request, which gets access2, with which the first one is refused again
			if status := w.status(client, "GET", ""); status != http.StatusOK {
				t.Error(status)
			}
			w.now.Add(1)
			w.outdate()
			refusing(staleClaims)(rw, r)
		}
	})
	w.status(client, "GET", "")
	w.want(1, 4)
	if status := w.status(client, "GET", ""); status != http.StatusOK {
		t.Error(status)
	}
	w.want(2, 6)
}

// A token that was got meanwhile is tried, for whatever reason and however vain a refresh would be.
func TestNewerTokenIsTried(t *testing.T) {
	w := newWorld(t)
	client, _ := w.loggedIn(w.options())
	w.serveWith(refusing(""))
	w.status(client, "GET", "")
	w.want(1, 2)
	w.serveWith(func(rw http.ResponseWriter, r *http.Request) {
		w.outdate()
		if status := w.status(client, "GET", ""); status != http.StatusOK {
			t.Error(status)
		}
		refusing("")(rw, r)
	})
	if status := w.status(client, "GET", ""); status != http.StatusOK {
		t.Error(status)
	}
	w.want(2, 6)
}

// Who is advised to refresh does so once, at some time within the window: not all clients at the same.
func TestAdvice(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	o.AdviceWindow = 100 * time.Second
	delays := map[int64]bool{}
	for range 8 {
		w.mu.Lock()
		w.current = 1
		w.mu.Unlock()
		client, _ := w.loggedIn(o)
		w.serveWith(func(rw http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "Bearer access1" {
				rw.Header().Set(jothttp.RefreshHeader, "advised")
			}
		})
		began, before := w.now.Load(), w.refreshes.Load()
		w.status(client, "GET", "")
		for w.refreshes.Load() == before && w.now.Load() <= began+100 {
			w.now.Add(1)
			w.status(client, "GET", "")
		}
		delays[w.now.Load()-began] = true
		if w.refreshes.Load() != before+1 {
			t.Errorf("%d refreshes within the window", w.refreshes.Load()-before)
		}
	}
	if len(delays) < 2 {
		t.Errorf("eight clients waited %v s", delays)
	}
}

// While the issuer can't be reached, the old token serves as long as it lives; then requests fail, and nobody is logged
// out. An issuer may give the same tokens again, for longer (RFC 6749 §6): that's a refresh too, and one is enough.
func TestSameTokensForLonger(t *testing.T) {
	for name, store := range map[string]jothttp.TokenStore{
		"memory": &jothttp.MemoryStore{}, "file": jothttp.FileStore(filepath.Join(t.TempDir(), "tokens")),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.answerWith(func(rw http.ResponseWriter) bool {
				fmt.Fprint(rw, `{"access_token":"access1","token_type":"bearer","expires_in":900,"refresh_token":"refresh1"}`)
				return true
			})
			o := w.options()
			o.Tokens = store
			client, _ := w.loggedIn(o)
			w.now.Add(1000)
			for range 3 {
				if status := w.status(client, "GET", ""); status != 200 {
					t.Errorf("status %d", status)
				}
			}
			another, _ := w.another(o) // which finds in the store until when they are good
			if status := w.status(another, "GET", ""); status != 200 || w.refreshes.Load() != 1 {
				t.Errorf("status %d, %d refreshes", status, w.refreshes.Load())
			}
		})
	}
}

// Advice that brings nothing new is followed once, and not with each request from then on.
func TestAdviceForNothing(t *testing.T) {
	w := newWorld(t)
	pair := w.pair(1)
	w.answerWith(func(rw http.ResponseWriter) bool {
		fmt.Fprintf(rw, `{"access_token":"access1","token_type":"bearer","expires_in":%d,"refresh_token":"refresh1"}`, pair.Expires.Unix()-w.now.Load())
		return true
	})
	client, _ := w.loggedIn(w.options())
	w.serveWith(func(rw http.ResponseWriter, _ *http.Request) {
		if w.refreshes.Load() == 0 {
			rw.Header().Set(jothttp.RefreshHeader, "advised")
		}
	})
	w.status(client, "GET", "")
	w.now.Add(61) // past the window
	for range 3 {
		if status := w.status(client, "GET", ""); status != 200 || w.refreshes.Load() != 1 {
			t.Errorf("status %d, %d refreshes", status, w.refreshes.Load())
		}
	}
}

func TestIssuerDown(t *testing.T) {
	w := newWorld(t)
	client, transport := w.loggedIn(w.options())
	w.answerWith(func(rw http.ResponseWriter) bool { rw.WriteHeader(http.StatusServiceUnavailable); return true })
	w.now.Add(15*60 - 10)
	for range 3 {
		if status := w.status(client, "GET", ""); status != http.StatusOK {
			t.Error(status)
		}
	}
	w.want(1, 3) // and no refresh for each request
	w.now.Add(20)
	if _, err := client.Get(w.api.URL); err == nil || errors.Is(err, jothttp.ErrLoggedOut) || strings.Contains(err.Error(), "refresh1") {
		t.Errorf("with an expired token: %v", err)
	}
	w.answerWith(nil)
	w.now.Add(1)
	if status := w.status(client, "GET", ""); status != http.StatusOK {
		t.Error(status)
	}
	if pair, err := transport.Tokens(t.Context()); err != nil || pair.Refresh != "refresh2" {
		t.Errorf("%v, %v", pair, err)
	}
}

// A session that is over empties the store, and a new login fills it.
func TestLoggedOut(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	store := &jothttp.MemoryStore{}
	o.Tokens = store
	client, transport := w.loggedIn(o)
	w.mu.Lock()
	w.current = 7
	w.mu.Unlock()
	w.now.Add(3600)
	for range 2 {
		if _, err := client.Get(w.api.URL); !errors.Is(err, jothttp.ErrLoggedOut) {
			t.Error(err)
		}
	}
	w.want(1, 0)
	if pair, err := store.Load(t.Context()); err != nil || pair != (jothttp.TokenPair{}) {
		t.Errorf("%v, %v", pair, err)
	}
	if err := transport.LogIn(t.Context(), w.pair(7)); err != nil {
		t.Fatal(err)
	}
	if status := w.status(client, "GET", ""); status != http.StatusOK {
		t.Error(status)
	}
}

// lateStore returns from one update later than it has stored it.
type lateStore struct {
	jothttp.MemoryStore
	late         atomic.Bool
	stored, goOn chan struct{}
}

func (s *lateStore) Update(ctx context.Context, change func(jothttp.TokenPair) (jothttp.TokenPair, error)) error {
	err := s.MemoryStore.Update(ctx, change)
	if s.late.CompareAndSwap(true, false) {
		close(s.stored)
		<-s.goOn
	}
	return err
}

// Who logs in while the session before is refreshed isn't mistaken for who was logged in, whichever of the two hears
// first that it's done.
func TestLogInBesideRefresh(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	store := &lateStore{stored: make(chan struct{}), goOn: make(chan struct{})}
	o.Tokens = store
	_, transport := w.loggedIn(o)
	w.now.Add(3600)
	store.late.Store(true)
	refreshed := make(chan error)
	go func() { _, err := transport.Tokens(t.Context()); refreshed <- err }()
	<-store.stored
	if err := transport.LogIn(t.Context(), w.pair(7)); err != nil {
		t.Error(err)
	}
	close(store.goOn)
	if err := <-refreshed; err != nil {
		t.Error(err)
	}
	if pair, err := transport.Tokens(t.Context()); err != nil || pair.Access != "access7" {
		t.Errorf("requests are made with %s, %v", pair.Access, err)
	}
}

// overtakenStore is one from which somebody reads while somebody else logs in.
type overtakenStore struct {
	jothttp.MemoryStore
	logIn func()
}

func (s *overtakenStore) Load(ctx context.Context) (jothttp.TokenPair, error) {
	pair, err := s.MemoryStore.Load(ctx)
	s.logIn()
	return pair, err
}

// Whoever has read the pair of before a login makes the request with that of the login.
func TestLogInBesideReading(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	store := &overtakenStore{}
	o.Tokens = store
	client, transport := w.another(o)
	store.Update(t.Context(), func(jothttp.TokenPair) (jothttp.TokenPair, error) { return w.pair(0), nil })
	store.logIn = func() {
		if err := transport.LogIn(t.Context(), w.pair(1)); err != nil {
			t.Error(err)
		}
	}
	if status := w.status(client, "GET", ""); status != http.StatusOK {
		t.Error(status)
	}
	w.want(0, 1)
}

// The caller who started a refresh and gives up doesn't end it for the others.
func TestCallerGivesUp(t *testing.T) {
	w := newWorld(t)
	_, transport := w.loggedIn(w.options())
	asked, answer := make(chan struct{}), make(chan struct{})
	w.answerWith(func(http.ResponseWriter) bool { close(asked); <-answer; return false })
	w.now.Add(3600)
	ctx, giveUp := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { _, err := transport.Tokens(ctx); gone <- err }()
	<-asked
	stayed := make(chan jothttp.TokenPair)
	go func() {
		pair, err := transport.Tokens(t.Context())
		stayed <- pair
		if err != nil {
			t.Error(err)
		}
	}()
	giveUp()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(answer)
	if pair := <-stayed; pair.Access != "access2" {
		t.Error(pair)
	}
	w.want(1, 0)
}

// The token goes to the origins that are named, and nowhere else: not where a redirect leads, and not over a request's
// own credentials.
func TestOrigins(t *testing.T) {
	w := newWorld(t)
	var seen atomic.Value
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen.Store(r.Header.Get("Authorization")) }))
	t.Cleanup(elsewhere.Close)
	client, _ := w.loggedIn(w.options())
	w.serveWith(func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, elsewhere.URL, http.StatusFound) })
	for _, url := range []string{w.api.URL, elsewhere.URL} {
		seen.Store("nothing")
		response, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if seen.Load() != "" {
			t.Errorf("%s: another origin got %q", url, seen.Load())
		}
	}
	r, err := http.NewRequest("GET", w.api.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Basic eDp5")
	response, err := client.Do(r)
	if err != nil || response.StatusCode != http.StatusUnauthorized {
		t.Fatal(response, err)
	}
	response.Body.Close()
	w.want(0, 2)
}

// asked notes requests, and answers them with 200.
type asked func(*http.Request)

func (f asked) RoundTrip(r *http.Request) (*http.Response, error) {
	f(r)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// A host with a dotted capital I is another one than that with an i, and gets no token.
func TestOriginOfAnotherHost(t *testing.T) {
	var got string
	transport, err := jothttp.NewTransport(jothttp.TransportOptions{
		TokenURL: "https://auth.example.com/token", ClientID: "client_app", Origins: []string{"https://API.example.com"},
		Base: asked(func(r *http.Request) { got = r.Header.Get("Authorization") }),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := transport.LogIn(t.Context(), jothttp.TokenPair{Access: "access"}); err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{"Api.example.COM:443": "Bearer access", "ap\u0130.example.com": "", "ap%C4%B0.example.com": ""} {
		if _, err := (&http.Client{Transport: transport}).Get("https://" + host); err != nil || got != want {
			t.Errorf("%s got %q, %v", host, got, err)
		}
	}
}

func TestTransportOptions(t *testing.T) {
	good := jothttp.TransportOptions{TokenURL: "https://auth.example.com/oauth2/token", ClientID: "client_app", Origins: []string{"https://API.example.com:443/", "http://127.0.0.1:8080", "http://[::1]:1"}}
	if _, err := jothttp.NewTransport(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*jothttp.TransportOptions){
		"no token URL":               func(o *jothttp.TransportOptions) { o.TokenURL = "" },
		"a token URL in the clear":   func(o *jothttp.TransportOptions) { o.TokenURL = "http://auth.example.com/token" },
		"a token URL with a user":    func(o *jothttp.TransportOptions) { o.TokenURL = "https://u:p@auth.example.com/token" },
		"no client":                  func(o *jothttp.TransportOptions) { o.ClientID = "" },
		"no origin":                  func(o *jothttp.TransportOptions) { o.Origins = nil },
		"an origin in the clear":     func(o *jothttp.TransportOptions) { o.Origins = []string{"http://api.example.com"} },
		"an origin with a path":      func(o *jothttp.TransportOptions) { o.Origins = []string{"https://api.example.com/v1"} },
		"an origin that is anywhere": func(o *jothttp.TransportOptions) { o.Origins = []string{"*"} },
		"an origin of a file":        func(o *jothttp.TransportOptions) { o.Origins = []string{"file:///"} },
		"a negative duration":        func(o *jothttp.TransportOptions) { o.Early = -1 },
	} {
		o := good
		change(&o)
		if transport, err := jothttp.NewTransport(o); err == nil || transport != nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestReadTokenPair(t *testing.T) {
	now := time.Unix(1000, 0)
	pair, err := jothttp.ReadTokenPair(strings.NewReader(`{"access_token":"a.b.c","token_type":"Bearer","expires_in":60,"scope":"x"}`), now)
	if err != nil || pair.Access != "a.b.c" || pair.Refresh != "" || !pair.Expires.Equal(now.Add(time.Minute)) {
		t.Errorf("%+v, %v", pair, err)
	}
	if pair, err := jothttp.ReadTokenPair(strings.NewReader(`{"access_token":"a","token_type":"bearer"}`), now); err != nil || !pair.Expires.IsZero() {
		t.Errorf("%+v, %v", pair, err)
	}
	for _, answer := range []string{
		``, `[]`, `{}`, `{"access_token":"a"}`, `{"access_token":"a","token_type":"mac"}`, `{"access_token":"","token_type":"Bearer"}`,
		`{"access_token":"a b","token_type":"Bearer"}`, `{"access_token":"a\r\nb","token_type":"Bearer"}`, `{"access_token":"a","access_token":"b","token_type":"Bearer"}`,
		`{"access_token":1,"token_type":"Bearer"}`, `{"access_token":"a","token_type":"Bearer"}{}`,
		`{"access_token":"a","token_type":"Bearer","x":"` + strings.Repeat("x", 64<<10) + `"}`,
	} {
		if pair, err := jothttp.ReadTokenPair(strings.NewReader(answer), now); err == nil || pair != (jothttp.TokenPair{}) {
			t.Errorf("%.60s: %v, %v", answer, pair, err)
		}
	}
}

// A pair is never printed by accident.
func TestTokenPairPrintsNothing(t *testing.T) {
	pair := jothttp.TokenPair{Access: "secret1", Refresh: "secret2", Expires: time.Unix(0, 0)}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, value := range []any{pair, &pair, []jothttp.TokenPair{pair}} {
			if text := fmt.Sprintf(format, value); strings.Contains(text, "secret") || strings.Contains(text, "736563726574") {
				t.Errorf("%s prints %s", format, text)
			}
		}
	}
}

// Nor is it by what holds it: a Transport and its MemoryStore, in whichever way they are held themselves.
func TestHoldersOfPairsPrintNothing(t *testing.T) {
	var store jothttp.MemoryStore
	transport, err := jothttp.NewTransport(jothttp.TransportOptions{
		TokenURL: "https://auth.example.com/token", ClientID: "app", Origins: []string{"https://api.example.com"}, Tokens: &store,
		Base: new(http.Transport), // other tests use the default one while it's printed
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := transport.LogIn(t.Context(), jothttp.TokenPair{Access: "secret1", Refresh: "secret2"}); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, value := range []any{transport, &store, struct{ t *jothttp.Transport }{transport}, struct{ s *jothttp.MemoryStore }{&store}} {
			if text := fmt.Sprintf(format, value); strings.Contains(text, "secret") || strings.Contains(text, "736563726574") {
				t.Errorf("%s prints %s", format, text)
			}
		}
	}
}

// A request that was sent in one person's name isn't sent again in another's, who has logged in meanwhile: here, or in
// another program that shares the store. The caller gets its 401.
func TestLogInBesideRequest(t *testing.T) {
	for name, shared := range map[string]bool{"here": false, "in another program": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			o := w.options()
			o.Tokens = &jothttp.MemoryStore{}
			client, transport := w.loggedIn(o)
			w.serveWith(func(rw http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer access1" {
					return
				}
				if shared {
					_, transport = w.another(o)
				}
				if err := transport.LogIn(t.Context(), w.pair(7)); err != nil {
					t.Error(err)
				}
				w.mu.Lock()
				w.current = 7
				w.mu.Unlock()
				rw.Header().Set("WWW-Authenticate", `Bearer realm="api", error="invalid_token"`)
				rw.WriteHeader(http.StatusUnauthorized)
			})
			if status := w.status(client, "POST", "of who was logged in"); status != http.StatusUnauthorized {
				t.Error(status)
			}
			w.want(0, 1)
			if status := w.status(client, "GET", ""); status != http.StatusOK {
				t.Errorf("who is logged in now: %d", status)
			}
		})
	}
}

// A request is sent again with whatever its tokens became meanwhile, by two refreshes too, and whichever program made
// them.
func TestRefreshesBesideRequest(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	o.Tokens = jothttp.FileStore(filepath.Join(t.TempDir(), "tokens.json"))
	client, _ := w.loggedIn(o)
	w.serveWith(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access1" {
			return
		}
		other, transport := w.another(o)
		for n := range 2 {
			w.outdate()
			if status := w.status(other, "GET", ""); status != http.StatusOK {
				t.Error(status)
			}
			if pair, err := transport.Tokens(t.Context()); err != nil || pair.Access != fmt.Sprint("access", n+2) {
				t.Error(pair.Access, err)
			}
		}
		rw.Header().Set("WWW-Authenticate", `Bearer realm="api", error="invalid_token"`)
		rw.WriteHeader(http.StatusUnauthorized)
	})
	if status := w.status(client, "POST", "a pet"); status != http.StatusOK {
		t.Error(status)
	}
	w.want(2, 6)
}

// Who logs in while the session before is refreshed waits for that no longer than its context says.
func TestLogInGivesUp(t *testing.T) {
	for name, store := range map[string]jothttp.TokenStore{"memory": &jothttp.MemoryStore{}, "file": jothttp.FileStore(filepath.Join(t.TempDir(), "tokens.json"))} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			o := w.options()
			o.Tokens = store
			_, transport := w.loggedIn(o)
			asked, answer := make(chan struct{}), make(chan struct{})
			w.answerWith(func(http.ResponseWriter) bool { close(asked); <-answer; return false })
			w.now.Add(3600)
			refreshed := make(chan error, 1)
			go func() { _, err := transport.Tokens(t.Context()); refreshed <- err }()
			<-asked
			ctx, giveUp := context.WithCancel(t.Context())
			giveUp()
			gone := make(chan error, 1)
			go func() { gone <- transport.LogIn(ctx, w.pair(7)) }()
			select {
			case err := <-gone:
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			case <-time.After(10 * time.Second):
				t.Error("it waits still")
			}
			close(answer)
			if err := <-refreshed; err != nil {
				t.Error(err)
			}
			if pair, err := transport.Tokens(t.Context()); err != nil || pair.Access != "access2" {
				t.Errorf("requests are made with %s, %v", pair.Access, err)
			}
		})
	}
}
