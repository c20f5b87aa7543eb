package jot

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/big"
	"slices"
)

// PublicKey verifies tokens: a public key, its one algorithm and its key ID, fixed when made.
type PublicKey struct {
	id       string
	scheme   *scheme
	material crypto.PublicKey // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey; never altered
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

// KeyID returns the key's "kid".
func (k *PublicKey) KeyID() string { return k.id }

// Algorithm returns the one algorithm of this key.
func (k *PublicKey) Algorithm() Algorithm { return k.scheme.name }

// Format writes the algorithm and the key ID.
func (k PublicKey) Format(f fmt.State, _ rune) { describeKey(f, "public", k.scheme, k.id) }

// LogValue is what log/slog writes: the algorithm and the key ID.
func (k PublicKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

func (k *PublicKey) verifiesSize(signature []byte) bool {
	switch material := k.material.(type) {
	case *ecdsa.PublicKey:
		return len(signature) == 2*k.scheme.curve.scalarSize
	case ed25519.PublicKey:
		return len(signature) == ed25519.SignatureSize
	case *rsa.PublicKey:
		return len(signature) == material.Size()
	}
	return false
}

func (k *PublicKey) usable() bool { return k != nil && k.material != nil }

// VerifyInput reports whether the signature over a JWS signing input is this key's (RFC 7515 §5.2).
func (k *PublicKey) VerifyInput(input, signature []byte) bool {
	if !k.verifiesSize(signature) {
		return false
	}
	if material, ok := k.material.(ed25519.PublicKey); ok {
		return ed25519.Verify(material, input, signature)
	}
	var buffer [maxDigestSize]byte
	hashed := digest(k.scheme.hash, input, &buffer)
	switch material := k.material.(type) {
	case *ecdsa.PublicKey:
		var buffer [maxDERSize]byte
		return ecdsa.VerifyASN1(material, hashed, derFromRaw(buffer[:0], signature))
	case *rsa.PublicKey:
		if k.scheme.family == familyPSS {
			return rsa.VerifyPSS(material, k.scheme.hash, hashed, signature, k.scheme.pss()) == nil
		}
		return rsa.VerifyPKCS1v15(material, k.scheme.hash, hashed, signature) == nil
	}
	return false
}
