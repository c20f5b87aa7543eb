package openapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/jot-auth/jot/interop/running"
)

// pages goes through what a person's browser is sent to, and gets it wrong in each way.
func (c *client) pages() {
	const callback, bye, challenge = "https://web.example.com/callback", "https://web.example.com/bye", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	c.as("POST", "/admin/v1/clients", object{"client_id": "client_web", "scope": "pets:read", "redirect_uris": []string{callback}, "post_logout_redirect_uris": []string{bye}}, 201)
	query := url.Values{
		"client_id": {"client_web"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid profile"}, "state": {"s"}, "nonce": {"n"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	authorize := c.URL + "/oauth2/authorize?" + query.Encode()
	b := running.NewBrowser(c.t, c.contract)
	page := b.Get(authorize)
	b.Submit(page, "username", "ada", "password", "a wrong password")
	consent := b.Submit(page, "username", "ada", "password", password)
	b.Submit(consent, "decision", "deny")
	code := b.Submit(consent, "decision", "allow").Next.Query().Get("code")
	b.Send("GET", c.URL+"/consent?request="+url.QueryEscape(sealedOf(consent)), nil) // allowed by now

	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {"client_web"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}}
	tokens := c.tokens(call{method: "POST", path: "/oauth2/token", form: form.Encode(), want: 200})
	for _, method := range []string{"GET", "POST"} {
		c.do(call{method: method, path: "/userinfo", header: bearer(tokens.Access), want: 200})
		c.do(call{method: method, path: "/userinfo", want: 401})
		c.do(call{method: method, path: "/userinfo", header: bearer("two words"), want: 400})
		c.do(call{method: method, path: "/userinfo", header: bearer(c.tokens(call{method: "POST", path: "/v1/login", json: map[string]string{"username": "ada", "password": password}, want: 200}).Access), want: 403})
	}
	c.do(call{method: "POST", path: "/userinfo", header: bearer(tokens.Access), form: "access_token=x", want: 400})
	c.do(call{method: "POST", path: "/userinfo", header: bearer(tokens.Access), form: strings.Repeat("x", 65<<10), want: 413})
	c.do(call{method: "POST", path: "/userinfo", header: map[string]string{"Content-Encoding": "gzip"}, form: "a=b", want: 415})
	b.Get(authorize + "&response_mode=form_post")
	running.NewBrowser(c.t, c.contract).Get(c.URL + "/apps") // to log in first
	b.Submit(b.Get(c.URL+"/apps"), "client", "client_web")
	c.wrongPages(b, page)
	b.Send("POST", c.URL+"/oauth2/authorize", query)
	b.Send("POST", c.URL+"/oauth2/logout", url.Values{"client_id": {"client_web"}})
	b.Submit(b.Get(c.URL + "/oauth2/logout?client_id=client_web&post_logout_redirect_uri=" + url.QueryEscape(bye))) // leads on
	b.Submit(b.Get(authorize), "username", "ada", "password", password)
	b.Submit(b.Get(c.URL + "/oauth2/logout"))
	b.Get(c.URL + "/oauth2/logout?client_id=client_web&post_logout_redirect_uri=" + url.QueryEscape(bye)) // nobody is signed in
	c.throttledPage()
}

func sealedOf(p running.Page) string {
	_, after, _ := strings.Cut(p.Body, `name="request" value="`)
	sealed, _, _ := strings.Cut(after, `"`)
	return sealed
}

// wrongPages sends each page what it refuses.
func (c *client) wrongPages(b *running.Browser, login running.Page) {
	for _, path := range []string{"/oauth2/authorize", "/login", "/consent", "/oauth2/logout?client_id=client_nobody", "/device?a=1&a=2", "/verify-email?code=1&code=2", "/reset-password?code=1&code=2", "/passkeys?a=1&a=2"} {
		b.Send("GET", c.URL+path, nil)
	}
	b.Send("GET", c.URL+"/consent?request="+url.QueryEscape(sealedOf(login)), nil)
	large := url.Values{"a": {strings.Repeat("a", 64<<10)}}
	forms := []string{"/login", "/login-passkey", "/factor", "/new-passkey", "/add-passkey", "/change-passkey", "/recovery-codes", "/consent", "/logout", "/device", "/device/decision", "/verify-email", "/reset-password", "/forgotten-password", "/apps"}
	for _, path := range append(forms, "/oauth2/authorize", "/oauth2/logout") {
		for _, form := range []url.Values{{"a": {"1", "2"}}, large} {
			b.Send("POST", c.URL+path, form)
		}
		b.Send("POST", c.URL+path, url.Values{}, "Content-Type", "text/plain")
	}
	for _, path := range []string{"/oauth2/authorize", "/oauth2/logout"} { // a form that is too long for a query
		b.Send("POST", c.URL+path, url.Values{"a": {strings.Repeat("a", 9<<10)}})
	}
	for _, path := range forms {
		b.Send("POST", c.URL+path, url.Values{}, "Sec-Fetch-Site", "cross-site")
	}
}

// throttledPage guesses until the page says to wait.
func (c *client) throttledPage() {
	c.t.Helper()
	b := running.NewBrowser(c.t, c.contract)
	page := b.Get(c.URL + "/oauth2/authorize?client_id=client_web&redirect_uri=https%3A%2F%2Fweb.example.com%2Fcallback&response_type=code&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256")
	for range 20 {
		if b.Submit(page, "username", "carol", "password", "a wrong password").Status == http.StatusTooManyRequests {
			return
		}
	}
	c.t.Error("the page is never throttled")
}
