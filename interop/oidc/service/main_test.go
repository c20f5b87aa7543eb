package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/interop/recipe"
	"github.com/jot-auth/jot/interop/running"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/issuer"
)

const password = "correct horse battery staple"

func TestService(t *testing.T) {
	s := running.StartTLS(t)
	must(t, s.Issuer().CreateResource(t.Context(), issuer.Resource{Audience: "stock", Scopes: []string{"pets:read"}}))
	secret := recipe.Read(t, "go-service").Client(s, nil)
	ada, err := s.SignUp(t.Context(), "ada", password)
	must(t, err)

	stock := httptest.NewServer(jothttp.Protect(verifier(t, s, "stock"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := jothttp.From(r.Context())
		fmt.Fprint(w, token.Subject(), " by ", token.ClientID())
	})))
	t.Cleanup(stock.Close)
	trusting := context.WithValue(t.Context(), oauth2.HTTPClient, s.Client)
	h := newService(trusting, s.URL, stock.URL, secret).handler(verifier(t, s, running.Audience))

	r := httptest.NewRequestWithContext(trusting, "GET", "/pets", nil)
	checkAnswer(t, h, r, http.StatusUnauthorized, "")
	r.Header.Set("Authorization", "Bearer "+logIn(t, s))
	checkAnswer(t, h, r, http.StatusOK, ada+" by client_petstore")
	checkAnswer(t, h, httptest.NewRequestWithContext(trusting, "GET", "/opening-hours", nil), http.StatusOK, "client_petstore by client_petstore")
}

func verifier(t *testing.T, s running.Server, audience string) *jot.Verifier {
	t.Helper()
	v, err := jot.NewVerifier(s.Issuer(), jot.VerifierOptions{Issuer: s.URL, Audience: audience, Type: "at+jwt", Revocation: s.Issuer()})
	must(t, err)
	return v
}

// logIn answers an access token of ada's.
func logIn(t *testing.T, s running.Server) string {
	t.Helper()
	answer, err := s.Client.Post(s.URL+"/v1/login", "application/json", strings.NewReader(`{"username":"ada","password":"`+password+`"}`))
	must(t, err)
	defer answer.Body.Close()
	var tokens struct {
		Access string `json:"access_token"`
	}
	must(t, json.NewDecoder(answer.Body).Decode(&tokens))
	return tokens.Access
}

// checkAnswer takes any body for "".
func checkAnswer(t *testing.T, h http.Handler, r *http.Request, status int, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	got, _ := io.ReadAll(w.Body)
	if w.Code != status || body != "" && string(got) != body {
		t.Errorf("%s: %d %s, want %d %s", r.URL, w.Code, got, status, body)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestPage: the page shows this very file.
func TestPage(t *testing.T) {
	file, err := os.ReadFile("main.go")
	must(t, err)
	if recipe.Read(t, "go-service").Block("go") != string(file) {
		t.Error("docs/recipes/go-service.md doesn't show interop/oidc/service/main.go as it is")
	}
}
