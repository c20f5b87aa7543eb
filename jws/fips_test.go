package jws_test

import (
	"testing"

	"github.com/jot-auth/jot"
)

// Every algorithm of this package is approved: this test passes under GODEBUG=fips140=only as it does without.
func TestFIPSAlgorithms(t *testing.T) {
	for _, alg := range everyAlgorithm {
		key, source := generate(t, alg)
		other, otherSource := generate(t, jot.ES384)
		verifier := newVerifier(t, acceptsOrders, source, otherSource)
		if _, err := verifier.Verify(t.Context(), signJSON(t, newSigner(t, ofOrders, key, other), order)); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}
