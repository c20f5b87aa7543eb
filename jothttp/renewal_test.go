package jothttp_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot/jothttp"
)

func down(w http.ResponseWriter) bool {
	w.WriteHeader(http.StatusServiceUnavailable)
	return true
}

// late makes a world's options have a store that returns from one update, after the login, later than it has stored it.
func (w *world) late() (jothttp.TransportOptions, *lateStore) {
	o, store := w.options(), &lateStore{stored: make(chan struct{}), goOn: make(chan struct{})}
	o.Tokens = store
	return o, store
}

// Who logs out while others wait for a refresh leaves them without tokens, and with an error that says so.
func TestLogOutBesideRefresh(t *testing.T) {
	w := newWorld(t)
	o, store := w.late()
	client, transport := w.loggedIn(o)
	w.now.Add(3600)
	store.late.Store(true)
	refused := make(chan error)
	go func() { _, err := client.Get(w.api.URL); refused <- err }()
	<-store.stored
	if err := transport.LogIn(t.Context(), jothttp.TokenPair{}); err != nil {
		t.Error(err)
	}
	close(store.goOn)
	if err := <-refused; !errors.Is(err, jothttp.ErrLoggedOut) {
		t.Error(err)
	}
	w.want(1, 0)
}

// A refresh that fails while somebody else logs in says nothing of that one's tokens: requests are made with them, and
// none with those of before.
func TestLogInBesideFailure(t *testing.T) {
	w := newWorld(t)
	o, store := w.late()
	client, transport := w.loggedIn(o)
	w.answerWith(down)
	w.now.Add(15*60 - 10)
	store.late.Store(true)
	pairs := make(chan jothttp.TokenPair)
	go func() {
		pair, err := transport.Tokens(t.Context())
		if err != nil {
			t.Error(err)
		}
		pairs <- pair
	}()
	<-store.stored
	if err := transport.LogIn(t.Context(), w.pair(7)); err != nil {
		t.Error(err)
	}
	close(store.goOn)
	if pair := <-pairs; pair.Access != "access7" {
		t.Errorf("a request is made with %s", pair.Access)
	}
	w.mu.Lock()
	w.current, w.answer = 7, nil
	w.mu.Unlock()
	w.outdate()
	if status := w.status(client, "GET", ""); status != http.StatusOK {
		t.Error(status)
	}
	w.want(2, 2)
}

// A redirect leads nobody's request on in the name of somebody else, who has logged in meanwhile; by way of another
// origin neither.
func TestLogInBesideRedirect(t *testing.T) {
	for _, detour := range []bool{false, true} {
		w := newWorld(t)
		client, transport := w.loggedIn(w.options())
		next := "/other"
		if detour {
			elsewhere := httptest.NewServer(http.RedirectHandler(w.api.URL+next, http.StatusTemporaryRedirect))
			defer elsewhere.Close()
			next = elsewhere.URL
		}
		w.serveWith(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				return
			}
			if r.Header.Get("Authorization") == "Bearer access1" {
				if err := transport.LogIn(t.Context(), w.pair(7)); err != nil {
					t.Error(err)
				}
				w.mu.Lock()
				w.current = 7
				w.mu.Unlock()
			}
			http.Redirect(rw, r, next, http.StatusTemporaryRedirect)
		})
		if response, err := client.Post(w.api.URL, "text/plain", strings.NewReader("of who was logged in")); err == nil {
			t.Errorf("detour %t: status %d", detour, response.StatusCode)
			response.Body.Close()
		}
		w.want(0, 1)
		if status := w.status(client, "POST", "of who is logged in"); status != http.StatusOK {
			t.Error(status)
		}
	}
}

// What an API refused of one login's tokens says nothing of another's.
func TestRefusalsOfAnotherLogin(t *testing.T) {
	w := newWorld(t)
	client, transport := w.loggedIn(w.options())
	w.serveWith(refusing(""))
	w.status(client, "GET", "")
	w.want(1, 2)
	if err := transport.LogIn(t.Context(), w.pair(2)); err != nil {
		t.Fatal(err)
	}
	w.serveWith(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer access2" {
			refusing("")(rw, r)
		}
	})
	if status := w.status(client, "GET", ""); status != http.StatusOK {
		t.Error(status)
	}
	w.want(2, 4)
}

// A token that came without a refresh token serves as long as it lives, whatever one API says of it, or advises.
func TestWithoutRefreshToken(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	o.AdviceWindow = time.Second
	client, transport := w.another(o)
	pair := w.pair(1)
	pair.Refresh = ""
	if err := transport.LogIn(t.Context(), pair); err != nil {
		t.Fatal(err)
	}
	w.serveWith(refusing(""))
	if status := w.status(client, "GET", ""); status != http.StatusUnauthorized {
		t.Error(status)
	}
	w.serveWith(func(rw http.ResponseWriter, _ *http.Request) { rw.Header().Set(jothttp.RefreshHeader, "advised") })
	for _, later := range []int64{0, 2, 15*60 - 3} {
		w.now.Add(later)
		if status := w.status(client, "GET", ""); status != http.StatusOK {
			t.Error(status)
		}
	}
	w.now.Add(1)
	if _, err := client.Get(w.api.URL); !errors.Is(err, jothttp.ErrLoggedOut) {
		t.Error(err)
	}
	w.want(0, 4)
}

// A request that is refused long after a refresh has failed causes the next one.
func TestRefusedLongAfterFailure(t *testing.T) {
	w := newWorld(t)
	client, _ := w.loggedIn(w.options())
	w.answerWith(down)
	calls := 0
	w.serveWith(func(rw http.ResponseWriter, r *http.Request) {
		if calls++; calls == 1 {
			w.status(client, "GET", "")
			w.answerWith(nil)
			w.now.Add(60)
		}
		if r.Header.Get("Authorization") == "Bearer access1" {
			refusing(staleClaims)(rw, r)
		}
	})
	if status := w.status(client, "GET", ""); status != http.StatusOK {
		t.Error(status)
	}
	w.want(2, 3)
}

// While the issuer is down, requests with an expired token ask it once a second, and not each.
func TestExpiredWhileIssuerDown(t *testing.T) {
	w := newWorld(t)
	client, _ := w.loggedIn(w.options())
	w.answerWith(down)
	w.now.Add(3600)
	for n := range int64(3) {
		for range 3 {
			if _, err := client.Get(w.api.URL); err == nil || errors.Is(err, jothttp.ErrLoggedOut) {
				t.Error(err)
			}
		}
		w.want(n+1, 0)
		w.now.Add(1)
	}
	w.answerWith(nil)
	if status := w.status(client, "GET", ""); status != http.StatusOK {
		t.Error(status)
	}
}

// Advice that leaves time until the token has expired doesn't put off what is due before that.
func TestAdviceBeforeExpiry(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	o.AdviceWindow = 1000 * time.Hour
	client, _ := w.loggedIn(o)
	w.serveWith(func(rw http.ResponseWriter, _ *http.Request) { rw.Header().Set(jothttp.RefreshHeader, "advised") })
	w.status(client, "GET", "")
	w.now.Add(15*60 - 10)
	w.status(client, "GET", "")
	w.want(1, 2)
}

// A token that expires while the issuer is asked for another isn't used after that.
func TestExpiresBesideRefresh(t *testing.T) {
	w := newWorld(t)
	_, transport := w.loggedIn(w.options())
	w.answerWith(func(rw http.ResponseWriter) bool { w.now.Add(12); return down(rw) })
	w.now.Add(15*60 - 10)
	if pair, err := transport.Tokens(t.Context()); err == nil || errors.Is(err, jothttp.ErrLoggedOut) {
		t.Errorf("%v, %v", pair, err)
	}
}

// hanging is an issuer that doesn't answer.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// While the issuer lets a refresh wait, whoever has a token that is still good waits two seconds.
func TestSlowIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, err := jothttp.NewTransport(jothttp.TransportOptions{
			TokenURL: "https://auth.example.com/token", ClientID: "client_app", Origins: []string{"https://api.example.com"}, Base: hanging{},
		})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := transport.LogIn(t.Context(), jothttp.TokenPair{Access: "access", Refresh: "refresh", Expires: began.Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(40 * time.Second) // of the test's own clock
		if pair, err := transport.Tokens(t.Context()); err != nil || pair.Access != "access" || time.Since(began) != 42*time.Second {
			t.Errorf("%v, %v after %v", pair, err, time.Since(began))
		}
		time.Sleep(15 * time.Second) // until the refresh gives up, without which the test doesn't end
	})
}
