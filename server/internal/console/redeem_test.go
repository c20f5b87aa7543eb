package console_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestRedeemBadInput: what is wrong about a code's request is refused, and burns nothing: afterwards the code is good.
func TestRedeemBadInput(t *testing.T) {
	f := serve(t)
	b := f.browser()
	code := b.logIn(b.authorize()).code(t)
	for name, c := range map[string]struct {
		changes []string
		error   string
	}{
		"no code":                      {[]string{"code", ""}, "invalid_request"},
		"unknown code":                 {[]string{"code", "jac_unknown"}, "invalid_grant"},
		"code with more":               {[]string{"code", code + "A"}, "invalid_grant"},
		"code in capitals":             {[]string{"code", strings.ToUpper(code)}, "invalid_grant"},
		"no redirect URI":              {[]string{"redirect_uri", ""}, "invalid_request"},
		"another redirect URI":         {[]string{"redirect_uri", "http://127.0.0.1/callback"}, "invalid_grant"},
		"redirect URI with a slash":    {[]string{"redirect_uri", callback + "/"}, "invalid_grant"},
		"no verifier (downgrade)":      {[]string{"code_verifier", ""}, "invalid_request"},
		"wrong verifier":               {[]string{"code_verifier", strings.Repeat("a", 43)}, "invalid_grant"},
		"the challenge itself (plain)": {[]string{"code_verifier", challenge}, "invalid_grant"},
		"short verifier":               {[]string{"code_verifier", verifier[:42]}, "invalid_grant"},
		"verifier with a space":        {[]string{"code_verifier", verifier + " "}, "invalid_grant"},
		"verifier with a plus":         {[]string{"code_verifier", verifier[:42] + "+"}, "invalid_grant"},
		"verifier with padding":        {[]string{"code_verifier", verifier + "="}, "invalid_grant"},
		"verifier that isn't ASCII":    {[]string{"code_verifier", verifier[:42] + "é"}, "invalid_grant"},
		"verifier of another case":     {[]string{"code_verifier", strings.ToLower(verifier)}, "invalid_grant"},
		"no grant type":                {[]string{"grant_type", ""}, "invalid_request"},
		"another host":                 {[]string{"redirect_uri", "https://evil.example/callback"}, "invalid_grant"},
		"redirect URI in capitals":     {[]string{"redirect_uri", "https://APP.example.com/callback"}, "invalid_grant"},
		"long verifier":                {[]string{"code_verifier", strings.Repeat("a", 129)}, "invalid_grant"},
		"another client":               {[]string{"client_id", other}, "invalid_grant"},
		"unknown client":               {[]string{"client_id", "client_nobody"}, "invalid_client"},
		"no client":                    {[]string{"client_id", ""}, "invalid_request"},
		"client without its secret":    {[]string{"client_id", backend}, "invalid_client"},
		"another client, with secret":  {[]string{"client_id", backend, "client_secret", f.secret}, "invalid_grant"},
		"a secret of a public client":  {[]string{"client_secret", "x"}, "invalid_client"},
		"another resource":             {[]string{"resource", "zoo"}, "invalid_target"},
		"another grant type":           {[]string{"grant_type", "refresh_token", "refresh_token", code}, "invalid_grant"},
	} {
		if status, members := f.redeem(code, c.changes...); status != 400 || members["error"] != c.error {
			t.Errorf("%s: %d %v, want %s", name, status, members, c.error)
		}
	}
	for _, parameter := range []string{"code", "redirect_uri", "code_verifier", "client_id", "grant_type"} {
		form := url.Values{"grant_type": {"authorization_code"}, "client_id": {app}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
		form.Add(parameter, form.Get(parameter))
		if status, members := f.token(form); status != 400 || members["error"] != "invalid_request" {
			t.Errorf("doubled %s: %d %v", parameter, status, members)
		}
	}
	f.tokens(code, "resource", "petstore")
}

// TestCodeIsOld a minute after it was given (RFC 6749 §4.1.2).
func TestCodeIsOld(t *testing.T) {
	onBothLater(t, func(f *fixture, c *clock) {
		b := f.browser()
		code := b.logIn(b.authorize()).code(f.T)
		c.advance(time.Minute)
		if status, members := f.redeem(code); status != 400 || members["error"] != "invalid_grant" {
			f.Errorf("%d %v", status, members)
		}
	})
}

// TestCodeReplay: the second use of a code ends the session of the first, and so does every further one.
func TestCodeReplay(t *testing.T) {
	f := serve(t)
	b := f.browser()
	code := b.logIn(b.authorize()).code(t)
	first := f.tokens(code)
	if status, members := f.redeem(code, "client_id", other); status != 400 || members["error"] != "invalid_grant" {
		t.Errorf("another client: %d %v", status, members)
	}
	if _, err := f.issuer.Verifier().Verify(t.Context(), first["access_token"].(string)); err != nil {
		t.Errorf("another client's replay ended the session: %v", err)
	}
	for range 2 {
		if status, members := f.redeem(code, "code_verifier", strings.Repeat("a", 43)); status != 400 || members["error"] != "invalid_grant" {
			t.Errorf("%d %v", status, members)
		}
		f.wantOver(first)
	}
	events, _, err := f.issuer.RecentEvents(t.Context(), issuer.EventFilter{Kind: issuer.EventCodeReused}, issuer.Page{Limit: 10})
	if err != nil || len(events) != 1 || events[0].Subject != f.ada || events[0].ClientID != app {
		t.Errorf("events %v, %v", events, err)
	}
}

// wantOver: none of a session's tokens is good.
func (f *fixture) wantOver(tokens map[string]any) {
	f.Helper()
	if _, err := f.issuer.Verifier().Verify(f.Context(), tokens["access_token"].(string)); err == nil {
		f.Error("the access token is still good")
	}
	status, members := f.token(url.Values{"grant_type": {"refresh_token"}, "client_id": {app}, "refresh_token": {tokens["refresh_token"].(string)}})
	if status != 400 || members["error"] != "invalid_grant" {
		f.Errorf("the refresh token is still good: %d %v", status, members)
	}
}

// TestCodeDies with what it came from: the sign-in, the subject's sessions, the client's right to the API.
func TestCodeDies(t *testing.T) {
	f := serve(t)
	for name, end := range map[string]func(*browser) error{
		"logout": func(b *browser) error {
			return f.issuer.LogOut(t.Context(), issuer.LogoutDecision{}, b.cookies["__Host-jot-signin"])
		},
		"logout everywhere": func(*browser) error { return f.issuer.EndSessions(t.Context(), f.ada) },
		"new password":      func(*browser) error { return f.issuer.OutdateSubject(t.Context(), f.ada, "", nil) },
	} {
		b := f.browser()
		code := b.logIn(b.authorize()).code(t)
		if err := end(b); err != nil {
			t.Fatal(err)
		}
		if status, members := f.redeem(code); status != 400 || members["error"] != "invalid_grant" {
			t.Errorf("after %s: %d %v", name, status, members)
		}
		b.authorize().wantPage(t, 200, "Password") // and the browser has to log in again
	}
	if err := f.issuer.DisableSubject(t.Context(), f.ada); err != nil {
		t.Fatal(err)
	}
	b := f.browser()
	b.logIn(b.authorize()).wantPage(t, 400, "Wrong username or password")
}
