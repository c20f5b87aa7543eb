package jot

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"math"
	"math/big"
	"slices"
	"sync"
	"unicode/utf8"
)

const (
	generatedRSABits = 3072 // the 128-bit strength of NIST SP 800-57, as ES256's and EdDSA's
	minRSABits       = 2048 // RFC 7518 §3.3
	maxRSABits       = 16384
	maxSecretSize    = 4 << 10
	maxKeyIDSize     = 256
)

// PrivateKey signs tokens: a private key, its one algorithm and its key ID, fixed when made.
// It prints as its algorithm and key ID, never as its material.
type PrivateKey struct {
	public   *PublicKey
	material *privateMaterial
}

// privateMaterial stands behind a pointer so that no formatting of a PrivateKey reaches into it.
type privateMaterial struct{ signer crypto.Signer }

// PublicKey verifies tokens: a public key, its one algorithm and its key ID, fixed when made.
type PublicKey struct {
	id       string
	scheme   *scheme
	material crypto.PublicKey // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey; never altered
}

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

// SigningKey is a key that signs: *PrivateKey or *SecretKey.
type SigningKey interface {
	KeyID() string
	Algorithm() Algorithm
	sign(ctx context.Context, input []byte) ([]byte, error)
	usable() bool // false of nil and of the zero value
}

// VerificationKey is a key that verifies: *PublicKey or *SecretKey.
type VerificationKey interface {
	KeyID() string
	Algorithm() Algorithm
	verify(input, signature []byte) bool
}

// KeyOptions are the optional attributes of a key.
type KeyOptions struct {
	// KeyID is the key's "kid" (RFC 7517 §4.5), at most 256 bytes. Empty means its RFC 7638 thumbprint.
	KeyID string
}

// GenerateKey makes a new private key for any algorithm but HMAC's, from the operating system's randomness; RSA keys have 3072 bits. Its
// key ID is the RFC 7638 thumbprint. For HMAC see GenerateSecretKey.
func GenerateKey(alg Algorithm) (*PrivateKey, error) {
	s := schemeOf(alg)
	if s == nil {
		return nil, unknownAlgorithm(alg)
	}
	var signer crypto.Signer
	var err error
	switch s.family {
	case familyECDSA:
		signer, err = ecdsa.GenerateKey(s.curve.Curve, rand.Reader)
	case familyRSA, familyPSS:
		signer, err = rsa.GenerateKey(rand.Reader, generatedRSABits)
	case familyEd25519:
		_, signer, err = ed25519.GenerateKey(rand.Reader)
	case familyHMAC:
		return nil, fmt.Errorf("jot: %s has no private key: use GenerateSecretKey", alg)
	}
	if err != nil {
		return nil, fmt.Errorf("jot: generating a key for %s: %w", alg, err)
	}
	return NewPrivateKey(alg, signer, KeyOptions{})
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

// NewPrivateKey binds a private key to its algorithm. The signer is *ecdsa.PrivateKey, *rsa.PrivateKey or ed25519.PrivateKey, which are
// copied, or any other crypto.Signer, such as a key in an HSM, whose Public is one of their public keys.
// A key that the algorithm can't use, that is too weak for it, or whose halves don't belong together, is refused.
func NewPrivateKey(alg Algorithm, signer crypto.Signer, o KeyOptions) (*PrivateKey, error) {
	signer, err := checkedSigner(signer)
	if err != nil {
		return nil, err
	}
	public, err := NewPublicKey(alg, signer.Public(), o)
	if err != nil {
		return nil, err
	}
	return &PrivateKey{public, &privateMaterial{signer}}, nil
}

// checkedSigner returns a copy of a private key that nobody else can alter, ready to sign. A mismatch of its halves would publish a key
// that never verifies; for Ed25519, signing with it would give the private half away.
func checkedSigner(signer crypto.Signer) (crypto.Signer, error) {
	mismatch := errors.New("jot: the private and public halves of this key don't belong together")
	switch k := signer.(type) {
	case nil:
	case *ecdsa.PrivateKey:
		if k == nil || k.D == nil || k.Curve == nil {
			break
		}
		scalar, err := k.Bytes()
		if err != nil {
			return nil, errors.New("jot: the private scalar of this key is out of range")
		}
		derived, err := ecdsa.ParseRawPrivateKey(k.Curve, scalar)
		if err != nil || !derived.PublicKey.Equal(&k.PublicKey) {
			return nil, mismatch
		}
		return derived, nil
	case ed25519.PrivateKey:
		if len(k) != ed25519.PrivateKeySize {
			return nil, fmt.Errorf("jot: an Ed25519 private key has %d bytes, this one has %d", ed25519.PrivateKeySize, len(k))
		}
		derived := ed25519.NewKeyFromSeed(k.Seed())
		if !derived.Equal(k) {
			return nil, mismatch
		}
		return derived, nil
	case *rsa.PrivateKey:
		if k != nil {
			return checkedRSAPrivate(k)
		}
	default:
		return signer, nil
	}
	return nil, errors.New("jot: private key is nil")
}

func checkedRSAPrivate(k *rsa.PrivateKey) (crypto.Signer, error) {
	if _, err := checkedRSA(&k.PublicKey); err != nil {
		return nil, err
	}
	contradiction := errors.New("jot: the parts of this RSA key contradict each other")
	if len(k.Primes) != 2 || k.D == nil || k.Primes[0] == nil || k.Primes[1] == nil {
		return nil, errors.New("jot: an RSA private key has d and two primes")
	}
	// Cheap checks first: validating numbers of arbitrary size would take for ever.
	bits := k.Primes[0].BitLen() + k.Primes[1].BitLen()
	if bits > k.N.BitLen()+1 || k.D.Cmp(k.N) >= 0 || new(big.Int).Mul(k.Primes[0], k.Primes[1]).Cmp(k.N) != 0 {
		return nil, contradiction
	}
	copied := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Set(k.N), E: k.E}, D: new(big.Int).Set(k.D),
		Primes: []*big.Int{new(big.Int).Set(k.Primes[0]), new(big.Int).Set(k.Primes[1])},
	}
	copied.Precompute()
	if err := copied.Validate(); err != nil {
		return nil, contradiction
	}
	return copied, nil
}

// NewPublicKey binds a public key to its algorithm: *ecdsa.PublicKey on the algorithm's curve for ES256, ES384 and ES512, *rsa.PublicKey of
// 2048 to 16384 bits for RS and PS, ed25519.PublicKey for EdDSA and Ed25519. The key is copied. Any other pairing, a point off the curve or an
// even RSA modulus is refused.
func NewPublicKey(alg Algorithm, key crypto.PublicKey, o KeyOptions) (*PublicKey, error) {
	s := schemeOf(alg)
	if s == nil {
		return nil, unknownAlgorithm(alg)
	}
	material, err := s.checkedMaterial(key)
	if err != nil {
		return nil, err
	}
	id := o.KeyID
	if id == "" {
		id = thumbprint(publicMembers(material))
	}
	if err := checkKeyID(id); err != nil {
		return nil, err
	}
	return &PublicKey{id, s, material}, nil
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

func checkKeyID(id string) error {
	if len(id) > maxKeyIDSize || !utf8.ValidString(id) {
		return fmt.Errorf("jot: a key ID is valid UTF-8 of at most %d bytes", maxKeyIDSize)
	}
	return nil
}

func unknownAlgorithm(alg Algorithm) error {
	return fmt.Errorf("jot: algorithm %.32q is not offered: use ES256, EdDSA, RS256 or another of this package's constants", string(alg))
}

// checkedMaterial returns a copy of key that the algorithm can use and that nobody else can alter.
func (s *scheme) checkedMaterial(key crypto.PublicKey) (crypto.PublicKey, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if (s.family == familyRSA || s.family == familyPSS) && k != nil {
			return checkedRSA(k)
		}
	case *ecdsa.PublicKey:
		if s.family == familyECDSA && k != nil {
			return s.checkedECDSA(k)
		}
	case ed25519.PublicKey:
		if s.family == familyEd25519 && len(k) == ed25519.PublicKeySize {
			return slices.Clone(k), nil
		}
	}
	return nil, fmt.Errorf("jot: %s can't use a key of type %T", s.name, key)
}

func checkedRSA(k *rsa.PublicKey) (crypto.PublicKey, error) {
	if k.N == nil || k.N.Sign() <= 0 || k.N.BitLen() < minRSABits || k.N.BitLen() > maxRSABits {
		return nil, fmt.Errorf("jot: an RSA modulus has %d to %d bits", minRSABits, maxRSABits)
	}
	if k.N.Bit(0) == 0 || k.E < 3 || k.E&1 == 0 || k.E > math.MaxInt32 {
		return nil, errors.New("jot: an RSA key has an odd modulus and an odd exponent from 3 to 2³¹−1")
	}
	return &rsa.PublicKey{N: new(big.Int).Set(k.N), E: k.E}, nil
}

// checkedECDSA binds the curve to the algorithm (RFC 7518 §3.4).
func (s *scheme) checkedECDSA(k *ecdsa.PublicKey) (crypto.PublicKey, error) {
	if k.Curve != s.curve.Curve {
		return nil, fmt.Errorf("jot: %s needs a key on %s (RFC 7518 §3.4)", s.name, s.curve.name)
	}
	point, err := k.Bytes()
	if err != nil {
		return nil, errors.New("jot: the key's point is not on its curve")
	}
	return ecdsa.ParseUncompressedPublicKey(k.Curve, point)
}

func (k *PrivateKey) usable() bool { return k != nil && k.public != nil && k.material != nil }

func (k *SecretKey) usable() bool { return k != nil && k.material != nil }

// Public returns the key that verifies what k signs.
func (k *PrivateKey) Public() *PublicKey { return k.public }

// KeyID returns the "kid" that tokens signed by this key bear.
func (k *PrivateKey) KeyID() string { return k.public.id }

// Algorithm returns the one algorithm of this key.
func (k *PrivateKey) Algorithm() Algorithm { return k.public.scheme.name }

// KeyID returns the key's "kid".
func (k *PublicKey) KeyID() string { return k.id }

// Algorithm returns the one algorithm of this key.
func (k *PublicKey) Algorithm() Algorithm { return k.scheme.name }

// KeyID returns the key's "kid".
func (k *SecretKey) KeyID() string { return k.id }

// Algorithm returns the one algorithm of this key.
func (k *SecretKey) Algorithm() Algorithm { return k.scheme.name }

// Format writes the algorithm and the key ID, whatever the verb: key material is never printed.
func (k PrivateKey) Format(f fmt.State, _ rune) {
	if k.public == nil { // the zero value is no key
		describeKey(f, "private", nil, "")
		return
	}

	describeKey(f, "private", k.public.scheme, k.public.id)
}

// Format writes the algorithm and the key ID.
func (k PublicKey) Format(f fmt.State, _ rune) { describeKey(f, "public", k.scheme, k.id) }

// Format writes the algorithm and the key ID, whatever the verb: the secret is never printed.
func (k SecretKey) Format(f fmt.State, _ rune) { describeKey(f, "secret", k.scheme, k.id) }

// LogValue is what log/slog writes: the algorithm and the key ID.
func (k PrivateKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

// LogValue is what log/slog writes: the algorithm and the key ID.
func (k PublicKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

// LogValue is what log/slog writes: the algorithm and the key ID.
func (k SecretKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

func describeKey(f fmt.State, kind string, s *scheme, id string) {
	if s == nil { // the zero value of a key is none
		fmt.Fprintf(f, "no %s key", kind)
		return
	}
	fmt.Fprintf(f, "%s %s key %q", s.name, kind, id)
}

// sum calls use with the MAC of the input, which is valid during the call only.
func (m *secretMaterial) sum(input []byte, use func(mac []byte)) {
	state := m.macs.Get().(*macState)
	state.Reset()
	state.Write(input)
	use(state.Sum(state.sum[:0]))
	m.macs.Put(state)
}
