package console_test

import (
	"context"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/console"
	"github.com/jot-auth/jot/server/internal/oauth"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// letters are those that were sent, the last one last.
type letters struct{ sent []accounts.Letter }

// Send writes the letter at once.
func (l *letters) Send(write func(context.Context) (accounts.Letter, error)) error {
	letter, err := write(context.Background())
	if err == nil && letter.To != "" {
		l.sent = append(l.sent, letter)
	}
	return err
}

// link takes the one out of the last letter.
func (l *letters) link(t *testing.T, page string) string {
	t.Helper()
	if len(l.sent) == 0 {
		t.Fatal("no letter")
	}
	link := regexp.MustCompile(`https://auth\.example\.com/base/` + page + `\?code=\S+`).FindString(l.sent[len(l.sent)-1].Text)
	if link == "" {
		t.Fatal(l.sent[len(l.sent)-1].Text)
	}
	return link
}

// serveMail is serve for a server that sends mail, and Ada's address is in its first letter.
func serveMail(t *testing.T) (*fixture, *letters) {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, post := serveOver(t, store, console.Options{Mail: true}), new(letters)
	f.accounts, err = accounts.New(store, f.issuer, accounts.Config{
		Post: post, Links: accounts.Links{Verify: issuerURL + "/verify-email?code=", Reset: issuerURL + "/reset-password?code="},
	})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := console.New(f.issuer, f.accounts, console.Options{Mail: true})
	if err != nil {
		t.Fatal(err)
	}
	protocols, err := oauth.New(f.issuer, f.accounts)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	pages.Register(mux)
	protocols.Register(mux)
	f.server.Config.Handler = mux
	if err := f.accounts.ChangeEmail(t.Context(), f.ada, password, "ada@example.com", issuer.Device{}); err != nil {
		t.Fatal(err)
	}
	return f, post
}

// press sends the form of a letter's page.
func (b *browser) press(page answer, action string, fields ...string) answer {
	b.Helper()
	found := regexp.MustCompile(`name="code" value="([^"]*)"`).FindStringSubmatch(page.body)
	if found == nil {
		b.Fatalf("no form: %d %s", page.status, page.body)
	}
	return b.send("POST", "/base"+action, form(append([]string{"code", found[1]}, fields...)...), "Sec-Fetch-Site", "same-origin")
}

// TestLetters: whoever has a letter confirms an address and chooses a password, with pages alone; who merely follows
// its link uses nothing up.
func TestLetters(t *testing.T) {
	f, post := serveMail(t)
	link := post.link(t, "verify-email")
	var page answer
	for range 3 { // a mail scanner, too
		page = f.browser().send("GET", link, nil)
		page.wantPage(t, 200, "Confirm your address")
	}
	b := f.browser()
	b.send("POST", "/base/verify-email", form("code", "x"), "Sec-Fetch-Site", "cross-site").wantPage(t, 403, "another site")
	b.press(page, "/verify-email").wantPage(t, 200, "Your address is confirmed")
	b.press(page, "/verify-email").wantPage(t, 400, "was used before, or has expired")

	// The way from the page to log in on to a new password.
	login := b.authorize()
	login.wantPage(t, 200, `<a href="forgotten-password">`)
	b.send("GET", "/base/forgotten-password", nil).wantPage(t, 200, "Forgotten password?")
	ask := func(email string) answer {
		return b.send("POST", "/base/forgotten-password", form("email", email), "Sec-Fetch-Site", "same-origin")
	}
	before := len(post.sent)
	known, unknown := ask("ada@example.com"), ask("bob@example.com")
	known.wantPage(t, 200, "Look into your mail")
	if known.body != unknown.body || len(post.sent) != before+1 {
		t.Errorf("told apart: %s and %s, %d letters", known.body, unknown.body, len(post.sent)-before)
	}
	ask("no address").wantPage(t, 400, "must be an e-mail address")

	link = post.link(t, "reset-password")
	old := b.logIn(login).code(t)
	page = b.send("GET", link, nil)
	page.wantPage(t, 200, "Choose a new password")
	b.press(page, "/reset-password", "password", "short").wantPage(t, 400, "The password must")
	b.press(page, "/reset-password", "password", "another horse battery").wantPage(t, 200, "You have a new password")
	b.press(page, "/reset-password", "password", "a third horse battery").wantPage(t, 400, "was used before, or has expired")
	if status, members := f.redeem(old); status != 400 {
		t.Errorf("a code of before: %d %v", status, members)
	}
	again := b.authorize()
	again.wantPage(t, 200, "Password")
	b.logIn(again).wantPage(t, 400, "Wrong username or password")
	b.submit(again, "/login", "username", "ada", "password", "another horse battery").code(t)
}

// TestNoMail: where no letters are sent no page leads there.
func TestNoMail(t *testing.T) {
	b := serve(t).browser()
	if page := b.authorize(); strings.Contains(page.body, "forgotten-password") {
		t.Errorf("%s", page.body)
	}
	b.send("POST", "/base/forgotten-password", form("email", "ada@example.com"), "Sec-Fetch-Site", "same-origin").wantPage(t, 403, "sends no mail")
}
