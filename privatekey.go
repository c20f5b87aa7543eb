package jot

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jot-auth/jot/internal/jwk"
)

// PrivateKey signs tokens: a private key, its one algorithm and its key ID, fixed when made.
// It prints as its algorithm and key ID, never as its material.
type PrivateKey struct {
	public *PublicKey
	local  func() crypto.Signer // a key of the standard library that nobody else holds; in a function, which no printer looks into
	remote SignerFunc           // in its place: asks whoever holds the private half
}

// GenerateKey makes a new private key for any algorithm but HMAC's, from the operating system's randomness; RSA keys
// have 3072 bits. Its key ID is the RFC 7638 thumbprint. ML-DSA needs Go 1.27. It fails for an algorithm that isn't
// offered, and for HMAC: see GenerateSecretKey.
func GenerateKey(alg Algorithm) (*PrivateKey, error) {
	s, err := findScheme(alg)
	if err != nil {
		return nil, err
	}
	var signer crypto.Signer
	switch s.family {
	case familyECDSA:
		signer, err = ecdsa.GenerateKey(s.curve, rand.Reader)
	case familyRSA, familyPSS:
		signer, err = rsa.GenerateKey(rand.Reader, generatedRSABits)
	case familyEd25519:
		_, signer, err = ed25519.GenerateKey(rand.Reader)
	case familyMLDSA:
		signer, err = generateMLDSA(alg)
	case familyHMAC:
		return nil, fmt.Errorf("jot: %s has no private key: use GenerateSecretKey", alg)
	}
	if err != nil {
		return nil, fmt.Errorf("jot: generating a key for %s: %w", alg, err)
	}
	return newLocalKey(alg, signer, KeyOptions{})
}

// NewPrivateKey binds a private key to its algorithm. The signer is *ecdsa.PrivateKey, *rsa.PrivateKey,
// ed25519.PrivateKey or *mldsa.PrivateKey, of which the key keeps a copy, or any other crypto.Signer, such as a key in
// an HSM, whose Public is one of their public keys; see NewRemoteKey for what is asked of its signatures. A key that
// the algorithm can't use, that is too weak for it, or whose halves don't belong together, is refused.
func NewPrivateKey(alg Algorithm, signer crypto.Signer, o KeyOptions) (*PrivateKey, error) {
	if signer == nil {
		return nil, errors.New("jot: private key is nil")
	}
	s, err := findScheme(alg)
	if err != nil {
		return nil, err
	}
	if !isLocal(signer) {
		return newPrivateKey(alg, signer.Public(), PrivateKey{remote: s.signerFunc(signer)}, o)
	}
	checked, err := jwk.CheckPrivate(signer)
	if err != nil {
		return nil, fmt.Errorf("jot: a private key for %s: %w", alg, err)
	}
	return newCheckedKey(alg, checked, o)
}

func isLocal(signer crypto.Signer) bool {
	switch signer.(type) {
	case *ecdsa.PrivateKey, *rsa.PrivateKey, ed25519.PrivateKey:
		return true
	}
	return isMLDSA(signer)
}

// newCheckedKey is NewPrivateKey for a key that jwk.CheckPrivate returned.
func newCheckedKey(alg Algorithm, checked crypto.PrivateKey, o KeyOptions) (*PrivateKey, error) {
	if _, agrees := checked.(*ecdh.PrivateKey); agrees {
		return nil, errors.New("jot: an X25519 key agrees on keys, it doesn't sign")
	}
	return newLocalKey(alg, checked.(crypto.Signer), o)
}

func newLocalKey(alg Algorithm, signer crypto.Signer, o KeyOptions) (*PrivateKey, error) {
	return newPrivateKey(alg, signer.Public(), PrivateKey{local: func() crypto.Signer { return signer }}, o)
}

// newPrivateKey adds the public half to a private one.
func newPrivateKey(alg Algorithm, public crypto.PublicKey, half PrivateKey, o KeyOptions) (*PrivateKey, error) {
	key, err := NewPublicKey(alg, public, o)
	if err != nil {
		return nil, err
	}
	key.hasName = true // its tokens bear the ID
	half.public = key
	return &half, nil
}

func (k *PrivateKey) usable() bool { return k != nil && k.public != nil }

// Public returns the key that verifies what k signs.
func (k *PrivateKey) Public() *PublicKey {
	if !k.usable() {
		return nil
	}
	return k.public
}

// KeyID returns the "kid" that tokens signed by this key bear.
func (k *PrivateKey) KeyID() string { return k.Public().KeyID() }

// Algorithm returns the one algorithm of this key.
func (k *PrivateKey) Algorithm() Algorithm { return k.Public().Algorithm() }

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

// SignInput returns the signature of a JWS signing input (RFC 7515 §5.1). It fails where a remote key's holder does,
// and for the zero value.
func (k *PrivateKey) SignInput(ctx context.Context, input []byte) (signature []byte, err error) {
	if !k.usable() {
		return nil, errNoKey
	}
	if k.remote != nil {
		signature, err = k.signRemotely(ctx, input)
	} else {
		signature, err = k.signLocally(input)
	}
	if err != nil {
		return nil, fmt.Errorf("jot: signing with %v: %w", k, err)
	}
	return signature, nil
}

func (k *PrivateKey) appendSignature(ctx context.Context, dst, input []byte) ([]byte, error) {
	signature, err := k.SignInput(ctx, input)
	return append(dst, signature...), err
}

func (k *PrivateKey) signLocally(input []byte) ([]byte, error) {
	signature, err := k.public.scheme.sign(k.local(), input)
	if err != nil || k.public.scheme.family != familyECDSA {
		return signature, err
	}
	raw, ok := rawFromDER(signature, k.public.scheme.size)
	if !ok {
		return nil, errForeignSignature
	}
	return raw, nil
}

// sign returns what the signer answers: for ECDSA, that's DER.
func (s *scheme) sign(signer crypto.Signer, input []byte) ([]byte, error) {
	if s.hash == 0 {
		return signer.Sign(rand.Reader, input, crypto.Hash(0))
	}
	var buffer [maxDigestSize]byte
	hashed := digest(s.hash, input, &buffer)
	if s.family == familyPSS {
		return signer.Sign(rand.Reader, hashed, s.pss())
	}
	return signer.Sign(rand.Reader, hashed, s.hash)
}

// pss fixes the salt's length to the hash's (RFC 7518 §3.5).
func (s *scheme) pss() *rsa.PSSOptions {
	return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: s.hash}
}
