package console_test

import (
	"errors"
	"html"
	"net/url"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

// shopping is what the shop asks for.
var shopping = []string{"client_id", shop, "redirect_uri", "https://shop.example.com/cb?tenant=1", "scope", "openid offline_access pets:read"}

// allowed lets the shop have something, and answers a code.
func (b *browser) allowed() string {
	b.Helper()
	a := b.authorize(shopping...)
	if a.location == nil {
		a = b.submit(a, "/consent", "decision", "allow")
	}
	return a.code(b.T)
}

func refreshOf(tokens map[string]any, client string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {tokens["refresh_token"].(string)}}
}

// wantShopOver is wantOver for tokens of the shop.
func (f *fixture) wantShopOver(tokens map[string]any) {
	f.Helper()
	f.wantOver(tokens)
	if status, members := f.token(refreshOf(tokens, shop)); status != 400 || members["error"] != "invalid_grant" {
		f.Errorf("the shop's refresh token is still good: %d %v", status, members)
	}
}

// TestWithdrawConsent: what somebody allowed is listed, and taken back with the client's sessions, those for when
// nobody is there and codes that wait included; other clients keep theirs, and the next request asks again.
func TestWithdrawConsent(t *testing.T) {
	f := serve(t)
	b := f.browser()
	own := f.tokens(b.logIn(b.authorize()).code(t))
	shops := f.tokens(b.allowed(), "client_id", shop, "redirect_uri", shopping[3])
	all, err := f.issuer.Allowances(t.Context(), f.ada)
	if err != nil || len(all) != 1 || all[0].ClientID != shop || all[0].ClientName != "The <shop>" || all[0].ResourceName != "The petstore" || len(all[0].Scope) != 3 {
		t.Fatalf("allowances %+v, %v", all, err)
	}
	waiting := b.allowed()
	if err := f.issuer.WithdrawConsent(t.Context(), f.ada, shop); err != nil {
		t.Fatal(err)
	}
	f.wantShopOver(shops)
	if status, members := f.redeem(waiting, "client_id", shop, "redirect_uri", shopping[3]); status != 400 || members["error"] != "invalid_grant" {
		t.Errorf("a code of before: %d %v", status, members)
	}
	if status, members := f.token(refreshOf(own, app)); status != 200 {
		t.Errorf("another client's session: %d %v", status, members)
	}
	if all, err := f.issuer.Allowances(t.Context(), f.ada); err != nil || len(all) != 0 {
		t.Errorf("allowances %+v, %v", all, err)
	}
	b.authorize(shopping...).wantPage(t, 200, "The &lt;shop&gt;")
	if err := f.issuer.WithdrawConsent(t.Context(), f.ada, shop); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("once more: %v", err)
	}
	if events, err := f.issuer.Events(t.Context(), issuer.EventFilter{Kind: issuer.EventConsentWithdrawn}, 0, 9); err != nil || len(events) != 1 || events[0].ClientID != shop {
		t.Errorf("events %+v, %v", events, err)
	}
}

// TestWithdrawWhileRedeeming: a withdrawal while a code is traded leaves no session behind, in whichever order the two
// come.
func TestWithdrawWhileRedeeming(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b := f.browser()
		b.logIn(b.authorize()).code(f.T)
		for range 10 {
			code := b.allowed()
			status, members := 0, map[string]any(nil)
			together(func() { status, members = f.redeem(code, "client_id", shop, "redirect_uri", shopping[3]) }, func() {
				if err := f.issuer.WithdrawConsent(f.Context(), f.ada, shop); err != nil {
					f.Error(err)
				}
			})
			if status == 200 {
				f.wantShopOver(members)
			}
		}
	})
}

// TestAppsPage shows somebody what it has allowed, after a login, and takes it back; not what was shown to somebody
// else, nor for another site's form.
func TestAppsPage(t *testing.T) {
	f := serve(t)
	b := f.browser()
	page := b.logIn(b.get("/base/apps"))
	page.wantPage(t, 200, "You let no app act for you.")
	shops := f.tokens(b.allowed(), "client_id", shop, "redirect_uri", shopping[3])
	page = b.get("/base/apps")
	page.wantPage(t, 200, "The &lt;shop&gt;")
	page.wantPage(t, 200, "use this while you are away")
	sealed := hidden.FindStringSubmatch(page.body)[1]
	form := url.Values{"request": {html.UnescapeString(sealed)}, "client": {shop}}
	if a := b.send("POST", "/base/apps", form, "Sec-Fetch-Site", "cross-site"); a.status != 403 {
		t.Errorf("another site's form: %d", a.status)
	}
	if _, err := f.accounts.Add(t.Context(), "eve", password); err != nil {
		t.Fatal(err)
	}
	eve := f.browser()
	eve.submit(eve.get("/base/apps"), "/login", "username", "eve", "password", password).wantPage(t, 200, "You let no app act for you.")
	if a := eve.send("POST", "/base/apps", form); a.status != 400 {
		t.Errorf("another browser's form: %d", a.status)
	}
	stale := *b
	stale.cookies = map[string]string{"__Host-jot-browser": b.cookies["__Host-jot-browser"], "__Host-jot-signin": eve.cookies["__Host-jot-signin"]}
	stale.send("POST", "/base/apps", form)
	if all, err := f.issuer.Allowances(t.Context(), f.ada); err != nil || len(all) != 1 {
		t.Fatalf("allowances %+v, %v", all, err)
	}
	b.submit(page, "/apps", "client", shop).wantPage(t, 200, "You let no app act for you.")
	f.wantShopOver(shops)
	b.submit(page, "/apps", "client", shop).wantPage(t, 200, "You let no app act for you.") // once more
}

// TestAppsPageExplains: the page where somebody takes back what it has allowed says of a scope what the page said on
// which it was allowed, also of a resource's own that is called like one of OpenID Connect.
func TestAppsPageExplains(t *testing.T) {
	const callback, meaning = "https://album.example.com/callback", "see your name and profile"
	f := serve(t)
	scope := []string{"profile"}
	for _, err := range []error{
		f.issuer.CreateResource(t.Context(), issuer.Resource{Audience: "album", Scopes: scope}),
		f.issuer.CreateClient(t.Context(), issuer.Client{ID: "client_album", Scopes: scope, Resources: []string{"album"}, RedirectURIs: []string{callback}}),
		f.issuer.ChangeSubject(t.Context(), f.ada, issuer.Change{Scope: scope}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b := f.browser()
	page := b.logIn(b.authorize("client_id", "client_album", "redirect_uri", callback, "scope", "profile"))
	if b.submit(page, "/consent", "decision", "allow").code(t); strings.Contains(page.body, meaning) {
		t.Error("the page that asked explains it as that of OpenID Connect")
	}
	page = b.get("/base/apps")
	page.wantPage(t, 200, "<code>profile</code>")
	if strings.Contains(page.body, meaning) {
		t.Error("the page of apps explains it as that of OpenID Connect")
	}
}

// TestWithdrawFromDevice: a device that somebody has connected, and that hasn't asked for its tokens yet, gets none
// after a withdrawal; in whichever order the two come, no session is left behind.
func TestWithdrawFromDevice(t *testing.T) {
	onBoth(t, func(f *fixture) {
		secret, _, err := f.issuer.SignIn(f.Context(), issuer.Proof{Subject: f.ada, AMR: []string{"pwd"}}, "")
		if err != nil {
			f.Fatal(err)
		}
		allow := func() (code string) {
			code, user := f.start()
			ask, err := f.issuer.FindDevice(f.Context(), secret, user)
			if err == nil {
				err = f.issuer.AnswerDevice(f.Context(), secret, issuer.DeviceAnswer{Code: ask.Code, Subject: ask.Subject, Scope: ask.Scope, Allow: true})
			}
			if err != nil {
				f.Fatal(err)
			}
			return code
		}
		withdraw := func() {
			if err := f.issuer.WithdrawConsent(f.Context(), f.ada, tv); err != nil {
				f.Error(err)
			}
		}
		code := allow()
		withdraw()
		f.wantPoll(code, "invalid_grant")
		for range 10 {
			code, status, members := allow(), 0, map[string]any(nil)
			together(func() { status, members = f.poll(code) }, withdraw)
			if status == 200 {
				f.wantOver(members)
			}
			f.wantPoll(code, "invalid_grant")
		}
	})
}
