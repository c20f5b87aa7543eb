//go:build go1.27

package jot_test

import (
	"context"
	"crypto"
	"crypto/mldsa"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
)

// The private keys of RFC 9964, appendix A, have the seed of zeros; their key IDs are their thumbprints.
var rfc9964 = []struct {
	alg           jot.Algorithm
	parameters    mldsa.Parameters
	thumbprint    string
	signatureSize int
}{
	{jot.MLDSA44, mldsa.MLDSA44(), "T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o", mldsa.MLDSA44SignatureSize},
	{jot.MLDSA65, mldsa.MLDSA65(), "Suiu29qbfuaBaR4Ats-c6XQBePB_OpAxAwcTR_0KXVM", mldsa.MLDSA65SignatureSize},
	{jot.MLDSA87, mldsa.MLDSA87(), "tRn1JNIkgMsABVQBlXeDHxAIcclh-2IX0UdDEzPt5XU", mldsa.MLDSA87SignatureSize},
}

func TestMLDSA(t *testing.T) {
	for _, example := range rfc9964 {
		t.Run(string(example.alg), func(t *testing.T) {
			material, err := mldsa.NewPrivateKey(example.parameters, make([]byte, mldsa.PrivateKeySize))
			if err != nil {
				t.Fatal(err)
			}
			fixed, err := jot.NewPrivateKey(example.alg, material, jot.KeyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if fixed.KeyID() != example.thumbprint {
				t.Errorf("thumbprint %s", fixed.KeyID())
			}
			uri, err := fixed.Public().ThumbprintURI()
			if want := "urn:ietf:params:oauth:jwk-thumbprint:sha-256:" + example.thumbprint; uri != want || err != nil {
				t.Errorf("thumbprint %s, %v", uri, err)
			}
			remote, err := jot.NewRemoteKey(example.alg, material.Public(), func(_ context.Context, input []byte) ([]byte, error) {
				return material.Sign(nil, input, nil)
			}, jot.KeyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range []*jot.PrivateKey{fixed, remote, generate(t, example.alg), throughJWK(t, fixed), throughPEM(t, fixed)} {
				token := sign(t, key, jot.SignerOptions{}, claims())
				if err := newVerifier(t, jot.NewKeySet(key.Public()), strict()).Check(t.Context(), token); err != nil {
					t.Error(err)
				}
				if signature, err := key.SignInput(t.Context(), nil); err != nil || len(signature) != example.signatureSize {
					t.Errorf("a signature of %d bytes, %v", len(signature), err)
				}
			}
			testMLDSASignatures(t, fixed, material)
		})
	}
}

func throughJWK(t *testing.T, key *jot.PrivateKey) *jot.PrivateKey {
	t.Helper()
	text, err := key.ExportJWK()
	if err != nil {
		t.Fatal(err)
	}
	again, err := jot.ParsePrivateKey(text, jot.ParseOptions{})
	if err != nil || again.KeyID() != key.KeyID() {
		t.Fatal(again, err)
	}
	if public, err := jot.ParsePublicKey(text, jot.ParseOptions{}); err == nil {
		t.Errorf("a private key was read as public: %v", public)
	}
	public, err := json.Marshal(key.Public())
	if err != nil || strings.Contains(string(public), "priv") {
		t.Errorf("%s, %v", public, err)
	}
	set, err := jot.ParseKeySet([]byte(`{"keys":[`+string(public)+`,`+string(text)+`]}`), jot.ParseOptions{})
	if err != nil || len(set.Keys()) != 1 || set.Keys()[0].KeyID() != key.KeyID() || len(set.Skipped()) != 1 {
		t.Errorf("%v, %v", set, err)
	}
	return again
}

func throughPEM(t *testing.T, key *jot.PrivateKey) *jot.PrivateKey {
	t.Helper()
	text, err := key.ExportPEM()
	if err != nil {
		t.Fatal(err)
	}
	again, err := jot.ParsePrivateKey(text, jot.ParseOptions{Algorithm: key.Algorithm()})
	if err != nil || again.KeyID() != key.KeyID() {
		t.Fatal(again, err)
	}
	if text, err = key.Public().ExportPEM(); err != nil {
		t.Fatal(err)
	}
	if public, err := jot.ParsePublicKey(text, jot.ParseOptions{Algorithm: key.Algorithm()}); err != nil || public.KeyID() != key.KeyID() {
		t.Error(public, err)
	}
	return again
}

// JOSE signs with the empty context (RFC 9964 §2), and a signature with another one is none.
func testMLDSASignatures(t *testing.T, key *jot.PrivateKey, material *mldsa.PrivateKey) {
	input := []byte("input")
	signature, err := key.SignInput(t.Context(), input)
	if err != nil {
		t.Fatal(err)
	}
	inContext, err := material.Sign(nil, input, &mldsa.Options{Context: "other"})
	if err != nil {
		t.Fatal(err)
	}
	flipped := append([]byte(nil), signature...)
	flipped[7] ^= 1
	for name, c := range map[string]struct {
		signature []byte
		want      bool
	}{
		"good": {signature, true}, "flipped": {flipped, false}, "cut": {signature[1:], false}, "long": {append(flipped, 0), false}, "in a context": {inContext, false}, "none": {nil, false},
	} {
		if got := key.Public().VerifyInput(input, c.signature); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestMLDSARefusals(t *testing.T) {
	small, err := mldsa.GenerateKey(mldsa.MLDSA44())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		alg jot.Algorithm
		key crypto.Signer
	}{
		"another parameter set": {jot.MLDSA65, small}, "Ed25519's algorithm": {jot.EdDSA, small}, "ECDSA's": {jot.ES256, small}, "RSA's": {jot.RS256, small},
		"an ECDSA key": {jot.MLDSA44, signerFor(t, jot.ES256)}, "a nil key": {jot.MLDSA44, (*mldsa.PrivateKey)(nil)}, "an empty key": {jot.MLDSA44, new(mldsa.PrivateKey)},
	} {
		if key, err := jot.NewPrivateKey(c.alg, c.key, jot.KeyOptions{}); err == nil {
			t.Errorf("%s: %v", name, key)
		}
	}
	if key, err := jot.NewPublicKey(jot.MLDSA44, new(mldsa.PublicKey), jot.KeyOptions{}); err == nil {
		t.Errorf("an empty public key: %v", key)
	}
	token := sign(t, generate(t, jot.MLDSA44), jot.SignerOptions{}, claims())
	verifier := newVerifier(t, jot.NewKeySet(generate(t, jot.MLDSA44).Public()), strict())
	if err := verifier.Check(t.Context(), token); !errors.Is(err, jot.ErrUnknownKey) {
		t.Error(err)
	}
}
