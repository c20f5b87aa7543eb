package jwe

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jot-auth/jot/internal/jwk"
)

// PrivateKey decrypts what was encrypted for its public half: a private key, its one algorithm and its key ID, fixed when
// made. It prints as its algorithm and key ID, never as its material.
type PrivateKey struct {
	public   *PublicKey
	material *privateMaterial
}

// privateMaterial stands behind a pointer so that no formatting of a PrivateKey reaches into it. One of the two is set.
type privateMaterial struct {
	decrypter crypto.Decrypter  // for RSA
	exchanger ecdh.KeyExchanger // for ECDH
}

// GenerateKey makes a new private key for an RSA_OAEP or ECDH_ES algorithm, from the operating system's randomness. RSA keys have 3072 bits; others are
// on P-256. For another curve, make a key with crypto/ecdh and bind it with NewPrivateKey. Its key ID is the RFC 7638
// thumbprint. For the other algorithms see GenerateSecretKey, GenerateDirectKey and NewPassword.
func GenerateKey(alg Algorithm) (*PrivateKey, error) {
	s, err := schemeAmong(alg, "has no private key: use GenerateSecretKey, GenerateDirectKey or NewPassword", familyRSA, familyECDH)
	if err != nil {
		return nil, err
	}
	var key crypto.PrivateKey
	if s.family == familyRSA {
		key, err = rsa.GenerateKey(rand.Reader, generatedRSABits)
	} else {
		key, err = ecdh.P256().GenerateKey(rand.Reader)
	}
	if err != nil {
		return nil, fmt.Errorf("jwe: generating a key for %s: %w", alg, err)
	}
	return NewPrivateKey(alg, key, KeyOptions{})
}

// NewPrivateKey binds a private key to its algorithm: *rsa.PrivateKey for RSA_OAEP and RSA_OAEP_256; *ecdh.PrivateKey, or *ecdsa.PrivateKey on P-256,
// P-384 or P-521, for the ECDH_ES algorithms. The key is copied. A key that the algorithm can't use, that is too weak for it, or whose halves
// don't belong together, is refused.
//
// A key that is held elsewhere, as in an HSM, is a crypto.Decrypter whose Public is an *rsa.PublicKey and that takes *rsa.OAEPOptions, or an
// ecdh.KeyExchanger. When it fails, it fails like any message that can't be decrypted: watch it on its own side.
func NewPrivateKey(alg Algorithm, key crypto.PrivateKey, o KeyOptions) (*PrivateKey, error) {
	s, err := schemeAmong(alg, "takes no private key: use NewSecretKey, NewDirectKey or NewPassword", familyRSA, familyECDH)
	if err != nil {
		return nil, err
	}
	material, err := s.checkedPrivate(key)
	if err != nil {
		return nil, err
	}
	public, err := NewPublicKey(alg, material.public(), o)
	if err != nil {
		return nil, err
	}
	return &PrivateKey{public, material}, nil
}

// checkedPrivate returns key ready for use, and a copy that nobody else can alter where it isn't held elsewhere.
func (s *scheme) checkedPrivate(key crypto.PrivateKey) (*privateMaterial, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey:
		checked, err := jwk.CheckPrivate(k)
		if err != nil {
			return nil, fmt.Errorf("jwe: %w", err)
		}
		key = checked
	case *ecdh.PrivateKey:
		if k == nil || k.PublicKey() == nil {
			return nil, errors.New("jwe: private key is nil")
		}
	}
	if scalar, ok := key.(*ecdsa.PrivateKey); ok {
		exchanger, err := scalar.ECDH()
		if err != nil {
			return nil, fmt.Errorf("jwe: this key can't be used for %s: %w", s.name, err)
		}
		key = exchanger
	}
	if decrypter, ok := key.(crypto.Decrypter); ok && s.family == familyRSA {
		return &privateMaterial{decrypter: decrypter}, nil
	}
	if exchanger, ok := key.(ecdh.KeyExchanger); ok && s.family == familyECDH {
		return &privateMaterial{exchanger: exchanger}, nil
	}
	return nil, fmt.Errorf("jwe: %s can't use a private key of type %T", s.name, key)
}

func (m *privateMaterial) public() crypto.PublicKey {
	if m.decrypter != nil {
		return m.decrypter.Public()
	}
	return m.exchanger.PublicKey()
}

func (k *PrivateKey) usable() bool { return k != nil && k.public != nil && k.material != nil }

// Public returns the key that encrypts what k decrypts.
func (k *PrivateKey) Public() *PublicKey { return k.public }

// KeyID returns the "kid" that messages for this key bear.
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

// MarshalJSON always fails: a private key is not to be published by accident. ExportJWK writes it on purpose.
func (k PrivateKey) MarshalJSON() ([]byte, error) { return nil, errSecretJSON }

// ExportJWK returns the private key as a JWK, in the clear: whoever reads it can decrypt in this key's name. A key that is held elsewhere
// is an error.
func (k *PrivateKey) ExportJWK() ([]byte, error) {
	key, err := k.portable()
	if err != nil {
		return nil, err
	}
	return jwk.MarshalPrivate(key, k.public.description())
}

// ExportPEM returns the private key as a PEM block "PRIVATE KEY" (PKCS #8, RFC 5958), in the clear. A key that is held elsewhere is an error.
func (k *PrivateKey) ExportPEM() ([]byte, error) {
	key, err := k.portable()
	if err != nil {
		return nil, err
	}
	return jwk.MarshalPrivatePEM(key)
}

// portable returns the private key as JWK and PEM know it.
func (k *PrivateKey) portable() (crypto.PrivateKey, error) {
	if key, ok := k.material.decrypter.(*rsa.PrivateKey); ok {
		return key, nil
	}
	key, ok := k.material.exchanger.(*ecdh.PrivateKey)
	switch {
	case !ok:
		return nil, errors.New("jwe: a key that is held elsewhere can't be exported")
	case key.Curve() == ecdh.X25519():
		return key, nil
	}
	return ecdsa.ParseRawPrivateKey(nistCurve(key.Curve()), key.Bytes())
}

func (k *PrivateKey) unwrap(w *wrapping, c *content) ([]byte, error) {
	if k.material.decrypter != nil {
		return k.decryptOAEP(w)
	}
	agreed, err := agreeAgain(k.public.scheme, k.material.exchanger, w, c)
	switch {
	case err != nil:
		return nil, err
	case !k.public.scheme.direct():
		return unwrapKey(agreed, w.encryptedKey, c.keySize)
	case len(w.encryptedKey) > 0: // RFC 7516 §5.2, step 10
		return nil, errSurplusKey
	}
	return agreed, nil
}

func (k *PrivateKey) decryptOAEP(w *wrapping) ([]byte, error) {
	if len(w.encryptedKey) != k.public.material.(*rsa.PublicKey).Size() {
		return nil, errNotWrapped
	}
	return k.material.decrypter.Decrypt(rand.Reader, w.encryptedKey, &rsa.OAEPOptions{Hash: k.public.scheme.hash})
}
