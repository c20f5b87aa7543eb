//go:build go1.27

package jot_test

import (
	"testing"

	"github.com/jot-auth/jot"
)

func TestFIPSMLDSA(t *testing.T) {
	for _, alg := range []jot.Algorithm{jot.MLDSA44, jot.MLDSA65, jot.MLDSA87} {
		private := generate(t, alg)
		token := sign(t, private, jot.SignerOptions{}, claims())
		if err := newVerifier(t, published(t, private), strict()).Check(t.Context(), token); err != nil {
			t.Error(alg, err)
		}
	}
}
