package admin_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jot-auth/jot/server/internal/webtest"
	"github.com/jot-auth/jot/server/issuer"
)

// backendToken is the token of a backend that holds jot:sessions and nothing else.
func (f *fixture) backendToken() string {
	f.Helper()
	f.do("POST", "/admin/v1/clients", `{"client_id":"client_service","confidential":true,"scope":"jot:sessions"}`).want(f.T, 201)
	tokens, err := f.issuer.IssueToClient(f.Context(), issuer.ClientGrant{Client: issuer.KnownClient(issuer.Client{ID: "client_service"}), Resource: f.issuer.AdminAudience()})
	if err != nil {
		f.Fatal(err)
	}
	return tokens.Access
}

// TestBringYourOwnLogin: a backend makes and changes its users as it begins their sessions.
func TestBringYourOwnLogin(t *testing.T) {
	f := newFixture(t)
	backend := f.backendToken()
	first := f.as(backend, "POST", "/admin/v1/sessions", `{"sub":"user-42","claims":{"plan":"free"},"scope":"pets:read","client_id":"client_app","amr":["pwd"],"user_agent":"phone","address":"192.0.2.7"}`).want(t, 201)
	token, err := f.issuer.Verifier().Verify(t.Context(), first["access_token"].(string))
	if err != nil || token.Subject() != "user-42" || token.Scope() != "pets:read" || first["sub"] != "user-42" || first["sid"] != token.SessionID() {
		t.Fatalf("%v, %v", first, err)
	}
	session := f.do("GET", "/admin/v1/sessions/"+token.SessionID(), "").want(t, 200)
	if session["user_agent"] != "phone" || session["address"] != "192.0.2.7" || session["client_id"] != "client_app" {
		t.Errorf("session %v", session)
	}
	f.as(backend, "POST", "/admin/v1/sessions", `{"sub":"user-42","client_id":"client_app"}`).want(t, 201) // it's known by now
	if _, err := f.issuer.Verifier().Verify(t.Context(), first["access_token"].(string)); err != nil {
		t.Errorf("another login made the first token bad: %v", err)
	}
	f.as(backend, "POST", "/admin/v1/sessions", `{"sub":"user-42","claims":{"plan":"gold"},"scope":"pets:read","client_id":"client_app"}`).want(t, 201)
	if _, err := f.issuer.Verifier().Verify(t.Context(), first["access_token"].(string)); err == nil {
		t.Error("a token with the old claims is still good")
	}
	f.wantEvents("user-42", "subject.created", "session.issued", "session.issued", "subject.changed", "session.issued")
	for body, status := range map[string]int{
		`{"sub":"nobody","client_id":"client_app"}`:                 404,
		`{"sub":"user-42","client_id":"client_nobody"}`:             400,
		`{"sub":"user-42","client_id":"client_app","resource":"x"}`: 400,
		`{"sub":"user-42","client_id":"client_app","scope":"x"}`:    400,
		`{"sub":"user-42"}`:          400,
		`{"client_id":"client_app"}`: 400,
		`{"sub":"client_app","client_id":"client_app","claims":{}}`:          400,
		`{"sub":"client_service","client_id":"client_app"}`:                  400, // it has acted for itself: its subject exists
		`{"sub":"user-42","client_id":"client_app","claims":{"sub":"root"}}`: 400,
		`{"sub":"user-42","client_id":"client_app","amr":["two words"]}`:     400,
	} {
		f.as(backend, "POST", "/admin/v1/sessions", body).want(t, status)
	}
	large, long := strings.Repeat("x", 1900), strings.Repeat("y", 250)
	f.do("POST", "/admin/v1/resources", webtest.Object(t, map[string]any{"audience": long, "scope": wide(64)})).want(t, 201)
	f.do("POST", "/admin/v1/clients", webtest.Object(t, map[string]any{"client_id": "client_wide", "scope": wide(64)})).want(t, 201)
	f.as(backend, "POST", "/admin/v1/sessions", webtest.Object(t, map[string]any{"sub": "wide", "client_id": "client_wide", "resource": long, "claims": map[string]any{"a": large}, "scope": wide(64)})).want(t, 400)
	f.do("PATCH", "/admin/v1/subjects/user-42", `{"disabled":true}`).want(t, 200)
	f.as(backend, "POST", "/admin/v1/sessions", `{"sub":"user-42","client_id":"client_app","claims":{"plan":"gold"}}`).want(t, 409)
}

// wide is a scope of n long words.
func wide(n int) string {
	words := make([]string, n)
	for n := range words {
		words[n] = strconv.Itoa(n) + strings.Repeat("z", 60)
	}
	return strings.Join(words, " ")
}

// TestNoEscalation: whoever only brings a login gets no token for the admin API, makes no administrator, and touches
// none.
func TestNoEscalation(t *testing.T) {
	f := newFixture(t)
	backend := f.backendToken()
	before := f.do("GET", "/admin/v1/subjects/"+f.root, "").body
	for _, body := range []string{
		`{"sub":"eve","claims":{},"scope":"jot:admin","client_id":"client_jot"}`,
		`{"sub":"eve","claims":{},"scope":"jot:admin pets:read","client_id":"client_app"}`,
		`{"sub":"eve","claims":{},"scope":"jot:sessions","client_id":"client_backend"}`,
		`{"sub":"eve","claims":{},"client_id":"client_jot"}`,
		`{"sub":"eve","claims":{},"client_id":"client_app","resource":"` + f.issuer.AdminAudience() + `"}`,
		`{"sub":"` + f.root + `","client_id":"client_jot"}`,
		`{"sub":"` + f.root + `","client_id":"client_app"}`,
		`{"sub":"` + f.root + `","claims":{},"scope":"","client_id":"client_app"}`,
		`{"sub":"` + f.root + `","claims":{"role":"x"},"client_id":"client_app"}`,
	} {
		for name, token := range map[string]string{"backend": backend, "administrator": f.token} {
			if got := f.as(token, "POST", "/admin/v1/sessions", body).want(t, 403)["type"]; got != "urn:jot:problem:admin-only" {
				t.Errorf("%s %s: %v", name, body, got)
			}
		}
	}
	if after := f.do("GET", "/admin/v1/subjects/"+f.root, "").body; after != before {
		t.Errorf("the administrator was %s and is %s", before, after)
	}
	f.do("GET", "/admin/v1/subjects/eve", "").want(t, 404)
}

// TestEscalationRace: a user who becomes an administrator while a backend begins its session and sets its scope is one
// afterwards, or was refused; the backend never takes the scope away again.
func TestEscalationRace(t *testing.T) {
	f := newFixture(t)
	backend := f.backendToken()
	for _, id := range strings.Fields("a b c d e f g h") {
		f.do("POST", "/admin/v1/subjects", `{"sub":"`+id+`"}`).want(t, 201)
		var wait sync.WaitGroup
		wait.Go(func() { f.do("PATCH", "/admin/v1/subjects/"+id, `{"scope":"jot:admin"}`).want(t, 200) })
		wait.Go(func() {
			got := f.as(backend, "POST", "/admin/v1/sessions", `{"sub":"`+id+`","claims":{"x":1},"scope":"pets:read","client_id":"client_app"}`)
			if got.status != 201 && got.status != 403 {
				t.Errorf("status %d: %s", got.status, got.body)
			}
		})
		wait.Wait()
		if s, err := f.issuer.Subject(t.Context(), id); err != nil || strings.Join(s.Scope, " ") != "jot:admin" {
			t.Errorf("scope %v, %v", s.Scope, err)
		}
	}
}

// TestRevocations: everything of a client, of everybody, or one token, is refused from then on, and so are the
// sessions.
func TestRevocations(t *testing.T) {
	f := newFixture(t)
	f.do("POST", "/admin/v1/subjects", `{"sub":"u1","scope":"pets:read"}`).want(t, 201)
	gone := func(what string, tokens issuer.Tokens, client string) {
		t.Helper()
		if _, err := f.issuer.Verifier().Verify(t.Context(), tokens.Access); err == nil {
			t.Errorf("%s: the access token is still good", what)
		}
		if _, err := f.issuer.Refresh(t.Context(), issuer.RefreshRequest{Token: tokens.Refresh, ClientID: client}); err == nil {
			t.Errorf("%s: the session goes on", what)
		}
	}
	mine := issuer.Grant{Subject: "u1", ClientID: "client_app"}
	one := f.issue(mine)
	f.do("POST", "/admin/v1/revocations", webtest.Object(t, map[string]any{"token": one.Access})).want(t, 204)
	if _, err := f.issuer.Verifier().Verify(t.Context(), one.Access); err == nil {
		t.Error("the revoked token is still good")
	}
	f.do("POST", "/admin/v1/revocations", webtest.Object(t, map[string]any{"token": one.Refresh})).want(t, 204)
	gone("refresh token", one, "client_app")
	two, other := f.issue(mine), f.issue(issuer.Grant{Subject: "u1", ClientID: "client_backend"})
	f.do("POST", "/admin/v1/revocations", `{"client_id":"client_app"}`).want(t, 204)
	gone("client", two, "client_app")
	if _, err := f.issuer.Verifier().Verify(t.Context(), other.Access); err != nil {
		t.Errorf("another client's token is refused: %v", err)
	}
	for body, status := range map[string]int{
		`{}`: 400, `{"everything":false}`: 400, `{"token":"x"}`: 404, `{"token":"jrt_x"}`: 404, `{"subject":"nobody"}`: 404, `{"client_id":"client_nobody"}`: 404,
		`{"token":"` + one.Refresh[:len(one.Refresh)-4] + `AAAA"}`: 404, `{"subject":"u1","client_id":"client_app"}`: 400,
	} {
		f.do("POST", "/admin/v1/revocations", body).want(t, status)
	}
	f.do("POST", "/admin/v1/revocations", `{"everything":true}`).want(t, 204)
	gone("everything", other, "client_backend")
	f.do("GET", "/admin/v1/subjects", "").want(t, 401)
}
