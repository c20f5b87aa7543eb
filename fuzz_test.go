package jot_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/jot-auth/jot"
)

// No bytes make the verifier panic, accept without its key, or answer anything but a refusal.
func FuzzVerify(f *testing.F) {
	key := generateSecret(f)
	verifier := newVerifier(f, jot.NewSecretKeySet(key), strict())
	valid := sign(f, key, jot.SignerOptions{}, accessClaims())
	f.Add(valid)
	f.Add("e30.e30.")
	f.Add("..")
	f.Add(rfc7515[0].token)
	f.Fuzz(func(t *testing.T, raw string) {
		token, err := verifier.Verify(t.Context(), raw)
		if raw != valid && (token != nil || !errors.Is(err, jot.ErrInvalidToken)) {
			t.Errorf("%q: %v, %v", raw, token, err)
		}
		inspected := jot.Inspect(raw)
		if errors.Is(err, jot.ErrSignature) && inspected.Header.Err != nil {
			t.Errorf("Verify could read the header, Inspect could not: %v", inspected.Err())
		}
	})
}

// Whatever the payload under a good signature is, a token that is accepted says what encoding/json reads.
func FuzzPayload(f *testing.F) {
	key := generateSecret(f)
	o := strict()
	o.Issuer, o.AnyIssuer, o.Audience, o.AnyAudience, o.NoExpiry = "", true, "", true, true
	verifier := newVerifier(f, jot.NewSecretKeySet(key), o)
	valid, _ := json.Marshal(accessClaims())
	f.Add(valid)
	f.Add([]byte(`{"sub":"\u0061","aud":["x",""],"iat":1.5e1}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		token, err := verifier.Verify(t.Context(), forge(key, `{"alg":"HS256"}`, string(payload)))
		if err != nil {
			return
		}
		claims := map[string]any{}
		decoder := json.NewDecoder(bytes.NewReader(payload))
		decoder.UseNumber() // a number that no claim is made of may be larger than a float64
		err = decoder.Decode(&claims)
		if subject, _ := claims["sub"].(string); err != nil || subject != token.Subject() {
			t.Errorf("%q: jot reads %q, encoding/json %q, %v", payload, token.Subject(), subject, err)
		}
		if !bytes.Equal(token.Payload(), payload) {
			t.Errorf("the payload changed: %q", token.Payload())
		}
	})
}

func FuzzParseKey(f *testing.F) {
	f.Add([]byte(`{` + p256JWK + `,"alg":"ES256"}`))
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n"))
	exported, _ := generate(f, jot.EdDSA).ExportJWK()
	f.Add(exported)
	f.Fuzz(func(t *testing.T, data []byte) {
		if key, err := jot.ParsePrivateKey(data, jot.ParseOptions{}); err == nil {
			if _, err := key.ExportJWK(); err != nil {
				t.Errorf("%q was read, but can't be written: %v", data, err)
			}
		}
		key, err := jot.ParsePublicKey(data, jot.ParseOptions{})
		if err != nil {
			return
		}
		written, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := jot.ParsePublicKey(written, jot.ParseOptions{}); err != nil || again.KeyID() != key.KeyID() {
			t.Errorf("%q was written as %s, which reads as %v, %v", data, written, again, err)
		}
	})
}

func FuzzParseKeySet(f *testing.F) {
	f.Add([]byte(`{"keys":[{` + p256JWK + `,"alg":"ES256"},{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := jot.ParseKeySet(data, jot.ParseOptions{})
		if err != nil {
			return
		}
		written, err := json.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := jot.ParseKeySet(written, jot.ParseOptions{}); err != nil || len(again.Keys()) != len(set.Keys()) {
			t.Errorf("%q was written as %s, which reads as %v, %v", data, written, again, err)
		}
	})
}
