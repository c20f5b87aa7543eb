package openapi

import (
	"net/http"
	"net/url"

	"github.com/jot-auth/jot/interop/running"
)

const (
	startDevice = "/oauth2/device_authorization"
	deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"
)

// devices connects one that has no browser (RFC 8628), denies another, and guesses codes.
func (c *client) devices() {
	c.t.Helper()
	c.as("POST", "/admin/v1/clients", object{"client_id": "client_tv", "scope": "pets:read", "device_grant": true}, 201)
	c.do(call{method: "POST", path: startDevice, form: "client_id=client_web", want: 400})
	c.do(call{method: "POST", path: startDevice, form: "scope=openid", header: basic("client_tv", "secret"), want: 401})

	code, user := c.startDevice()
	b := running.NewBrowser(c.t, c.contract)
	b.Submit(b.Get(c.URL+"/device?user_code="+user), "username", "ada", "password", password)
	page := c.enter(b, user)
	c.poll(code, 400)
	b.Submit(page, "decision", "allow")
	c.poll(code, 200)
	b.Submit(page, "decision", "deny") // about what is decided

	_, user = c.startDevice()
	b.Submit(c.enter(b, user), "decision", "deny")
	_, user = c.startDevice()
	page = c.enter(b, user)
	b.Submit(b.Get(c.URL + "/oauth2/logout"))
	b.Submit(page, "decision", "allow") // signed in no more
	c.enter(b, user)
	c.throttledUserCode()
}

// startDevice asks for a code, and once more as JSON.
func (c *client) startDevice() (code, user string) {
	c.t.Helper()
	c.do(call{method: "POST", path: startDevice, json: object{"client_id": "client_tv"}, want: 200})
	made := c.members(call{method: "POST", path: startDevice, form: "client_id=client_tv&scope=openid+pets:read&resource=" + running.Audience, want: 200})
	return made["device_code"].(string), made["user_code"].(string)
}

// poll asks for the tokens of a device.
func (c *client) poll(code string, want int) {
	c.t.Helper()
	c.do(call{method: "POST", path: "/oauth2/token", json: object{"grant_type": deviceGrant, "client_id": "client_tv", "device_code": code}, want: want})
}

// enter types a user code.
func (c *client) enter(b *running.Browser, user string) running.Page {
	c.t.Helper()
	return b.Send("POST", c.URL+"/device", url.Values{"user_code": {user}})
}

// throttledUserCode guesses codes until the page says to wait. Dan does: it's his guesses that count.
func (c *client) throttledUserCode() {
	c.t.Helper()
	b := running.NewBrowser(c.t, c.contract)
	b.Submit(b.Get(c.URL+"/device"), "username", "dan", "password", password)
	for range 20 {
		if c.enter(b, "BCDF-GHJK").Status == http.StatusTooManyRequests {
			return
		}
	}
	c.t.Error("the page for user codes is never throttled")
}
