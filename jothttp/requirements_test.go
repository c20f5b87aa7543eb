package jothttp_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
)

func TestRequireScope(t *testing.T) {
	for _, test := range []struct {
		scopes    []string
		status    int
		challenge string
	}{
		{[]string{"pets:read"}, 200, ""},
		{[]string{"pets:write", "pets:read"}, 200, ""},
		{[]string{"pets"}, 403, `Bearer realm="pet store", error="insufficient_scope", scope="pets"`},
		{[]string{"PETS:READ"}, 403, `Bearer realm="pet store", error="insufficient_scope", scope="PETS:READ"`},
		{[]string{"pets:read", "pets:admin"}, 403, `Bearer realm="pet store", error="insufficient_scope", scope="pets:read pets:admin"`},
	} {
		a := newAPI(t)
		a.options.Realm = "pet store"
		a.wrap = jothttp.RequireScope(test.scopes...)
		check(t, a.serve(request("GET", "Authorization: Bearer "+a.token(t, time.Minute))), test.status, test.challenge)
		if told := len(a.reasons); (told == 1) != (test.status == 403) {
			t.Errorf("OnRefuse was called %d times", told)
		}
		check(t, a.serve(request("GET")), 401, `Bearer realm="pet store"`)
	}
}

func TestRequire(t *testing.T) {
	type claims struct {
		Scope string `json:"scope"`
	}
	type foreign struct {
		Scope []string `json:"scope"`
	}
	has := func(scope string) func(claims) bool {
		return func(c claims) bool { return strings.Contains(c.Scope, scope) }
	}
	for name, test := range map[string]struct {
		require func(http.Handler) http.Handler
		status  int
	}{
		"permitted":              {jothttp.Require(has("pets:read")), 200},
		"not permitted":          {jothttp.Require(has("pets:admin")), 403},
		"claims of another type": {jothttp.Require(func(foreign) bool { return true }), 403},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			a.options.Realm, a.wrap = "pet store", test.require
			check(t, a.serve(request("GET", "Authorization: Bearer "+a.token(t, time.Minute))), test.status, "")
			if told := len(a.reasons); (told == 1) != (test.status == 403) {
				t.Errorf("OnRefuse was called %d times", told)
			}
			check(t, a.serve(request("GET")), 401, `Bearer realm="pet store"`)
		})
	}
}

func TestRequirementsFailClosedWithoutProtect(t *testing.T) {
	for _, require := range []func(http.Handler) http.Handler{
		jothttp.RequireScope("pets:read"),
		jothttp.Require(func(struct{}) bool { return true }),
		jothttp.StepUp{MaxAge: time.Minute}.Require(),
	} {
		h := require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			t.Error("the request got through")
		}))
		for _, r := range []*http.Request{
			request("GET"),
			request("OPTIONS", "Origin: https://shop.example", "Access-Control-Request-Method: PUT"),
		} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			check(t, w.Result(), 500, "")
		}
	}
}

// What is required is what was stated then, whatever the caller does with the slice later, as in a loop over routes
// that uses one for all.
func TestRequirementsAreCopied(t *testing.T) {
	scopes, classes := []string{"pets:admin"}, []string{"strong"}
	requirements := map[string]func(http.Handler) http.Handler{
		"scope": jothttp.RequireScope(scopes...), "class": jothttp.StepUp{ACR: classes}.Require(),
	}
	scopes[0], classes[0] = "pets:read", ""
	for name, require := range requirements {
		a := newAPI(t)
		a.wrap = require
		if got := a.serve(request("GET", "Authorization: Bearer "+a.token(t, time.Minute))); got.StatusCode == 200 {
			t.Errorf("the %s that was written into the slice later is enough", name)
		}
	}
	algorithms := []jot.Algorithm{jot.ES256}
	verifier, err := jothttp.NewProofVerifier(jothttp.ProofOptions{Algorithms: algorithms})
	if err != nil {
		t.Fatal(err)
	}
	if algorithms[0] = jot.RS256; verifier.Algorithms()[0] != jot.ES256 {
		t.Error("a verifier of proofs takes on other algorithms")
	}
}
