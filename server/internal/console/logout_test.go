package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

const bye = "https://app.example.com/bye"

func (b *browser) logOut(parameters ...string) answer {
	b.Helper()
	query := url.Values{}
	for n := 0; n < len(parameters); n += 2 {
		query.Set(parameters[n], parameters[n+1])
	}
	return b.get("/base/oauth2/logout?" + query.Encode())
}

// TestLogout: with an ID token of who is signed in it's done at once, and everything that came of the sign-in ends, of
// every client.
func TestLogout(t *testing.T) {
	f := serve(t)
	b := f.browser()
	tokens := f.tokens(b.logIn(b.authorize()).code(t))
	second := f.tokens(b.authorize().code(t))
	offline := f.tokens(b.authorize("scope", "openid offline_access").code(t))
	elsewhere := f.browser()
	kept := f.tokens(elsewhere.logIn(elsewhere.authorize()).code(t))
	pending := b.authorize().code(t)

	a := b.logOut("id_token_hint", tokens["id_token"].(string), "post_logout_redirect_uri", bye, "state", "a&b")
	if a.status != http.StatusSeeOther || a.location.String() != bye+"?state=a%26b" {
		t.Fatalf("%d %v %s", a.status, a.location, a.body)
	}
	f.wantOver(tokens)
	f.wantOver(second)
	if status, members := f.redeem(pending); status != 400 || members["error"] != "invalid_grant" {
		t.Errorf("the code of before: %d %v", status, members)
	}
	for name, alive := range map[string]map[string]any{"offline": offline, "another browser": kept} {
		if status, members := f.token(url.Values{"grant_type": {"refresh_token"}, "client_id": {app}, "refresh_token": {alive["refresh_token"].(string)}}); status != 200 {
			t.Errorf("%s: %d %v", name, status, members)
		}
	}
	if b.cookies["__Host-jot-signin"] != "" {
		t.Error("the cookie is still there")
	}
	b.authorize("prompt", "none").wantRefusal(t, "login_required")
	b.logOut().wantPage(t, 200, "You are logged out") // twice is as good as once
}

// TestLogoutAsks where nobody vouches for the request.
func TestLogoutAsks(t *testing.T) {
	f := serve(t)
	if _, err := f.accounts.Add(t.Context(), "eve", password); err != nil {
		t.Fatal(err)
	}
	eve := f.browser()
	foreign := f.tokens(eve.submit(eve.authorize(), "/login", "username", "eve", "password", password).code(t))
	b := f.browser()
	tokens := f.tokens(b.logIn(b.authorize()).code(t))
	for name, parameters := range map[string][]string{
		"nothing":              nil,
		"client":               {"client_id", app, "post_logout_redirect_uri", bye},
		"no token":             {"id_token_hint", "x"},
		"another's token":      {"id_token_hint", foreign["id_token"].(string)},
		"an access token":      {"id_token_hint", tokens["access_token"].(string)},
		"a changed token":      {"id_token_hint", tokens["id_token"].(string) + "A"},
		"unsigned token":       {"id_token_hint", unsigned(tokens["id_token"].(string))},
		"token of no client":   {"id_token_hint", "e30.e30."},
		"with unknown members": {"logout_hint", "ada", "ui_locales", "de"},
	} {
		page := b.logOut(parameters...)
		if !strings.Contains(page.body, "Log out?") || page.status != 200 {
			t.Errorf("%s: %d %v", name, page.status, page.location)
		}
		b.authorize("prompt", "none").code(t)
	}
	page := b.logOut("client_id", app, "post_logout_redirect_uri", bye, "state", "x")
	thief := f.browser()
	thief.submit(page, "/logout").wantPage(t, 400, "another browser")
	b.authorize("prompt", "none").code(t)
	if a := b.submit(page, "/logout"); a.location == nil || a.location.String() != bye+"?state=x" {
		t.Errorf("%d %v", a.status, a.location)
	}
	f.wantOver(tokens)
	b.submit(page, "/logout").wantPage(t, 400, "expired") // it was for that sign-in
}

func unsigned(token string) string {
	parts := strings.Split(token, ".")
	return "eyJhbGciOiJub25lIn0." + parts[1] + "."
}

// TestLogoutLeadsNowhere: no logout is an open redirect.
func TestLogoutLeadsNowhere(t *testing.T) {
	f := serve(t)
	b := f.browser()
	hint := f.tokens(b.logIn(b.authorize()).code(t))["id_token"].(string)
	for name, parameters := range map[string][]string{
		"no client":             {"post_logout_redirect_uri", bye},
		"unknown client":        {"client_id", "client_nobody"},
		"client of another URI": {"client_id", other, "post_logout_redirect_uri", bye},
		"redirect URI":          {"id_token_hint", hint, "post_logout_redirect_uri", callback},
		"suffix":                {"id_token_hint", hint, "post_logout_redirect_uri", bye + "/x"},
		"fragment":              {"id_token_hint", hint, "post_logout_redirect_uri", bye + "#x"},
		"another host":          {"id_token_hint", hint, "post_logout_redirect_uri", "https://evil.example/bye"},
		"hint of another":       {"id_token_hint", hint, "client_id", other, "post_logout_redirect_uri", "https://other.example.com/bye"},
	} {
		if a := b.logOut(parameters...); a.status != 400 || a.location != nil {
			t.Errorf("%s: %d %v", name, a.status, a.location)
		}
	}
	b.get("/base/oauth2/logout?client_id="+app+"&client_id="+app).wantPage(t, 400, "understood")
	b.authorize("prompt", "none").code(t)
	a := b.send("POST", "/base/oauth2/logout", url.Values{"id_token_hint": {hint}}, "Sec-Fetch-Site", "cross-site")
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d", a.status)
	}
	b.get(a.location.String()).wantPage(t, 200, "You are logged out")
}

// TestAnotherPersonLogsIn: a browser has one sign-in.
func TestAnotherPersonLogsIn(t *testing.T) {
	onBothLater(t, func(f *fixture, c *clock) {
		if _, err := f.accounts.Add(f.Context(), "eve", password); err != nil {
			f.Fatal(err)
		}
		b := f.browser()
		tokens := f.tokens(b.logIn(b.authorize()).code(f.T))
		c.advance(time.Second) // as in TestPrompt
		b.submit(b.authorize("prompt", "login"), "/login", "username", "eve", "password", password).code(f.T)
		f.wantOver(tokens)
		session, err := f.issuer.Session(f.Context(), sidOf(f.T, tokens))
		if err != nil || session.EndReason != issuer.EndedByLogout {
			f.Errorf("%v, %v", session.EndReason, err)
		}
	})
}

func sidOf(t *testing.T, tokens map[string]any) string {
	t.Helper()
	_, id := claims(t, tokens["id_token"])
	return id["sid"].(string)
}
