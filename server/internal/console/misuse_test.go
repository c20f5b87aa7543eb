package console_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/console"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// TestCodeOfBeforeTheEnd: after all logins of a subject have ended, a code of before stays dead, also when the same
// browser logs in again.
func TestCodeOfBeforeTheEnd(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b := f.browser()
		b.logIn(b.authorize()).code(f.T)
		stolen := b.authorize().code(f.T)
		if err := f.issuer.EndSessions(f.Context(), f.ada); err != nil {
			f.Fatal(err)
		}
		fresh := b.logIn(b.authorize()).code(f.T)
		if status, members := f.redeem(stolen); status != http.StatusBadRequest || members["error"] != "invalid_grant" {
			f.Errorf("the code of before: %d %v", status, members)
		}
		f.tokens(fresh)
	})
}

// TestLogoutByAnotherBrowser: an ID token that this sign-in didn't give doesn't end it unasked, not even one of the
// same person.
func TestLogoutByAnotherBrowser(t *testing.T) {
	f := serve(t)
	old := f.browser()
	hint := f.tokens(old.logIn(old.authorize()).code(t))["id_token"].(string)
	b := f.browser()
	b.logIn(b.authorize()).code(t)
	b.logOut("id_token_hint", hint).wantPage(t, 200, "Log out?")
	b.authorize("prompt", "none").code(t)
	b.submit(b.logOut("id_token_hint", hint), "/logout").wantPage(t, 200, "You are logged out")
}

// TestScopeOfAResource: a scope that a resource declares is the resource's own, whatever its name: the page doesn't
// explain it as another's, and it opens nothing of UserInfo.
func TestScopeOfAResource(t *testing.T) {
	f := serve(t)
	if err := f.issuer.CreateResource(t.Context(), issuer.Resource{Audience: "postoffice", Scopes: []string{"email"}}); err != nil {
		t.Fatal(err)
	}
	client := issuer.Client{ID: "client_post", Scopes: []string{"email"}, RedirectURIs: []string{callback}}
	if err := f.issuer.CreateClient(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	if err := f.issuer.ChangeSubject(t.Context(), f.ada, issuer.Change{Scope: []string{"email"}}); err != nil {
		t.Fatal(err)
	}
	b := f.browser()
	page := b.logIn(b.authorize("client_id", client.ID, "resource", "postoffice", "scope", "openid email"))
	if strings.Contains(page.body, "see your e-mail address") || !strings.Contains(page.body, "<code>email</code>") {
		t.Errorf("the page explains another scope: %s", page.body)
	}
	tokens := f.tokens(b.submit(page, "/consent", "decision", "allow").code(t), "client_id", client.ID)
	a := b.send("GET", "/base/userinfo", nil, "Authorization", "Bearer "+tokens["access_token"].(string))
	if a.status != http.StatusOK || strings.Contains(a.body, "ada@example.com") {
		t.Errorf("UserInfo: %d %s", a.status, a.body)
	}
}

// TestTemplatesInEveryState: a template that fails only while nothing is wrong is said at the start, and a style counts
// whatever ends its lines.
func TestTemplatesInEveryState(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("style.css", "body {\r\n  color: tan }\r\n")
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := serveOver(t, store, console.Options{Templates: folder})
	a := f.browser().send("GET", "/base/login?request="+url.QueryEscape("x"), nil)
	_, style, _ := strings.Cut(a.body, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(strings.ReplaceAll(style, "\r\n", "\n"))) // as a browser reads it
	if !strings.Contains(a.header.Get("Content-Security-Policy"), base64.StdEncoding.EncodeToString(sum[:])) {
		t.Error("browsers refuse the style")
	}
	write("login.html", `{{define "content"}}{{if .Problem}}{{.Problem}}{{else}}{{.Nothing}}{{end}}{{end}}`)
	if _, err := console.New(f.issuer, f.accounts, console.Options{Templates: folder}); err == nil {
		t.Error("a template that fails without a problem was taken")
	}
}

// TestRequestOfLongAgo: however often its page was sealed again, a request waits for half an hour: a login that came
// after it isn't one of now.
func TestRequestOfLongAgo(t *testing.T) {
	f := serve(t)
	b := f.browser()
	b.logIn(b.authorize()).code(t)
	a := issuer.Authorization{
		ClientID: app, RedirectURI: callback, ResponseType: "code", Challenge: challenge, ChallengeMethod: "S256", Prompt: []string{"login"}, Asked: b.now().Add(-31 * time.Minute),
	}
	if d, err := f.issuer.Authorize(t.Context(), a, b.cookies["__Host-jot-signin"], issuer.Shown{}); !errors.Is(err, issuer.ErrPending) {
		t.Errorf("%v, %v", d.Step, err)
	}
}

// TestRefusalToAClientThatIsGone: a page that was open while a client went, or lost an address, leads there no more.
func TestRefusalToAClientThatIsGone(t *testing.T) {
	f := serve(t)
	client := issuer.Client{ID: "client_gone", Scopes: []string{"pets:read"}, RedirectURIs: []string{callback}}
	if err := f.issuer.CreateClient(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	b := f.browser()
	page := b.logIn(b.authorize("client_id", client.ID))
	if err := f.issuer.DeleteClient(t.Context(), client.ID); err != nil {
		t.Fatal(err)
	}
	b.submit(page, "/consent", "decision", "deny").wantPage(t, 400, "unknown")
	b.submit(page, "/consent", "decision", "allow").wantPage(t, 400, "unknown")
}

// TestConsentToAnotherResource: what was allowed at one resource isn't allowed at another that the client has got
// meanwhile.
func TestConsentToAnotherResource(t *testing.T) {
	f := serve(t)
	client := issuer.Client{ID: "client_moving", Scopes: []string{"pets:read"}, Resources: []string{"petstore"}, RedirectURIs: []string{callback}}
	if err := f.issuer.CreateClient(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	b := f.browser()
	page := b.logIn(b.authorize("client_id", client.ID, "scope", "pets:read"))
	page.wantPage(t, 200, "The petstore")
	_, err := f.issuer.ChangeClient(t.Context(), client.ID, func(c *issuer.Client) error { c.Resources = []string{"zoo"}; return nil })
	if err != nil {
		t.Fatal(err)
	}
	b.submit(page, "/consent", "decision", "allow").wantPage(t, 200, "<strong>zoo</strong>")
}
