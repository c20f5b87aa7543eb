package jwk

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"

	"github.com/jot-auth/jot/internal/jose"
)

// Description is what a JWK says about its key. Empty members are left out.
type Description struct {
	Use       string // "sig" or "enc" (RFC 7517 §4.2)
	Algorithm string // "alg" (RFC 7517 §4.4)
	KeyID     string // "kid" (RFC 7517 §4.5)
}

// MarshalPublic writes the JWK of a public key that CheckPublic accepts. A private key is an error.
func MarshalPublic(key crypto.PublicKey, d Description) ([]byte, error) {
	m, err := publicMembers(key)
	if err != nil {
		return nil, err
	}
	return m.marshal(d)
}

// MarshalPrivate writes the JWK of a private key that CheckPrivate accepts, in the clear.
func MarshalPrivate(key crypto.PrivateKey, d Description) ([]byte, error) {
	checked, err := CheckPrivate(key)
	if err != nil {
		return nil, err
	}
	m, err := publicMembers(publicOf(checked))
	if err != nil {
		return nil, err
	}
	switch k := checked.(type) {
	case *ecdsa.PrivateKey:
		scalar, err := k.Bytes()
		if err != nil {
			return nil, err
		}
		m.D = base64URL(scalar)
	case *rsa.PrivateKey:
		m.D = base64URL(k.D.Bytes())
		m.P, m.Q = base64URL(k.Primes[0].Bytes()), base64URL(k.Primes[1].Bytes())
		m.DP, m.DQ = base64URL(k.Precomputed.Dp.Bytes()), base64URL(k.Precomputed.Dq.Bytes())
		m.QI = base64URL(k.Precomputed.Qinv.Bytes())
	case ed25519.PrivateKey:
		m.D = base64URL(k.Seed())
	case *ecdh.PrivateKey:
		m.D = base64URL(k.Bytes())
	default:
		m.Private = base64URL(mldsaSeed(checked))
	}
	return m.marshal(d)
}

// MarshalSecret writes the JWK of a secret, in the clear.
func MarshalSecret(secret []byte, d Description) ([]byte, error) {
	return members{Type: TypeSecret, Secret: base64URL(secret)}.marshal(d)
}

func (m members) marshal(d Description) ([]byte, error) {
	if m.Algorithm != "" && d.Algorithm != "" && m.Algorithm != d.Algorithm {
		return nil, fmt.Errorf("a key for %s can't be described as one for %.32q", m.Algorithm, d.Algorithm)
	}
	if d.Algorithm != "" {
		m.Algorithm = d.Algorithm
	}
	m.Use, m.KeyID = d.Use, d.KeyID
	return jose.Marshal(m)
}

// publicMembers are the members that a thumbprint counts (RFC 7638 §3.2, RFC 8037 §2, RFC 9964 §6).
func publicMembers(key crypto.PublicKey) (members, error) {
	checked, err := CheckPublic(key)
	if err != nil {
		return members{}, err
	}
	switch k := checked.(type) {
	case *ecdsa.PublicKey:
		point, err := k.Bytes() // 4, x, y
		if err != nil {
			return members{}, errors.New("the key's point is not on its curve")
		}
		x, y := point[1:1+len(point)/2], point[1+len(point)/2:]
		return members{Type: typeEC, Curve: k.Curve.Params().Name, X: base64URL(x), Y: base64URL(y)}, nil
	case *rsa.PublicKey:
		return members{Type: typeRSA, Modulus: base64URL(k.N.Bytes()), Exponent: base64URL(big.NewInt(int64(k.E)).Bytes())}, nil
	case ed25519.PublicKey:
		return members{Type: typeOKP, Curve: curveEd25519, X: base64URL(k)}, nil
	case *ecdh.PublicKey:
		return members{Type: typeOKP, Curve: curveX25519, X: base64URL(k.Bytes())}, nil
	}
	algorithm, encoded := mldsaEncoding(checked)
	return members{Type: typeAKP, Algorithm: algorithm, Public: base64URL(encoded)}, nil
}

func base64URL(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
