package jwe

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"

	"github.com/jot-auth/jot/internal/jwk"
)

// SecretKey both encrypts and decrypts: whoever can read with it can also write. It's random, never a password; for one
// see Password.
type SecretKey struct {
	id      string
	scheme  *scheme
	content *content      // of a direct key: the one content encryption that it's for
	secret  func() []byte // a function, as in PrivateKey
}

// GenerateSecretKey makes a new key for AES key wrap, A128KW to A256GCMKW, from the operating system's randomness, with
// a random key ID. For Dir see GenerateDirectKey.
func GenerateSecretKey(alg Algorithm) (*SecretKey, error) {
	s, err := wrappingScheme(alg)
	if err != nil {
		return nil, err
	}
	return NewSecretKey(alg, randomBytes(s.wrapSize), KeyOptions{KeyID: rand.Text()})
}

// NewSecretKey binds a secret to an AES key wrap algorithm, A128KW to A256GCMKW. The secret is copied; it has exactly
// the algorithm's 16, 24 or 32 bytes. For Dir see NewDirectKey.
func NewSecretKey(alg Algorithm, secret []byte, o KeyOptions) (*SecretKey, error) {
	s, err := wrappingScheme(alg)
	if err != nil {
		return nil, err
	}
	return newSecretKey(s, secret, s.wrapSize, nil, o)
}

func wrappingScheme(alg Algorithm) (*scheme, error) {
	advice := "takes no key of this kind: use GenerateKey and NewPrivateKey, or NewPassword"
	if alg == Dir {
		advice = "encrypts the content itself: name the content encryption, with NewDirectKey or GenerateDirectKey"
	}
	return schemeAmong(alg, advice, familyKeyWrap, familyGCMKeyWrap)
}

// GenerateDirectKey makes a new key of algorithm Dir for one content encryption, from the operating system's
// randomness, with a random key ID.
func GenerateDirectKey(enc Encryption) (*SecretKey, error) {
	c, err := offeredContent(enc)
	if err != nil {
		return nil, err
	}
	return NewDirectKey(enc, c.newKey(), KeyOptions{KeyID: rand.Text()})
}

// NewDirectKey binds a secret to algorithm Dir and to the one content encryption that it's for (RFC 7518 §4.5): two
// algorithms never share a key. The secret is copied; it has exactly the size that the content encryption needs. With
// AES-GCM, encrypt at most 2³² messages.
func NewDirectKey(enc Encryption, secret []byte, o KeyOptions) (*SecretKey, error) {
	c, err := offeredContent(enc)
	if err != nil {
		return nil, err
	}
	return newSecretKey(schemeOf(Dir), secret, c.keySize, c, o)
}

func newSecretKey(s *scheme, secret []byte, size int, c *content, o KeyOptions) (*SecretKey, error) {
	if len(secret) != size {
		return nil, fmt.Errorf("jwe: this secret key has %d bytes, not %d", len(secret), size)
	}
	if err := checkKeyID(o.KeyID); err != nil {
		return nil, err
	}
	secret = slices.Clone(secret)
	return &SecretKey{o.KeyID, s, c, func() []byte { return secret }}, nil
}

func (k *SecretKey) usable() bool { return k != nil && k.secret != nil }

func (k *SecretKey) bound() *content { return k.content }

func (k *SecretKey) price(*wrapping) work { return work{attempts: 1} }

func (k *SecretKey) usual() work { return k.price(nil) }

// KeyID returns the key's "kid"; empty where it has none.
func (k *SecretKey) KeyID() string { return k.id }

// Algorithm returns the one algorithm of this key; empty for the zero value.
func (k *SecretKey) Algorithm() Algorithm { return k.scheme.keyAlgorithm() }

// Encryption returns the one content encryption of a key of algorithm Dir, and is empty for any other key: that one
// goes with all of them.
func (k *SecretKey) Encryption() Encryption {
	if k.content == nil {
		return ""
	}
	return k.content.name
}

// Format writes the algorithm and the key ID, whatever the verb: the secret is never printed.
func (k SecretKey) Format(f fmt.State, _ rune) { describeKey(f, "secret", k.scheme, k.id) }

// LogValue is what log/slog writes: the algorithm and the key ID.
func (k SecretKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

// MarshalJSON always fails: a secret key is not to be published by accident. ExportJWK writes it on purpose.
func (k SecretKey) MarshalJSON() ([]byte, error) { return nil, errSecretJSON }

// ExportJWK returns the secret key as a JWK, in the clear: whoever reads it can encrypt and decrypt. A key of algorithm
// Dir bears the name of its content encryption as "alg", as in RFC 7520 §5.6.
func (k *SecretKey) ExportJWK() ([]byte, error) {
	if !k.usable() {
		return nil, errNoKey
	}
	alg := string(k.scheme.name)
	if k.content != nil {
		alg = string(k.content.name)
	}
	return prefixed(jwk.MarshalSecret(k.secret(), jwk.Description{Use: "enc", Algorithm: alg, KeyID: k.id}))
}

func (k *SecretKey) wrap(w *wrapping, c *content, proposed []byte) (_ []byte, err error) {
	switch k.scheme.family {
	case familyKeyWrap:
		w.encryptedKey, err = wrapKey(k.secret(), proposed)
	case familyGCMKeyWrap:
		var s sealed
		s, err = sealGCM(k.secret(), proposed, nil)
		w.iv, w.encryptedKey, w.tag = s.iv, s.ciphertext, s.tag
	default:
		return k.secret(), nil // an encrypter has compared the content encryption
	}
	return proposed, err
}

func (k *SecretKey) unwrap(_ context.Context, w *wrapping, c *content) ([]byte, error) {
	switch k.scheme.family {
	case familyKeyWrap:
		return unwrapKey(k.secret(), w.encryptedKey, c.keySize)
	case familyGCMKeyWrap:
		return openGCM(k.secret(), sealed{w.iv, w.encryptedKey, w.tag}, nil)
	}
	if len(w.encryptedKey) > 0 || c != k.content { // RFC 7516 §5.2, step 10
		return nil, errSurplusKey
	}
	return k.secret(), nil
}
