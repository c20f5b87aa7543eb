package jot

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"hash"
	"log/slog"
	"slices"
	"sync"
)

// SecretKey both signs and verifies (HMAC): whoever can verify with it can forge. Prefer a
// PrivateKey wherever the verifier is not the signer itself.
type SecretKey struct {
	id       string
	scheme   *scheme
	material *secretMaterial
}

type secretMaterial struct {
	secret []byte
	macs   sync.Pool // of *macState
}

// macState is a keyed HMAC, to be reset before use, with room for its result.
type macState struct {
	hash.Hash
	sum [maxDigestSize]byte
}

// GenerateSecretKey makes a new HMAC key of the hash's size, from the operating system's randomness.
// Its key ID is the RFC 7638 thumbprint.
func GenerateSecretKey(alg Algorithm) (*SecretKey, error) {
	s := schemeOf(alg)
	if s == nil || s.family != familyHMAC {
		return nil, fmt.Errorf("jot: %.32q takes no secret key: use GenerateKey", string(alg))
	}
	secret := make([]byte, s.hash.Size())
	rand.Read(secret)
	return NewSecretKey(alg, secret, KeyOptions{})
}

// NewSecretKey binds an HMAC secret to its algorithm. The secret is copied; one shorter than
// the hash, 32, 48 or 64 bytes, is refused (RFC 7518 §3.2).
func NewSecretKey(alg Algorithm, secret []byte, o KeyOptions) (*SecretKey, error) {
	s := schemeOf(alg)
	if s == nil {
		return nil, unknownAlgorithm(alg)
	}
	if s.family != familyHMAC {
		return nil, fmt.Errorf("jot: %s does not take a secret key", alg)
	}
	if len(secret) < s.hash.Size() || len(secret) > maxSecretSize {
		return nil, fmt.Errorf("jot: a secret key for %s has %d to %d bytes, this one has %d", alg, s.hash.Size(), maxSecretSize, len(secret))
	}
	material := &secretMaterial{secret: slices.Clone(secret)}
	material.macs.New = func() any { return &macState{Hash: hmac.New(s.hash.New, material.secret)} }
	id := o.KeyID
	if id == "" {
		id = thumbprint(secretMembers(secret))
	}
	if err := checkKeyID(id); err != nil {
		return nil, err
	}
	return &SecretKey{id, s, material}, nil
}

func (k *SecretKey) usable() bool { return k != nil && k.material != nil }

// KeyID returns the key's "kid".
func (k *SecretKey) KeyID() string { return k.id }

// Algorithm returns the one algorithm of this key.
func (k *SecretKey) Algorithm() Algorithm { return k.scheme.name }

// Format writes the algorithm and the key ID, whatever the verb: the secret is never printed.
func (k SecretKey) Format(f fmt.State, _ rune) { describeKey(f, "secret", k.scheme, k.id) }

// LogValue is what log/slog writes: the algorithm and the key ID.
func (k SecretKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

// sum calls use with the MAC of the input, which is valid during the call only.
func (m *secretMaterial) sum(input []byte, use func(mac []byte)) {
	state := m.macs.Get().(*macState)
	state.Reset()
	state.Write(input)
	use(state.Sum(state.sum[:0]))
	m.macs.Put(state)
}

// SignInput returns the MAC of a JWS signing input (RFC 7515 §5.1).
func (k *SecretKey) SignInput(_ context.Context, input []byte) (signature []byte, _ error) {
	k.material.sum(input, func(mac []byte) { signature = slices.Clone(mac) })
	return signature, nil
}

// VerifyInput reports, in constant time, whether the signature is this key's MAC of a JWS signing input (RFC 7515 §5.2).
func (k *SecretKey) VerifyInput(input, signature []byte) (equal bool) {
	k.material.sum(input, func(mac []byte) { equal = subtle.ConstantTimeCompare(mac, signature) == 1 })
	return equal
}
