package jot_test

import (
	"crypto"
	"encoding/json"
	"testing"

	"github.com/jot-auth/jot"
)

// Every algorithm of this package is approved. The test passes in any mode, and is run with GODEBUG=fips140=only, where
// the standard library refuses whatever isn't.
func TestFIPSAlgorithms(t *testing.T) {
	for _, alg := range everyAlgorithm {
		t.Run(string(alg), func(t *testing.T) {
			var signing jot.SigningKey
			var keys jot.KeySource
			if alg.Symmetric() {
				secret := generateSecretFor(t, alg)
				signing, keys = secret, jot.NewSecretKeySet(secret)
			} else {
				private := newPrivate(t, alg)
				signing, keys = private, published(t, private)
			}
			token := sign(t, signing, jot.SignerOptions{}, claims())
			if err := newVerifier(t, keys, strict()).Check(t.Context(), token); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFIPSGenerateKey(t *testing.T) {
	for _, alg := range []jot.Algorithm{jot.RS256, jot.ES256, jot.ES384, jot.ES512, jot.EdDSA} {
		key := generate(t, alg)
		token := sign(t, key, jot.SignerOptions{}, claims())
		if err := newVerifier(t, jot.NewKeySet(key.Public()), strict()).Check(t.Context(), token); err != nil {
			t.Error(alg, err)
		}
	}
}

// published takes a key through every form that it has: JWK and PEM, private and public.
func published(t *testing.T, private *jot.PrivateKey) *jot.KeySet {
	t.Helper()
	o := jot.ParseOptions{Algorithm: private.Algorithm()}
	for _, export := range []func() ([]byte, error){private.ExportJWK, private.ExportPEM} {
		text, err := export()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := jot.ParsePrivateKey(text, o); err != nil || again.KeyID() != private.KeyID() {
			t.Error(again, err)
		}
	}
	text, err := private.Public().ExportPEM()
	if err != nil {
		t.Fatal(err)
	}
	public, err := jot.ParsePublicKey(text, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		if digest, err := public.Thumbprint(hash); err != nil || len(digest) != hash.Size() {
			t.Errorf("%x, %v", digest, err)
		}
	}
	document, err := json.Marshal(jot.NewKeySet(public))
	if err != nil {
		t.Fatal(err)
	}
	set, err := jot.ParseKeySet(document, jot.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}
