package openapi

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"

	"github.com/jot-auth/jot/interop/running"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	totpPath    = "/v1/factors/totp"
	confirmPath = totpPath + "/confirm"
	codesPath   = "/v1/factors/recovery-codes"
)

// factors gives accounts one-time codes, logs in with them, and takes them away, by themselves and by an administrator.
func (c *client) factors() {
	c.t.Helper()
	first, _ := c.signUp("eli")
	c.refusedFactors(first)
	recovery := c.enrol(first)
	c.do(call{method: "GET", path: "/v1/factors", header: bearer(first), want: 200})
	b, page, challenge := c.factorPage("eli")
	b.Submit(page, "challenge", challenge, "code", "x")
	b.Submit(page, "challenge", challenge, "code", fmt.Sprint(recovery[0]))
	c.do(c.second("eli", "x", 403))
	both := bearer(c.tokens(c.second("eli", recovery[1], 200)).Access)
	c.do(call{method: "POST", path: totpPath, json: object{"password": password}, header: both, want: 409})
	c.do(call{method: "POST", path: codesPath, json: object{"password": password}, header: both, want: 200})
	c.do(call{method: "DELETE", path: totpPath, header: both, want: 204})
	c.do(call{method: "DELETE", path: totpPath, header: both, want: 404})

	again := bearer(c.tokens(logInOf("eli", 200)).Access)
	c.do(call{method: "POST", path: totpPath, json: object{"password": password}, header: again, want: 200})
	c.throttled(call{method: "POST", path: totpPath, json: object{"password": "a wrong password"}, header: again})
	c.throttled(call{method: "POST", path: codesPath, json: object{"password": "a wrong password"}, header: again})
	c.throttled(call{method: "POST", path: confirmPath, json: object{"code": "x"}, header: again})

	fay, sub := c.signUp("fay")
	recovery = c.enrol(fay)
	b, page, challenge = c.factorPage("fay")
	half := c.second("fay", recovery[0], 403)
	c.as("PATCH", "/admin/v1/subjects/"+sub, object{"disabled": true}, 200)
	c.do(half)
	half.json = object{"challenge": half.json.(object)["challenge"], "code": "x"}
	c.throttled(half)
	c.throttledCode(b, page, challenge)
	c.as("DELETE", "/admin/v1/subjects/"+sub+"/factors", nil, 204)
	c.importTOTP(sub)
}

// importTOTP gives an account the codes of another system, and asks for what can't be.
func (c *client) importTOTP(sub string) {
	c.t.Helper()
	path, good := "/admin/v1/subjects/"+sub+"/factors/totp", object{"totp_secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "recovery_hashes": []string{}, "created": "2026-01-02T03:04:05Z"}
	c.as("PUT", "/admin/v1/subjects/nobody/factors/totp", good, 404)
	c.as("PUT", path, good, 204)
	c.as("PUT", path, good, 409)
}

// refusedFactors asks for what can't be.
func (c *client) refusedFactors(access string) {
	c.t.Helper()
	c.refusedBearers(access, map[string]object{
		"GET /v1/factors": nil, "DELETE " + totpPath: nil, "POST " + totpPath: {"password": password}, "POST " + confirmPath: {"code": "x"},
		"POST " + codesPath: {"password": password},
	})
	c.do(call{method: "POST", path: confirmPath, json: object{"code": "x"}, header: bearer(access), want: 403})
	own, err := c.Server.Issuer().Issue(c.t.Context(), issuer.Grant{Subject: "42"})
	must(c.t, err)
	c.do(call{method: "POST", path: totpPath, json: object{"password": password}, header: bearer(own.Access), want: 404})
	c.do(call{method: "POST", path: codesPath, json: object{"password": password}, header: bearer(access), want: 404})
	c.do(call{method: "POST", path: totpPath, json: object{"password": password}, header: bearer(access), want: 200})
	c.do(call{method: "POST", path: confirmPath, json: object{"code": "x"}, header: bearer(access), want: 403})
}

func (c *client) signUp(name string) (access, sub string) {
	c.t.Helper()
	made := c.members(call{method: "POST", path: "/v1/signup", json: object{"username": name, "password": password}, want: 201})
	return c.tokens(logInOf(name, 200)).Access, made["sub"].(string)
}

func logInOf(name string, want int) call {
	return call{method: "POST", path: "/v1/login", json: object{"username": name, "password": password}, want: want}
}

// second completes a login.
func (c *client) second(name string, code any, want int) call {
	c.t.Helper()
	half := c.members(logInOf(name, 403))
	return call{method: "POST", path: "/v1/login/factor", json: object{"challenge": half["challenge"], "code": code}, want: want}
}

// enrol gives an account one-time codes, and answers the recovery codes.
func (c *client) enrol(access string) []any {
	c.t.Helper()
	made := c.members(call{method: "POST", path: totpPath, json: object{"password": password}, header: bearer(access), want: 200})
	code := running.OneTimeCode(c.t, made["secret"].(string))
	return c.members(call{method: "POST", path: confirmPath, json: object{"code": code}, header: bearer(access), want: 200})["recovery_codes"].([]any)
}

var challenged = regexp.MustCompile(`name="challenge" value="([^"]*)"`)

// factorPage leads to the page that asks for a code.
func (c *client) factorPage(name string) (b *running.Browser, page running.Page, challenge string) {
	c.t.Helper()
	query := url.Values{
		"client_id": {"client_web"}, "redirect_uri": {"https://web.example.com/callback"}, "response_type": {"code"}, "scope": {"openid profile"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}
	b = running.NewBrowser(c.t, c.contract)
	page = b.Submit(b.Get(c.URL+"/oauth2/authorize?"+query.Encode()), "username", name, "password", password)
	return b, page, html.UnescapeString(challenged.FindStringSubmatch(page.Body)[1])
}

// throttledCode guesses on the page until it says to wait.
func (c *client) throttledCode(b *running.Browser, page running.Page, challenge string) {
	c.t.Helper()
	for range 20 {
		if b.Submit(page, "challenge", challenge, "code", "x").Status == http.StatusTooManyRequests {
			return
		}
	}
	c.t.Error("the page is never throttled")
}
