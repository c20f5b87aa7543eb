package console_test

import (
	"errors"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/passkeytest"
	"github.com/jot-auth/jot/server/issuer"
)

const origin = "https://auth.example.com"

var optionsOf = regexp.MustCompile(`data-options="([^"]*)"`)

// asked is what a page's script asks the browser for.
func (a answer) asked(t *testing.T) []byte {
	t.Helper()
	found := optionsOf.FindStringSubmatch(a.body)
	if found == nil {
		t.Fatalf("nothing is asked for: %d %s", a.status, a.body)
	}
	return []byte(html.UnescapeString(found[1]))
}

// own sends a form that carries no request.
func (b *browser) own(action string, fields ...string) answer {
	b.Helper()
	form := url.Values{}
	for n := 0; n < len(fields); n += 2 {
		form.Set(fields[n], fields[n+1])
	}
	a := b.send("POST", "/base"+action, form, "Sec-Fetch-Site", "same-origin")
	if a.location != nil {
		return b.get(a.location.String())
	}
	return a
}

// addPasskey adds one on the pages, and answers the page afterwards.
func (b *browser) addPasskey(device *passkeytest.Authenticator, name string) (*passkeytest.Passkey, answer) {
	b.Helper()
	page := b.own("/new-passkey", "password", password)
	p, credential := device.Create(page.asked(b.T))
	return p, b.own("/add-passkey", "name", name, "credential", string(credential))
}

var idOf = regexp.MustCompile(`name="id" value="([^"]*)"`)

// TestPasskeyPages: somebody adds a passkey, logs in with it alone and after the password, renames it and takes it
// away.
func TestPasskeyPages(t *testing.T) {
	f := serve(t)
	b, device := f.browser(), passkeytest.New(t, origin)
	login := b.get("/base/passkeys")
	login.wantPage(t, 200, "to change your passkeys")
	b.logIn(login).wantPage(t, 200, "You have none yet")
	phone, page := b.addPasskey(device, "Ada’s <phone>")
	page.wantPage(t, 200, "Keep these codes")
	recovery := regexp.MustCompile(`<code>([a-z2-7-]{23})</code>`).FindAllStringSubmatch(page.body, -1)
	if len(recovery) != 10 {
		t.Fatalf("%d recovery codes", len(recovery))
	}
	b.get("/base/passkeys").wantPage(t, 200, "to change your passkeys") // a login of before is too weak by now

	b = f.browser()
	page = b.authorize()
	tokens := f.tokens(b.submit(page, "/login-passkey", "credential", string(device.Get(page.asked(t), phone))).code(t))
	f.wantMethods(tokens, "[pop user mfa]")
	b.authorize("acr_values", issuer.ACRTwoFactors, "prompt", "none").code(t)

	half := f.browser()
	page = half.logIn(half.authorize())
	page.wantPage(t, 200, "Use your passkey")
	page = half.enterCode(page, "wrong")
	page.wantPage(t, 400, "Wrong code")
	challenge := html.UnescapeString(challenged.FindStringSubmatch(page.body)[1])
	tokens = f.tokens(half.submit(page, "/factor", "challenge", challenge, "credential", string(device.Get(page.asked(t), phone))).code(t))
	f.wantMethods(tokens, "[pwd pop user mfa]")
	half = f.browser()
	half.enterCode(half.logIn(half.authorize()), recovery[0][1]).code(t)

	list := b.get("/base/passkeys")
	list.wantPage(t, 200, "Ada’s &lt;phone&gt;")
	id := idOf.FindStringSubmatch(list.body)[1]
	b.own("/change-passkey", "id", id, "name", "Old", "change", "rename").wantPage(t, 200, `value="Old"`)
	_, list = b.addPasskey(device, "New")
	list.wantPage(t, 200, `value="New"`) // no codes, since there are some
	b.own("/change-passkey", "id", id, "change", "remove").wantPage(t, 200, `value="New"`)
	b.get("/base/passkeys").wantPage(t, 200, "You have 9 left")
	b.own("/recovery-codes", "password", "wrong "+password).wantPage(t, 400, "Wrong password")
	page = b.own("/recovery-codes", "password", password)
	page.wantPage(t, 200, "that you had are void")
	half = f.browser()
	half.enterCode(half.logIn(half.authorize()), recovery[1][1]).wantPage(t, 400, "Wrong code")
	half = f.browser()
	half.enterCode(half.logIn(half.authorize()), regexp.MustCompile(`<code>([a-z2-7-]{23})</code>`).FindStringSubmatch(page.body)[1]).code(t)
	if list = b.get("/base/passkeys"); strings.Contains(list.body, "Old") {
		t.Error("the passkey is still there")
	}
	b = f.browser()
	page = b.authorize()
	b.submit(page, "/login-passkey", "credential", string(device.Get(page.asked(t), phone))).wantPage(t, 400, "isn’t known here")
}

// wantMethods looks into both tokens.
func (f *fixture) wantMethods(tokens map[string]any, want string) {
	f.Helper()
	for _, name := range []string{"id_token", "access_token"} {
		_, got := claims(f.T, tokens[name])
		if got["acr"] != issuer.ACRTwoFactors || fmt.Sprint(got["amr"]) != want {
			f.Errorf("%s: acr %v, amr %v, want %s", name, got["acr"], got["amr"], want)
		}
	}
}

// TestPasskeysRemovedByAnAdministrator: whoever has lost them all logs in with the password alone.
func TestPasskeysRemovedByAnAdministrator(t *testing.T) {
	onBothLater(t, func(f *fixture, c *clock) {
		b, device := f.browser(), passkeytest.New(f.T, origin)
		b.logIn(b.get("/base/passkeys"))
		phone, _ := b.addPasskey(device, "Phone")
		admin := accounts.NewAdmin(f.accounts, f.store)
		if err := admin.RemoveFactors(f.Context(), f.ada); err != nil {
			f.Fatal(err)
		}
		if err := admin.RemoveFactors(f.Context(), f.ada); !errors.Is(err, issuer.ErrNotFound) {
			f.Errorf("removed again: %v", err)
		}
		c.advance(time.Second) // as in TestPrompt
		page := b.authorize("prompt", "login")
		b.submit(page, "/login-passkey", "credential", string(device.Get(page.asked(f.T), phone))).wantPage(f.T, 400, "isn’t known here")
		b.logIn(b.authorize("prompt", "login")).code(f.T)
	})
}

// TestPasskeyOfAnotherBrowser: what one browser was asked nobody answers in another, and no page takes what isn't an
// answer.
func TestPasskeyOfAnotherBrowser(t *testing.T) {
	f := serve(t)
	b, device := f.browser(), passkeytest.New(t, origin)
	b.logIn(b.get("/base/passkeys"))
	phone, _ := b.addPasskey(device, "Phone")
	mine, theirs := f.browser(), f.browser()
	page, other := mine.authorize(), theirs.authorize()
	text := string(device.Get(page.asked(t), phone))
	theirs.submit(other, "/login-passkey", "credential", text).wantPage(t, 400, "took too long")
	theirs.submit(page, "/login-passkey", "credential", text).wantPage(t, 400, "")
	mine.submit(page, "/login-passkey", "credential", "{}").wantPage(t, 400, "")
	mine.submit(page, "/login-passkey", "credential", text).code(t)
	mine.submit(page, "/login-passkey", "credential", text).wantPage(t, 400, "took too long")
}

// TestPasskeyPagesWantALogin: nobody changes anything who isn't signed in, and no form of another site does.
func TestPasskeyPagesWantALogin(t *testing.T) {
	f := serve(t)
	b := f.browser()
	for _, action := range []string{"/new-passkey", "/add-passkey", "/change-passkey", "/recovery-codes"} {
		b.own(action, "password", password).wantPage(t, 200, "to change your passkeys")
		b.send("POST", "/base"+action, url.Values{}, "Sec-Fetch-Site", "cross-site").wantPage(t, 403, "another site")
	}
	b.logIn(b.get("/base/passkeys"))
	b.own("/new-passkey", "password", "wrong "+password).wantPage(t, 400, "Wrong password")
	b.own("/add-passkey", "name", "Phone", "credential", "{}").wantPage(t, 400, "credential")
	b.own("/change-passkey", "id", "x", "change", "remove").wantPage(t, 200, "none yet")
	b.own("/recovery-codes", "password", password).wantPage(t, 200, "none yet")
	if page := b.get("/base/passkeys"); strings.Contains(page.body, "Recovery codes") {
		t.Error("whoever has no second factor is offered recovery codes")
	}
}

// TestPasskeyScript is served as it stands.
func TestPasskeyScript(t *testing.T) {
	b := serve(t).browser()
	a := b.send("GET", "/base/passkey.js", nil)
	if a.status != 200 || !strings.Contains(a.body, "navigator.credentials.get") || a.header.Get("Content-Type") != "text/javascript; charset=utf-8" || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v", a.status, a.header)
	}
}
