package jws_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jws"
)

// orders is the type of most messages of these tests.
const orders = "order+json"

var (
	ofOrders      = jws.SignerOptions{Type: orders}
	acceptsOrders = jws.VerifierOptions{Type: orders}
)

var everyAlgorithm = []jot.Algorithm{
	jot.HS256, jot.HS384, jot.HS512, jot.RS256, jot.RS384, jot.RS512, jot.PS256, jot.PS384, jot.PS512,
	jot.ES256, jot.ES384, jot.ES512, jot.EdDSA, jot.Ed25519,
}

// sharedRSA is one RSA key for all tests: making one takes long.
var sharedRSA = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// generate returns a new key and the source that knows how to verify with it.
func generate(t testing.TB, alg jot.Algorithm) (jot.SigningKey, jot.KeySource) {
	t.Helper()
	if alg.Symmetric() {
		key, err := jot.GenerateSecretKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		return key, jot.NewSecretKeySet(key)
	}
	var key *jot.PrivateKey
	var err error
	if strings.HasPrefix(string(alg), "RS") || strings.HasPrefix(string(alg), "PS") {
		key, err = jot.NewPrivateKey(alg, sharedRSA(), jot.KeyOptions{})
	} else {
		key, err = jot.GenerateKey(alg)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key, jot.NewKeySet(key.Public())
}

// rsaKey is the shared RSA key for an algorithm, by a name.
func rsaKey(t testing.TB, alg jot.Algorithm, id string) *jot.PrivateKey {
	t.Helper()
	key, err := jot.NewPrivateKey(alg, sharedRSA(), jot.KeyOptions{KeyID: id})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newSigner(t testing.TB, o jws.SignerOptions, keys ...jot.SigningKey) *jws.Signer {
	t.Helper()
	signer, err := jws.NewSigner(o, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func newVerifier(t testing.TB, o jws.VerifierOptions, required ...jot.KeySource) *jws.Verifier {
	t.Helper()
	verifier, err := jws.NewVerifier(o, required...)
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

func signJSON(t testing.TB, signer *jws.Signer, payload string) []byte {
	t.Helper()
	message, err := signer.SignJSON(t.Context(), []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func sign(t testing.TB, signer *jws.Signer, payload string) []byte {
	t.Helper()
	message, err := signer.Sign(t.Context(), []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(message)
}

// sourceFunc is a key source that does whatever a test wants.
type sourceFunc func(alg jot.Algorithm, kid string) ([]jot.VerificationKey, error)

func (f sourceFunc) VerificationKeys(_ context.Context, alg jot.Algorithm, kid string) ([]jot.VerificationKey, error) {
	return f(alg, kid)
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func quote(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

// forged is a signature of any header over any text that stands for a payload.
type forged struct{ protected, unprotected, signature string }

func forge(t testing.TB, key jot.SigningKey, protected, unprotected, signedPayload string) forged {
	t.Helper()
	signature, err := key.SignInput(t.Context(), []byte(encode(protected)+"."+signedPayload))
	if err != nil {
		t.Fatal(err)
	}
	return forged{encode(protected), unprotected, encode(string(signature))}
}

func (f forged) compact(payload string) string {
	return f.protected + "." + payload + "." + f.signature
}

// members writes the signature as members of a JSON object.
func (f forged) members() string {
	members := []string{`"signature":` + quote(f.signature)}
	if f.protected != "" {
		members = append(members, `"protected":`+quote(f.protected))
	}
	if f.unprotected != "" {
		members = append(members, `"header":`+f.unprotected)
	}
	return strings.Join(members, ",")
}

func (f forged) flattened(payload string) string {
	return `{"payload":` + quote(payload) + `,` + f.members() + `}`
}

func general(payload string, signatures ...forged) string {
	var parts []string
	for _, s := range signatures {
		parts = append(parts, "{"+s.members()+"}")
	}
	return `{"payload":` + quote(payload) + `,"signatures":[` + strings.Join(parts, ",") + `]}`
}

func keyIDs(m *jws.Message) (ids []string) {
	for _, s := range m.Signatures() {
		ids = append(ids, s.KeyID())
	}
	return ids
}

func payloadIs(m *jws.Message, want string) bool {
	return m != nil && slices.Equal(m.Payload(), []byte(want))
}
