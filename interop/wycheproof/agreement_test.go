package wycheproof

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/jot-auth/jot/interop/vectors"
	"github.com/jot-auth/jot/jwe"
)

// vector is a Diffie-Hellman agreement. jot has no way to agree on a secret but ECDH-ES, so each becomes a message that
// was encrypted to the private key, with the public one as the sender's ephemeral key: it opens if, and only if, the
// agreed secret is the one that the vector states.
type vector struct {
	Public  json.RawMessage `json:"public"`
	Private json.RawMessage `json:"private"`
	Shared  string          `json:"shared"`
}

const agreedText = "the secret is agreed"

// offeredCurves are those of ECDH-ES in jot, by their names in a JWK.
var offeredCurves = []string{"P-256", "P-384", "P-521", "X25519"}

type run struct {
	suite vectors.Suite
	cases []vectors.Case
}

// agreements are the cases of some files of agreements.
func agreements(t *testing.T, name string, files ...string) run {
	t.Helper()
	all := map[string]vector{}
	var cases []vectors.Case
	for _, file := range files {
		for _, g := range read(t, file) {
			for _, test := range g.Tests {
				c := vectors.Case{ID: fmt.Sprintf("%s/%d", file, test.ID), Expect: test.Result, Algorithms: []string{"ECDH-ES on " + curveOf(test.Private)}}
				if c.Expect == "acceptable" {
					c.Level, c.Expect = "acceptable on "+curveOf(test.Private)+", "+kindOf(test.Flags), "either"
				}
				cases, all[c.ID] = append(cases, c), test.vector
			}
		}
	}
	text := vectors.Text(agreedText)
	suite := vectors.Suite{
		Name: name, Open: func(c *vectors.Case) ([]byte, error) { return all[c.ID].open(c.Expect == "invalid") },
		Content: func(*vectors.Case) *vectors.Text { return &text }, Deviations: nil,
	}
	return run{suite, cases}
}

// kindOf is the one property of an acceptable public key that decides what a careful implementation does with it: where
// the agreed secret is zero whatever the private key, RFC 8037 §3.2.1 and RFC 7748 §6.1 refuse.
func kindOf(flags []string) string {
	if slices.Contains(flags, "ZeroSharedSecret") {
		return "of low order"
	}
	return "of another form"
}

// open parses both keys and opens the message. An invalid public key is refused as such, before anything fails to open,
// unless it only is on another curve than the private one.
func (v vector) open(invalid bool) ([]byte, error) {
	curve := curveOf(v.Private)
	private, err := jwe.ParsePrivateKey(v.Private, jwe.ParseOptions{Algorithm: jwe.ECDH_ES})
	if err == nil {
		_, err = jwe.ParsePublicKey(v.Public, jwe.ParseOptions{Algorithm: jwe.ECDH_ES})
	}
	if err != nil && !slices.Contains(offeredCurves, curve) {
		return nil, fmt.Errorf("%w: %w", vectors.ErrNotOffered, err)
	}
	if err != nil {
		return nil, err
	}
	if invalid && curveOf(v.Public) == curve {
		return nil, nil
	}
	decrypter, err := jwe.NewDecrypter(jwe.DecrypterOptions{Encryptions: []jwe.Encryption{jwe.A128GCM}}, private)
	if err != nil {
		return nil, err
	}
	message, err := decrypter.Decrypt(context.Background(), []byte(v.message()))
	if err != nil {
		return nil, err
	}
	return message.Plaintext(), nil
}

func curveOf(jwk []byte) string {
	var key struct {
		Curve string `json:"crv"`
	}
	if err := json.Unmarshal(jwk, &key); err != nil {
		panic(err)
	}
	return key.Curve
}

// message encrypts under the key that RFC 7518 §4.6.2 derives from the shared secret.
func (v vector) message() string {
	secret, err := hex.DecodeString(v.Shared)
	if err != nil {
		panic(err)
	}
	header := encode(fmt.Appendf(nil, `{"alg":"ECDH-ES","enc":"A128GCM","epk":%s}`, withoutKeyID(v.Public)))
	sealed := gcm(derive(secret)).Seal(nil, make([]byte, 12), []byte(agreedText), []byte(header))
	tag := len(sealed) - 16
	return header + ".." + encode(make([]byte, 12)) + "." + encode(sealed[:tag]) + "." + encode(sealed[tag:])
}

// derive is the Concat KDF with one round, for 128 bits, without party info.
func derive(secret []byte) []byte {
	const enc, bits = "A128GCM", 128
	input := binary.BigEndian.AppendUint32(nil, 1)
	input = append(input, secret...)
	input = binary.BigEndian.AppendUint32(input, uint32(len(enc)))
	input = append(input, enc...)
	input = append(input, make([]byte, 8)...) // neither apu nor apv
	input = binary.BigEndian.AppendUint32(input, bits)
	sum := sha256.Sum256(input)
	return sum[:bits/8]
}

func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// withoutKeyID takes out what an ephemeral key doesn't have.
func withoutKeyID(jwk []byte) []byte {
	var members map[string]any
	if err := json.Unmarshal(jwk, &members); err != nil {
		panic(err)
	}
	delete(members, "kid")
	encoded, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return encoded
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
