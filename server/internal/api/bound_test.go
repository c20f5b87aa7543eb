package api_test

import (
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/api"
	"github.com/jot-auth/jot/server/issuer"
)

// TestBoundTokens: a token that is bound to a key is worth nothing without its proof, wherever it's shown, and neither
// is its session's refresh token.
func TestBoundTokens(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	subject := f.signUp()
	tokens, err := f.issuer.Issue(t.Context(), issuer.Grant{Subject: subject, ClientID: "client_app", KeyThumbprint: strings.Repeat("A", 43)})
	if err != nil {
		t.Fatal(err)
	}
	for _, headers := range [][]string{bearer(tokens.Access), {"Cookie", "__Host-jot=" + tokens.Access}} {
		a := f.call("GET", "/v1/me", "", headers...)
		a.want(t, 401)
		if !strings.Contains(a.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("challenge %q", a.header.Get("WWW-Authenticate"))
		}
	}
	f.call("POST", "/v1/refresh", `{"refresh_token":"`+tokens.Refresh+`"}`).want(t, 401)
}

// TestBoundClientLogsInElsewhere: a client that gets bound tokens alone is refused before the password is looked at:
// what can't come to anything is no guess, and says nothing of it.
func TestBoundClientLogsInElsewhere(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	f.signUp()
	if err := f.issuer.CreateClient(t.Context(), issuer.Client{ID: "client_bound", FirstParty: true, RequireDPoP: true}); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{password, "not the password"} {
		f.call("POST", "/v1/login", `{"username":"`+name+`","password":"`+secret+`","client_id":"client_bound"}`).want(t, 400)
	}
}
