package jot

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"slices"
	"sync"

	"github.com/jot-auth/jot/internal/jwk"
)

// SecretKey both signs and verifies (HMAC): whoever can verify with it can forge. Prefer a
// PrivateKey wherever the verifier is not the signer itself.
type SecretKey struct {
	id     string
	scheme *scheme
	secret func() []byte // in a function, which no printer looks into
	macs   *sync.Pool    // of *macState
}

// macState is a key's HMAC, to be reset before use, with room for its result.
type macState struct {
	hash.Hash
	home *sync.Pool // the key's
	sum  [maxDigestSize]byte
}

// GenerateSecretKey makes a new HMAC key of the hash's size, from the operating system's randomness.
// Its key ID is random. It fails for any other algorithm: see GenerateKey.
func GenerateSecretKey(alg Algorithm) (*SecretKey, error) {
	s := schemeOf(alg)
	if s == nil || s.family != familyHMAC {
		return nil, fmt.Errorf("jot: %.32q takes no secret key: use GenerateKey", string(alg))
	}
	secret := make([]byte, s.hash.Size())
	rand.Read(secret)
	return NewSecretKey(alg, secret, KeyOptions{KeyID: rand.Text()})
}

// NewSecretKey binds an HMAC secret to its algorithm. The secret is copied; one shorter than the hash, 32, 48 or 64
// bytes, is refused (RFC 7518 §3.2), and so is one that can't be secret: PEM, or one byte over and over. Without a
// KeyID among its options, it has none: its tokens bear no "kid", it verifies tokens whatever key ID they bear, and no
// revocation rule of kind "kid" reaches it.
func NewSecretKey(alg Algorithm, secret []byte, o KeyOptions) (*SecretKey, error) {
	if err := checkSecret(secret); err != nil {
		return nil, err
	}
	return newSecretKey(alg, secret, o)
}

// newSecretKey is NewSecretKey for a secret that a JWK says is one.
func newSecretKey(alg Algorithm, secret []byte, o KeyOptions) (*SecretKey, error) {
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
	if err := checkKeyID(o.KeyID); err != nil {
		return nil, err
	}
	secret = slices.Clone(secret)
	macs := new(sync.Pool)
	macs.New = func() any { return &macState{Hash: hmac.New(s.hash.New, secret), home: macs} }
	return &SecretKey{o.KeyID, s, func() []byte { return secret }, macs}, nil
}

// checkSecret refuses what is seen at a glance to be no secret: a public key where someone means to verify with it, and
// a buffer that nobody filled.
func checkSecret(secret []byte) error {
	if jwk.IsPEM(secret) {
		return errors.New("jot: this secret is a PEM block: read it with ParsePublicKey or ParsePrivateKey, and use its own algorithm")
	}
	if len(secret) > 0 && bytes.Count(secret, secret[:1]) == len(secret) {
		return errors.New("jot: this secret is one byte over and over: use random bytes, as GenerateSecretKey does")
	}
	return nil
}

func (k *SecretKey) usable() bool { return k != nil && k.scheme != nil }

func (k *SecretKey) named() bool { return k.id != "" }

// KeyID returns the key's "kid", empty where it has none.
func (k *SecretKey) KeyID() string {
	if !k.usable() {
		return ""
	}
	return k.id
}

// Algorithm returns the one algorithm of this key.
func (k *SecretKey) Algorithm() Algorithm {
	if !k.usable() {
		return ""
	}
	return k.scheme.name
}

// Format writes the algorithm and the key ID, whatever the verb: the secret is never printed.
func (k SecretKey) Format(f fmt.State, _ rune) { describeKey(f, "secret", k.scheme, k.id) }

// LogValue is what log/slog writes: the algorithm and the key ID.
func (k SecretKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

func (k *SecretKey) borrowMAC() *macState { return k.macs.Get().(*macState) }

func (m *macState) giveBack() { m.home.Put(m) }

// of reports whether the state is this key's, or that of a copy of it.
func (m *macState) of(key *SecretKey) bool { return m != nil && m.home == key.macs }

// mac returns the MAC of the input, which stands in the state's own memory.
func (m *macState) mac(input []byte) []byte {
	m.Reset()
	m.Write(input)
	return m.Sum(m.sum[:0])
}

// verifies compares in constant time.
func (m *macState) verifies(input, signature []byte) bool {
	return subtle.ConstantTimeCompare(m.mac(input), signature) == 1
}

// SignInput returns the MAC of a JWS signing input (RFC 7515 §5.1).
func (k *SecretKey) SignInput(ctx context.Context, input []byte) ([]byte, error) {
	return k.appendSignature(ctx, nil, input)
}

func (k *SecretKey) appendSignature(_ context.Context, dst, input []byte) ([]byte, error) {
	if !k.usable() {
		return nil, errNoKey
	}
	state := k.borrowMAC()
	dst = append(dst, state.mac(input)...)
	state.giveBack()
	return dst, nil
}

// VerifyInput reports, in constant time, whether the signature is this key's MAC of a JWS signing input (RFC 7515
// §5.2).
func (k *SecretKey) VerifyInput(input, signature []byte) bool {
	if !k.usable() {
		return false
	}
	state := k.borrowMAC()
	genuine := state.verifies(input, signature)
	state.giveBack()
	return genuine
}
