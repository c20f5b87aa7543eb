// Package client drives jothttp.Transport against a whole server and a protected API, alone and under
// golang.org/x/oauth2.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/interop/running"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/issuer"
)

const password = "correct horse battery staple"

// world is a server, an API that its tokens are for, and a user.
type world struct {
	running.Server
	api     *httptest.Server
	subject string
	refused atomic.Int64 // by the API
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{Server: running.Start(t)}
	verifier, err := jot.NewVerifier(w.Issuer(), jot.VerifierOptions{Issuer: w.URL, Audience: running.Audience, Type: "at+jwt", Revocation: w.Issuer()})
	must(t, err)
	protect := jothttp.Options{Verifier: verifier, OnRefuse: func(*http.Request, error) { w.refused.Add(1) }}.Protect()
	w.api = httptest.NewServer(protect(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var claims struct {
			Role string `json:"role"`
		}
		if err := jothttp.From(r.Context()).Decode(&claims); err != nil {
			t.Error(err)
		}
		io.WriteString(rw, claims.Role)
	})))
	t.Cleanup(w.api.Close)
	w.subject, err = w.SignUp(t.Context(), "ada", password)
	must(t, err)
	return w
}

// logIn answers what a client gets that knows the password.
func (w *world) logIn(t *testing.T) jothttp.TokenPair {
	t.Helper()
	response, err := http.Post(w.URL+"/v1/login", "application/json", strings.NewReader(`{"username":"ada","password":"`+password+`"}`))
	must(t, err)
	defer response.Body.Close()
	pair, err := jothttp.ReadTokenPair(response.Body, time.Now())
	must(t, err)
	return pair
}

func (w *world) transport(t *testing.T, store jothttp.TokenStore) *jothttp.Transport {
	t.Helper()
	transport, err := jothttp.NewTransport(jothttp.TransportOptions{
		TokenURL: w.URL + "/oauth2/token", ClientID: running.App, Origins: []string{w.api.URL}, Tokens: store,
	})
	must(t, err)
	return transport
}

// role asks the API, which reads it from the token.
func (w *world) role(ctx context.Context, client *http.Client) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.api.URL, nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		return response.Status, err
	}
	return string(body), err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A demotion reaches a client that is at work: its next requests, however many at once, are refused once for stale
// claims, one refresh follows, and all of them are answered under the new role.
func TestRoleChangeUnderWay(t *testing.T) {
	w := start(t)
	transport := w.transport(t, nil)
	must(t, transport.LogIn(t.Context(), w.logIn(t)))
	client := &http.Client{Transport: transport}
	for _, role := range []string{"admin", "guest"} {
		must(t, w.Issuer().ChangeSubject(t.Context(), w.subject, issuer.Change{Claims: json.RawMessage(`{"role":"` + role + `"}`)}))
		before, err := transport.Tokens(t.Context())
		must(t, err)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if got, err := w.role(t.Context(), client); got != role || err != nil {
					t.Errorf("%q, %v; want %s", got, err, role)
				}
			})
		}
		all.Wait()
		after, err := transport.Tokens(t.Context())
		must(t, err)
		if after.Refresh == before.Refresh {
			t.Error("no refresh")
		}
	}
	session, err := w.Issuer().SessionOf(t.Context(), mustTokens(t, transport).Refresh, running.App)
	must(t, err)
	if session.Counters.Current != 3 {
		t.Errorf("refresh token %d is current after two changes: more than one refresh each", session.Counters.Current)
	}
}

func mustTokens(t *testing.T, transport *jothttp.Transport) jothttp.TokenPair {
	t.Helper()
	pair, err := transport.Tokens(t.Context())
	must(t, err)
	return pair
}

// A logout elsewhere logs the client out, and its file forgets the tokens.
func TestLogoutElsewhere(t *testing.T) {
	w := start(t)
	store := jothttp.FileStore(filepath.Join(t.TempDir(), "tokens"))
	transport := w.transport(t, store)
	must(t, transport.LogIn(t.Context(), w.logIn(t)))
	must(t, w.Issuer().EndSessions(t.Context(), w.subject))
	client := &http.Client{Transport: transport}
	if got, err := w.role(t.Context(), client); err != nil || got != "401 Unauthorized" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := w.role(t.Context(), client); !errors.Is(err, jothttp.ErrLoggedOut) {
		t.Error(err)
	}
	if pair, err := store.Load(t.Context()); err != nil || pair.Refresh != "" {
		t.Errorf("%v, %v", pair, err)
	}
}

// source is all that golang.org/x/oauth2 needs of a Transport.
type source struct {
	ctx       context.Context
	transport *jothttp.Transport
}

func (s source) Token() (*oauth2.Token, error) {
	pair, err := s.transport.Tokens(s.ctx)
	if err != nil {
		return nil, err
	}
	return &oauth2.Token{AccessToken: pair.Access, TokenType: "Bearer", Expiry: pair.Expires}, nil
}

// A program that takes an oauth2.TokenSource takes a Transport.
func TestTokenSource(t *testing.T) {
	w := start(t)
	transport := w.transport(t, nil)
	must(t, transport.LogIn(t.Context(), w.logIn(t)))
	client := oauth2.NewClient(t.Context(), source{t.Context(), transport})
	response, err := client.Post(w.api.URL, "text/plain", bytes.NewReader([]byte("x")))
	must(t, err)
	response.Body.Close()
	if response.StatusCode != http.StatusOK || w.refused.Load() != 0 {
		t.Errorf("status %d, %d refused", response.StatusCode, w.refused.Load())
	}
}
