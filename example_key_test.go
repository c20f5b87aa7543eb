package jot_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"

	"github.com/jot-auth/jot"
)

// A key is made once, kept where only the issuer can read it, and read again at each start.
func ExampleGenerateKey() {
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		log.Fatal(err)
	}
	secret, err := key.ExportJWK()
	if err != nil {
		log.Fatal(err)
	}

	again, err := jot.ParsePrivateKey(secret, jot.ParseOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.Algorithm(), again.KeyID() == key.KeyID())
	// Output: ES256 true
}

// Where one program both signs and verifies, a secret key will do.
func ExampleGenerateSecretKey() {
	key, err := jot.GenerateSecretKey(jot.HS256)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := jot.NewVerifier(jot.NewSecretKeySet(key), examplePolicy)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verifier.Check(context.Background(), exampleSign(key, exampleClaims("ada"))))
	// Output: <nil>
}

// A key that the standard library made, or one in an HSM that is a crypto.Signer.
func ExampleNewPrivateKey() {
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	key, err := jot.NewPrivateKey(jot.ES256, signer, jot.KeyOptions{KeyID: "2026-11"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key)

	_, err = jot.NewPrivateKey(jot.ES512, signer, jot.KeyOptions{})
	fmt.Println(err)
	// Output:
	// ES256 private key "2026-11"
	// jot: ES512 needs a key on P-521 (RFC 7518 §3.4)
}

// kms stands for a key management service, which keeps the private half and signs digests.
type kms struct{ private *ecdsa.PrivateKey }

func (s kms) Sign(_ context.Context, digest []byte) (der []byte, err error) {
	return s.private.Sign(rand.Reader, digest, crypto.SHA256)
}

// A key management service signs, and the private key never leaves it.
func ExampleNewRemoteKey() {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	service := kms{private}

	key, err := jot.NewRemoteKey(jot.ES256, private.Public(), func(ctx context.Context, input []byte) ([]byte, error) {
		digest := jot.ES256.Hash().New()
		digest.Write(input)
		return service.Sign(ctx, digest.Sum(nil)) // DER, as such services answer; the key makes r‖s of it
	}, jot.KeyOptions{})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := jot.NewVerifier(jot.NewKeySet(key.Public()), examplePolicy)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verifier.Check(context.Background(), exampleSign(key, exampleClaims("ada"))))
	// Output: <nil>
}

// PEM doesn't name an algorithm, so the caller does.
func ExampleParsePrivateKey() {
	made, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		log.Fatal(err)
	}
	file, err := made.ExportPEM() // PKCS #8, as openssl writes it too
	if err != nil {
		log.Fatal(err)
	}

	key, err := jot.ParsePrivateKey(file, jot.ParseOptions{Algorithm: jot.ES256, KeyID: "2026-11"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key)
	// Output: ES256 private key "2026-11"
}

// A key that was to stay secret is noticed before it's published.
func ExampleParsePublicKey() {
	key, err := jot.ParsePublicKey([]byte(`{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "2026-11",
		"x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`), jot.ParseOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key)
	fmt.Println(key.ThumbprintURI())

	private, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		log.Fatal(err)
	}
	secret, err := private.ExportJWK()
	if err != nil {
		log.Fatal(err)
	}
	_, err = jot.ParsePublicKey(secret, jot.ParseOptions{})
	fmt.Println(err)
	// Output:
	// EdDSA public key "2026-11"
	// urn:ietf:params:oauth:jwk-thumbprint:sha-256:kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k <nil>
	// jot: this is a private or secret key where a public one is expected: keep it secret, and publish its public part
}

// Keys that this package can't use are left out, and told of; the set works for the others.
func ExampleParseKeySet() {
	set, err := jot.ParseKeySet([]byte(`{"keys": [
		{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
		{"kty": "from the future"}
	]}`), jot.ParseOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Keys()[0].KeyID())
	fmt.Println("skipped:", len(set.Skipped()))
	// Output:
	// kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
	// skipped: 1
}

// What an issuer publishes at /.well-known/jwks.json.
func ExampleNewKeySet() {
	key, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		log.Fatal(err)
	}
	document, err := json.Marshal(jot.NewKeySet(key.Public()))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.9s\n", document)

	_, err = json.Marshal(key) // not the private half
	fmt.Println(err != nil)
	// Output:
	// {"keys":[
	// true
}

// A secret is rotated by verifying with both while the old one's tokens live.
func ExampleNewSecretKeySet() {
	var keys []*jot.SecretKey
	for _, secret := range []string{"the old secret, 32 random bytes.", "the new secret, 32 random bytes."} {
		key, err := jot.NewSecretKey(jot.HS256, []byte(secret), jot.KeyOptions{KeyID: secret[4:7]})
		if err != nil {
			log.Fatal(err)
		}
		keys = append(keys, key)
	}
	oldToken, newToken := exampleSign(keys[0], exampleClaims("ada")), exampleSign(keys[1], exampleClaims("ada"))

	ctx := context.Background()
	during, _ := jot.NewVerifier(jot.NewSecretKeySet(keys...), examplePolicy)
	fmt.Println("during:", during.Check(ctx, oldToken), during.Check(ctx, newToken))
	after, _ := jot.NewVerifier(jot.NewSecretKeySet(keys[1]), examplePolicy)
	fmt.Println("after:", after.Check(ctx, oldToken))
	// Output:
	// during: <nil> <nil>
	// after: jot: no key with this token's key ID and algorithm
}

// Secrets in a file, as a JWK Set.
func ExampleParseSecretKeySet() {
	set, err := jot.ParseSecretKeySet([]byte(`{"keys": [
		{"kty": "oct", "alg": "HS256", "kid": "new", "k": "dGhlIG5ldyBzZWNyZXQsIDMyIHJhbmRvbSBieXRlcy4"},
		{"kty": "oct", "alg": "HS256", "kid": "old", "k": "c2hvcnQ"}
	]}`), jot.ParseOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, skipped := range set.Skipped() {
		fmt.Println(skipped.Position, skipped.Reason)
	}
	// Output: 1 jot: a secret key for HS256 has 32 to 4096 bytes, this one has 5
}

// A public key that another program read, such as one of a certificate.
func ExampleNewPublicKey() {
	private, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	key, err := jot.NewPublicKey(jot.ES384, private.Public(), jot.KeyOptions{KeyID: "partner"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key)

	_, err = jot.NewPublicKey(jot.ES256, private.Public(), jot.KeyOptions{})
	fmt.Println(err)
	// Output:
	// ES384 public key "partner"
	// jot: ES256 needs a key on P-256 (RFC 7518 §3.4)
}

// A secret in a file, as a JWK. It prints as its algorithm and key ID.
func ExampleParseSecretKey() {
	key, err := jot.ParseSecretKey([]byte(`{"kty": "oct", "alg": "HS256", "kid": "new", "k": "dGhlIG5ldyBzZWNyZXQsIDMyIHJhbmRvbSBieXRlcy4"}`), jot.ParseOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key)
	// Output: HS256 secret key "new"
}

// An API whose tokens travel in headers, and so are to stay short.
func ExampleClassicalAlgorithms() {
	key, err := jot.GenerateSecretKey(jot.HS256)
	if err != nil {
		log.Fatal(err)
	}
	policy := examplePolicy
	policy.Algorithms = jot.ClassicalAlgorithms()
	verifier, err := jot.NewVerifier(jot.NewSecretKeySet(key), policy)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verifier.Check(context.Background(), exampleSign(key, exampleClaims("ada"))))
	// Output: jot: algorithm is not the one of the key
}
