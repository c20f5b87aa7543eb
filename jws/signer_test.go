package jws_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jws"
)

// Whatever is signed, in whichever way, verifies and is the same.
func TestRoundTrips(t *testing.T) {
	hs, hsKeys := generate(t, jot.HS256)
	es, esKeys := generate(t, jot.ES256)
	payloads := []string{"", order, "$.02", "plain text", "line\nbreak", `"quoted\u0041"`, "\u2028 \U0001f600", "\x00\xff\xfe", strings.Repeat("0123456789abcdef", 4096)}
	for _, detached := range []bool{false, true} {
		for _, unencoded := range []bool{false, true} {
			o := jws.SignerOptions{Type: orders, Detached: detached, Unencoded: unencoded}
			one, two := newSigner(t, o, hs), newSigner(t, o, es, hs)
			sources := map[string][]jot.KeySource{"compact": {hsKeys}, "flattened": {hsKeys}, "general": {hsKeys, esKeys}}
			for _, payload := range payloads {
				compact, compactErr := one.Sign(t.Context(), []byte(payload))
				flattened, flattenedErr := one.SignJSON(t.Context(), []byte(payload))
				general, generalErr := two.SignJSON(t.Context(), []byte(payload))
				if !detached && unencoded && strings.ContainsFunc(payload, func(c rune) bool { return c == '.' || c < ' ' || c > '~' }) != (compactErr != nil) {
					t.Errorf("%q in compact serialization: %v", payload, compactErr)
				}
				if !detached && unencoded && utf8.ValidString(payload) == (flattenedErr != nil) || (flattenedErr == nil) != (generalErr == nil) {
					t.Errorf("%q in JSON: %v, %v", payload, flattenedErr, generalErr)
				}
				for form, message := range map[string][]byte{"compact": []byte(compact), "flattened": flattened, "general": general} {
					if len(message) == 0 {
						continue // refused, see above
					}
					verifier := newVerifier(t, jws.VerifierOptions{Type: orders, Unencoded: true}, sources[form]...)
					check(t, verifier, message, payload, detached)
					if unencoded {
						m, err := verify(t, newVerifier(t, acceptsOrders, sources[form]...), message, payload, detached)
						refused(t, m, err, jot.ErrMalformed)
					}
				}
			}
		}
	}
}

func verify(t *testing.T, v *jws.Verifier, message []byte, payload string, detached bool) (*jws.Message, error) {
	if detached {
		return v.VerifyDetached(t.Context(), message, []byte(payload))
	}
	return v.Verify(t.Context(), message)
}

// check verifies a message the right way, and then as if the payload were in the other place.
func check(t *testing.T, v *jws.Verifier, message []byte, payload string, detached bool) {
	t.Helper()
	m, err := verify(t, v, message, payload, detached)
	if err != nil || !payloadIs(m, payload) {
		t.Fatalf("%q: %v, %v", message, m, err)
	}
	if compactWithNone := payload == "" && message[0] != '{'; !compactWithNone {
		m, err = verify(t, v, message, payload, !detached)
		refused(t, m, err, jot.ErrInvalidToken)
	}
	if detached {
		m, err = v.VerifyDetached(t.Context(), message, []byte(payload+"x"))
		refused(t, m, err, jot.ErrSignature)
	}
}

func TestEveryAlgorithm(t *testing.T) {
	for _, alg := range everyAlgorithm {
		t.Run(string(alg), func(t *testing.T) {
			key, source := generate(t, alg)
			message, err := newVerifier(t, acceptsOrders, source).Verify(t.Context(), sign(t, newSigner(t, ofOrders, key), order))
			if err != nil {
				t.Fatal(err)
			}
			if s := message.Signatures()[0]; s.Algorithm() != alg || s.KeyID() != key.KeyID() {
				t.Errorf("signed by %v", s)
			}
		})
	}
}

func TestHeader(t *testing.T) {
	key, err := jot.NewSecretKey(jot.HS256, []byte("the secret of these tests, fixed"), jot.KeyOptions{KeyID: "k"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		options jws.SignerOptions
		want    string
	}{
		{jws.SignerOptions{NoType: true}, `{"alg":"HS256","kid":"k"}`},
		{jws.SignerOptions{Type: orders, ContentType: "text/plain"}, `{"alg":"HS256","kid":"k","typ":"order+json","cty":"text/plain"}`},
		{jws.SignerOptions{Type: orders, Unencoded: true}, `{"alg":"HS256","kid":"k","typ":"order+json","b64":false,"crit":["b64"]}`},
		{
			jws.SignerOptions{NoType: true, Header: map[string]any{"url": "https://a.example/<", "nonce": 1, "exp": nil}, Critical: []string{"nonce"}},
			`{"alg":"HS256","kid":"k","crit":["nonce"],"exp":null,"nonce":1,"url":"https://a.example/<"}`,
		},
	} {
		o := jws.VerifierOptions{AnyType: true, Unencoded: true, Critical: []string{"nonce"}}
		message, err := newVerifier(t, o, jot.NewSecretKeySet(key)).Verify(t.Context(), signJSON(t, newSigner(t, test.options, key), order))
		if err != nil {
			t.Fatal(err)
		}
		s := message.Signatures()[0]
		if got := string(s.Header()); got != test.want {
			t.Errorf("header %s, want %s", got, test.want)
		}
		if s.Type() != test.options.Type || s.ContentType() != test.options.ContentType {
			t.Errorf("typ %q, cty %q", s.Type(), s.ContentType())
		}
		var header struct {
			Nonce, NONCE int
			ID           string `json:"kid"`
		}
		if err := s.DecodeHeader(&header); err != nil || header.ID != "k" || header.NONCE != 0 {
			t.Errorf("header reads as %+v, %v", header, err)
		}
	}
}

func TestNewSignerRefuses(t *testing.T) {
	key, _ := generate(t, jot.HS256)
	header := func(name string) jws.SignerOptions {
		return jws.SignerOptions{Type: orders, Header: map[string]any{name: "x"}}
	}
	var nilKey *jot.PrivateKey
	many := make([]jot.SigningKey, 17)
	for i := range many {
		many[i], _ = generate(t, jot.HS256)
	}
	for _, test := range []struct {
		name    string
		options jws.SignerOptions
		keys    []jot.SigningKey
	}{
		{"no key", ofOrders, nil},
		{"a nil key", ofOrders, []jot.SigningKey{nil}},
		{"a nil pointer", ofOrders, []jot.SigningKey{key, nilKey}},
		{"a zero key", ofOrders, []jot.SigningKey{&jot.PrivateKey{}}},
		{"one key twice", ofOrders, []jot.SigningKey{key, key}},
		{"17 keys", ofOrders, many},
		{"zero options", jws.SignerOptions{}, []jot.SigningKey{key}},
		{"Type and NoType", jws.SignerOptions{Type: orders, NoType: true}, []jot.SigningKey{key}},
		{"type with a space", jws.SignerOptions{Type: "an order"}, []jot.SigningKey{key}},
		{"content type with a line break", jws.SignerOptions{Type: orders, ContentType: "a\n"}, []jot.SigningKey{key}},
		{"a JWT", jws.SignerOptions{Type: "jwt"}, []jot.SigningKey{key}},
		{"an access token", jws.SignerOptions{Type: "application/at+JWT"}, []jot.SigningKey{key}},
		{"one key under two names", ofOrders, []jot.SigningKey{rsaKey(t, jot.RS256, "a"), rsaKey(t, jot.RS256, "b")}},
		{"one key for two algorithms", ofOrders, []jot.SigningKey{rsaKey(t, jot.RS256, "a"), rsaKey(t, jot.PS256, "a")}},
		{"unencoded JWT", jws.SignerOptions{Type: "JWT", Unencoded: true}, []jot.SigningKey{key}},
		{"unencoded access token", jws.SignerOptions{Type: "application/AT+jwt", Unencoded: true}, []jot.SigningKey{key}},
		{"alg", header("alg"), []jot.SigningKey{key}},
		{"Alg", header("Alg"), []jot.SigningKey{key}},
		{"kid with a Kelvin sign", header("\u212aid"), []jot.SigningKey{key}},
		{"jwk", header("jwk"), []jot.SigningKey{key}},
		{"b64", header("b64"), []jot.SigningKey{key}},
		{"crit", header("crit"), []jot.SigningKey{key}},
		{"zip", header("zip"), []jot.SigningKey{key}},
		{"names that differ in case only", jws.SignerOptions{Type: orders, Header: map[string]any{"a": 1, "A": 2}}, []jot.SigningKey{key}},
		{"no JSON", jws.SignerOptions{Type: orders, Header: map[string]any{"x": math.NaN()}}, []jot.SigningKey{key}},
		{"invalid UTF-8", jws.SignerOptions{Type: orders, Header: map[string]any{"x": "\xff"}}, []jot.SigningKey{key}},
		{"33 members", jws.SignerOptions{Type: orders, Header: furtherMembers(30)}, []jot.SigningKey{key}},
		{"33 members in a member", jws.SignerOptions{Type: orders, Header: map[string]any{"x": furtherMembers(33)}}, []jot.SigningKey{key}},
		{"enormous header", jws.SignerOptions{Type: orders, Header: map[string]any{"x": strings.Repeat("x", 16<<10)}}, []jot.SigningKey{key}},
		{"critical, but not there", jws.SignerOptions{Type: orders, Critical: []string{"x"}}, []jot.SigningKey{key}},
		{"critical twice", jws.SignerOptions{Type: orders, Header: map[string]any{"x": 1}, Critical: []string{"x", "x"}}, []jot.SigningKey{key}},
	} {
		if signer, err := jws.NewSigner(test.options, test.keys...); signer != nil || err == nil || !strings.HasPrefix(err.Error(), "jws: ") {
			t.Errorf("%s: %v, %v", test.name, signer, err)
		}
	}
}

// A verifier reads the largest header that a signer writes.
func TestLargestHeader(t *testing.T) {
	key, source := generate(t, jot.HS256)
	signer := newSigner(t, jws.SignerOptions{Type: orders, Header: furtherMembers(29)}, key) // beside alg, kid and typ
	if _, err := newVerifier(t, jws.VerifierOptions{Type: orders}, source).Verify(t.Context(), sign(t, signer, order)); err != nil {
		t.Error(err)
	}
}

func furtherMembers(n int) map[string]any {
	members := map[string]any{}
	for i := range n {
		members[fmt.Sprint("member", i)] = i
	}
	return members
}

func TestSignErrors(t *testing.T) {
	var none jws.Signer
	if message, err := none.Sign(t.Context(), nil); message != "" || err == nil {
		t.Errorf("the zero value signs: %q, %v", message, err)
	}
	if message, err := none.SignJSON(t.Context(), nil); message != nil || err == nil {
		t.Errorf("the zero value signs: %q, %v", message, err)
	}
	ann, annKeys := generate(t, jot.HS256)
	bob, _ := generate(t, jot.HS256)
	untyped := jws.SignerOptions{NoType: true}
	verified, err := newVerifier(t, jws.VerifierOptions{NoType: true}, annKeys).Verify(t.Context(), sign(t, newSigner(t, untyped, ann), order))
	if err != nil {
		t.Fatal(err)
	}
	if message, err := none.Cosign(t.Context(), verified); message != nil || err == nil {
		t.Errorf("the zero value cosigns: %q, %v", message, err)
	}
	if message, err := newSigner(t, ofOrders, ann, bob).Sign(t.Context(), nil); message != "" || err == nil {
		t.Errorf("two signers in compact serialization: %q, %v", message, err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	signer := newSigner(t, ofOrders, ann)
	if message, err := signer.Sign(canceled, nil); message != "" || !errors.Is(err, context.Canceled) {
		t.Errorf("%q, %v", message, err)
	}
	if message, err := signer.SignJSON(canceled, nil); message != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%q, %v", message, err)
	}
}

// brokenSigner is a key in a module that doesn't answer.
type brokenSigner struct{ *rsa.PrivateKey }

var errBroken = errors.New("module doesn't answer")

func (brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errBroken }

func TestSignerThatFails(t *testing.T) {
	key, err := jot.NewPrivateKey(jot.RS256, brokenSigner{sharedRSA()}, jot.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	other, _ := generate(t, jot.HS256)
	if message, err := newSigner(t, ofOrders, key).Sign(t.Context(), []byte(order)); message != "" || !errors.Is(err, errBroken) {
		t.Errorf("%q, %v", message, err)
	}
	if message, err := newSigner(t, ofOrders, other, key).SignJSON(t.Context(), []byte(order)); message != nil || !errors.Is(err, errBroken) {
		t.Errorf("%q, %v", message, err)
	}
}

// The caller's options may change after a signer and a verifier were made.
func TestOptionsAreCopied(t *testing.T) {
	key, source := generate(t, jot.HS256)
	names, header := []string{"urgent"}, map[string]any{"urgent": true}
	algorithms, sources := []jot.Algorithm{jot.HS256}, []jot.KeySource{source}
	signer := newSigner(t, jws.SignerOptions{Type: orders, Header: header, Critical: names}, key)
	verifier := newVerifier(t, jws.VerifierOptions{Type: orders, Critical: names, Algorithms: algorithms}, sources...)
	names[0], algorithms[0], sources[0] = "other", jot.RS256, nil
	delete(header, "urgent")
	if _, err := verifier.Verify(t.Context(), sign(t, signer, order)); err != nil {
		t.Error(err)
	}
}

func TestCosign(t *testing.T) {
	ann, annKeys := generate(t, jot.ES256)
	bob, bobKeys := generate(t, jot.EdDSA)
	eve, _ := generate(t, jot.EdDSA)
	byAnn := newVerifier(t, jws.VerifierOptions{Type: orders, Unencoded: true}, annKeys)
	byBoth := newVerifier(t, jws.VerifierOptions{Type: orders, Unencoded: true}, annKeys, bobKeys)
	for _, o := range []jws.SignerOptions{ofOrders, {Type: orders, Detached: true}, {Type: orders, Unencoded: true}, {Type: orders, Detached: true, Unencoded: true}} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			first, err := verify(t, byAnn, signJSON(t, newSigner(t, o, eve, ann), order), order, o.Detached)
			if err != nil {
				t.Fatal(err)
			}
			document, err := newSigner(t, o, bob).Cosign(t.Context(), first)
			if err != nil {
				t.Fatal(err)
			}
			message, err := verify(t, byBoth, document, order, o.Detached)
			if err != nil || !payloadIs(message, order) {
				t.Fatal(message, err)
			}
			var read struct{ Signatures []json.RawMessage }
			if err := json.Unmarshal(document, &read); err != nil || len(read.Signatures) != 2 {
				t.Errorf("eve's signature wasn't verified, and is there: %s", document)
			}
		})
	}
}

// Of an unprotected header, which anybody could have written, the way to the key is kept and nothing else.
func TestCosignUnprotected(t *testing.T) {
	ann, annKeys := generate(t, jot.HS256)
	bob, bobKeys := generate(t, jot.HS256)
	payload := encode(order)
	unprotected := `{"kid":` + quote(ann.KeyID()) + `,"comment":"believe me"}`
	first, err := newVerifier(t, acceptsOrders, annKeys).
		Verify(t.Context(), []byte(forge(t, ann, `{"alg":"HS256","typ":"order+json"}`, unprotected, payload).flattened(payload)))
	if err != nil {
		t.Fatal(err)
	}
	document, err := newSigner(t, ofOrders, bob).Cosign(t.Context(), first)
	if err != nil || bytes.Contains(document, []byte("believe")) || !bytes.Contains(document, []byte(quote(ann.KeyID()))) {
		t.Fatalf("%s, %v", document, err)
	}
	if _, err := newVerifier(t, acceptsOrders, bobKeys, annKeys).Verify(t.Context(), document); err != nil {
		t.Error(err)
	}
}

func TestCosignRefuses(t *testing.T) {
	ann, annKeys := generate(t, jot.ES256)
	bob, _ := generate(t, jot.EdDSA)
	message, err := newVerifier(t, acceptsOrders, annKeys).Verify(t.Context(), sign(t, newSigner(t, ofOrders, ann), order))
	if err != nil {
		t.Fatal(err)
	}
	rsaA := rsaKey(t, jot.RS256, "a")
	byRSA, err := newVerifier(t, acceptsOrders, jot.NewKeySet(rsaA.Public())).Verify(t.Context(), sign(t, newSigner(t, ofOrders, rsaA), order))
	if err != nil {
		t.Fatal(err)
	}
	secret, secrets := generate(t, jot.HS256)
	bySecret, err := newVerifier(t, acceptsOrders, secrets).Verify(t.Context(), sign(t, newSigner(t, ofOrders, secret), order))
	if err != nil {
		t.Fatal(err)
	}
	keys := []jot.SigningKey{bob}
	for len(keys) < 16 {
		key, _ := generate(t, jot.HS256)
		keys = append(keys, key)
	}
	for _, test := range []struct {
		name   string
		signer *jws.Signer
		m      *jws.Message
	}{
		{"nothing", newSigner(t, ofOrders, bob), nil},
		{"a message that nobody verified", newSigner(t, ofOrders, bob), &jws.Message{}},
		{"another type", newSigner(t, jws.SignerOptions{Type: "invoice+json"}, bob), message},
		{"no type", newSigner(t, jws.SignerOptions{NoType: true}, bob), message},
		{"another form of the payload", newSigner(t, jws.SignerOptions{Type: orders, Unencoded: true}, bob), message},
		{"17 signatures", newSigner(t, ofOrders, keys...), message},
		{"the same key", newSigner(t, ofOrders, ann), message},
		{"the same key among others", newSigner(t, ofOrders, bob, ann), message},
		{"the same RSA key, another name and algorithm", newSigner(t, ofOrders, rsaKey(t, jot.PS256, "b")), byRSA},
		{"the same secret key", newSigner(t, ofOrders, secret), bySecret},
	} {
		if document, err := test.signer.Cosign(t.Context(), test.m); document != nil || err == nil {
			t.Errorf("%s: %s, %v", test.name, document, err)
		}
	}
	if _, err := newSigner(t, ofOrders, slices.Clone(keys[:15])...).Cosign(t.Context(), message); err != nil {
		t.Errorf("16 signatures: %v", err)
	}
}
