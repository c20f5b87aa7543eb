package jwe

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jot-auth/jot/internal/jwk"
)

// PublicKey encrypts messages that only the holder of its private half can read: a public key, its one algorithm and
// its key ID, fixed when made. Anybody can encrypt with it, so a message says nothing of who sent it.
type PublicKey struct {
	id       string
	scheme   *scheme
	material crypto.PublicKey // *rsa.PublicKey or *ecdh.PublicKey; never altered
}

// NewPublicKey binds a public key to its algorithm: *rsa.PublicKey of 2048 to 16384 bits for RSA_OAEP and RSA_OAEP_256;
// *ecdh.PublicKey, or *ecdsa.PublicKey on P-256, P-384 or P-521, for the ECDH_ES algorithms. The key is copied. Any
// other pairing, a point off its curve or an even RSA modulus is refused.
func NewPublicKey(alg Algorithm, key crypto.PublicKey, o KeyOptions) (*PublicKey, error) {
	s, err := schemeAmong(alg, "takes no public key: use NewSecretKey, NewDirectKey or NewPassword", familyRSA, familyECDH)
	if err != nil {
		return nil, err
	}
	material, err := s.checkedPublic(key)
	if err != nil {
		return nil, err
	}
	id := o.KeyID
	if id == "" {
		digest, err := (&PublicKey{scheme: s, material: material}).Thumbprint(crypto.SHA256)
		if err != nil {
			return nil, err
		}
		id = base64URL(digest)
	}
	if err := checkKeyID(id); err != nil {
		return nil, err
	}
	return &PublicKey{id, s, material}, nil
}

// checkedPublic returns a copy of key that the algorithm can use and that nobody else can alter.
func (s *scheme) checkedPublic(key crypto.PublicKey) (crypto.PublicKey, error) {
	var fits bool
	switch k := key.(type) {
	case *rsa.PublicKey:
		fits = s.family == familyRSA && k != nil
	case *ecdsa.PublicKey:
		fits = s.family == familyECDH && k != nil
	case *ecdh.PublicKey:
		if fits = s.family == familyECDH && k != nil && k.Curve() != nil; fits {
			key = portable(k)
		}
	}
	if !fits {
		return nil, fmt.Errorf("jwe: %s can't use a key of type %T", s.name, key)
	}
	checked, err := jwk.CheckPublic(key)
	if err != nil {
		return nil, fmt.Errorf("jwe: %w", err)
	}
	if s.family == familyECDH {
		return exchangeable(checked)
	}
	return checked, nil
}

// exchangeable undoes portable.
func exchangeable(key crypto.PublicKey) (*ecdh.PublicKey, error) {
	switch k := key.(type) {
	case *ecdh.PublicKey:
		return k, nil
	case *ecdsa.PublicKey:
		return k.ECDH()
	}
	return nil, fmt.Errorf("jwe: a key of type %T can't be used for ECDH", key)
}

// portable returns a public key as JWK and PEM know it: on the NIST curves, crypto/ecdh has a type of its own.
func portable(key crypto.PublicKey) crypto.PublicKey {
	k, ok := key.(*ecdh.PublicKey)
	if !ok || k.Curve() == ecdh.X25519() {
		return key
	}
	point, err := ecdsa.ParseUncompressedPublicKey(nistCurve(k.Curve()), k.Bytes())
	if err != nil {
		panic("jwe: a checked key holds a point off its curve: " + err.Error())
	}
	return point
}

func nistCurve(curve ecdh.Curve) elliptic.Curve {
	switch curve {
	case ecdh.P256():
		return elliptic.P256()
	case ecdh.P384():
		return elliptic.P384()
	}
	return elliptic.P521()
}

func (k *PublicKey) usable() bool { return k != nil && k.material != nil }

func (k *PublicKey) bound() *content { return nil }

// usual is nothing: a private key always has a key ID, so nobody tries it in vain.
func (k *PublicKey) usual() work { return work{} }

// KeyID returns the key's "kid".
func (k *PublicKey) KeyID() string { return k.id }

// Algorithm returns the one algorithm of this key; empty for the zero value.
func (k *PublicKey) Algorithm() Algorithm { return k.scheme.keyAlgorithm() }

// Thumbprint returns the digest that stands for the key whatever its key ID and algorithm are called (RFC 7638). The
// hash is crypto.SHA256, SHA384 or SHA512. A key ID by thumbprint is the base64url of the one by SHA-256.
func (k *PublicKey) Thumbprint(hash crypto.Hash) ([]byte, error) {
	if !k.usable() {
		return nil, errNoKey
	}
	return prefixed(jwk.Thumbprint(portable(k.material), hash))
}

// Format writes the algorithm and the key ID.
func (k PublicKey) Format(f fmt.State, _ rune) { describeKey(f, "public", k.scheme, k.id) }

// LogValue is what log/slog writes: the algorithm and the key ID.
func (k PublicKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

// MarshalJSON writes the public JWK with its type, algorithm, use and key ID.
func (k PublicKey) MarshalJSON() ([]byte, error) {
	if !k.usable() {
		return nil, errNoKey
	}
	return prefixed(jwk.MarshalPublic(portable(k.material), k.description()))
}

// UnmarshalJSON is ParsePublicKey, for a JWK that names its algorithm. It's for the zero value: a key that is one
// already never becomes another.
func (k *PublicKey) UnmarshalJSON(data []byte) error {
	if k.usable() {
		return errors.New("jwe: this key is made already: unmarshal into a new PublicKey")
	}
	parsed, err := ParsePublicKey(data, ParseOptions{})
	if err == nil {
		*k = *parsed
	}
	return err
}

// ExportPEM returns the key as a PEM block "PUBLIC KEY" (RFC 5280 §4.1), which names neither algorithm nor key ID.
func (k *PublicKey) ExportPEM() ([]byte, error) {
	if !k.usable() {
		return nil, errNoKey
	}
	return prefixed(jwk.MarshalPublicPEM(portable(k.material)))
}

func (k *PublicKey) description() jwk.Description {
	return jwk.Description{Use: "enc", Algorithm: string(k.scheme.name), KeyID: k.id}
}

func (k *PublicKey) wrap(w *wrapping, c *content, proposed []byte) (_ []byte, err error) {
	if public, ok := k.material.(*rsa.PublicKey); ok {
		w.encryptedKey, err = rsa.EncryptOAEP(k.scheme.hash.New(), rand.Reader, public, proposed, nil)
		return proposed, err
	}
	agreed, err := agree(k.scheme, k.material.(*ecdh.PublicKey), w, c)
	if err != nil || k.scheme.direct() {
		return agreed, err
	}
	w.encryptedKey, err = wrapKey(agreed, proposed)
	return proposed, err
}
