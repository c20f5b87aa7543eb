package openapi

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/interop/running"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/issuer"
)

const password = "correct horse battery staple"

// unseen are answers that this test can't provoke.
var unseen = map[string]string{
	"GET /feed/live 410":                "needs a log of more rules than the server keeps at hand",
	"GET /feed/segment/{number} 200":    "needs 4,096 rules",
	"GET /feed/segment/{number} 410":    "needs 135,168 rules",
	"POST /admin/v1/keys 404":           "needs another import at the same moment",
	"POST /admin/v1/keys/rotate 409":    "needs seven rotations, each after verifiers hold the next key",
	"POST /feed/backchannel-logout 200": "needs another issuer; server/foreign_test.go has one",

	"POST /oauth2/device_authorization 429": "needs a hundred devices; server/devices_test.go has them",
}

func TestContract(t *testing.T) {
	c := start(t)
	c.firstParty()
	c.admin()
	c.oauth()
	c.pages()
	c.devices()
	c.letters()
	c.factors()
	c.consents()
	c.passkeys()
	c.forward()
	c.abuse()
	c.feed()
	c.documents()
	c.revokeEverything()
	c.complete(unseen)
}

// abuse sends what no endpoint accepts to each that has a body.
func (c *client) abuse() {
	eve := map[string]string{"username": "eve", "password": password}
	c.do(call{method: "POST", path: "/v1/signup", json: eve, want: 201})
	access := c.tokens(call{method: "POST", path: "/v1/login", json: eve, want: 200}).Access
	for path, item := range c.document.Paths.Map() {
		for method, operation := range item.Operations() {
			switch {
			case operation.RequestBody == nil || operation.RequestBody.Value.Content["application/json"] == nil:
			case isAdmin(operation):
				c.abuseBody(method, filled(path), operation, c.adminToken)
			case strings.HasPrefix(path, "/feed/"):
				c.abuseBody(method, path, operation, c.FeedCredential)
			default:
				c.abuseBody(method, filled(path), operation, access)
			}
		}
	}
}

func (c *client) abuseBody(method, path string, operation *openapi3.Operation, access string) {
	answers := func(status int) bool { return operation.Responses.Status(status) != nil }
	refusal := func(status int) int { // OAuth knows one status for a body that can't be read
		if answers(status) {
			return status
		}
		return http.StatusBadRequest
	}
	send := func(json any, header, value string, want int) {
		headers := map[string]string{header: value}
		if needsCredential(operation) {
			headers["Authorization"] = "Bearer " + access
		}
		c.do(call{method: method, path: path, json: json, header: headers, want: want})
	}
	send(strings.Repeat("x", 64<<10), "Content-Type", "application/json", refusal(http.StatusRequestEntityTooLarge))
	send(1, "Content-Type", "text/plain", refusal(http.StatusUnsupportedMediaType))
	send([]int{1}, "Content-Type", "application/json", http.StatusBadRequest)
	send(map[string]int{"unknown": 1}, "Content-Type", "application/json", http.StatusBadRequest)
	if answers(http.StatusForbidden) && !strings.HasPrefix(path, "/admin/") { // which no browser is made to send
		send(1, "Sec-Fetch-Site", "cross-site", http.StatusForbidden)
	}
}

// filled puts something into each parameter of a path.
func filled(path string) string {
	for _, part := range strings.Split(path, "/") {
		if strings.HasPrefix(part, "{") {
			path = strings.Replace(path, part, "unknown", 1)
		}
	}
	return path
}

func (c *client) firstParty() {
	account := map[string]string{"username": "ada", "password": password}
	c.do(call{method: "POST", path: "/v1/signup", json: account, want: 201})
	c.do(call{method: "POST", path: "/v1/signup", json: account, want: 409})
	c.do(call{method: "POST", path: "/v1/signup", json: map[string]string{"username": "bob", "password": "short"}, want: 400})

	logIn := call{method: "POST", path: "/v1/login", json: account, want: 200}
	t := c.tokens(logIn)
	c.do(call{method: "POST", path: "/v1/login", json: map[string]string{"username": "ada", "password": password, "device_token": t.Device}, want: 200})
	c.do(call{method: "POST", path: "/v1/login", json: map[string]string{"username": "ada", "password": "a wrong password"}, want: 401})
	c.do(call{method: "POST", path: "/v1/login", json: map[string]any{"username": "ada", "password": password, "cookies": true}, want: 200})

	c.do(call{method: "GET", path: "/v1/me", header: bearer(t.Access), want: 200})
	c.do(call{method: "GET", path: "/v1/me", want: 401})
	c.do(call{method: "GET", path: "/v1/me", header: bearer("a.b.c"), want: 401})
	c.do(call{method: "GET", path: "/v1/me", header: bearer("two words"), want: 400})
	c.do(call{method: "GET", path: "/v1/me", header: bearer(c.foreign(t.Access)), want: 403})

	c.do(call{method: "GET", path: "/v1/me/export", header: bearer(t.Access), want: 200})
	c.do(call{method: "GET", path: "/v1/me/export", want: 401})
	c.do(call{method: "GET", path: "/v1/me/export", header: bearer("two words"), want: 400})
	c.do(call{method: "GET", path: "/v1/me/export", header: bearer(c.foreign(t.Access)), want: 403})

	t = c.tokens(call{method: "POST", path: "/v1/refresh", json: map[string]string{"refresh_token": t.Refresh}, want: 200})
	c.do(call{method: "POST", path: "/v1/refresh", header: map[string]string{"Cookie": "__Secure-jot-refresh=" + t.Refresh}, want: 200})
	c.do(call{method: "POST", path: "/v1/refresh", json: map[string]string{"refresh_token": "jrt_forged"}, want: 401})

	t = c.ownSessions(t)
	c.mail()
	c.do(call{method: "POST", path: "/v1/logout?wait=enforced", header: bearer(t.Access), want: 204})
	c.do(call{method: "POST", path: "/v1/logout", header: bearer(t.Access), want: 401})
	t = c.tokens(logIn)
	c.do(call{method: "POST", path: "/v1/logout", json: map[string]any{"refresh_token": t.Refresh, "everywhere": true}, want: 204})
}

// ownSessions lists and ends sessions, changes the password and changes it back, and guesses too often.
func (c *client) ownSessions(t tokens) tokens {
	c.t.Helper()
	extra := c.tokens(call{method: "POST", path: "/v1/login", json: map[string]string{"username": "ada", "password": password, "client_id": running.App}, want: 200})
	token, err := c.Server.Issuer().Verifier().Verify(c.t.Context(), extra.Access)
	must(c.t, err)
	c.refusedBearers(t.Access, map[string]object{"GET /v1/sessions": nil, "DELETE /v1/sessions/" + token.SessionID(): nil})
	c.do(call{method: "GET", path: "/v1/sessions?limit=1", header: bearer(t.Access), want: 200})
	c.do(call{method: "DELETE", path: "/v1/sessions/" + token.SessionID(), header: bearer(t.Access), want: 204})
	c.do(call{method: "DELETE", path: "/v1/sessions/unknown", header: bearer(t.Access), want: 404})

	change := func(current, new string) call {
		return call{method: "POST", path: "/v1/password", json: map[string]string{"current": current, "new": new}, header: bearer(t.Access), want: 200}
	}
	t = c.tokens(change(password, password+"!"))
	t = c.tokens(change(password+"!", password))
	refused := change(password, password+"!")
	refused.header, refused.want = nil, 401
	c.do(refused)
	must(c.t, c.Server.Issuer().CreateSubject(c.t.Context(), issuer.Subject{ID: "42"}))
	own, err := c.Server.Issuer().Issue(c.t.Context(), issuer.Grant{Subject: "42"})
	must(c.t, err)
	refused.header, refused.want = bearer(own.Access), 404
	c.do(refused)
	c.throttled(change("a wrong password", password+"!"))
	c.throttled(call{method: "POST", path: "/v1/login", json: map[string]string{"username": "bob", "password": "a wrong password"}})
	return t
}

// throttled makes a call until it's answered with 429. The delay doubles each time, so however slow this machine is,
// one comes too soon.
func (c *client) throttled(a call) {
	c.t.Helper()
	for range 20 {
		response := c.send(a)
		response.Body.Close()
		if response.StatusCode == http.StatusTooManyRequests {
			return
		}
	}
	c.t.Errorf("%s %s is never throttled", a.method, a.path)
}

// foreign is a token of the same subject that another client got.
func (c *client) foreign(access string) string {
	c.t.Helper()
	token, err := c.Issuer().Verifier().Verify(c.t.Context(), access)
	must(c.t, err)
	issued, err := c.Issuer().Issue(c.t.Context(), issuer.Grant{Subject: token.Subject(), ClientID: running.Other})
	must(c.t, err)
	return issued.Access
}

// refusedBearers asks for routes without a token, with what is none, and with a token of the same subject that another
// client has.
func (c *client) refusedBearers(access string, bodies map[string]object) {
	c.t.Helper()
	for route, body := range bodies {
		method, path, _ := strings.Cut(route, " ")
		refused := call{method: method, path: path, want: 401}
		if body != nil {
			refused.json = body
		}
		c.do(refused)
		refused.header, refused.want = bearer("two words"), 400
		c.do(refused)
		refused.header, refused.want = bearer(c.foreign(access)), 403
		c.do(refused)
	}
}

func (c *client) oauth() {
	t := c.tokens(call{method: "POST", path: "/v1/login", json: map[string]string{"username": "ada", "password": password}, want: 200})
	t = c.tokens(call{method: "POST", path: "/oauth2/token", form: "grant_type=refresh_token&client_id=" + running.App + "&refresh_token=" + t.Refresh, want: 200})
	t = c.tokens(call{method: "POST", path: "/oauth2/token", json: map[string]string{"grant_type": "refresh_token", "client_id": running.App, "refresh_token": t.Refresh}, want: 200})
	c.do(call{method: "POST", path: "/oauth2/token", form: "grant_type=refresh_token&client_id=" + running.App + "&refresh_token=jrt_forged", want: 400})
	for _, path := range []string{"/oauth2/token", "/oauth2/revoke", "/oauth2/introspect"} {
		c.do(call{method: "POST", path: path, form: "grant_type=refresh_token&token=x", header: basic(running.App, "secret"), want: 401})
	}
	logIn := object{"grant_type": "password", "client_id": running.App, "username": "ada", "password": password}
	c.do(call{method: "POST", path: "/oauth2/token", json: logIn, want: 200})
	c.throttled(call{method: "POST", path: "/oauth2/token", form: "grant_type=password&client_id=" + running.App + "&username=nobody&password=guessed"})
	c.clientCredentials()
	c.do(call{method: "POST", path: "/oauth2/revoke", form: "client_id=" + running.App + "&token=" + t.Access, want: 200})
	c.do(call{method: "POST", path: "/oauth2/revoke", json: map[string]string{"client_id": running.App, "token": t.Refresh}, want: 200})
}

// clientCredentials lets a client act for itself, which proves itself in each of the two ways.
func (c *client) clientCredentials() {
	const id, grant = "client_service", "grant_type=client_credentials"
	secret := c.as("POST", "/admin/v1/clients", object{"client_id": id, "confidential": true, "scope": "pets:read"}, 201)["client_secret"].(string)
	t := c.tokens(call{method: "POST", path: "/oauth2/token", form: grant + "&scope=pets:read&resource=" + running.Audience, header: basic(id, secret), want: 200})
	if t.Refresh != "" {
		c.t.Error("a client that acts for itself got a refresh token")
	}
	c.do(call{method: "POST", path: "/oauth2/token", form: grant + "&client_id=" + id + "&client_secret=" + secret, want: 200})
	c.do(call{method: "POST", path: "/oauth2/token", json: object{"grant_type": "client_credentials", "client_id": id, "client_secret": secret}, want: 200})
	c.do(call{method: "POST", path: "/oauth2/token", form: grant + "&client_id=" + id + "&client_secret=" + secret, header: basic(id, secret), want: 400})
	c.do(call{method: "POST", path: "/oauth2/token", form: grant + "&client_id=" + running.App, want: 400})
	c.as("PATCH", "/admin/v1/clients/"+id, object{"exchange_from": []string{running.Audience}}, 200)
	c.do(call{method: "POST", path: "/oauth2/token", json: object{
		"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "client_id": id, "client_secret": secret, "subject_token": t.Access,
		"subject_token_type": "urn:ietf:params:oauth:token-type:access_token", "audience": running.Audience,
	}, want: 200})
	c.do(call{method: "POST", path: "/oauth2/token", form: grant, header: basic(id, "jcs_wrong"), want: 401})
	proving := basic(id, secret)
	proving["DPoP"] = c.proof("")
	c.do(call{method: "POST", path: "/oauth2/token", form: grant, header: proving, want: 400})
	proving["DPoP"] = c.proof(c.Issuer().DPoPNonce())
	bound := c.tokens(call{method: "POST", path: "/oauth2/token", form: grant, header: proving, want: 200})
	c.do(call{method: "POST", path: "/oauth2/introspect", form: "token=" + bound.Access, header: basic(id, secret), want: 200})
	c.do(call{method: "POST", path: "/oauth2/introspect", form: "token=" + t.Access, header: basic(id, secret), want: 200})
	c.do(call{method: "POST", path: "/oauth2/introspect", json: object{"token": t.Access, "client_id": id, "client_secret": secret}, want: 200})
	c.do(call{method: "POST", path: "/oauth2/introspect", form: "client_id=" + id + "&client_secret=" + secret, want: 400})
	c.do(call{method: "POST", path: "/oauth2/revoke", form: "token=" + t.Access, header: basic(id, secret), want: 200})
	c.do(call{method: "POST", path: "/oauth2/introspect", form: "token=" + t.Access, header: basic(id, secret), want: 200})
}

// proof proves some key to the token endpoint.
func (c *client) proof(nonce string) string {
	c.t.Helper()
	key, err := jot.GenerateKey(jot.EdDSA)
	must(c.t, err)
	signer, err := jothttp.NewProofSigner(key, nil)
	must(c.t, err)
	proof, err := signer.Sign(c.t.Context(), jothttp.ProofTarget{Method: "POST", URL: c.URL + "/oauth2/token", Nonce: nonce})
	must(c.t, err)
	return proof
}

// basic is the header in which a confidential client proves itself.
func basic(id, secret string) map[string]string {
	joined := url.QueryEscape(id) + ":" + url.QueryEscape(secret)
	return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(joined))}
}

// forward asks as a proxy does.
func (c *client) forward() {
	t := c.tokens(call{method: "POST", path: "/v1/login", json: map[string]string{"username": "ada", "password": password}, want: 200})
	const path = "/verify?audience=" + running.Audience + "&scope=pets:"
	c.do(call{method: "GET", path: path + "read", header: bearer(t.Access), want: 200})
	c.do(call{method: "GET", path: path + "write", header: bearer(t.Access), want: 403})
	c.do(call{method: "GET", path: path + "read", want: 401})
	c.do(call{method: "GET", path: path + "read", header: bearer("two words"), want: 400})
	demanding := bearer(t.Access)
	demanding["Jot-Min-Cursor"] = "log:1"
	c.do(call{method: "GET", path: path + "read", header: demanding, want: 501})
}

func (c *client) feed() {
	credential := bearer(c.FeedCredential)
	newest := c.send(call{method: "GET", path: "/feed/snapshot", header: credential})
	newest.Body.Close()
	snapshot := newest.Request.URL.RequestURI() // it redirects
	for _, path := range []string{snapshot, strings.Replace(snapshot, "log=", "log=x", 1)} {
		c.do(call{method: "GET", path: path, header: credential, want: 200})
	}
	head, err := c.Issuer().LogHead(c.t.Context())
	must(c.t, err)
	live := "/feed/live?verifier=0123456789abcdef&max_staleness=10000&nonce=0123456789abcdef&after=0&log="
	c.do(call{method: "GET", path: live + "another", header: credential, want: 409})
	segment := "/feed/segment/0?log="
	c.do(call{method: "GET", path: segment + "another", header: credential, want: 409})
	c.do(call{method: "GET", path: segment + head.LogID, header: credential, want: 404})
	c.do(call{method: "GET", path: live + head.LogID + "&poll=1", header: credential, want: 200})
	for _, path := range []string{"/feed/snapshot", snapshot, segment + head.LogID, live + head.LogID} {
		c.do(call{method: "GET", path: path, want: 401})
		c.do(call{method: "GET", path: path, header: bearer("two words"), want: 400})
	}
	said := map[string]any{"verifier": "0123456789abcdef", "log_id": head.LogID, "sequence": head.Sequence}
	c.do(call{method: "POST", path: "/feed/acknowledgement", json: said, header: credential, want: 204})
	c.do(call{method: "POST", path: "/feed/acknowledgement", json: said, want: 401})
	c.do(call{method: "POST", path: "/feed/backchannel-logout", form: "logout_token=x", want: 400})
	response := c.send(call{method: "GET", path: live + head.LogID, header: credential})
	defer response.Body.Close()
	frame := make([]byte, 1)
	if _, err := response.Body.Read(frame); err != nil || response.StatusCode != 200 {
		c.t.Errorf("the stream began with status %d, %v", response.StatusCode, err)
	}
}

// documents asks for everything that is public, and then again by its entity tag.
func (c *client) documents() {
	for path, item := range c.document.Paths.Map() {
		if item.Get == nil || item.Get.Security != nil || item.Get.Tags[0] == "pages" {
			continue
		}
		response := c.send(call{method: "GET", path: path})
		response.Body.Close()
		if response.StatusCode != 200 {
			c.t.Errorf("%s: %d", path, response.StatusCode)
		}
		if item.Get.Responses.Status(http.StatusNotModified) != nil {
			c.do(call{method: "GET", path: path, header: map[string]string{"If-None-Match": response.Header.Get("ETag")}, want: 304})
		}
	}
}

// Each operation has a name of its own, says what it is for, and whoever needs a credential may be refused.
func TestDocument(t *testing.T) {
	c := start(t)
	names := map[string]bool{}
	for path, item := range c.document.Paths.Map() {
		for method, o := range item.Operations() {
			if o.Summary == "" || len(o.Tags) != 1 || o.OperationID == "" || names[o.OperationID] {
				t.Errorf("%s %s needs a summary, one tag, and an operationId of its own", method, path)
			}
			names[o.OperationID] = true
			if needsCredential(o) && o.Responses.Status(http.StatusUnauthorized) == nil {
				t.Errorf("%s %s needs a credential, and doesn't say how one that is missing is answered", method, path)
			}
		}
	}
}

func needsCredential(o *openapi3.Operation) bool {
	if o.Security == nil {
		return false
	}
	for _, alternative := range *o.Security {
		if len(alternative) == 0 {
			return false
		}
	}
	return true
}
