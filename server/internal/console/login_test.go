package console_test

import (
	"html"
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

// TestPrompt: what a request says about the login that it wants.
func TestPrompt(t *testing.T) {
	onBothLater(t, func(f *fixture, c *clock) {
		b := f.browser()
		_, first := claims(f.T, f.tokens(b.logIn(b.authorize("max_age", "0")).code(f.T))["id_token"]) // one that came after the request will do
		before := b.cookies["__Host-jot-signin"]
		b.authorize("prompt", "none").code(f.T)
		b.authorize("prompt", "none", "max_age", "3600", "acr_values", "anything", "ui_locales", "de", "claims_locales", "de").code(f.T)
		last := first["auth_time"].(float64)
		for _, changes := range [][]string{{"prompt", "login"}, {"prompt", "select_account"}, {"max_age", "0"}} {
			c.advance(time.Second) // or the login before might be of the same millisecond as the request; and auth_time counts whole seconds
			page := b.authorize(append(changes, "login_hint", "ada")...)
			page.wantPage(f.T, 200, `value="ada"`)
			_, second := claims(f.T, f.tokens(b.logIn(page).code(f.T))["id_token"])
			if second["auth_time"].(float64) <= last {
				f.Errorf("%v: auth_time %v after %v", changes, second["auth_time"], last)
			}
			last = second["auth_time"].(float64)
		}
		if b.cookies["__Host-jot-signin"] == before {
			f.Error("a new login keeps the cookie of before")
		}
		old := f.browser()
		old.cookies["__Host-jot-signin"] = before
		old.authorize("prompt", "none").wantRefusal(f.T, "login_required")
	})
}

func (b *browser) now() time.Time {
	b.Helper()
	now, err := b.issuer.Now(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return now
}

// TestIDTokenHint: a client that says whom it's about gets no code of anybody else, whoever is signed in.
func TestIDTokenHint(t *testing.T) {
	f := serve(t)
	if _, err := f.accounts.Add(t.Context(), "bob", password); err != nil {
		t.Fatal(err)
	}
	b := f.browser()
	mine := f.tokens(b.logIn(b.authorize()).code(t))
	hint := mine["id_token"].(string)
	b.authorize("id_token_hint", hint, "prompt", "none").code(t)
	for name, bad := range map[string]string{"not one": "x", "an access token": mine["access_token"].(string), "a changed one": hint + "A", "without a signature": unsigned(hint)} {
		a := b.authorize("id_token_hint", bad)
		t.Run(name, func(t *testing.T) { a.wantRefusal(t, "login_required") })
	}
	foreign := b.authorize("id_token_hint", hint, "client_id", other)
	foreign.wantRefusal(t, "login_required") // another client was given it

	page := b.authorize("prompt", "login")
	b.submit(page, "/login", "username", "bob", "password", password).code(t)
	b.authorize("id_token_hint", hint, "prompt", "none").wantRefusal(t, "login_required")
	page = b.authorize("id_token_hint", hint)
	page.wantPage(t, 200, "Password")
	b.submit(page, "/login", "username", "bob", "password", password).wantRefusal(t, "login_required")
	b.logIn(b.authorize("id_token_hint", hint)).code(t)
	b.authorize("id_token_hint", hint, "prompt", "none").code(t)
}

// TestLoginForm: nobody goes on with a form that wasn't made for this browser, that is old or changed, or that another
// site sent.
func TestLoginForm(t *testing.T) {
	f := serve(t)
	b := f.browser()
	page := b.authorize()
	sealed := html.UnescapeString(hidden.FindStringSubmatch(page.body)[1])
	form := url.Values{"request": {sealed}, "username": {"ada"}, "password": {password}}

	for name, headers := range map[string][]string{
		"cross-site": {"Sec-Fetch-Site", "cross-site"}, "same-site": {"Sec-Fetch-Site", "same-site"}, "another origin": {"Origin", "https://evil.example"}, "no origin": {"Origin", "null"},
	} {
		for _, action := range []string{"/login", "/consent", "/logout"} {
			if a := b.send("POST", "/base"+action, form, headers...); a.status != http.StatusForbidden || a.location != nil {
				t.Errorf("%s: POST %s: %d", name, action, a.status)
			}
		}
	}
	thief := f.browser()
	thief.cookies["__Host-jot-browser"] = strings.Repeat("a", 43)
	for name, who := range map[string]*browser{"another browser": thief, "no cookie": f.browser()} {
		who.send("POST", "/base/login", form).wantPage(t, 400, "another browser")
		who.send("GET", "/base/login?request="+url.QueryEscape(sealed), nil).wantPage(t, 400, "another browser")
		who.send("GET", "/base/consent?request="+url.QueryEscape(sealed), nil).wantPage(t, 400, "another browser")
		if len(who.cookies) > 1 || name == "no cookie" && len(who.cookies) > 0 {
			t.Errorf("%s was given %v", name, who.cookies)
		}
	}
	for name, changed := range map[string]string{
		"none": "", "cut": sealed[:len(sealed)-4], "longer": sealed + "AAAA", "changed": sealed[:60] + "AAAA" + sealed[64:], "another version": "B" + sealed[1:], "padding": sealed + "=",
	} {
		form.Set("request", changed)
		if a := b.send("POST", "/base/login", form); a.status != 400 || a.location != nil {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	form.Set("request", sealed)
	b.send("POST", "/base/consent", form).wantRefusal(t, "access_denied") // nobody allowed anything
	b.send("POST", "/base/logout", form).wantPage(t, 400, "expired")      // sealed for something else
	b.send("POST", "/base/login", form, "Origin", "http://"+strings.TrimPrefix(f.server.URL, "http://")).code(t)
	if log := f.log.Take(); log != "" {
		t.Errorf("logged %s", log)
	}
}

// TestThrottledLogin: the page counts guesses as every other login does.
func TestThrottledLogin(t *testing.T) {
	f := serve(t)
	b := f.browser()
	page := b.authorize()
	for range 20 {
		a := b.submit(page, "/login", "username", "ada", "password", "wrong")
		if a.status == http.StatusTooManyRequests {
			if a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "Too many") {
				t.Errorf("%v %s", a.header, a.body)
			}
			return
		}
		a.wantPage(t, 400, "Wrong username or password")
	}
	t.Error("nobody stops a guesser")
}

// TestConsent: somebody else's client gets what its page showed, once it was allowed; that is remembered for this
// scope.
func TestConsent(t *testing.T) {
	onBothLater(t, func(f *fixture, c *clock) {
		b := f.browser()
		ask := []string{"client_id", shop, "redirect_uri", "https://shop.example.com/cb?tenant=1"}
		authorize := func(more ...string) answer { return b.authorize(append(more, ask...)...) }
		page := b.logIn(authorize("scope", "openid profile pets:read"))
		page.wantPage(f.T, 200, "Allow The &lt;shop&gt;?")
		for _, text := range []string{"The petstore", "know who you are", "see your name and profile", "<code>pets:read</code>"} {
			if !strings.Contains(page.body, text) {
				f.Errorf("the page lacks %q", text)
			}
		}
		authorize("scope", "openid profile pets:read", "prompt", "none").refused(f.T, "consent_required")
		b.submit(page, "/consent", "decision", "").refused(f.T, "access_denied")
		authorize("scope", "openid profile pets:read", "prompt", "none").refused(f.T, "consent_required")
		a := b.submit(page, "/consent", "decision", "allow")
		a.code(f.T)
		authorize("scope", "openid profile pets:read", "prompt", "none").code(f.T)
		authorize("scope", "openid", "prompt", "none").code(f.T)
		authorize("scope", "openid email", "prompt", "none").refused(f.T, "consent_required")
		authorize("scope", "openid profile pets:read", "resource", "zoo", "prompt", "none").refused(f.T, "consent_required")
		authorize("scope", "openid", "prompt", "consent").wantPage(f.T, 200, "know who you are")
		b.submit(authorize("scope", "openid email"), "/consent", "decision", "allow").code(f.T)
		authorize("scope", "openid profile pets:read email", "prompt", "none").code(f.T) // the two together
		b.authorize("client_id", other).wantPage(f.T, 200, "Allow client_other?")

		// Who is signed in by now wasn't asked.
		if _, err := f.accounts.Add(f.Context(), "eve", password); err != nil {
			f.Fatal(err)
		}
		mine := b.authorize("client_id", other)
		c.advance(time.Second) // or ada's login might be of the same millisecond as the request for another
		b.submit(b.authorize("prompt", "login"), "/login", "username", "eve", "password", password).code(f.T)
		b.submit(mine, "/consent", "decision", "allow").wantPage(f.T, 200, "Allow client_other?")
		b.authorize("client_id", other, "prompt", "none").wantRefusal(f.T, "consent_required")
	})
}

func (a answer) refused(t *testing.T, code string) {
	t.Helper()
	if a.location == nil || a.location.Query().Get("error") != code || a.location.Query().Get("iss") != issuerURL {
		t.Errorf("%d %v, want %s", a.status, a.location, code)
	}
}

// TestConsentOfBefore: what was allowed to a client, or by a subject, that was deleted since isn't allowed to another
// of its name.
func TestConsentOfBefore(t *testing.T) {
	f := serve(t)
	b := f.browser()
	stored := issuer.Client{ID: "client_stored", Scopes: []string{"pets:read"}, RedirectURIs: []string{callback}}
	if err := f.issuer.CreateClient(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	b.submit(b.logIn(b.authorize("client_id", stored.ID)), "/consent", "decision", "allow").code(t)
	b.authorize("client_id", stored.ID, "prompt", "none").code(t)
	if err := f.issuer.DeleteClient(t.Context(), stored.ID); err != nil {
		t.Fatal(err)
	}
	b.authorize("client_id", stored.ID).wantPage(t, 400, "unknown")
	for err := f.issuer.CreateClient(t.Context(), stored); err != nil; err = f.issuer.CreateClient(t.Context(), stored) {
		time.Sleep(50 * time.Millisecond) // ErrBusy, for two seconds
	}
	b.authorize("client_id", stored.ID, "prompt", "none").wantRefusal(t, "consent_required")
}

// TestTemplates: a folder's files take the place of the built-in ones, and a wrong one is said at the start.
func TestTemplates(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("style.css", "body { color: tan }")
	write("error.html", `{{define "content"}}<h1>Ours: {{.Problem}}</h1>{{end}}`)
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := serveOver(t, store, console.Options{Templates: folder})
	a := f.browser().send("GET", "/base/login", nil)
	if !strings.Contains(a.body, "<h1>Ours: ") || !strings.Contains(a.body, "<style>body { color: tan }</style>") {
		t.Errorf("%s", a.body)
	}
	for _, wrong := range []string{`{{define "content"}}{{.Nothing}}{{end}}`, `{{define "content"}}`} {
		write("login.html", wrong)
		if _, err := console.New(f.issuer, f.accounts, console.Options{Templates: folder}); err == nil || !strings.Contains(err.Error(), "login.html") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	for _, none := range []string{filepath.Join(folder, "none"), filepath.Join(folder, "login.html")} {
		if _, err := console.New(f.issuer, f.accounts, console.Options{Templates: none}); err == nil || !strings.Contains(err.Error(), none) {
			t.Errorf("%s is no folder: %v", none, err)
		}
	}
}

// TestUserInfo: a token opens what its scope names, of a person that is there.
func TestUserInfo(t *testing.T) {
	f := serve(t)
	b := f.browser()
	get := func(method string, token any, headers ...string) answer {
		return b.send(method, "/base/userinfo", nil, append(headers, "Authorization", "Bearer "+token.(string))...)
	}
	b.logIn(b.authorize()).code(t)
	for scope, want := range map[string]string{
		"openid":               `{"sub":"` + f.ada + `"}`,
		"openid email":         `{"email":"ada@example.com","sub":"` + f.ada + `"}`,
		"openid profile email": `{"email":"ada@example.com","name":"Ada","sub":"` + f.ada + `"}`,
	} {
		tokens := f.tokens(b.authorize("scope", scope).code(t))
		for _, method := range []string{"GET", "POST"} {
			if a := get(method, tokens["access_token"]); a.status != 200 || strings.TrimSpace(a.body) != want {
				t.Errorf("%s: %d %s", scope, a.status, a.body)
			}
		}
		if a := get("GET", tokens["id_token"]); a.status != 401 {
			t.Errorf("with the ID token: %d", a.status)
		}
	}
	plain := f.tokens(b.authorize("scope", "pets:read").code(t))
	if a := get("GET", plain["access_token"]); a.status != 403 || !strings.Contains(a.header.Get("WWW-Authenticate"), `error="insufficient_scope", scope="openid"`) {
		t.Errorf("without openid: %d %v", a.status, a.header)
	}
	if a := b.send("GET", "/base/userinfo", nil); a.status != 401 || a.header.Get("WWW-Authenticate") != `Bearer realm="jot"` || !strings.HasPrefix(a.header.Values("WWW-Authenticate")[1], "DPoP ") {
		t.Errorf("without a token: %d %v", a.status, a.header)
	}
	last := f.tokens(b.authorize().code(t))
	if err := f.issuer.DisableSubject(t.Context(), f.ada); err != nil {
		t.Fatal(err)
	}
	if a := get("GET", last["access_token"]); a.status != 401 {
		t.Errorf("of a disabled subject: %d", a.status)
	}
}
