package admin_test

import "testing"

// TestNullChangesNothing: a member that is null is refused, and so is all that comes with it.
func TestNullChangesNothing(t *testing.T) {
	f := newFixture(t)
	f.do("POST", "/admin/v1/subjects", `{"sub":"u1","scope":"pets:read","claims":{"plan":"free"}}`).want(t, 201)
	f.do("POST", "/admin/v1/clients", `{"client_id":"client_x","scope":"pets:read","resources":["petstore"]}`).want(t, 201)
	f.do("POST", "/admin/v1/resources", `{"audience":"x","scope":"a"}`).want(t, 201)
	for path, members := range map[string][]string{
		"/admin/v1/subjects/u1":      {"scope", "claims", "disabled", "soft"},
		"/admin/v1/clients/client_x": {"name", "scope", "resources", "first_party", "access_ttl", "idle_ttl", "absolute_ttl", "access_type", "algorithm", "redirect_uris", "post_logout_redirect_uris", "backchannel_logout_uri"},
		"/admin/v1/resources/x":      {"name", "scope", "access_ttl", "algorithm"},
	} {
		before := f.do("GET", path, "").body
		for _, member := range members {
			beside := `"scope":"a"`
			if member == "scope" {
				beside = `"name":"a"`
				if path == "/admin/v1/subjects/u1" {
					beside = `"disabled":true`
				}
			}
			f.do("PATCH", path, `{`+beside+`,"`+member+`": null}`).want(t, 400)
		}
		if after := f.do("GET", path, "").body; after != before {
			t.Errorf("%s was %s and is %s", path, before, after)
		}
	}
}

// TestScopeOfClient: what a client may do is in the client. A scope of its subject would count for nothing, but for an
// administrator who isn't one.
func TestScopeOfClient(t *testing.T) {
	f := newFixture(t)
	f.backendToken()
	f.do("PATCH", "/admin/v1/subjects/client_service", `{"scope":"jot:admin"}`).want(t, 400)
	f.do("PATCH", "/admin/v1/subjects/"+f.root, `{"scope":""}`).want(t, 409)
	f.do("PATCH", "/admin/v1/subjects/client_service", `{"claims":{"tier":"gold"}}`).want(t, 200)
}
