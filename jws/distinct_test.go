package jws_test

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jws"
)

// Two required signers are two keys: one under two names, or for two algorithms, isn't.
func TestOneKeyIsOneSigner(t *testing.T) {
	secret := []byte("the secret of these tests, fixed, and long enough for HMAC-SHA-512")
	shared := func(alg jot.Algorithm, id string) *jot.SecretKey {
		key, err := jot.NewSecretKey(alg, secret, jot.KeyOptions{KeyID: id})
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	edwards, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	text, err := edwards.ExportPEM()
	if err != nil {
		t.Fatal(err)
	}
	again, err := jot.ParsePrivateKey(text, jot.ParseOptions{Algorithm: jot.Ed25519})
	if err != nil {
		t.Fatal(err)
	}
	secretA, secretB := shared(jot.HS256, "a"), shared(jot.HS256, "b")
	rsaA, rsaB, rsaPSS := rsaKey(t, jot.RS256, "a"), rsaKey(t, jot.RS256, "b"), rsaKey(t, jot.PS256, "a")
	other, otherKeys := generate(t, jot.ES256)
	anotherSecret, otherSecrets := generate(t, jot.HS256)
	of := func(key *jot.PrivateKey) jot.KeySource { return jot.NewKeySet(key.Public()) }
	for _, test := range []struct {
		name    string
		keys    [2]jot.SigningKey
		sources [2]jot.KeySource
		shared  bool
	}{
		{"two RSA algorithms", [2]jot.SigningKey{rsaA, rsaPSS}, [2]jot.KeySource{of(rsaA), of(rsaPSS)}, true},
		{"two names", [2]jot.SigningKey{rsaA, rsaB}, [2]jot.KeySource{of(rsaA), of(rsaB)}, true},
		{"two names of Ed25519", [2]jot.SigningKey{edwards, again}, [2]jot.KeySource{of(edwards), of(again)}, true},
		{"two objects of a secret", [2]jot.SigningKey{secretA, secretB}, [2]jot.KeySource{jot.NewSecretKeySet(secretA), jot.NewSecretKeySet(secretB)}, true},
		{"two secrets", [2]jot.SigningKey{secretA, anotherSecret}, [2]jot.KeySource{jot.NewSecretKeySet(secretA), otherSecrets}, false},
		{"a secret and a key", [2]jot.SigningKey{secretA, other}, [2]jot.KeySource{jot.NewSecretKeySet(secretA), otherKeys}, false},
		{"a key and a secret", [2]jot.SigningKey{other, secretA}, [2]jot.KeySource{otherKeys, jot.NewSecretKeySet(secretA)}, false},
		{"two keys", [2]jot.SigningKey{rsaA, other}, [2]jot.KeySource{of(rsaA), otherKeys}, false},
	} {
		payload := encode(order)
		header := func(key jot.SigningKey) string {
			return `{"alg":"` + string(key.Algorithm()) + `","kid":"` + key.KeyID() + `","typ":"order+json"}`
		}
		text := general(payload, forge(t, test.keys[0], header(test.keys[0]), "", payload), forge(t, test.keys[1], header(test.keys[1]), "", payload))
		message, err := newVerifier(t, acceptsOrders, test.sources[0], test.sources[1]).Verify(t.Context(), []byte(text))
		if !test.shared {
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		refused(t, message, err, jot.ErrSignature)
	}
}

// countingKey counts how often it's tried.
type countingKey struct {
	jot.VerificationKey
	trials *int
}

func (k countingKey) VerifyInput(input, signature []byte) bool {
	*k.trials++
	return k.VerificationKey.VerifyInput(input, signature)
}

// Junk among the signatures costs 16 trials for each source, however many signatures and unnamed keys there are.
func TestTrialsAreBounded(t *testing.T) {
	signing, _ := generate(t, jot.HS256)
	payload := encode(order)
	trials := 0
	counting := countingKey{signing.(*jot.SecretKey), &trials}
	source := sourceFunc(func(jot.Algorithm, string) ([]jot.VerificationKey, error) {
		return []jot.VerificationKey{counting, counting, counting, counting}, nil
	})
	junk := forged{encode(`{"alg":"HS256","typ":"order+json"}`), "", encode("junk")}
	good := forge(t, signing, `{"alg":"HS256","typ":"order+json"}`, "", payload)
	for _, test := range []struct {
		junk, sources, want int
		good                bool
	}{{4, 1, 16, false}, {15, 1, 16, false}, {15, 3, 16, false}, {3, 1, 13, true}} {
		trials = 0
		var signatures []forged
		for range test.junk {
			signatures = append(signatures, junk)
		}
		var sources []jot.KeySource
		for range test.sources {
			sources = append(sources, source)
		}
		message, err := newVerifier(t, acceptsOrders, sources...).Verify(t.Context(), []byte(general(payload, append(signatures, good)...)))
		if trials != test.want {
			t.Errorf("%d junk signatures took %d trials, not %d", test.junk, trials, test.want)
		}
		if test.good {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		refused(t, message, err, jot.ErrSignature)
	}
}

// What is no key and no signature neither verifies nor panics.
func TestZeroValues(t *testing.T) {
	key, _ := generate(t, jot.ES256)
	text := sign(t, newSigner(t, ofOrders, key), order)
	for name, source := range map[string]jot.KeySource{
		"a nil key in an answer": keys{(*jot.PublicKey)(nil), (*jot.SecretKey)(nil), nil},
		"a zero key":             keys{new(jot.PublicKey), new(jot.SecretKey)},
	} {
		message, err := newVerifier(t, acceptsOrders, source).Verify(t.Context(), text)
		if message != nil || err == nil {
			t.Errorf("%s: %v, %v", name, message, err)
		}
	}
	for _, text := range []string{"", "{}", "..", "a", string(text)} {
		if message, err := new(jws.Verifier).Verify(t.Context(), []byte(text)); message != nil || err == nil {
			t.Errorf("the zero verifier: %v, %v", message, err)
		}
	}
	var signature jws.Signature
	var header map[string]any
	if signature.KeyID() != "" || signature.Algorithm() != "" || signature.Type() != "" || signature.ContentType() != "" || signature.Header() != nil {
		t.Error("the zero signature says something")
	}
	if err := signature.DecodeHeader(&header); err != nil || len(header) != 0 {
		t.Errorf("%v, %v", header, err)
	}
	if m := new(jws.Message); m.Payload() != nil || m.Signatures() != nil {
		t.Error("the zero message says something")
	}
}

type keys []jot.VerificationKey

func (k keys) VerificationKeys(ctx context.Context, _ jot.Algorithm, _ string) ([]jot.VerificationKey, error) {
	return k, ctx.Err()
}

// A payload isn't printed, even where the message is in a field that fmt can't ask, nor by what looks into everything.
func TestPayloadIsNotPrinted(t *testing.T) {
	key, source := generate(t, jot.EdDSA)
	message, err := newVerifier(t, acceptsOrders, source).Verify(t.Context(), sign(t, newSigner(t, ofOrders, key), "AAAAAAAAAAAA"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%d", "%q"} {
		for _, value := range []any{message, *message, struct{ m *jws.Message }{message}, struct{ m jws.Message }{*message}, []*jws.Message{message}} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
	}
	look(&out, reflect.ValueOf(message))
	for _, spelling := range []string{"AAAAAA", "414141", "65 65 65", "0x41, 0x41"} {
		if strings.Contains(out.String(), spelling) {
			t.Errorf("%q in %s", spelling, out.String())
		}
	}
	if !strings.Contains(out.String(), "message of 12 bytes signed by") || !strings.Contains(out.String(), `"typ":"order+json"`) {
		t.Errorf("nobody looked: %s", out.String())
	}
}

// look writes all text that is to be had by reflection, as printers for debugging do.
func look(out *bytes.Buffer, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			look(out, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			look(out, v.Field(i))
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			fmt.Fprintf(out, "%s\n", v.Bytes())
			return
		}
		for i := range v.Len() {
			look(out, v.Index(i))
		}
	case reflect.String:
		fmt.Fprintln(out, v.String())
	}
}
