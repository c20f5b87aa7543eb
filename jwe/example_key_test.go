package jwe_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"log"

	"github.com/jot-auth/jot/jwe"
)

// A key on another curve than the P-256 of GenerateKey.
func ExampleNewPrivateKey() {
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	key, err := jwe.NewPrivateKey(jwe.ECDH_ES_A256KW, x25519, jwe.KeyOptions{KeyID: "2026-11"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key)
	// Output: ECDH-ES+A256KW private key "2026-11"
}

// A recipient's public key that another program read. One that signs can't encrypt.
func ExampleNewPublicKey() {
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	key, err := jwe.NewPublicKey(jwe.ECDH_ES, x25519.PublicKey(), jwe.KeyOptions{KeyID: "bob"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key)

	_, err = jwe.NewPublicKey(jwe.RSA_OAEP_256, x25519.PublicKey(), jwe.KeyOptions{})
	fmt.Println(err != nil)
	// Output:
	// ECDH-ES public key "bob"
	// true
}

// Two programs that share a secret. It has exactly the size that the algorithm wants.
func ExampleNewSecretKey() {
	secret := make([]byte, 32)
	rand.Read(secret)
	key, err := jwe.NewSecretKey(jwe.A256KW, secret, jwe.KeyOptions{KeyID: "shared"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key)

	_, err = jwe.NewSecretKey(jwe.A128KW, secret, jwe.KeyOptions{})
	fmt.Println(err != nil)
	// Output:
	// A256KW secret key "shared"
	// true
}

// A secret that encrypts the content itself, and so is for one content encryption.
func ExampleNewDirectKey() {
	secret := make([]byte, 32)
	rand.Read(secret)
	key, err := jwe.NewDirectKey(jwe.A256GCM, secret, jwe.KeyOptions{KeyID: "shared"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key, key.Encryption())
	// Output: dir secret key "shared" A256GCM
}

// PEM doesn't name an algorithm, so the caller does.
func ExampleParsePrivateKey() {
	made, err := jwe.GenerateKey(jwe.ECDH_ES)
	if err != nil {
		log.Fatal(err)
	}
	file, err := made.ExportPEM()
	if err != nil {
		log.Fatal(err)
	}
	key, err := jwe.ParsePrivateKey(file, jwe.ParseOptions{Algorithm: jwe.ECDH_ES, KeyID: "2026-11"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key)
	// Output: ECDH-ES private key "2026-11"
}

// A secret in a file, as a JWK. A signing key is none that encrypts.
func ExampleParseSecretKey() {
	key, err := jwe.ParseSecretKey([]byte(`{"kty": "oct", "alg": "A128KW", "kid": "shared", "k": "GawgguFyGrWKav7AX4VKUg"}`), jwe.ParseOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key)

	_, err = jwe.ParseSecretKey([]byte(`{"kty": "oct", "alg": "A128KW", "use": "sig", "k": "GawgguFyGrWKav7AX4VKUg"}`), jwe.ParseOptions{})
	fmt.Println(err)
	// Output:
	// A128KW secret key "shared"
	// jwe: this key is for use "sig", not for "enc"
}
