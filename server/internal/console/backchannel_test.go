package console_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/backchannel"
	"github.com/jot-auth/jot/server/issuer"
)

// told is a client that takes logout tokens, and fails at the first.
func told(t *testing.T) (address string, tokens <-chan string) {
	t.Helper()
	taken, tries := make(chan string, 16), new(atomic.Int32)
	client := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		taken <- r.PostFormValue("logout_token")
	}))
	t.Cleanup(client.Close)
	return client.URL + "/logout", taken
}

// TestBackchannelLogout: however a session ends, its client is told, and again until it has taken it.
func TestBackchannelLogout(t *testing.T) {
	f := serve(t)
	address, tokens := told(t)
	stored := issuer.Client{ID: "client_told", Scopes: []string{"pets:read"}, FirstParty: true, RedirectURIs: []string{callback}, BackchannelLogoutURI: address}
	if err := f.issuer.CreateClient(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	sender := backchannel.Start(t.Context(), f.issuer, slog.New(slog.DiscardHandler))
	defer sender.Close()
	verifier, err := jot.NewVerifier(f.issuer, jot.VerifierOptions{Issuer: issuerURL, Audience: stored.ID, Type: "logout+jwt", MaxTTL: 2 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	begin := func(b *browser, changes ...string) map[string]any {
		t.Helper()
		a := b.authorize(append(changes, "client_id", stored.ID)...)
		if a.status == http.StatusOK {
			a = b.logIn(a)
		}
		return f.tokens(a.code(t), "client_id", stored.ID)
	}
	for name, end := range map[string]func(*browser, map[string]any) error{
		"logout of the browser": func(b *browser, _ map[string]any) error {
			return f.issuer.LogOut(t.Context(), issuer.LogoutDecision{}, b.cookies["__Host-jot-signin"])
		},
		"one session": func(_ *browser, session map[string]any) error {
			return f.issuer.EndSession(t.Context(), f.ada, sidOf(t, session))
		},
		"everywhere": func(*browser, map[string]any) error { return f.issuer.EndSessions(t.Context(), f.ada) },
	} {
		b := f.browser()
		session := begin(b)
		begin(b, "scope", "pets:read") // has no ID token, so nobody is told
		if err := end(b, session); err != nil {
			t.Fatal(err)
		}
		select {
		case raw := <-tokens:
			token, err := verifier.Verify(t.Context(), raw)
			if err != nil || token.Subject() != f.ada || token.SessionID() != sidOf(t, session) || token.ID() == "" {
				t.Fatalf("%s: %v %v", name, token, err)
			}
			_, members := claims(t, raw)
			events, _ := members["events"].(map[string]any)
			if event, ok := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any); !ok || len(event) > 0 || members["nonce"] != nil {
				t.Errorf("%s: claims %v", name, members)
			}
			if _, err := f.issuer.Verifier().Verify(t.Context(), raw); err == nil {
				t.Error("a logout token passes for an access token")
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: nobody was told", name)
		}
		if err := f.issuer.EndSessions(t.Context(), f.ada); err != nil {
			t.Fatal(err)
		}
	}
	if len(tokens) > 0 {
		t.Errorf("%d more were told", len(tokens))
	}
}
