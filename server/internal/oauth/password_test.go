package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	name     = "ada"
	password = "correct horse battery staple"
)

// signUp makes an account and answers its subject.
func (f *fixture) signUp(name string) string {
	f.t.Helper()
	subject, err := f.people.Add(f.t.Context(), name, password)
	if err != nil {
		f.t.Fatal(err)
	}
	return subject
}

// logIn asks for tokens with a password, with parameters changed by name, value, ….
func (f *fixture) logIn(changes ...string) answer {
	f.t.Helper()
	form := url.Values{"grant_type": {"password"}, "client_id": {app}, "username": {name}, "password": {password}}
	for n := 0; n < len(changes); n += 2 {
		form.Set(changes[n], changes[n+1])
	}
	return f.token(form.Encode())
}

func TestPasswordGrant(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	subject := f.signUp(name)
	a := f.logIn("scope", "pets:read")
	members := a.members(t)
	if a.status != 200 || len(members) != 5 || members["token_type"] != "Bearer" || members["scope"] != "pets:read" || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	token, err := f.verify(members["access_token"].(string))
	if err != nil || token.Subject() != subject || token.ClientID() != app || token.SessionID() == "" || token.AuthTime().IsZero() {
		t.Errorf("%v %v", token, err)
	}
	if a := f.post("/oauth2/token", "grant_type", "refresh_token", "client_id", app, "refresh_token", members["refresh_token"].(string)); a.status != 200 {
		t.Errorf("refresh: %d %s", a.status, a.body)
	}
	holder := f.prover()
	bound := f.ask(url.Values{"grant_type": {"password"}, "client_id": {app}, "username": {name}, "password": {password}}.Encode(), holder.proof()).members(t)
	token, err = f.verify(bound["access_token"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if thumbprint, _ := token.Confirmation(); thumbprint != holder.Thumbprint() || bound["token_type"] != "DPoP" {
		t.Errorf("bound to %q: %v", thumbprint, bound)
	}
}

// TestPasswordGrantBadInput: the operator's own clients alone may ask, who isn't let in is answered alike, and guesses
// are throttled.
func TestPasswordGrantBadInput(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	f.signUp(name)
	if err := f.issuer.DisableSubject(t.Context(), f.signUp("eve")); err != nil {
		t.Fatal(err)
	}
	own := f.storing(issuer.Client{ID: "client_own", Scopes: []string{"pets:read"}, FirstParty: true})
	foreign := f.storing(issuer.Client{ID: "client_foreign", Scopes: []string{"pets:read"}})
	for what, c := range map[string]struct {
		a    answer
		code string
	}{
		"no username":               {f.logIn("username", ""), "invalid_request"},
		"no password":               {f.logIn("password", ""), "invalid_request"},
		"another's client":          {f.logIn("client_id", other), "unauthorized_client"},
		"another's, with a secret":  {f.logIn("client_id", "client_foreign", "client_secret", foreign), "unauthorized_client"},
		"without the secret":        {f.logIn("client_id", "client_own"), "invalid_client"},
		"unknown client":            {f.logIn("client_id", marker), "invalid_client"},
		"more scope":                {f.logIn("scope", "pets:eat"), "invalid_scope"},
		"unknown resource":          {f.logIn("resource", "moon"), "invalid_target"},
		"two usernames":             {f.token("grant_type=password&username=a&username=b&password=x&client_id=" + app), "invalid_request"},
		"two passwords":             {f.token("grant_type=password&username=a&password=x&password=y&client_id=" + app), "invalid_request"},
		"password for another type": {f.logIn("grant_type", "client_credentials"), "unauthorized_client"},
	} {
		t.Run(what, func(t *testing.T) { c.a.wantError(t, 400, c.code) })
	}
	if a := f.logIn("client_id", "client_own", "client_secret", own); a.status != 200 {
		t.Errorf("our own, with a secret: %d %s", a.status, a.body)
	}
	wrong := f.logIn("password", "wrong "+password)
	wrong.wantError(t, 400, "invalid_grant")
	for what, a := range map[string]answer{
		"unknown": f.logIn("username", "nobody"), "disabled": f.logIn("username", "eve"), "no name": f.logIn("username", "\u202e"), "long": f.logIn("password", strings.Repeat("a", 2000)),
	} {
		if a.status != wrong.status || a.body != wrong.body {
			t.Errorf("%s: %d %s, a wrong password: %s", what, a.status, a.body, wrong.body)
		}
	}
	for tries := 0; wrong.status != http.StatusTooManyRequests; tries++ {
		if wrong = f.logIn("password", "wrong "+password); tries == 20 {
			t.Fatal("guesses are never throttled")
		}
	}
	wrong.wantError(t, 429, "temporarily_unavailable")
	if wrong.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if log := f.log.Take(); log != "" {
		t.Errorf("bad input reached the log: %s", log)
	}
}

// TestPasswordGrantThatNobodyCouldHave is refused before the password is looked at, whoever it's for, and is no guess
// at one.
func TestPasswordGrantThatNobodyCouldHave(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	f.signUp(name)
	for range 20 {
		for _, who := range [][2]string{{name, password}, {name, "wrong " + password}, {"nobody", password}} {
			f.logIn("username", who[0], "password", who[1], "scope", "pets:read pets:eat").wantError(t, 400, "invalid_scope")
			f.logIn("username", who[0], "password", who[1], "resource", "moon").wantError(t, 400, "invalid_target")
		}
	}
	if a := f.logIn(); a.status != 200 {
		t.Errorf("afterwards: %d %s", a.status, a.body)
	}
}

// TestPasswordGrantWithFactor: a right password alone isn't enough where the account demands more.
func TestPasswordGrantWithFactor(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	subject := f.signUp(name)
	totp := issuer.ForeignTOTP{Secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}
	if err := accounts.NewAdmin(f.people, f.store).ImportTOTP(t.Context(), subject, totp); err != nil {
		t.Fatal(err)
	}
	a := f.logIn()
	a.wantError(t, 400, "invalid_grant")
	if !strings.Contains(a.body, "second factor") {
		t.Error(a.body)
	}
}
