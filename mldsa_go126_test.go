//go:build !go1.27

package jot_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
)

// Before Go 1.27 every way to an ML-DSA key says what it needs, and a set works for its other keys.
func TestMLDSANeedsGo127(t *testing.T) {
	const jwk = `{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"}`
	const pem = "-----BEGIN PRIVATE KEY-----\nMDQCAQAwCwYJYIZIAWUDBAMRBCKAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAAAAAAAA\n-----END PRIVATE KEY-----\n"
	o := jot.ParseOptions{Algorithm: jot.MLDSA44}
	p256 := signerFor(t, jot.ES256)
	errs := map[string]error{}
	_, errs["GenerateKey"] = jot.GenerateKey(jot.MLDSA87)
	_, errs["NewPrivateKey"] = jot.NewPrivateKey(jot.MLDSA65, p256, jot.KeyOptions{})
	_, errs["NewPublicKey"] = jot.NewPublicKey(jot.MLDSA44, p256.Public(), jot.KeyOptions{})
	_, errs["NewRemoteKey"] = jot.NewRemoteKey(jot.MLDSA44, p256.Public(), func(context.Context, []byte) ([]byte, error) { return nil, nil }, jot.KeyOptions{})
	_, errs["ParsePublicKey"] = jot.ParsePublicKey([]byte(jwk), jot.ParseOptions{})
	_, errs["ParsePrivateKey"] = jot.ParsePrivateKey([]byte(jwk), jot.ParseOptions{})
	_, errs["ParsePrivateKey of PEM"] = jot.ParsePrivateKey([]byte(pem), o)
	_, errs["ParsePrivateKey of PEM, another algorithm"] = jot.ParsePrivateKey([]byte(pem), jot.ParseOptions{Algorithm: jot.ES256})
	for name, err := range errs {
		if err == nil || !strings.Contains(err.Error(), "needs Go 1.27") {
			t.Errorf("%s: %v", name, err)
		}
	}
	set, err := jot.ParseKeySet([]byte(`{"keys":[`+jwk+`,{`+p256JWK+`,"alg":"ES256"}]}`), jot.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Keys()) != 1 || len(set.Skipped()) != 1 || !strings.Contains(set.Skipped()[0].Reason, "needs Go 1.27") {
		t.Errorf("keys %v, skipped %v", set.Keys(), set.Skipped())
	}
	verifier := newVerifier(t, set, strict())
	if err := verifier.Check(t.Context(), "eyJhbGciOiJNTC1EU0EtNDQifQ.e30."); err == nil {
		t.Error("an ML-DSA token was accepted")
	}
}
