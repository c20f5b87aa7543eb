package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"

	"github.com/jot-auth/jot"
)

// baseline is what an operation is held against: the standard library making or checking the signature of the same
// bytes, and nothing else.
type baseline struct {
	name    string
	prepare preparation
}

var (
	freshHMAC   = baseline{"hmac.New", newHMAC(accessInput)}
	reusedHMAC  = baseline{"a reused hmac", reuseHMAC}
	macOfSigned = baseline{"hmac.New", newHMAC(registeredInput)}
)

var errBaseline = errors.New("the standard library refuses its own signature")

// accessInput is the signing input of the token that is verified.
func accessInput(k *keyring, alg jot.Algorithm) ([]byte, error) {
	raw, err := k.sign(alg, newAccessClaims())
	if err != nil {
		return nil, err
	}
	input, _ := raw.cut()
	return []byte(input), nil
}

// registeredInput is the signing input of the token that is signed.
func registeredInput(k *keyring, alg jot.Algorithm) ([]byte, error) {
	s, err := jotLibrary().signer(k, alg)
	if err != nil {
		return nil, err
	}
	raw, err := s()
	if err != nil {
		return nil, err
	}
	input, _ := raw.cut()
	return []byte(input), nil
}

// newHMAC keys an HMAC each time, as most programs do.
func newHMAC(of func(*keyring, jot.Algorithm) ([]byte, error)) preparation {
	return func(k *keyring) (work, error) {
		input, err := of(k, jot.HS256)
		if err != nil {
			return nil, err
		}
		expected := macOf(k.secret, input)
		return repeat(func() error {
			if !hmac.Equal(macOf(k.secret, input), expected) {
				return errBaseline
			}
			return nil
		}), nil
	}
}

func macOf(secret, input []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(input)
	return mac.Sum(nil)
}

// reuseHMAC keys an HMAC once, and has room for its sum: the least that HS256 can cost.
func reuseHMAC(k *keyring) (work, error) {
	input, err := accessInput(k, jot.HS256)
	if err != nil {
		return nil, err
	}
	expected := macOf(k.secret, input)
	mac := hmac.New(sha256.New, k.secret)
	sum := make([]byte, 0, sha256.Size)
	return repeat(func() error {
		mac.Reset()
		mac.Write(input)
		if !hmac.Equal(mac.Sum(sum), expected) {
			return errBaseline
		}
		return nil
	}), nil
}

// signatureCheck is the verification of an asymmetric algorithm: the digest and the signature.
func signatureCheck(alg jot.Algorithm) baseline {
	names := map[jot.Algorithm]string{jot.RS256: "rsa.VerifyPKCS1v15", jot.ES256: "ecdsa.VerifyASN1", jot.EdDSA: "ed25519.Verify"}
	return baseline{names[alg], func(k *keyring) (work, error) {
		input, err := accessInput(k, alg)
		if err != nil {
			return nil, err
		}
		signed, err := k.signatureOf(alg, input)
		if err != nil {
			return nil, err
		}
		return repeat(func() error {
			if !k.holds(alg, input, signed) {
				return errBaseline
			}
			return nil
		}), nil
	}}
}

// signature is the signing of an asymmetric algorithm: the digest and the signature.
func signature(alg jot.Algorithm) baseline {
	names := map[jot.Algorithm]string{jot.RS256: "rsa.SignPKCS1v15", jot.ES256: "ecdsa.SignASN1", jot.EdDSA: "ed25519.Sign"}
	return baseline{names[alg], func(k *keyring) (work, error) {
		input, err := registeredInput(k, alg)
		return repeat(func() error {
			_, err := k.signatureOf(alg, input)
			return err
		}), err
	}}
}

func (k *keyring) signatureOf(alg jot.Algorithm, input []byte) ([]byte, error) {
	switch alg {
	case jot.RS256:
		digest := sha256.Sum256(input)
		return rsa.SignPKCS1v15(nil, k.rsa, crypto.SHA256, digest[:])
	case jot.ES256:
		digest := sha256.Sum256(input)
		return ecdsa.SignASN1(rand.Reader, k.ecdsa, digest[:])
	default:
		return ed25519.Sign(k.ed25519, input), nil
	}
}

func (k *keyring) holds(alg jot.Algorithm, input, signed []byte) bool {
	switch alg {
	case jot.RS256:
		digest := sha256.Sum256(input)
		return rsa.VerifyPKCS1v15(&k.rsa.PublicKey, crypto.SHA256, digest[:], signed) == nil
	case jot.ES256:
		digest := sha256.Sum256(input)
		return ecdsa.VerifyASN1(&k.ecdsa.PublicKey, digest[:], signed)
	default:
		return ed25519.Verify(k.ed25519.Public().(ed25519.PublicKey), input, signed)
	}
}
