package jwk

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
)

// Private returns the private key: *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey, *ecdh.PrivateKey on X25519,
// or with Go 1.27 *mldsa.PrivateKey. It has passed CheckPrivate, and the public part beside it is its own.
func (k *Key) Private() (crypto.PrivateKey, error) {
	if !k.HoldsSecret() {
		return nil, errors.New("this JWK holds no private key")
	}
	public, err := k.Public()
	if err != nil {
		return nil, err
	}
	decoded, err := k.decodePrivate(public)
	if err != nil {
		return nil, err
	}
	checked, err := CheckPrivate(decoded)
	if err != nil {
		return nil, err
	}
	if !equal(publicOf(checked), public) {
		return nil, errors.New("the private and public parts of this JWK don't belong together")
	}
	if key, ok := checked.(*rsa.PrivateKey); ok {
		if err := k.checkRSAShortcuts(key); err != nil {
			return nil, err
		}
	}
	return checked, nil
}

func (k *Key) decodePrivate(public crypto.PublicKey) (crypto.PrivateKey, error) {
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		return k.ecdsaPrivate(p.Curve)
	case ed25519.PublicKey:
		seed, err := k.decodeSized("d", ed25519.SeedSize)
		if err != nil {
			return nil, err
		}
		return ed25519.NewKeyFromSeed(seed), nil
	case *ecdh.PublicKey:
		scalar, err := k.decodeSized("d", x25519Size)
		if err != nil {
			return nil, err
		}
		return ecdh.X25519().NewPrivateKey(scalar)
	case *rsa.PublicKey:
		return k.rsaPrivate(p)
	}
	seed, err := k.decodeSized("priv", mldsaSeedSize)
	if err != nil {
		return nil, err
	}
	return newMLDSAPrivate(k.texts.Algorithm, seed)
}

// mldsaSeedSize is that of ξ (FIPS 204 §5.1): "priv" holds the seed alone (RFC 9964 §3).
const mldsaSeedSize = 32

func (k *Key) ecdsaPrivate(curve elliptic.Curve) (crypto.PrivateKey, error) {
	d, err := k.decodeSized("d", scalarSize(curve))
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.ParseRawPrivateKey(curve, d)
	if err != nil {
		return nil, errors.New("the private scalar of this JWK is out of range")
	}
	return key, nil
}

func (k *Key) rsaPrivate(public *rsa.PublicKey) (crypto.PrivateKey, error) {
	if k.otherPrimes {
		return nil, errors.New("RSA keys of more than two primes are not offered")
	}
	var parts [3]*big.Int
	for i, name := range []string{"d", "p", "q"} {
		part, err := k.decodeInteger(name)
		if err != nil {
			return nil, err
		}
		parts[i] = part
	}
	return &rsa.PrivateKey{PublicKey: *public, D: parts[0], Primes: parts[1:]}, nil
}

// checkRSAShortcuts refuses "dp", "dq" and "qi", which may be absent (RFC 7518 §6.3.2), where they contradict the
// primes.
func (k *Key) checkRSAShortcuts(key *rsa.PrivateKey) error {
	var numbers [3]*big.Int
	for i, name := range []string{"dp", "dq", "qi"} {
		text, _ := k.texts.place(name)
		if *text == "" {
			continue
		}
		number, err := k.decodeInteger(name)
		if err != nil {
			return err
		}
		numbers[i] = number
	}
	return checkShortcuts(key, numbers[0], numbers[1], numbers[2])
}

// Secret returns the bytes of a key of type "oct" (RFC 7518 §6.4).
func (k *Key) Secret() ([]byte, error) {
	if k.texts.Type != TypeSecret {
		return nil, fmt.Errorf("this JWK is of type %.16q, a secret key is of type %q", k.texts.Type, TypeSecret)
	}
	if k.certified {
		return nil, errors.New("this JWK is a secret key with a certificate, which is for public keys (RFC 7517 §4.7)")
	}
	return k.decode("k")
}
