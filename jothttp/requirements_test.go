package jothttp_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
)

// What is required is what was stated then, whatever the caller does with the slice later, as in a loop over routes that uses one for all.
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
