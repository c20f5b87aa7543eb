package jwk

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/jot-auth/jot/internal/jose"
)

// Public returns the public key, or the public half of a private one: *rsa.PublicKey, *ecdsa.PublicKey,
// ed25519.PublicKey, *ecdh.PublicKey on X25519, or with Go 1.27 *mldsa.PublicKey. It has passed CheckPublic, and is the
// key of the first certificate in "x5c", where there is one.
func (k *Key) Public() (crypto.PublicKey, error) {
	decoded, err := k.decodePublic()
	if err != nil {
		return nil, err
	}
	checked, err := CheckPublic(decoded)
	if err != nil {
		return nil, err
	}
	if err := k.checkCertificate(checked); err != nil {
		return nil, err
	}
	return checked, nil
}

func (k *Key) decodePublic() (crypto.PublicKey, error) {
	switch {
	case k.texts.Type == typeEC && k.curve() != nil:
		return k.ecdsaPublic(k.curve())
	case k.texts.Type == typeOKP && k.texts.Curve == curveEd25519:
		x, err := k.decodeSized("x", ed25519.PublicKeySize)
		return ed25519.PublicKey(x), err
	case k.texts.Type == typeOKP && k.texts.Curve == curveX25519:
		x, err := k.decodeSized("x", x25519Size)
		if err != nil {
			return nil, err
		}
		return ecdh.X25519().NewPublicKey(x)
	case k.texts.Type == typeRSA:
		return k.rsaPublic()
	case k.texts.Type == typeAKP:
		return k.mldsaPublic()
	case k.texts.Type == TypeSecret:
		return nil, errors.New(`this JWK is a secret key, of type "oct": it has no public part`)
	}
	return nil, fmt.Errorf("a key of type %.16q on curve %.16q is not offered", k.texts.Type, k.texts.Curve)
}

const x25519Size = 32 // RFC 7748 §5

// curve returns the curve that "crv" names (RFC 7518 §6.2.1.1); nil for one that isn't offered.
func (k *Key) curve() elliptic.Curve {
	for _, curve := range curves {
		if curve.Params().Name == k.texts.Curve {
			return curve
		}
	}
	return nil
}

var curves = []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()}

// scalarSize is the size in bytes of a coordinate and of a private scalar (RFC 7518 §6.2.1.2 and §6.2.2.1).
func scalarSize(curve elliptic.Curve) int { return (curve.Params().BitSize + 7) / 8 }

func (k *Key) ecdsaPublic(curve elliptic.Curve) (crypto.PublicKey, error) {
	x, err := k.decodeSized("x", scalarSize(curve))
	if err != nil {
		return nil, err
	}
	y, err := k.decodeSized("y", scalarSize(curve))
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, fmt.Errorf("the point of this JWK is not on %s", k.texts.Curve)
	}
	return key, nil
}

func (k *Key) rsaPublic() (crypto.PublicKey, error) {
	modulus, err := k.decode("n") // some encoders write a leading zero (RFC 7518 §6.3.1.1)
	if err != nil {
		return nil, err
	}
	e, err := k.decodeInteger("e")
	if err != nil {
		return nil, err
	}
	if e.BitLen() > 31 {
		return nil, errors.New("the RSA exponent of this JWK has more than 31 bits")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(e.Int64())}, nil
}

// mldsaPublic reads a key whose "alg" is required, for it names the parameter set (RFC 9964 §3).
func (k *Key) mldsaPublic() (crypto.PublicKey, error) {
	if k.texts.Algorithm == "" {
		return nil, errors.New(`a JWK of type "AKP" needs member "alg" (RFC 9964 §3)`)
	}
	encoded, err := k.decode("pub")
	if err != nil {
		return nil, err
	}
	return newMLDSAPublic(k.texts.Algorithm, encoded)
}

// decode reads a member in base64url (RFC 7515 §2).
func (k *Key) decode(name string) ([]byte, error) {
	text, _ := k.texts.place(name)
	if *text == "" {
		return nil, fmt.Errorf("this JWK lacks member %q", name)
	}
	data, err := jose.AppendDecode(nil, *text)
	if err != nil {
		return nil, fmt.Errorf("member %q of this JWK: %w", name, err)
	}
	return data, nil
}

// decodeSized decodes an octet string of a fixed size: leading zeros belong to it (RFC 7518 §6.2.1.2).
func (k *Key) decodeSized(name string, size int) ([]byte, error) {
	data, err := k.decode(name)
	if err == nil && len(data) != size {
		return nil, fmt.Errorf("member %q of this JWK has %d bytes, not %d", name, len(data), size)
	}
	return data, err
}

// decodeInteger decodes a Base64urlUInt: no leading zeros (RFC 7518 §2).
func (k *Key) decodeInteger(name string) (*big.Int, error) {
	data, err := k.decode(name)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(data, []byte{0}) {
		return nil, fmt.Errorf("member %q of this JWK has leading zeros", name)
	}
	return new(big.Int).SetBytes(data), nil
}
