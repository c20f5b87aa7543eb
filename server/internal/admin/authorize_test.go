package admin_test

import (
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

// TestAuthorize: every route but those of the bootstrap wants a good token for this very API, with the scope, as a
// bearer.
func TestAuthorize(t *testing.T) {
	f := newFixture(t)
	f.do("POST", "/admin/v1/subjects", `{"sub":"u1","scope":"pets:read jot:sessions"}`).want(t, 201)
	pets := f.issue(issuer.Grant{Subject: "u1", ClientID: "client_app"}).Access
	backend := f.issue(issuer.Grant{Subject: "u1", ClientID: "client_backend", Resource: f.issuer.AdminAudience()}).Access
	scopeless := f.issue(issuer.Grant{Subject: "u1", ClientID: issuer.CommandClient, Resource: f.issuer.AdminAudience()}).Access
	root, err := f.issuer.Verifier().Verify(t.Context(), f.token)
	if err != nil {
		t.Fatal(err)
	}
	bound := f.issue(issuer.Grant{Subject: root.Subject(), ClientID: issuer.CommandClient, Resource: f.issuer.AdminAudience(), KeyThumbprint: strings.Repeat("A", 43)}).Access
	for _, route := range []string{
		"GET /subjects", "POST /subjects", "GET /subjects/u1", "PATCH /subjects/u1", "POST /subjects/u1/logout", "PUT /subjects/u1/password",
		"GET /sessions", "POST /sessions", "GET /sessions/s", "DELETE /sessions/s", "GET /events", "DELETE /subjects/u1",
		"GET /clients", "POST /clients", "GET /clients/c", "PATCH /clients/c", "DELETE /clients/c", "POST /clients/c/secret",
		"GET /resources", "POST /resources", "GET /resources/r", "PATCH /resources/r", "DELETE /resources/r",
		"GET /keys", "POST /keys", "POST /keys/rotate", "DELETE /keys/k", "POST /revocations",
	} {
		method, path, _ := strings.Cut(route, " ")
		path = "/admin/v1" + path
		if got := f.call(method, path, ""); got.status != 401 || got.header.Get("WWW-Authenticate") != `Bearer realm="jot"` {
			t.Errorf("%s without a token: %d %q", route, got.status, got.header.Get("WWW-Authenticate"))
		}
		if got := f.call(method, path, "", "Cookie", "__Host-jot="+f.token); got.status != 401 {
			t.Errorf("%s with a cookie: %d", route, got.status)
		}
		for name, token := range map[string]string{"another API's": pets, "a broken": f.token[:len(f.token)-4] + "AAAA", "no": "x", "a bound": bound} {
			got := f.as(token, method, path, "")
			if got.status != 401 || !strings.Contains(got.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
				t.Errorf("%s with %s token: %d %q", route, name, got.status, got.header.Get("WWW-Authenticate"))
			}
		}
		if got := f.as(scopeless, method, path, ""); got.status != 403 || !strings.Contains(got.header.Get("WWW-Authenticate"), `error="insufficient_scope", scope="jot:admin"`) {
			t.Errorf("%s without a scope: %d %q", route, got.status, got.header.Get("WWW-Authenticate"))
		}
		if got := f.as(backend, method, path, ""); (got.status != 403) != (route == "POST /sessions") {
			t.Errorf("%s with jot:sessions: %d", route, got.status)
		}
	}
}

// TestRevokedAdmin: the token of somebody who was an administrator opens nothing any more.
func TestRevokedAdmin(t *testing.T) {
	f := newFixture(t)
	second := f.bootstrap("second")
	token := f.adminToken(second)
	f.as(token, "GET", "/admin/v1/subjects", "").want(t, 200)
	f.do("PATCH", "/admin/v1/subjects/"+second, `{"scope":""}`).want(t, 200)
	f.as(token, "GET", "/admin/v1/subjects", "").want(t, 401)
}

func TestBadInput(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/subjects?limit=0", "", 400},
		{"GET", "/subjects?limit=201", "", 400},
		{"GET", "/subjects?limit=x", "", 400},
		{"GET", "/subjects?limit=1&limit=1", "", 400},
		{"GET", "/subjects?after=!", "", 400},
		{"GET", "/subjects?after=MTIz", "", 400},
		{"GET", "/subjects?nonsense=1", "", 400},
		{"GET", "/subjects?disabled=yes", "", 400},
		{"GET", "/subjects?%zz", "", 400},
		{"GET", "/subjects?username=a&after=!", "", 400},
		{"GET", "/sessions?live=1", "", 400},
		{"GET", "/events?since=yesterday", "", 400},
		{"GET", "/events?after=MTIzIHg", "", 400},
		{"POST", "/subjects", `{"sub":"client_x"}`, 400},
		{"POST", "/subjects", `{"sub":"x","role":"admin"}`, 400},
		{"POST", "/subjects", `{"sub":"x","sub":"y"}`, 400},
		{"POST", "/subjects", `{"username":"ada"}`, 400},
		{"POST", "/subjects", `{"password":"` + password + `"}`, 400},
		{"POST", "/subjects", `{"sub":"x","claims":{"iss":"me"}}`, 400},
		{"POST", "/subjects", `{"sub":"x","claims":null}`, 400},
		{"POST", "/subjects", `{"sub":"x","scope":"a  b"}`, 400},
		{"POST", "/subjects", `[]`, 400},
		{"PATCH", "/subjects/" + f.root, `{}`, 400},
		{"PATCH", "/subjects/" + f.root, `{"claims":[]}`, 400},
		{"PATCH", "/subjects/nobody", `{"disabled":true}`, 404},
		{"GET", "/subjects/nobody", "", 404},
		{"POST", "/subjects/nobody/logout", "", 404},
		{"PUT", "/subjects/nobody/password", `{"password":"` + password + `"}`, 404},
		{"PUT", "/subjects/" + f.root + "/password", `{"password":"short"}`, 400},
		{"GET", "/sessions/nothing", "", 404},
		{"DELETE", "/sessions/nothing", "", 404},
		{"DELETE", "/keys/nothing", "", 404},
		{"PUT", "/subjects/" + f.root, "", 405},
		{"GET", "/nonsense", "", 404},
	} {
		if got := f.do(c.method, "/admin/v1"+c.path, c.body); got.status != c.status {
			t.Errorf("%s %s %s: %d, want %d: %s", c.method, c.path, c.body, got.status, c.status, got.body)
		}
	}
	if got := f.as(f.token, "POST", "/admin/v1/subjects", `{"sub":"x"}`, "Content-Type", "text/plain"); got.status != 415 {
		t.Errorf("text: %d", got.status)
	}
	if text := f.log.String(); text != "" {
		t.Errorf("the log has errors: %s", text)
	}
}
