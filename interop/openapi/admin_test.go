package openapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/interop/running"
	"github.com/jot-auth/jot/server/issuer"
)

// isAdmin reports whether an operation wants a token for the admin API.
func isAdmin(o *openapi3.Operation) bool {
	return needsCredential(o) && (*o.Security)[0]["adminToken"] != nil
}

// object is a JSON object.
type object map[string]any

// admin does what an administrator does, and what one is refused.
func (c *client) admin() {
	c.bootstrap()
	c.refusedTokens()
	c.adminSubjects()
	c.adminInvitations()
	c.adminSessions()
	c.adminClients()
	c.adminResources()
	c.adminKeys()
	c.adminRevocations()
	c.adminEvents()
}

// as makes a call as an administrator and reads its answer into members; json nil sends no body.
func (c *client) as(method, path string, json any, want int) object {
	c.t.Helper()
	return c.members(call{method: method, path: path, json: json, header: bearer(c.adminToken), want: want})
}

func (c *client) members(a call) (o object) {
	c.t.Helper()
	if body := c.do(a); len(body) > 0 {
		must(c.t, json.Unmarshal(body, &o))
	}
	return o
}

// bootstrap makes an administrator by JSON and one by the page, and logs the first one in.
func (c *client) bootstrap() {
	const path, page = "/admin/v1/bootstrap", "/admin/bootstrap"
	root := object{"code": c.invite(), "username": "ada", "password": password}
	c.do(call{method: "POST", path: path, json: root, want: 409})
	root["username"] = "root"
	c.do(call{method: "POST", path: path, json: root, want: 201})
	c.do(call{method: "POST", path: path, json: root, want: 403})

	form := url.Values{"code": {c.invite()}, "username": {"root"}, "password": {password}}
	c.do(call{method: "POST", path: page, form: form.Encode(), want: 409})
	c.do(call{method: "POST", path: page, form: "code=%zz", want: 400})
	c.do(call{method: "POST", path: page, form: strings.Repeat("x", 65<<10), want: 413})
	c.do(call{method: "POST", path: page, json: root, want: 415})
	c.do(call{method: "POST", path: page, form: form.Encode(), header: map[string]string{"Sec-Fetch-Site": "cross-site"}, want: 403})
	form.Set("username", "root2")
	c.do(call{method: "POST", path: page, form: form.Encode(), want: 201})
	c.do(call{method: "POST", path: page, form: form.Encode(), want: 403})

	c.adminToken = c.tokens(call{method: "POST", path: "/v1/login", json: object{
		"username": "root", "password": password, "client_id": issuer.CommandClient, "resource": c.Issuer().AdminAudience(),
	}, want: 200}).Access
}

func (c *client) invite() string {
	c.t.Helper()
	code, _, err := c.InviteAdmin(c.t.Context())
	must(c.t, err)
	return code
}

// refusedTokens shows every operation of the admin API no token, two at once, and one that opens another part of it. A
// token with the scope of sessions alone comes from a confidential client.
func (c *client) refusedTokens() {
	made := c.as("POST", "/admin/v1/clients", object{"client_id": "client_backend", "confidential": true, "scope": issuer.ScopeSessions + " " + issuer.ScopeAdmin}, 201)
	narrow := c.tokens(call{method: "POST", path: "/oauth2/token", form: url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"client_backend"}, "client_secret": {made["client_secret"].(string)},
		"scope": {issuer.ScopeSessions}, "resource": {c.Issuer().AdminAudience()},
	}.Encode(), want: 200}).Access
	for path, item := range c.document.Paths.Map() {
		for method, operation := range item.Operations() {
			if !isAdmin(operation) {
				continue
			}
			c.do(call{method: method, path: filled(path), want: 401})
			c.do(call{method: method, path: filled(path), header: bearer("two words"), want: 400})
			if method+" "+path != "POST /admin/v1/sessions" {
				c.do(call{method: method, path: filled(path), header: bearer(narrow), want: 403})
			}
			if operation.Responses.Status(http.StatusNotFound) != nil && operation.RequestBody == nil {
				c.do(call{method: method, path: filled(path), header: bearer(c.adminToken), want: 404})
			}
		}
	}
	c.do(call{method: "POST", path: "/admin/v1/sessions", json: object{"sub": "44", "client_id": running.App, "scope": issuer.ScopeAdmin}, header: bearer(narrow), want: 403})
}

func (c *client) adminSubjects() {
	const path = "/admin/v1/subjects"
	c.as("POST", path, object{"sub": "43", "scope": "pets:read", "claims": object{"plan": "free"}}, 201)
	bob := c.as("POST", path, object{"username": "bob", "password": password, "disabled": true}, 201)["sub"].(string)
	c.as("POST", path, object{"sub": "43"}, 409)
	c.as("POST", path, object{"sub": "\n"}, 400)
	next := c.as("GET", path+"?limit=1&disabled=false", nil, 200)["next"].(string)
	c.as("GET", path+"?limit=1&after="+next, nil, 200)
	c.as("GET", path+"?username=b", nil, 200)
	c.as("GET", path+"?unknown=1", nil, 400)

	c.as("GET", path+"/43", nil, 200)
	c.as("PATCH", path+"/43", object{"scope": "", "claims": object{"plan": "paid"}, "disabled": true, "soft": true}, 200)
	c.as("PATCH", path+"/43", object{}, 400)
	c.as("PATCH", path+"/unknown", object{"disabled": true}, 404)
	c.as("PUT", path+"/"+bob+"/password", object{"password": password + "!"}, 204)
	c.as("PUT", path+"/43/password", object{"password": password}, 404)
	c.as("POST", path+"/43/logout", nil, 204)
	c.as("GET", path+"/"+bob+"/export", nil, 200)
	c.as("GET", path+"/43/export", nil, 200)
	c.as("POST", path, object{"username": "grace", "password_hash": "$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS", "email": "grace@example.com", "email_verified": true}, 201)
	c.as("DELETE", path+"/43", nil, 204)
	c.lastAdministrator()
}

func (c *client) adminInvitations() {
	const path = "/admin/v1/invitations"
	c.as("POST", path, object{}, 201)
	made := c.as("POST", path, object{"note": "for Ada", "expires_in": 60}, 201)
	c.as("POST", path, object{"expires_in": -1}, 400)
	c.as("GET", path+"?limit=1&after="+c.as("GET", path+"?limit=1", nil, 200)["next"].(string), nil, 200)
	c.as("GET", path+"?after=x", nil, 400)
	c.as("DELETE", path+"/"+made["invitation_id"].(string), nil, 204)
}

// lastAdministrator deletes the second one, and is refused with the first.
func (c *client) lastAdministrator() {
	for _, name := range []string{"root2", "root"} {
		list := c.as("GET", "/admin/v1/subjects?username="+name, nil, 200)["subjects"].([]any)
		path := "/admin/v1/subjects/" + list[0].(map[string]any)["sub"].(string)
		if name == "root2" {
			c.as("DELETE", path, nil, 204)
			continue
		}
		c.as("DELETE", path, nil, 409)
		c.as("PATCH", path, object{"disabled": true}, 409)
	}
}

func (c *client) adminSessions() {
	const path = "/admin/v1/sessions"
	grant := object{
		"sub": "44", "claims": object{"plan": "free"}, "scope": "pets:read", "client_id": running.App, "resource": running.Audience, "amr": []string{"pwd"},
		"user_agent": "a browser", "address": "192.0.2.1",
	}
	sid := c.as("POST", path, grant, 201)["sid"].(string)
	c.as("POST", path, object{"sub": "unknown", "client_id": running.App}, 404)
	c.as("POST", path, object{"sub": "44", "client_id": "client_unknown"}, 400)
	next := c.as("GET", path+"?limit=1", nil, 200)["next"].(string)
	c.as("GET", path+"?after="+next, nil, 200)
	c.as("GET", path+"?live=true&sub=44&client_id="+running.App, nil, 200)
	c.as("GET", path+"?live=1", nil, 400)
	c.as("GET", path+"/"+sid, nil, 200)
	c.as("DELETE", path+"/"+sid, nil, 204)
	c.as("GET", path+"/"+sid, nil, 200)
	c.as("PATCH", "/admin/v1/subjects/44", object{"disabled": true}, 200)
	c.as("POST", path, object{"sub": "44", "client_id": running.App}, 409)
}

func (c *client) adminClients() {
	const path = "/admin/v1/clients"
	members := object{
		"name": "Ours", "scope": "pets:read", "resources": []string{running.Audience}, "first_party": true, "access_ttl": 60, "idle_ttl": 3600,
		"absolute_ttl": 86400, "access_type": "JWT", "algorithm": "ES256", "redirect_uris": []string{"https://ours.example.com/callback", "http://127.0.0.1/callback"},
		"post_logout_redirect_uris": []string{"https://ours.example.com/"}, "backchannel_logout_uri": "https://ours.example.com/logout",
	}
	c.as("POST", path, object{}, 201)
	c.as("POST", path, object{"client_id": running.App}, 409)
	c.as("POST", path, object{"client_id": "ours"}, 400)
	id := c.as("POST", path, members, 201)["client_id"].(string)
	c.as("GET", path, nil, 200)
	next := c.as("GET", path+"?limit=1", nil, 200)["next"].(string)
	c.as("GET", path+"?after="+next, nil, 200)
	c.as("GET", path+"?text=OUR&confidential=false&first_party=true&limit=1", nil, 200)
	c.as("GET", path+"?after=.", nil, 400)

	c.as("GET", path+"/"+id, nil, 200)
	c.as("PATCH", path+"/"+id, members, 200)
	c.as("PATCH", path+"/"+id, object{}, 400)
	c.as("PATCH", path+"/unknown", members, 404)
	c.as("PATCH", path+"/"+running.App, members, 409)
	c.as("PATCH", path+"/"+id, object{"key_set": object{"keys": []any{publicKey(c)}}, "require_dpop": true, "exchange_from": []string{running.Audience}}, 200)
	c.as("PATCH", path+"/"+id, object{"key_set": object{"keys": []any{}}}, 400)
	c.as("GET", path+"/"+id, nil, 200)
	c.as("POST", path+"/"+id+"/secret", nil, 200)
	c.as("POST", path+"/"+running.App+"/secret", nil, 409)
	c.as("DELETE", path+"/"+id, nil, 204)
	c.as("DELETE", path+"/"+running.App, nil, 409)
}

func publicKey(c *client) *jot.PublicKey {
	key, err := jot.GenerateKey(jot.ES256)
	must(c.t, err)
	return key.Public()
}

func (c *client) adminResources() {
	const path, audience = "/admin/v1/resources", "https://api.example.com/v1"
	members := object{"name": "An API", "scope": "read write", "access_ttl": 60, "algorithm": "RS256"}
	c.as("POST", path, object{"audience": audience, "name": "", "access_ttl": 0}, 201)
	c.as("POST", path, object{"audience": audience}, 409)
	c.as("POST", path, object{"audience": ""}, 400)
	next := c.as("GET", path+"?limit=1", nil, 200)["next"].(string)
	c.as("GET", path+"?after="+next, nil, 200)
	c.as("GET", path+"?text=API", nil, 200)
	c.as("GET", path+"?limit=0", nil, 400)

	one := path + "/" + url.PathEscape(audience)
	c.as("GET", one, nil, 200)
	c.as("PATCH", one, members, 200)
	c.as("PATCH", one, object{}, 400)
	c.as("PATCH", path+"/unknown", members, 404)
	c.as("PATCH", path+"/"+running.Audience, members, 409)
	c.as("DELETE", one, nil, 204)
	c.as("DELETE", path+"/"+running.Audience, nil, 409)
}

func (c *client) adminKeys() {
	const path = "/admin/v1/keys"
	c.as("GET", path, nil, 200)
	next := c.as("GET", path+"?purpose=access&alg=ES256&limit=1", nil, 200)["next"].(string)
	c.as("GET", path+"?purpose=access&alg=ES256&after="+next, nil, 200)
	c.as("GET", path+"?state=active", nil, 200)
	c.as("GET", path+"?state=lost", nil, 400)
	key, err := jot.GenerateKey(jot.ES256)
	must(c.t, err)
	text, err := key.ExportJWK()
	must(c.t, err)
	c.as("POST", path, object{"key": string(text)}, 201)
	c.as("POST", path, object{"key": string(text), "alg": "ES256"}, 409)
	c.as("POST", path+"/rotate", object{"dry_run": true}, 200)
	c.as("POST", path+"/rotate", object{}, 200)
	c.as("POST", path+"/rotate", object{"alg": "PS512"}, 404)
	c.as("GET", path, nil, 200)
	c.as("DELETE", path+"/"+key.KeyID(), nil, 204)
}

func (c *client) adminRevocations() {
	const path = "/admin/v1/revocations"
	tokens := c.tokens(call{method: "POST", path: "/v1/login", json: object{"username": "ada", "password": password}, want: 200})
	c.as("POST", path, object{"token": tokens.Access}, 204)
	c.as("POST", path, object{"token": "unknown"}, 404)
	c.as("POST", path, object{}, 400)
	c.as("POST", path, object{"client_id": running.App}, 204)
	c.as("POST", path, object{"subject": "44"}, 204)
}

func (c *client) adminEvents() {
	const path = "/admin/v1/events"
	next := c.as("GET", path+"?limit=1", nil, 200)["next"].(string)
	c.as("GET", path+"?limit=200&after="+next, nil, 200)
	c.as("GET", path+"?kind=session.issued&sub=44&since=2026-01-02T15:04:05Z&until=2999-01-02T15:04:05%2B01:00", nil, 200)
	c.as("GET", path+"?since=yesterday", nil, 400)
	lines := map[string]string{"Accept": "application/jsonl", "Authorization": "Bearer " + c.adminToken}
	events := c.do(call{method: "GET", path: path, header: lines, want: 200})
	for line := range strings.Lines(string(events)) {
		var event any
		must(c.t, json.Unmarshal([]byte(line), &event))
		if err := c.document.Components.Schemas["Event"].Value.VisitJSON(event); err != nil {
			c.t.Error(err)
		}
	}
	c.do(call{method: "GET", path: path + "?limit=1", header: lines, want: 400})
}

// revokeEverything is the last thing that anybody does.
func (c *client) revokeEverything() {
	c.as("POST", "/admin/v1/revocations", object{"everything": true}, 204)
	c.as("GET", "/admin/v1/keys", nil, 401)
}
