package jot

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
)

// PrivateKey signs tokens: a private key, its one algorithm and its key ID, fixed when made.
// It prints as its algorithm and key ID, never as its material.
type PrivateKey struct {
	public   *PublicKey
	material *privateMaterial
}

// privateMaterial stands behind a pointer so that no formatting of a PrivateKey reaches into it.
type privateMaterial struct{ signer crypto.Signer }

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
	return newPrivateKey(alg, signer, KeyOptions{})
}

// NewPrivateKey binds a private key to its algorithm. The signer is *ecdsa.PrivateKey, *rsa.PrivateKey or ed25519.PrivateKey, which are
// copied, or any other crypto.Signer, such as a key in an HSM, whose Public is one of their public keys.
// A key that the algorithm can't use, that is too weak for it, or whose halves don't belong together, is refused.
func NewPrivateKey(alg Algorithm, signer crypto.Signer, o KeyOptions) (*PrivateKey, error) {
	signer, err := checkedSigner(signer)
	if err != nil {
		return nil, err
	}
	return newPrivateKey(alg, signer, o)
}

// newPrivateKey is NewPrivateKey for a signer whose halves belong together and that nobody else holds.
func newPrivateKey(alg Algorithm, signer crypto.Signer, o KeyOptions) (*PrivateKey, error) {
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
		//lint:ignore SA1019 Bytes would panic without D
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

func (k *PrivateKey) usable() bool { return k != nil && k.public != nil && k.material != nil }

// Public returns the key that verifies what k signs.
func (k *PrivateKey) Public() *PublicKey { return k.public }

// KeyID returns the "kid" that tokens signed by this key bear.
func (k *PrivateKey) KeyID() string { return k.public.id }

// Algorithm returns the one algorithm of this key.
func (k *PrivateKey) Algorithm() Algorithm { return k.public.scheme.name }

// Format writes the algorithm and the key ID, whatever the verb: key material is never printed.
func (k PrivateKey) Format(f fmt.State, _ rune) {
	if k.public == nil { // the zero value is no key
		describeKey(f, "private", nil, "")
		return
	}

	describeKey(f, "private", k.public.scheme, k.public.id)
}

// LogValue is what log/slog writes: the algorithm and the key ID.
func (k PrivateKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

// SignInput returns the signature of a JWS signing input (RFC 7515 §5.1).
func (k *PrivateKey) SignInput(_ context.Context, input []byte) ([]byte, error) {
	signature, err := k.signRaw(input)
	if err != nil {
		return nil, fmt.Errorf("jot: signing with %v: %w", k, err)
	}
	if !k.public.verifiesSize(signature) {
		return nil, fmt.Errorf("jot: signing with %v: the signer returned a signature of %d bytes", k, len(signature))
	}
	return signature, nil
}

func (k *PrivateKey) signRaw(input []byte) ([]byte, error) {
	s := k.public.scheme
	if s.family == familyEd25519 {
		return k.material.signer.Sign(rand.Reader, input, crypto.Hash(0))
	}
	var buffer [maxDigestSize]byte
	hashed := digest(s.hash, input, &buffer)
	switch s.family {
	case familyPSS:
		return k.material.signer.Sign(rand.Reader, hashed, s.pss())
	case familyECDSA:
		signature, err := k.material.signer.Sign(rand.Reader, hashed, s.hash)
		if err != nil {
			return nil, err
		}
		return rawFromDER(signature, s.curve.scalarSize)
	}
	return k.material.signer.Sign(rand.Reader, hashed, s.hash)
}

// pss fixes the salt's length to the hash's (RFC 7518 §3.5).
func (s *scheme) pss() *rsa.PSSOptions {
	return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: s.hash}
}
