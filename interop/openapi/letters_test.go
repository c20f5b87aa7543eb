package openapi

import (
	"net/http"
	"net/url"

	"github.com/jot-auth/jot/interop/running"
)

// letters follows the links of letters, to a verified address and a new password, which is the old one.
func (c *client) letters() {
	c.t.Helper()
	const email, taken = "gil@example.com", "dan@example.com"
	b := running.NewBrowser(c.t, c.contract)
	c.do(call{method: "POST", path: "/v1/signup", json: object{"username": "gil", "password": password, "email": email}, want: 201})
	c.press(b, "/verify-email", url.Values{"code": {c.Letters.Code(c.t, email, "jvt_")}}, 200, 400)
	access := c.tokens(logInOf("gil", 200)).Access
	c.do(call{method: "POST", path: "/v1/email", json: object{"email": taken, "password": password}, header: bearer(access), want: 202})
	c.press(b, "/verify-email", url.Values{"code": {c.Letters.Code(c.t, taken, "jvt_")}}, 409)

	c.press(b, "/forgotten-password", url.Values{"email": {email}}, 200)
	code := c.Letters.Code(c.t, email, "jpt_")
	c.press(b, "/reset-password", url.Values{"code": {code}, "password": {"short"}}, 400)
	c.press(b, "/reset-password", url.Values{"code": {code}, "password": {password}}, 200, 400)
	for range 20 {
		if b.Send("POST", c.URL+"/forgotten-password", url.Values{"email": {email}}).Status == http.StatusTooManyRequests {
			return
		}
	}
	c.t.Error("letters are never throttled")
}

// press asks for a page, and sends its form as often as there are answers to it.
func (c *client) press(b *running.Browser, path string, form url.Values, want ...int) {
	c.t.Helper()
	address := c.URL + path
	if code := form.Get("code"); code != "" {
		address += "?code=" + url.QueryEscape(code)
	}
	b.Get(address)
	for _, status := range want {
		if page := b.Send("POST", c.URL+path, form); page.Status != status {
			c.t.Errorf("%s: %d, want %d: %s", path, page.Status, status, page.Body)
		}
	}
}
