package jwe_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwe"
)

func Example() {
	key, err := jwe.GenerateKey(jwe.ECDH_ES_A256KW)
	if err != nil {
		log.Fatal(err)
	}

	// Whoever has the public key can write to the holder of the private one.
	encrypter, err := jwe.NewEncrypter(jwe.A256GCM, jwe.EncrypterOptions{ContentType: "text/plain"}, key.Public())
	if err != nil {
		log.Fatal(err)
	}
	raw, err := encrypter.Encrypt([]byte("meet me at noon"))
	if err != nil {
		log.Fatal(err)
	}

	decrypter, err := jwe.NewDecrypter(jwe.DecrypterOptions{}, key)
	if err != nil {
		log.Fatal(err)
	}
	message, err := decrypter.Decrypt(context.Background(), []byte(raw))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s\n", message.ContentType(), message.Plaintext())
	// Output: text/plain: meet me at noon
}

func ExampleEncrypter_EncryptJSON() {
	ann, _ := jwe.GenerateKey(jwe.RSA_OAEP_256)
	bob, _ := jwe.GenerateKey(jwe.ECDH_ES_A256KW)
	encrypter, err := jwe.NewEncrypter(jwe.A256GCM, jwe.EncrypterOptions{}, ann.Public(), bob.Public())
	if err != nil {
		log.Fatal(err)
	}
	raw, err := encrypter.EncryptJSON([]byte("the vault's code is 1234"), []byte("minutes of the board"))
	if err != nil {
		log.Fatal(err)
	}

	for _, key := range []*jwe.PrivateKey{ann, bob} {
		decrypter, err := jwe.NewDecrypter(jwe.DecrypterOptions{}, key)
		if err != nil {
			log.Fatal(err)
		}
		message, err := decrypter.Decrypt(context.Background(), raw)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s (%s)\n", message.Algorithm(), message.Plaintext(), message.Additional())
	}
	// Output:
	// RSA-OAEP-256: the vault's code is 1234 (minutes of the board)
	// ECDH-ES+A256KW: the vault's code is 1234 (minutes of the board)
}

// A token that only its recipient can read, and only its issuer can have written.
func ExampleDecrypter_OpenToken() {
	issuerKey, _ := jot.GenerateKey(jot.ES256)
	recipientKey, _ := jwe.GenerateKey(jwe.ECDH_ES)
	ctx := context.Background()

	// The issuer signs, then encrypts.
	signer, err := jot.NewSigner(issuerKey, jot.SignerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	encrypter, err := jwe.NewEncrypter(jwe.A256GCM, jwe.EncrypterOptions{}, recipientKey.Public())
	if err != nil {
		log.Fatal(err)
	}
	raw, err := encrypter.SealToken(ctx, signer, jot.Claims{
		Issuer: "https://auth.example.com", Audience: jot.Audience{"clinic"}, Subject: "ada", Expires: jot.At(time.Now().Add(time.Minute)),
	})
	if err != nil {
		log.Fatal(err)
	}

	// The recipient decrypts, then verifies: one call.
	verifier, err := jot.NewVerifier(jot.NewKeySet(issuerKey.Public()), jot.VerifierOptions{Issuer: "https://auth.example.com", Audience: "clinic"})
	if err != nil {
		log.Fatal(err)
	}
	decrypter, err := jwe.NewDecrypter(jwe.DecrypterOptions{}, recipientKey)
	if err != nil {
		log.Fatal(err)
	}
	token, err := decrypter.OpenToken(ctx, verifier, raw)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.Subject())
	// Output: ada
}

// A key that a key management service holds: it decrypts a key of some 32 bytes, never the message.
func ExampleNewRemoteRSAKey() {
	service, _ := rsa.GenerateKey(rand.Reader, 2048)
	decryptThere := func(ctx context.Context, encryptedKey []byte) ([]byte, error) {
		return rsa.DecryptOAEP(sha256.New(), nil, service, encryptedKey, nil)
	}

	key, err := jwe.NewRemoteRSAKey(jwe.RSA_OAEP_256, service.Public(), decryptThere, jwe.KeyOptions{KeyID: "kms-1"})
	if err != nil {
		log.Fatal(err)
	}
	encrypter, err := jwe.NewEncrypter(jwe.A256GCM, jwe.EncrypterOptions{}, key.Public())
	if err != nil {
		log.Fatal(err)
	}
	raw, err := encrypter.Encrypt([]byte("meet me at noon"))
	if err != nil {
		log.Fatal(err)
	}

	decrypter, err := jwe.NewDecrypter(jwe.DecrypterOptions{}, key)
	if err != nil {
		log.Fatal(err)
	}
	message, err := decrypter.Decrypt(context.Background(), []byte(raw))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s\n", message.KeyID(), message.Plaintext())
	// Output: kms-1: meet me at noon
}

// A smart card shows its public half, and agrees on a secret with an ephemeral key.
func ExampleNewRemoteECDHKey() {
	card, _ := ecdh.P256().GenerateKey(rand.Reader)
	agreeThere := func(ctx context.Context, ephemeral *ecdh.PublicKey) ([]byte, error) { return card.ECDH(ephemeral) }

	key, err := jwe.NewRemoteECDHKey(jwe.ECDH_ES_A256KW, card.PublicKey(), agreeThere, jwe.KeyOptions{KeyID: "card"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key)
	// Output: ECDH-ES+A256KW private key "card"
}

func ExampleNewPassword() {
	password, err := jwe.NewPassword(jwe.PBES2_HS512_A256KW, []byte("correct horse battery staple"), jwe.PasswordOptions{})
	if err != nil {
		log.Fatal(err)
	}
	encrypter, err := jwe.NewEncrypter(jwe.A256GCM, jwe.EncrypterOptions{}, password)
	if err != nil {
		log.Fatal(err)
	}
	raw, err := encrypter.Encrypt([]byte("a diary"))
	if err != nil {
		log.Fatal(err)
	}

	decrypter, err := jwe.NewDecrypter(jwe.DecrypterOptions{}, password)
	if err != nil {
		log.Fatal(err)
	}
	message, err := decrypter.Decrypt(context.Background(), []byte(raw))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", message.Plaintext())
	// Output: a diary
}

// Two programs that share a secret, and a new one that replaces it.
func ExampleNewDecrypter_rotation() {
	retiring, _ := jwe.GenerateSecretKey(jwe.A256KW)
	active, _ := jwe.GenerateSecretKey(jwe.A256KW)
	decrypter, err := jwe.NewDecrypter(jwe.DecrypterOptions{Encryptions: []jwe.Encryption{jwe.A256GCM}}, active, retiring)
	if err != nil {
		log.Fatal(err)
	}
	encrypter, err := jwe.NewEncrypter(jwe.A256GCM, jwe.EncrypterOptions{}, retiring)
	if err != nil {
		log.Fatal(err)
	}
	raw, _ := encrypter.Encrypt([]byte("written before the rotation"))
	message, err := decrypter.Decrypt(context.Background(), []byte(raw))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(message.KeyID() == retiring.KeyID())

	_, err = decrypter.Decrypt(context.Background(), []byte(strings.Replace(raw, ".", ".A", 1)))
	fmt.Println(err, errors.Is(err, jot.ErrInvalidToken))
	// Output:
	// true
	// jwe: this message can't be decrypted true
}

func ExampleParsePublicKey() {
	key, err := jwe.ParsePublicKey([]byte(`{
		"kty": "OKP", "crv": "X25519", "use": "enc", "alg": "ECDH-ES+A128KW", "kid": "Bob",
		"x": "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}`), jwe.ParseOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key)
	// Output: ECDH-ES+A128KW public key "Bob"
}

func ExampleGenerateDirectKey() {
	key, err := jwe.GenerateDirectKey(jwe.A256GCM)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key.Algorithm(), key.Encryption())

	_, err = jwe.NewEncrypter(jwe.A128CBC_HS256, jwe.EncrypterOptions{}, key)
	fmt.Println(err)
	// Output:
	// dir A256GCM
	// jwe: this key is for A256GCM, not for A128CBC-HS256
}
