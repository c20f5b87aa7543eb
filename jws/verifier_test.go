package jws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jws"
)

// refused checks that there is an error of the kind, and no message beside it.
func refused(t *testing.T, m *jws.Message, err, kind error) {
	t.Helper()
	if m != nil || !errors.Is(err, kind) {
		t.Errorf("got %v, %v; want %v", m, err, kind)
	}
	if invalid := errors.Is(err, jot.ErrInvalidToken); invalid == errors.Is(err, jot.ErrUnavailable) {
		t.Errorf("%v is an ErrInvalidToken or an ErrUnavailable", err)
	}
	if err != nil && !strings.HasPrefix(err.Error(), "jws: ") {
		t.Errorf("error without prefix: %v", err)
	}
}

const order = `{"order":7}`

func TestUnprotectedAlgorithm(t *testing.T) {
	key, source := generate(t, jot.HS256)
	payload := encode(order)
	signature, err := key.SignInput(t.Context(), []byte("."+payload))
	if err != nil {
		t.Fatal(err)
	}
	text := []byte(forged{"", `{"alg":"HS256","typ":"order+json"}`, encode(string(signature))}.flattened(payload))

	message, err := newVerifier(t, jws.VerifierOptions{NoType: true}, source).Verify(t.Context(), text)
	refused(t, message, err, jot.ErrMalformed)
	message, err = newVerifier(t, jws.VerifierOptions{Type: orders, UnprotectedAlgorithm: true}, source).Verify(t.Context(), text)
	refused(t, message, err, jot.ErrType)

	verifier := newVerifier(t, jws.VerifierOptions{NoType: true, UnprotectedAlgorithm: true}, source)
	message, err = verifier.Verify(t.Context(), bytes.Replace(text, []byte("{"), []byte(`{"protected":"",`), 1))
	refused(t, message, err, jot.ErrMalformed)
	message, err = verifier.Verify(t.Context(), text)
	if err != nil || !payloadIs(message, order) {
		t.Fatal(message, err)
	}
	var header map[string]any
	if s := message.Signatures()[0]; s.Header() != nil || s.Type() != "" || s.DecodeHeader(&header) != nil || len(header) != 0 {
		t.Errorf("an unprotected header is believed: %q, %q, %v", s.Header(), s.Type(), header)
	}
}

func TestTypes(t *testing.T) {
	key, source := generate(t, jot.EdDSA)
	typed, untyped := newSigner(t, ofOrders, key), newSigner(t, jws.SignerOptions{NoType: true}, key)
	tokens, err := jot.NewSigner(key, jot.SignerOptions{Type: "at+jwt"})
	if err != nil {
		t.Fatal(err)
	}
	token, err := tokens.Sign(t.Context(), json.RawMessage(order))
	if err != nil {
		t.Fatal(err)
	}
	typedOrder, untypedOrder, jwt := string(sign(t, typed, order)), string(sign(t, untyped, order)), token
	for _, test := range []struct {
		name     string
		options  jws.VerifierOptions
		accepted []string
	}{
		{"Type", jws.VerifierOptions{Type: "application/order+json"}, []string{typedOrder}},
		{"NoType", jws.VerifierOptions{NoType: true}, []string{untypedOrder}},
		{"AnyType", jws.VerifierOptions{AnyType: true}, []string{typedOrder, untypedOrder, jwt}},
	} {
		verifier := newVerifier(t, test.options, source)
		for _, text := range []string{typedOrder, untypedOrder, jwt} {
			if message, err := verifier.Verify(t.Context(), []byte(text)); !slices.Contains(test.accepted, text) {
				refused(t, message, err, jot.ErrType)
			} else if err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
		}
	}
}

// A token and a message that one key signed don't pass for each other.
func TestTokensAreNoMessages(t *testing.T) {
	key, source := generate(t, jot.HS256)
	tokens, err := jot.NewSigner(key, jot.SignerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	token, err := tokens.Sign(t.Context(), jot.Claims{Subject: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []jws.VerifierOptions{acceptsOrders, {NoType: true}} {
		message, err := newVerifier(t, o, source).Verify(t.Context(), []byte(token))
		refused(t, message, err, jot.ErrType)
	}
	accepting, err := jot.NewVerifier(source, jot.VerifierOptions{AnyIssuer: true, AnyAudience: true, NoExpiry: true})
	if err != nil {
		t.Fatal(err)
	}
	message := sign(t, newSigner(t, ofOrders, key), `{"sub":"ada"}`)
	if verified, err := accepting.Verify(t.Context(), string(message)); verified != nil || !errors.Is(err, jot.ErrType) {
		t.Errorf("%v, %v", verified, err)
	}
}

func TestSeveralSigners(t *testing.T) {
	ann, annKeys := generate(t, jot.ES256)
	bob, bobKeys := generate(t, jot.EdDSA)
	_, eveKeys := generate(t, jot.EdDSA)
	both := signJSON(t, newSigner(t, ofOrders, ann, bob), order)
	byAnn := signJSON(t, newSigner(t, ofOrders, ann), order)

	message, err := newVerifier(t, acceptsOrders, bobKeys, annKeys).Verify(t.Context(), both)
	if err != nil || !payloadIs(message, order) {
		t.Fatal(message, err)
	}
	if ids := keyIDs(message); len(ids) != 2 || ids[0] != bob.KeyID() || ids[1] != ann.KeyID() {
		t.Errorf("signatures %v are not in the order of the sources", ids)
	}
	if message, err := newVerifier(t, acceptsOrders, annKeys).Verify(t.Context(), both); err != nil || len(message.Signatures()) != 1 {
		t.Errorf("a signature that nobody required: %v, %v", message, err)
	}

	message, err = newVerifier(t, acceptsOrders, annKeys, bobKeys).Verify(t.Context(), byAnn)
	refused(t, message, err, jot.ErrUnknownKey)
	message, err = newVerifier(t, acceptsOrders, annKeys, bobKeys, eveKeys).Verify(t.Context(), both)
	refused(t, message, err, jot.ErrUnknownKey)
	if err == nil || !strings.Contains(err.Error(), "required signer 3 of 3") {
		t.Errorf("%v doesn't say which signer is missing", err)
	}

	var document struct{ Signatures []map[string]string }
	if err := json.Unmarshal(both, &document); err != nil {
		t.Fatal(err)
	}
	broken := bytes.Replace(both, []byte(document.Signatures[1]["signature"]), []byte(document.Signatures[0]["signature"]), 1)
	message, err = newVerifier(t, acceptsOrders, annKeys, bobKeys).Verify(t.Context(), broken)
	refused(t, message, err, jot.ErrSignature)
}

// Two required signers are two: neither a signature nor a key counts twice.
func TestSharedKeys(t *testing.T) {
	ann, annKeys := generate(t, jot.ES256)
	payload := encode(order)
	header := `{"alg":"ES256","typ":"order+json"}`
	twice := general(payload, forge(t, ann, header, "", payload), forge(t, ann, header+" ", "", payload))

	private, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	mixed := jot.NewKeySet(ann.(*jot.PrivateKey).Public(), private.Public())
	only := func(kid string) jot.KeySource {
		return sourceFunc(func(_ jot.Algorithm, asked string) ([]jot.VerificationKey, error) {
			if asked != kid {
				return nil, nil
			}
			return []jot.VerificationKey{ann.(*jot.PrivateKey).Public()}, nil
		})
	}
	apart := general(payload, forge(t, ann, `{"alg":"ES256","typ":"order+json","kid":"a"}`, "", payload),
		forge(t, ann, `{"alg":"ES256","typ":"order+json","kid":"b"}`, "", payload))
	message, err := newVerifier(t, acceptsOrders, only("a"), only("b")).Verify(t.Context(), []byte(apart))
	refused(t, message, err, jot.ErrSignature)

	for name, sources := range map[string][]jot.KeySource{
		"the same source twice": {annKeys, annKeys},
		"a key in two sources":  {annKeys, mixed},
	} {
		verifier := newVerifier(t, acceptsOrders, sources...)
		for _, text := range []string{twice, string(signJSON(t, newSigner(t, ofOrders, ann), order))} {
			t.Run(name, func(t *testing.T) {
				message, err := verifier.Verify(t.Context(), []byte(text))
				refused(t, message, err, jot.ErrSignature)
			})
		}
	}
}

func TestKeySources(t *testing.T) {
	key, good := generate(t, jot.HS256)
	other, err := jot.GenerateSecretKey(jot.HS256)
	if err != nil {
		t.Fatal(err)
	}
	hs512, err := jot.GenerateSecretKey(jot.HS512)
	if err != nil {
		t.Fatal(err)
	}
	payload := encode(order)
	signature := forge(t, key, `{"alg":"HS256","typ":"order+json"}`, "", payload)
	text := []byte(signature.compact(payload))
	verification := key.(jot.VerificationKey)
	answer := func(keys ...jot.VerificationKey) jot.KeySource {
		return sourceFunc(func(jot.Algorithm, string) ([]jot.VerificationKey, error) { return keys, nil })
	}
	for _, test := range []struct {
		name   string
		source jot.KeySource
		kind   error
	}{
		{"no key", answer(), jot.ErrUnknownKey},
		{"a nil key", answer(nil), jot.ErrAlgorithm},
		{"keys of another algorithm", answer(hs512), jot.ErrAlgorithm},
		{"another key", answer(other), jot.ErrSignature},
		{"the key after three others", answer(other, other, nil, verification), nil},
		{"the key after four others", answer(other, other, other, other, verification), jot.ErrSignature},
	} {
		message, err := newVerifier(t, acceptsOrders, test.source).Verify(t.Context(), text)
		if test.kind != nil {
			refused(t, message, err, test.kind)
		} else if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}

	for _, cause := range []error{errors.New("no network"), jot.ErrSignature, context.Canceled} {
		failing := sourceFunc(func(_ jot.Algorithm, kid string) ([]jot.VerificationKey, error) {
			if kid == "good" {
				return []jot.VerificationKey{verification}, nil
			}
			return nil, cause
		})
		message, err := newVerifier(t, acceptsOrders, failing).Verify(t.Context(), text)
		refused(t, message, err, jot.ErrUnavailable)
		message, err = newVerifier(t, acceptsOrders, good, failing).Verify(t.Context(), text)
		refused(t, message, err, jot.ErrUnavailable)

		beside := forge(t, key, `{"alg":"HS256","typ":"order+json","kid":"good"}`, "", payload)
		if _, err := newVerifier(t, acceptsOrders, failing).Verify(t.Context(), []byte(general(payload, signature, beside))); err != nil {
			t.Errorf("a source that failed for another signature: %v", err)
		}
	}
}

func TestAlgorithms(t *testing.T) {
	key, source := generate(t, jot.ES256)
	text := sign(t, newSigner(t, ofOrders, key), order)
	message, err := newVerifier(t, jws.VerifierOptions{Type: orders, Algorithms: []jot.Algorithm{jot.EdDSA}}, source).Verify(t.Context(), text)
	refused(t, message, err, jot.ErrAlgorithm)
	every := append([]jot.Algorithm{jot.MLDSA44, jot.MLDSA65, jot.MLDSA87}, everyAlgorithm...)
	if _, err := newVerifier(t, jws.VerifierOptions{Type: orders, Algorithms: every}, source).Verify(t.Context(), text); err != nil {
		t.Error(err)
	}
}

func TestMaxSize(t *testing.T) {
	key, source := generate(t, jot.HS256)
	text := sign(t, newSigner(t, ofOrders, key), order)
	if _, err := newVerifier(t, jws.VerifierOptions{Type: orders, MaxSize: len(text)}, source).Verify(t.Context(), text); err != nil {
		t.Error(err)
	}
	message, err := newVerifier(t, jws.VerifierOptions{Type: orders, MaxSize: len(text) - 1}, source).Verify(t.Context(), text)
	refused(t, message, err, jot.ErrTooLarge)
	message, err = newVerifier(t, acceptsOrders, source).Verify(t.Context(), make([]byte, 1<<20+1))
	refused(t, message, err, jot.ErrTooLarge)
}

func TestNewVerifierRefuses(t *testing.T) {
	_, source := generate(t, jot.HS256)
	for _, test := range []struct {
		name     string
		options  jws.VerifierOptions
		required []jot.KeySource
	}{
		{"no source", acceptsOrders, nil},
		{"a nil source", acceptsOrders, []jot.KeySource{source, nil}},
		{"a set that wasn't parsed", acceptsOrders, []jot.KeySource{source, (*jot.KeySet)(nil)}},
		{"secrets that weren't parsed", acceptsOrders, []jot.KeySource{(*jot.SecretKeySet)(nil)}},
		{"a set without a key", acceptsOrders, []jot.KeySource{jot.NewKeySet()}},
		{"no secrets", acceptsOrders, []jot.KeySource{source, jot.NewSecretKeySet(new(jot.SecretKey))}},
		{"17 sources", acceptsOrders, slices.Repeat([]jot.KeySource{source}, 17)},
		{"zero options", jws.VerifierOptions{}, []jot.KeySource{source}},
		{"Type and NoType", jws.VerifierOptions{Type: orders, NoType: true}, []jot.KeySource{source}},
		{"Type and AnyType", jws.VerifierOptions{Type: orders, AnyType: true}, []jot.KeySource{source}},
		{"type that is none", jws.VerifierOptions{Type: "an order"}, []jot.KeySource{source}},
		{"a JWT", jws.VerifierOptions{Type: "JWT"}, []jot.KeySource{source}},
		{"an access token", jws.VerifierOptions{Type: "Application/AT+jwt"}, []jot.KeySource{source}},
		{"an algorithm in lower case", jws.VerifierOptions{Type: orders, Algorithms: []jot.Algorithm{jot.ES256, "es256"}}, []jot.KeySource{source}},
		{"algorithm none", jws.VerifierOptions{Type: orders, Algorithms: []jot.Algorithm{"none"}}, []jot.KeySource{source}},
		{"b64 as an extension", jws.VerifierOptions{Type: orders, Critical: []string{"b64"}}, []jot.KeySource{source}},
		{"registered extension", jws.VerifierOptions{Type: orders, Critical: []string{"urgent", "kid"}}, []jot.KeySource{source}},
		{"extension without a name", jws.VerifierOptions{Type: orders, Critical: []string{""}}, []jot.KeySource{source}},
		{"negative size", jws.VerifierOptions{Type: orders, MaxSize: -1}, []jot.KeySource{source}},
		{"enormous size", jws.VerifierOptions{Type: orders, MaxSize: 64<<20 + 1}, []jot.KeySource{source}},
	} {
		if verifier, err := jws.NewVerifier(test.options, test.required...); verifier != nil || err == nil {
			t.Errorf("%s: %v, %v", test.name, verifier, err)
		}
	}
}

// Neither the caller's buffers nor the results lead into a message.
func TestMessageIsImmutable(t *testing.T) {
	key, source := generate(t, jot.HS256)
	for _, unencoded := range []bool{false, true} {
		signer := newSigner(t, jws.SignerOptions{Type: orders, Detached: true, Unencoded: unencoded}, key)
		verifier := newVerifier(t, jws.VerifierOptions{Type: orders, Unencoded: true}, source)
		text, payload := sign(t, signer, order), []byte(order)
		message, err := verifier.VerifyDetached(t.Context(), text, payload)
		if err != nil {
			t.Fatal(err)
		}
		header := string(message.Signatures()[0].Header())
		for _, shared := range [][]byte{text, payload, message.Payload(), message.Signatures()[0].Header()} {
			clear(shared)
		}
		message.Signatures()[0] = jws.Signature{}
		if !payloadIs(message, order) || string(message.Signatures()[0].Header()) != header {
			t.Errorf("message became %q, %q", message.Payload(), message.Signatures()[0].Header())
		}
	}
}

func TestPrinting(t *testing.T) {
	key, source := generate(t, jot.HS256)
	message, err := newVerifier(t, acceptsOrders, source).Verify(t.Context(), sign(t, newSigner(t, ofOrders, key), order))
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("message of %d bytes signed by [HS256 key %q]", len(order), key.KeyID())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb, message); got != want {
			t.Errorf("%s prints %q", verb, got)
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("", "message", message, "signature", message.Signatures()[0], "none", jws.Signature{})
	for _, part := range []string{"message of 11 bytes", `signature="HS256 key`, `none="no signature"`} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("the log says %q, not %q", log.String(), part)
		}
	}
}
