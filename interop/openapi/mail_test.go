package openapi

import "github.com/jot-auth/jot/server/issuer"

// mail gives an account an address and another one, and sets a new password by mail, which is the old one.
func (c *client) mail() {
	c.t.Helper()
	const first, second, taken = "cyd@example.com", "cyd@example.net", "dan@example.com"
	var t tokens
	change := func(to string, want int) call {
		return call{method: "POST", path: "/v1/email", json: object{"email": to, "password": password}, header: bearer(t.Access), want: want}
	}
	verify := func(to string, want int) {
		c.do(call{method: "POST", path: "/v1/email/confirm", json: object{"code": c.Letters.Code(c.t, to, "jvt_")}, want: want})
	}
	for name, email := range map[string]string{"cyd": "", "dan": taken} {
		c.do(call{method: "POST", path: "/v1/signup", json: object{"username": name, "password": password, "email": email, "invitation": ""}, want: 201})
	}
	verify(taken, 204)
	logIn := call{method: "POST", path: "/v1/login", json: object{"username": "cyd", "password": password}, want: 200}
	t = c.tokens(logIn)
	for _, to := range []string{first, second} {
		c.do(change(to, 202))
		verify(to, 204)
	}
	c.do(change(taken, 202))
	verify(taken, 409)
	c.do(call{method: "POST", path: "/v1/email/confirm", json: object{"code": "jvt_forged"}, want: 403})
	c.do(call{method: "GET", path: "/v1/me", header: bearer(t.Access), want: 200})
	c.do(change("nowhere", 400))
	refused := change(first, 401)
	refused.header = nil
	c.do(refused)
	own, err := c.Server.Issuer().Issue(c.t.Context(), issuer.Grant{Subject: "42"})
	must(c.t, err)
	refused.header, refused.want = bearer(own.Access), 404
	c.do(refused)

	reset := func(to string, want int) call {
		return call{method: "POST", path: "/v1/password/reset", json: object{"email": to}, want: want}
	}
	c.do(reset(second, 202))
	c.do(reset("nobody@example.com", 202))
	c.do(reset("nowhere", 400))
	code := c.Letters.Code(c.t, second, "jpt_")
	for _, want := range []int{204, 403} {
		c.do(call{method: "POST", path: "/v1/password/reset/confirm", json: object{"code": code, "new": password}, want: want})
	}
	c.throttled(reset("nobody@example.com", 0))
	wrong := change(first, 0)
	wrong.json = object{"email": first, "password": "a wrong password"}
	wrong.header = bearer(c.tokens(logIn).Access)
	c.throttled(wrong)
}
