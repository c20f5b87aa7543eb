package openapi

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
)

// factors gives an account one-time codes, logs in with them, and takes them away again.
func (c *client) factors() {
	c.t.Helper()
	c.do(call{method: "POST", path: "/v1/signup", json: object{"username": "eli", "password": password, "email": "", "invitation": ""}, want: 201})
	logIn := call{method: "POST", path: "/v1/login", json: object{"username": "eli", "password": password}, want: 200}
	first := bearer(c.tokens(logIn).Access)
	const totp, confirm = "/v1/factors/totp", "/v1/factors/totp/confirm"
	c.do(call{method: "POST", path: confirm, json: object{"code": "000000"}, header: first, want: 404})
	c.do(call{method: "POST", path: totp, json: object{"password": "a wrong password"}, header: first, want: 403})
	made := c.do(call{method: "POST", path: totp, json: object{"password": password}, header: first, want: 200})
	c.do(call{method: "POST", path: confirm, json: object{"code": "x"}, header: first, want: 403})
	c.do(call{method: "POST", path: confirm, json: object{"code": c.oneTimeCode(made["secret"].(string))}, header: first, want: 200})
	c.do(call{method: "POST", path: totp, json: object{"password": password}, header: first, want: 409})
	c.do(call{method: "GET", path: "/v1/factors", header: first, want: 200})
	c.do(call{method: "DELETE", path: totp, header: first, want: 401})
}
