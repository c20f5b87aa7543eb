package node

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/interop/recipe"
	"github.com/jot-auth/jot/interop/running"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/issuer"
)

// TestBrowserApp: code with PKCE, tokens that are bound to a key with nonces, their refresh, an API that checks proofs,
// and the revocation.
func TestBrowserApp(t *testing.T) {
	t.Parallel()
	s, page := running.StartTLS(t), recipe.Read(t, "browser")
	page.Client(s, nil)
	subject, err := s.SignUp(t.Context(), recipe.Username, recipe.Password)
	if err != nil {
		t.Fatal(err)
	}
	api := boundAPI(t, s)
	app := load(t, s, page, "")

	browser := running.NewBrowser(t, s.Client.Transport)
	answer := recipe.LogIn(t, browser, app.must("logIn").Location)
	app.must("visit", answer.String())
	var person string
	if err := json.Unmarshal(app.must("finishLogIn").Value, &person); err != nil || person != subject {
		t.Fatalf("%s logged in, %v", person, err)
	}
	for range 2 {
		for _, address := range []string{api + "/pets?of=ada", s.URL + "/userinfo"} {
			if r := app.must("call", address); r.Status != http.StatusOK {
				t.Errorf("%s: %+v", address, r)
			}
		}
		app.must("refresh")
	}
	// A change that needs no answer, with a body and another method.
	if r := app.must("call", api+"/pets", "POST", "a cat"); r.Status != http.StatusOK {
		t.Errorf("%+v", r)
	}
	before, _, err1 := s.Issuer().SessionsOf(t.Context(), subject, "", 2)
	app.must("logOut")
	after, _, err2 := s.Issuer().SessionsOf(t.Context(), subject, "", 2)
	if err1 != nil || err2 != nil || len(before) != 1 || len(after) != 0 {
		t.Errorf("sessions before the logout: %+v, %v; after it: %+v, %v", before, err1, after, err2)
	}
}

// boundAPI is an API that takes tokens with their proofs alone, and wants its own nonces in them.
func boundAPI(t *testing.T, s running.Server) string {
	t.Helper()
	proofs, err := jothttp.NewProofVerifier(jothttp.ProofOptions{Nonces: s.Issuer()})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := jot.NewVerifier(s.Issuer(), jot.VerifierOptions{Issuer: s.URL, Audience: running.Audience, Type: "at+jwt", Revocation: s.Issuer()})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	api := httptest.NewUnstartedServer(mux)
	base := "https://" + api.Listener.Addr().String()
	options := jothttp.Options{Verifier: verifier, DPoP: &jothttp.DPoP{Proofs: proofs, Base: base, Required: true}}
	mux.Handle("/", options.Protect()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })))
	api.StartTLS() // the certificate is that of the server
	t.Cleanup(api.Close)
	return base
}

// TestIntrospection: an API asks about tokens, before and after their revocation.
func TestIntrospection(t *testing.T) {
	t.Parallel()
	s, page := running.StartTLS(t), recipe.Read(t, "node-introspection")
	api := load(t, s, page, page.Client(s, nil))
	if err := s.Issuer().CreateSubject(t.Context(), issuer.Subject{ID: "ada", Scope: []string{"pets:read"}}); err != nil {
		t.Fatal(err)
	}
	tokens, err := s.Issuer().Issue(t.Context(), issuer.Grant{Subject: "ada", ClientID: running.App})
	if err != nil {
		t.Fatal(err)
	}
	bound, err := s.Issuer().Issue(t.Context(), issuer.Grant{Subject: "ada", ClientID: running.App, KeyThumbprint: thumbprint})
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ Sub, Scope, Client_ID string }
	if err := json.Unmarshal(api.must("introspect", tokens.Access).Value, &claims); err != nil || claims.Sub != "ada" || claims.Scope != "pets:read" {
		t.Fatalf("%+v, %v", claims, err)
	}
	for name, token := range map[string]string{"no token": "a.b.c", "another client's refresh token": tokens.Refresh, "bound to a key": bound.Access} {
		if r := api.must("introspect", token); r.Value != nil {
			t.Errorf("%s: %s", name, r.Value)
		}
	}
	if err := s.Issuer().EndSession(t.Context(), "ada", tokens.SessionID); err != nil {
		t.Fatal(err)
	}
	if r := api.must("introspect", tokens.Access); r.Value != nil {
		t.Errorf("after the end of the session: %s", r.Value)
	}
}

const thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
