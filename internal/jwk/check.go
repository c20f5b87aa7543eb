package jwk

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
)

var (
	errMismatch = errors.New("the private and public halves of this key don't belong together")
	errNil      = errors.New("the key is nil")
)

// CheckPublic returns a copy of a public key that nobody else can alter: *rsa.PublicKey of 2048 to 16384 bits with odd
// modulus and odd exponent of at least 3, *ecdsa.PublicKey on P-256, P-384 or P-521, ed25519.PublicKey, *ecdh.PublicKey
// on X25519, or with Go 1.27 *mldsa.PublicKey. Any other key is refused, and so is a point off its NIST curve, or an
// Ed25519 or X25519 key of small order: every message has a signature under the one, and everybody agrees with the
// other. 32 bytes pass for an Ed25519 key even where no point has this encoding: nothing verifies under those.
func CheckPublic(key crypto.PublicKey) (crypto.PublicKey, error) {
	switch k := key.(type) {
	case nil:
		return nil, errNil
	case *rsa.PublicKey:
		if k == nil {
			return nil, errNil
		}
		return checkRSA(k)
	case *ecdsa.PublicKey:
		if k == nil {
			return nil, errNil
		}
		return checkECDSA(k)
	case ed25519.PublicKey:
		return checkEd25519(k)
	case *ecdh.PublicKey:
		if k == nil || k.Curve() != ecdh.X25519() {
			return nil, errors.New("an ECDH key is on X25519; one on P-256, P-384 or P-521 is an *ecdsa.PublicKey here")
		}
		return checkX25519(k)
	}
	if err := checkMLDSAPublic(key); err != nil {
		return nil, err
	}
	return key, nil // can't be altered
}

func checkECDSA(k *ecdsa.PublicKey) (crypto.PublicKey, error) {
	if !slices.Contains(curves, k.Curve) {
		return nil, errors.New("an ECDSA key is on P-256, P-384 or P-521")
	}
	//lint:ignore SA1019 Bytes would panic without coordinates
	if k.X == nil || k.Y == nil {
		return nil, errors.New("the key has no point")
	}
	point, err := k.Bytes()
	if err != nil {
		return nil, errors.New("the key's point is not on its curve")
	}
	return ecdsa.ParseUncompressedPublicKey(k.Curve, point)
}

func checkEd25519(k ed25519.PublicKey) (crypto.PublicKey, error) {
	if len(k) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("an Ed25519 public key has %d bytes, this one has %d", ed25519.PublicKeySize, len(k))
	}
	if hasSmallOrder(k) {
		return nil, errors.New("this Ed25519 public key is a point of small order: every message has a signature under it")
	}
	return slices.Clone(k), nil
}

// checkX25519 copies the key, whose holder could assign another to it, and agrees on a secret with it, which fails for
// the points of small order: whatever the private half, everybody knows what comes out (RFC 7748 §6.1).
func checkX25519(k *ecdh.PublicKey) (crypto.PublicKey, error) {
	copied, err := ecdh.X25519().NewPublicKey(k.Bytes())
	if err != nil {
		return nil, err
	}
	probe, err := ecdh.X25519().NewPrivateKey(make([]byte, x25519Size))
	if err != nil {
		return nil, err
	}
	if _, err := probe.ECDH(copied); err != nil {
		return nil, errors.New("this X25519 public key is a point of small order: everybody knows what is agreed on with it")
	}
	return copied, nil
}

// CheckPrivate returns a copy of a private key that nobody else can alter, whose public half has passed CheckPublic:
// *rsa.PrivateKey of two primes, *ecdsa.PrivateKey, ed25519.PrivateKey, *ecdh.PrivateKey on X25519, or with Go 1.27
// *mldsa.PrivateKey. Halves that don't belong together are refused: such a key publishes what never verifies, and with
// Ed25519 its signatures give the private half away.
func CheckPrivate(key crypto.PrivateKey) (crypto.PrivateKey, error) {
	switch k := key.(type) {
	case nil:
		return nil, errNil
	case *rsa.PrivateKey:
		if k == nil {
			return nil, errNil
		}
		return checkRSAPrivate(k)
	case *ecdsa.PrivateKey:
		if k == nil {
			return nil, errNil
		}
		return checkECDSAPrivate(k)
	case ed25519.PrivateKey:
		return checkEd25519Private(k)
	case *ecdh.PrivateKey:
		if k == nil || k.Curve() != ecdh.X25519() {
			return nil, errors.New("an ECDH key is on X25519; one on P-256, P-384 or P-521 is an *ecdsa.PrivateKey here")
		}
		return ecdh.X25519().NewPrivateKey(k.Bytes())
	}
	if err := checkMLDSAPrivate(key); err != nil {
		return nil, err
	}
	return key, nil // can't be altered
}

func checkECDSAPrivate(k *ecdsa.PrivateKey) (crypto.PrivateKey, error) {
	if _, err := checkECDSA(&k.PublicKey); err != nil {
		return nil, err
	}
	//lint:ignore SA1019 Bytes would panic without D
	if k.D == nil {
		return nil, errors.New("the key has no private half")
	}
	var derived *ecdsa.PrivateKey
	scalar, err := k.Bytes()
	if err == nil {
		derived, err = ecdsa.ParseRawPrivateKey(k.Curve, scalar)
	}
	if err != nil {
		return nil, errors.New("the private scalar of this key is out of range")
	}
	if !derived.PublicKey.Equal(&k.PublicKey) {
		return nil, errMismatch
	}
	return derived, nil
}

func checkEd25519Private(k ed25519.PrivateKey) (crypto.PrivateKey, error) {
	if len(k) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("an Ed25519 private key has %d bytes, this one has %d", ed25519.PrivateKeySize, len(k))
	}
	derived := ed25519.NewKeyFromSeed(k.Seed())
	if !derived.Equal(k) {
		return nil, errMismatch
	}
	return derived, nil
}

// publicOf returns the public half of a private key that has passed CheckPrivate.
func publicOf(key crypto.PrivateKey) crypto.PublicKey {
	return key.(interface{ Public() crypto.PublicKey }).Public()
}

// equal compares two public keys that have passed CheckPublic.
func equal(a, b crypto.PublicKey) bool {
	return a.(interface{ Equal(crypto.PublicKey) bool }).Equal(b)
}
