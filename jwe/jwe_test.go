package jwe_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwe"
)

var everyEncryption = []jwe.Encryption{jwe.A128GCM, jwe.A192GCM, jwe.A256GCM, jwe.A128CBC_HS256, jwe.A192CBC_HS384, jwe.A256CBC_HS512}

// pair is a key to encrypt for and the key to decrypt with.
type pair struct {
	name    string
	encrypt jwe.EncryptionKey
	decrypt jwe.DecryptionKey
}

// slow reports whether a key is on a curve that takes ten times as long as the others, and shows nothing new beyond a
// round trip.
func (p pair) slow() bool {
	return strings.HasSuffix(p.name, "P-384") || strings.HasSuffix(p.name, "P-521")
}

func privatePair(name string, key *jwe.PrivateKey, err error) pair {
	if err != nil {
		panic(err)
	}
	return pair{name, key.Public(), key}
}

func sharedPair[K interface {
	jwe.EncryptionKey
	jwe.DecryptionKey
}](name string, key K, err error) pair {
	if err != nil {
		panic(err)
	}
	return pair{name, key, key}
}

// wrappingPairs has a key for each algorithm that wraps the content's key, and for each curve.
var wrappingPairs = sync.OnceValue(func() (pairs []pair) {
	for _, alg := range []jwe.Algorithm{jwe.RSA_OAEP, jwe.RSA_OAEP_256} {
		key, err := jwe.NewPrivateKey(alg, privateRSA(), jwe.KeyOptions{KeyID: string(alg)})
		pairs = append(pairs, privatePair(string(alg), key, err))
	}
	for _, alg := range []jwe.Algorithm{jwe.ECDH_ES_A128KW, jwe.ECDH_ES_A192KW, jwe.ECDH_ES_A256KW} {
		pairs = append(pairs, agreementPairs(alg)...)
	}
	for _, alg := range []jwe.Algorithm{jwe.A128KW, jwe.A192KW, jwe.A256KW, jwe.A128GCMKW, jwe.A192GCMKW, jwe.A256GCMKW} {
		key, err := jwe.GenerateSecretKey(alg)
		pairs = append(pairs, sharedPair(string(alg), key, err))
	}
	for _, alg := range []jwe.Algorithm{jwe.PBES2_HS256_A128KW, jwe.PBES2_HS384_A192KW, jwe.PBES2_HS512_A256KW} {
		key, err := jwe.NewPassword(alg, []byte("correct horse"), jwe.PasswordOptions{KeyID: string(alg), Iterations: 1000})
		pairs = append(pairs, sharedPair(string(alg), key, err))
	}
	return pairs
})

// privateRSA is the key of RFC 7516, appendix A.1: making one takes a while.
var privateRSA = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := jwe.ParsePrivateKey([]byte(examples[0].key), jwe.ParseOptions{Algorithm: examples[0].alg})
	if err != nil {
		panic(err)
	}
	text, err := key.ExportPEM()
	if err != nil {
		panic(err)
	}
	block, _ := pem.Decode(text)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	return parsed.(*rsa.PrivateKey)
})

// agreementPairs has a key on each curve.
func agreementPairs(alg jwe.Algorithm) (pairs []pair) {
	for _, curve := range []ecdh.Curve{ecdh.P256(), ecdh.X25519(), ecdh.P384(), ecdh.P521()} {
		made, err := curve.GenerateKey(rand.Reader)
		if err != nil {
			panic(err)
		}
		key, err := jwe.NewPrivateKey(alg, made, jwe.KeyOptions{})
		pairs = append(pairs, privatePair(fmt.Sprint(alg, " ", curve), key, err))
	}
	return pairs
}

// pairsFor has all keys that go with a content encryption alone, and those that go with any.
func pairsFor(enc jwe.Encryption) []pair {
	direct, err := jwe.GenerateDirectKey(enc)
	pairs := append(agreementPairs(jwe.ECDH_ES), sharedPair("dir", direct, err))
	return append(pairs, wrappingPairs()...)
}

func secretKey(t testing.TB, alg jwe.Algorithm) *jwe.SecretKey {
	t.Helper()
	key, err := jwe.GenerateSecretKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func privateKey(t testing.TB, alg jwe.Algorithm) *jwe.PrivateKey {
	t.Helper()
	key, err := jwe.GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newEncrypter(t testing.TB, enc jwe.Encryption, o jwe.EncrypterOptions, keys ...jwe.EncryptionKey) *jwe.Encrypter {
	t.Helper()
	encrypter, err := jwe.NewEncrypter(enc, o, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return encrypter
}

func newDecrypter(t testing.TB, o jwe.DecrypterOptions, keys ...jwe.DecryptionKey) *jwe.Decrypter {
	t.Helper()
	decrypter, err := jwe.NewDecrypter(o, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return decrypter
}

func encrypt(t testing.TB, e *jwe.Encrypter, plaintext string) string {
	t.Helper()
	message, err := e.Encrypt([]byte(plaintext))
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func encryptJSON(t testing.TB, e *jwe.Encrypter, plaintext, additional string) string {
	t.Helper()
	message, err := e.EncryptJSON([]byte(plaintext), []byte(additional))
	if err != nil {
		t.Fatal(err)
	}
	return string(message)
}

func decrypt(t testing.TB, o jwe.DecrypterOptions, message string, keys ...jwe.DecryptionKey) *jwe.Message {
	t.Helper()
	decrypted, err := newDecrypter(t, o, keys...).Decrypt(t.Context(), []byte(message))
	if err != nil {
		t.Fatal(err)
	}
	return decrypted
}

// refuses fails the test unless the message gives the one error.
func refuses(t testing.TB, d *jwe.Decrypter, name, message string) {
	t.Helper()
	decrypted, err := d.Decrypt(t.Context(), []byte(message))
	if decrypted != nil || err != jwe.ErrDecryption || !errors.Is(err, jot.ErrInvalidToken) {
		t.Errorf("%s: %v, %v", name, decrypted, err)
	}
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
