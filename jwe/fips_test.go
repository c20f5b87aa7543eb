package jwe_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/jot-auth/jot/jwe"
)

// Everything that FIPS 140-3 approves of works where nothing else does. SHA-1, and so RSA_OAEP, and X25519 are not
// approved.
func TestFIPSApproved(t *testing.T) {
	var pairs []pair
	generated := privateKey(t, jwe.RSA_OAEP_256)
	pairs = append(pairs, privatePair("RSA-OAEP-256", generated, nil))
	for _, alg := range []jwe.Algorithm{jwe.ECDH_ES, jwe.ECDH_ES_A128KW, jwe.ECDH_ES_A192KW, jwe.ECDH_ES_A256KW} {
		for _, curve := range []ecdh.Curve{ecdh.P256(), ecdh.P384(), ecdh.P521()} {
			made, err := curve.GenerateKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			key, err := jwe.NewPrivateKey(alg, made, jwe.KeyOptions{})
			pairs = append(pairs, privatePair(string(alg), key, err))
		}
	}
	for _, alg := range []jwe.Algorithm{jwe.A128KW, jwe.A192KW, jwe.A256KW, jwe.A128GCMKW, jwe.A192GCMKW, jwe.A256GCMKW} {
		pairs = append(pairs, sharedPair(string(alg), secretKey(t, alg), nil))
	}
	for _, alg := range []jwe.Algorithm{jwe.PBES2_HS256_A128KW, jwe.PBES2_HS384_A192KW, jwe.PBES2_HS512_A256KW} {
		key, err := jwe.NewPassword(alg, []byte("correct horse battery"), jwe.PasswordOptions{Iterations: 1000})
		pairs = append(pairs, sharedPair(string(alg), key, err))
	}
	for _, enc := range everyEncryption {
		direct := directKey(t, enc)
		for _, pair := range append(pairs, sharedPair("dir", direct, nil)) {
			message := encrypt(t, newEncrypter(t, enc, jwe.EncrypterOptions{}, pair.encrypt), "content")
			if decrypted := decrypt(t, jwe.DecrypterOptions{}, message, pair.decrypt); string(decrypted.Plaintext()) != "content" {
				t.Errorf("%s, %s: %v", pair.name, enc, decrypted)
			}
			refuses(t, newDecrypter(t, jwe.DecrypterOptions{}, pair.decrypt), pair.name, message[:strings.LastIndexByte(message, '.')+1]+strings.Repeat("A", 22))
		}
	}
}

func TestFIPSNestedToken(t *testing.T) {
	h := newHouse(t)
	token, err := newDecrypter(t, jwe.DecrypterOptions{}, h.recipient).OpenToken(t.Context(), h.verifier, h.seal(t, jwe.EncrypterOptions{}, claims()))
	if err != nil || token.Subject() != "ada" {
		t.Errorf("%v, %v", token, err)
	}
}
