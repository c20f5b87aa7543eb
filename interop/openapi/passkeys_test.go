package openapi

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"

	"github.com/descope/virtualwebauthn"

	"github.com/jot-auth/jot/interop/running"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	passkeysPath       = "/v1/factors/passkeys"
	confirmPasskeyPath = passkeysPath + "/confirm"
	passkeyLogIn       = "/v1/login/passkey/confirm"
)

// authenticator is somebody's, with a browser around it.
type authenticator struct {
	party   virtualwebauthn.RelyingParty
	device  virtualwebauthn.Authenticator
	passkey virtualwebauthn.Credential
}

func newAuthenticator(origin string) *authenticator {
	return &authenticator{
		party:   virtualwebauthn.RelyingParty{ID: "localhost", Origin: origin},
		device:  virtualwebauthn.NewAuthenticator(),
		passkey: virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2),
	}
}

func (a *authenticator) create(c *client, options []byte) json.RawMessage {
	c.t.Helper()
	parsed, err := virtualwebauthn.ParseAttestationOptions(string(options))
	must(c.t, err)
	a.device.Options.UserHandle = []byte(parsed.UserID)
	return json.RawMessage(virtualwebauthn.CreateAttestationResponse(a.party, a.device, a.passkey, *parsed))
}

func (a *authenticator) get(c *client, options []byte) json.RawMessage {
	c.t.Helper()
	parsed, err := virtualwebauthn.ParseAssertionOptions(string(options))
	must(c.t, err)
	return json.RawMessage(virtualwebauthn.CreateAssertionResponse(a.party, a.device, a.passkey, *parsed))
}

// passkeys gives accounts passkeys, logs in with them, and takes them away, by the API and on the pages.
func (c *client) passkeys() {
	c.t.Helper()
	access, sub := c.signUp("mia")
	c.refusedPasskeys(access)
	ask := call{method: "POST", path: passkeysPath, json: object{"password": password}, header: bearer(access), want: 200}
	phone := newAuthenticator(c.URL)
	add := call{method: "POST", path: confirmPasskeyPath, json: object{"name": "Phone", "credential": phone.create(c, c.do(ask))}, header: bearer(access), want: 200}
	id := c.members(add)["id"].(string)

	logIn := c.passkeyLogIn(phone, 200)
	strong := bearer(c.tokens(logIn).Access)
	ask.header, add.header, add.want = strong, strong, 403
	c.do(add) // its challenge was used
	add.json, add.want = object{"name": "Phone", "credential": phone.create(c, c.do(ask))}, 409
	c.do(add)
	half := c.members(logInOf("mia", 403))
	options, err := json.Marshal(half["passkey"])
	must(c.t, err)
	c.do(call{method: "POST", path: "/v1/login/factor", json: object{"challenge": half["challenge"], "credential": phone.get(c, options)}, want: 200})
	known := c.members(call{method: "GET", path: "/v1/factors", header: strong, want: 200})["factors"].([]any)[0].(map[string]any)["passkey"].(map[string]any)
	c.do(call{method: "GET", path: "/v1/me/export", header: strong, want: 200})

	one := passkeysPath + "/" + id
	c.do(call{method: "PATCH", path: one, json: object{"name": "Old phone"}, header: strong, want: 204})
	c.do(call{method: "PATCH", path: passkeysPath + "/unknown", json: object{"name": "x"}, header: strong, want: 404})
	c.passkeyPages(phone)
	c.as("PATCH", "/admin/v1/subjects/"+sub, object{"disabled": true}, 200)
	c.do(c.passkeyLogIn(phone, 403))
	c.as("PATCH", "/admin/v1/subjects/"+sub, object{"disabled": false}, 200)
	strong = bearer(c.tokens(c.passkeyLogIn(phone, 200)).Access)
	c.do(call{method: "DELETE", path: one, header: strong, want: 204})
	c.do(call{method: "DELETE", path: one, header: strong, want: 404})
	c.throttledPasskeys(phone, strong)
	c.importPasskey(sub, known)
}

// importPasskey gives an account a passkey back as an export has it, and asks for what can't be.
func (c *client) importPasskey(sub string, known object) {
	c.t.Helper()
	good := object{"rp_id": "localhost", "name": "Phone", "credential_id": known["credential_id"], "public_key": known["public_key"], "transports": []string{"usb"}, "recovery_hashes": []string{}, "created": "2026-01-02T03:04:05Z"}
	path := func(sub string) string { return "/admin/v1/subjects/" + sub + "/factors/passkeys" }
	c.as("POST", path("nobody"), good, 404)
	c.as("POST", path(sub), good, 204)
	c.as("POST", path(sub), good, 409)
}

// passkeyLogIn answers what the server asks any authenticator.
func (c *client) passkeyLogIn(a *authenticator, want int) call {
	c.t.Helper()
	options := c.do(call{method: "POST", path: "/v1/login/passkey", want: 200})
	return call{method: "POST", path: passkeyLogIn, json: object{"credential": a.get(c, options)}, want: want}
}

// refusedPasskeys asks for what can't be.
func (c *client) refusedPasskeys(access string) {
	c.t.Helper()
	c.refusedBearers(access, map[string]object{
		"POST " + passkeysPath: {"password": password}, "POST " + confirmPasskeyPath: {"name": "x", "credential": object{}}, "PATCH " + passkeysPath + "/x": {"name": "x"}, "DELETE " + passkeysPath + "/x": nil,
	})
	c.do(call{method: "POST", path: passkeysPath, json: object{"password": "a wrong password"}, header: bearer(access), want: 403})
	own, err := c.Server.Issuer().Issue(c.t.Context(), issuer.Grant{Subject: "42"})
	must(c.t, err)
	c.do(call{method: "POST", path: passkeysPath, json: object{"password": password}, header: bearer(own.Access), want: 404})
	made := newAuthenticator(c.URL).create(c, c.do(call{method: "POST", path: passkeysPath, json: object{"password": password}, header: bearer(access), want: 200}))
	c.do(call{method: "POST", path: confirmPasskeyPath, json: object{"name": "x", "credential": made}, header: bearer(own.Access), want: 404})
}

// throttledPasskeys fails from one address until the server says to wait.
func (c *client) throttledPasskeys(a *authenticator, access map[string]string) {
	c.t.Helper()
	from := map[string]string{"X-Forwarded-For": "203.0.113.77"}
	wrong := c.passkeyLogIn(a, 403) // the passkey is gone
	wrong.header = from
	for n := range 200 {
		response := c.send(wrong)
		response.Body.Close()
		if response.StatusCode == http.StatusTooManyRequests {
			break
		}
		if n == 199 {
			c.t.Error("a login with a passkey is never throttled")
		}
	}
	elsewhere := newAuthenticator("https://elsewhere.example.com")
	made := elsewhere.create(c, c.do(call{method: "POST", path: passkeysPath, json: object{"password": password}, header: access, want: 200}))
	c.throttled(call{method: "POST", path: confirmPasskeyPath, json: object{"name": "x", "credential": made}, header: map[string]string{"Authorization": access["Authorization"], "X-Forwarded-For": from["X-Forwarded-For"]}})
	page, b := c.loginPage()
	request := url.Values{"request": {sealedOf(page)}, "credential": {string(a.get(c, askedFor(page)))}}
	c.throttledForm(b, "/login-passkey", request, from["X-Forwarded-For"])
	c.throttled(call{method: "POST", path: passkeysPath, json: object{"password": "a wrong password"}, header: access})
}

// throttledForm sends a form until the server says to wait: an address has a hundred attempts, and then the delay
// doubles.
func (c *client) throttledForm(b *running.Browser, path string, form url.Values, from string) {
	c.t.Helper()
	for range 200 {
		if b.Send("POST", c.URL+path, form, "X-Forwarded-For", from).Status == http.StatusTooManyRequests {
			return
		}
	}
	c.t.Errorf("%s is never throttled", path)
}

var asked = regexp.MustCompile(`data-options="([^"]*)"`)

// askedFor is what a page's script asks the browser for.
func askedFor(p running.Page) []byte {
	return []byte(html.UnescapeString(asked.FindStringSubmatch(p.Body)[1]))
}

func (c *client) loginPage() (running.Page, *running.Browser) {
	c.t.Helper()
	b := running.NewBrowser(c.t, c.contract)
	return b.Get(c.URL + "/passkeys"), b
}

// passkeyPages logs in on the pages, and changes passkeys there.
func (c *client) passkeyPages(phone *authenticator) {
	c.t.Helper()
	login, b := c.loginPage()
	b.Send("GET", c.URL+"/passkey.js", nil)
	in := url.Values{"request": {sealedOf(login)}, "credential": {"{}"}}
	b.Send("POST", c.URL+"/login-passkey", in)
	in.Set("credential", string(phone.get(c, askedFor(login))))
	b.Send("POST", c.URL+"/login-passkey", in)
	b.Get(c.URL + "/passkeys")
	page := b.Send("POST", c.URL+"/new-passkey", url.Values{"password": {password}})
	tablet := newAuthenticator(c.URL)
	form := url.Values{"name": {"Tablet"}, "credential": {string(tablet.create(c, askedFor(page)))}}
	b.Send("POST", c.URL+"/add-passkey", form)
	b.Send("POST", c.URL+"/change-passkey", url.Values{"id": {"unknown"}, "change": {"remove"}})
	b.Send("POST", c.URL+"/recovery-codes", url.Values{"password": {password}})
	for _, path := range []string{"/new-passkey", "/recovery-codes"} { // nobody is signed in
		running.NewBrowser(c.t, c.contract).Send("POST", c.URL+path, url.Values{"password": {password}})
	}

	c.signUp("noa")
	login, b = c.loginPage()
	b.Submit(login, "username", "noa", "password", password)
	page = b.Send("POST", c.URL+"/new-passkey", url.Values{"password": {password}})
	form.Set("credential", string(newAuthenticator("https://elsewhere.example.com").create(c, askedFor(page))))
	c.throttledForm(b, "/add-passkey", form, "203.0.113.78")
	form.Set("credential", string(newAuthenticator(c.URL).create(c, askedFor(page))))
	b.Send("POST", c.URL+"/add-passkey", form, "X-Forwarded-For", "198.51.100.77") // answered with recovery codes, from where nobody has guessed
	b = running.NewBrowser(c.t, c.contract)
	b.Submit(b.Get(c.URL+"/passkeys"), "username", "ada", "password", password)
	c.throttledForm(b, "/new-passkey", url.Values{"password": {"a wrong password"}}, "203.0.113.79")
	c.throttledForm(b, "/recovery-codes", url.Values{"password": {"a wrong password"}}, "203.0.113.79")
}
