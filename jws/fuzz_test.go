package jws_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jws"
)

// fixedKey is the same in every run, so that what a fuzzer finds can be found again.
func fixedKey(t testing.TB, fill byte) *jot.SecretKey {
	t.Helper()
	secret := append([]byte("the secret of these tests, fixed"), fill)
	key, err := jot.NewSecretKey(jot.HS256, secret, jot.KeyOptions{KeyID: string('a' + rune(fill))})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// No bytes make the verifier panic, answer anything but a refusal, or accept what the keys didn't sign: other spellings
// of a signed message have its payload and its protected headers.
func FuzzVerify(f *testing.F) {
	ann, bob := fixedKey(f, 0), fixedKey(f, 1)
	detached := []byte("$.02")
	var headers [][]byte
	for _, o := range []jws.SignerOptions{ofOrders, {Type: orders, Unencoded: true}, {Type: orders, Detached: true}, {Type: orders, Detached: true, Unencoded: true}} {
		payload := "an order"
		if o.Detached {
			payload = string(detached)
		}
		one, two := newSigner(f, o, ann), newSigner(f, o, bob, ann)
		f.Add(sign(f, one, payload))
		f.Add(signJSON(f, one, payload))
		f.Add(signJSON(f, two, payload))
	}
	f.Add([]byte(`{"payload":"","signatures":[{"header":{"alg":"HS256","kid":"a"},"protected":"e30","signature":""}]}`))
	for _, protected := range []string{`{"alg":"HS256","kid":"a","typ":"order+json"}`, `{"alg":"HS256","kid":"a","typ":"order+json","b64":false,"crit":["b64"]}`} {
		headers = append(headers, []byte(protected))
	}
	verifier := newVerifier(f, jws.VerifierOptions{Type: orders, Unencoded: true, UnprotectedAlgorithm: true, Critical: []string{"exp"}}, jot.NewSecretKeySet(ann))

	f.Fuzz(func(t *testing.T, data []byte) {
		original := bytes.Clone(data)
		attached, err := verifier.Verify(t.Context(), data)
		accepted(t, attached, err, "an order", headers)
		beside, err := verifier.VerifyDetached(t.Context(), data, detached)
		accepted(t, beside, err, string(detached), headers)
		if attached != nil && beside != nil {
			t.Errorf("%q has a payload, and has none", data)
		}
		if !bytes.Equal(data, original) {
			t.Errorf("%q was altered", original)
		}
	})
}

func accepted(t *testing.T, m *jws.Message, err error, payload string, headers [][]byte) {
	t.Helper()
	if err != nil {
		if m != nil || !errors.Is(err, jot.ErrInvalidToken) {
			t.Errorf("%v, %v", m, err)
		}
		return
	}
	if !payloadIs(m, payload) {
		t.Errorf("payload %q was never signed", m.Payload())
	}
	for _, s := range m.Signatures() {
		if !bytes.Equal(s.Header(), headers[0]) && !bytes.Equal(s.Header(), headers[1]) {
			t.Errorf("header %q was never signed", s.Header())
		}
	}
}

// Whatever is signed verifies, in every serialization that can hold it.
func FuzzSign(f *testing.F) {
	ann, bob := fixedKey(f, 0), fixedKey(f, 1)
	for _, payload := range []string{"", "$.02", "{}", "\xff", "\"\\\u2028", "a\x00b"} {
		f.Add([]byte(payload), "member", "value", byte(0))
		f.Add([]byte(payload), "", "\ufffd", byte(3))
	}
	f.Fuzz(func(t *testing.T, payload []byte, name, value string, flags byte) {
		o := jws.SignerOptions{Type: orders, Detached: flags&1 != 0, Unencoded: flags&2 != 0, Header: map[string]any{name: value}}
		one, err := jws.NewSigner(o, ann)
		if err != nil {
			return
		}
		verifier := newVerifier(t, jws.VerifierOptions{Type: orders, Unencoded: true}, jot.NewSecretKeySet(ann))
		check := func(message []byte, err error) {
			if err != nil { // the payload doesn't fit this serialization
				if !o.Unencoded || o.Detached {
					t.Errorf("%q can't be signed: %v", payload, err)
				}
				return
			}
			m, err := verify(t, verifier, message, string(payload), o.Detached)
			if err != nil || !payloadIs(m, string(payload)) {
				t.Fatalf("%q verifies as %v, %v", message, m, err)
			}
			var header map[string]any
			if err := m.Signatures()[0].DecodeHeader(&header); err != nil || header[name] != value {
				t.Errorf("header %v, %v", header, err)
			}
		}
		compact, err := one.Sign(t.Context(), payload)
		check([]byte(compact), err)
		check(one.SignJSON(t.Context(), payload))
		check(newSigner(t, o, bob, ann).SignJSON(t.Context(), payload))
	})
}
