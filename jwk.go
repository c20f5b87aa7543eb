package jot

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"

	"github.com/jot-auth/jot/internal/jwk"
)

// ParseOptions say what a serialized key leaves open.
type ParseOptions struct {
	// Algorithm is the algorithm of a key that doesn't name its own, as PEM never does. A key that
	// names another one is refused.
	Algorithm Algorithm
	// KeyID is the key ID of a key that doesn't name its own, as PEM never does. A key that names another one is
	// refused. It's for one key, not for a set.
	KeyID string
}

// settle joins what a key says of itself with what the caller states.
func (o ParseOptions) settle(algorithm, id string) (Algorithm, KeyOptions, error) {
	alg := Algorithm(algorithm)
	switch {
	case alg == "" && o.Algorithm == "":
		return "", KeyOptions{}, errors.New("jot: this key doesn't name its algorithm: state it as Algorithm in the options")
	case alg != "" && o.Algorithm != "" && alg != o.Algorithm:
		return "", KeyOptions{}, fmt.Errorf("jot: this key is for %.32q, not for %s", algorithm, o.Algorithm)
	case id != "" && o.KeyID != "" && id != o.KeyID:
		return "", KeyOptions{}, errors.New("jot: this key names another key ID than ParseOptions")
	}
	if alg == "" {
		alg = o.Algorithm
	}
	if id == "" {
		id = o.KeyID
	}
	_, err := findScheme(alg)
	return alg, KeyOptions{KeyID: id}, err
}

// ParsePrivateKey reads a private key: a JWK (RFC 7517), or PEM in PKCS #8, PKCS #1 or SEC 1.
// It refuses a key whose "use" or "key_ops" forbid signing, whose parts contradict each other, or that is too weak.
func ParsePrivateKey(data []byte, o ParseOptions) (*PrivateKey, error) {
	if jwk.IsPEM(data) {
		return parsePrivatePEM(data, o)
	}
	k, err := jwk.Parse(data)
	if err != nil {
		return nil, prefixed(err)
	}
	alg, options, err := o.settle(k.Algorithm(), k.ID())
	if err != nil {
		return nil, err
	}
	if k.Type() == jwk.TypeSecret {
		return nil, errors.New("jot: this JWK is a secret key: read it with ParseSecretKey")
	}
	if err := k.Permits(useSignature, "sign"); err != nil {
		return nil, prefixed(err)
	}
	private, err := k.Private()
	if err != nil {
		return nil, prefixed(err)
	}
	return newCheckedKey(alg, private, options)
}

const useSignature = "sig" // RFC 7517 §4.2

// ParsePublicKey reads a public key: a JWK (RFC 7517), or PEM in SPKI, PKCS #1 or a certificate. A certificate is a
// container here: its chain and dates are not checked. A JWK's "x5c" must begin with a certificate for the same key
// (RFC 7517 §4.7). It refuses private material, so that a key which was to stay secret is noticed.
func ParsePublicKey(data []byte, o ParseOptions) (*PublicKey, error) {
	if jwk.IsPEM(data) {
		return parsePublicPEM(data, o)
	}
	k, err := jwk.Parse(data)
	if err != nil {
		return nil, prefixed(err)
	}
	if k.HoldsSecret() {
		return nil, errPrivateAsPublic
	}
	alg, options, err := o.settle(k.Algorithm(), k.ID())
	if err != nil {
		return nil, err
	}
	if err := k.Permits(useSignature, "verify"); err != nil {
		return nil, prefixed(err)
	}
	public, err := k.Public()
	if err != nil {
		return nil, prefixed(err)
	}
	return NewPublicKey(alg, public, options)
}

var errPrivateAsPublic = errors.New("jot: this is a private or secret key where a public one is expected: keep it secret, and publish its public part")

// ParseSecretKey reads an HMAC key from a JWK of type "oct" (RFC 7518 §6.4). A secret key both signs and verifies, so a
// "key_ops" must permit both.
func ParseSecretKey(data []byte, o ParseOptions) (*SecretKey, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return nil, errors.New("jot: not a JWK: the bytes of a secret by themselves are for NewSecretKey")
	}
	k, err := jwk.Parse(data)
	if err != nil {
		return nil, prefixed(err)
	}
	alg, options, err := o.settle(k.Algorithm(), k.ID())
	if err != nil {
		return nil, err
	}
	secret, err := k.Secret()
	if err != nil {
		return nil, prefixed(err)
	}
	for _, operation := range []string{"sign", "verify"} {
		if err := k.Permits(useSignature, operation); err != nil {
			return nil, prefixed(err)
		}
	}
	return newSecretKey(alg, secret, options)
}

func prefixed(err error) error { return fmt.Errorf("jot: %w", err) }

// UnmarshalJSON is ParsePublicKey, for a JWK that names its algorithm. It fills an empty variable: keys don't change,
// for a set, a verifier and its cache hold on to them. So one that holds a key already is refused.
func (k *PublicKey) UnmarshalJSON(data []byte) error {
	if k.usable() {
		return errFilled
	}
	parsed, err := ParsePublicKey(data, ParseOptions{})
	if err == nil {
		*k = *parsed
	}
	return err
}

var errFilled = errors.New("jot: this variable holds a key or a key set already, which others may use: decode into a new one")

// MarshalJSON always fails: a private key is not to be published by accident. ExportJWK writes it on purpose.
func (k PrivateKey) MarshalJSON() ([]byte, error) { return nil, errSecretJSON }

// MarshalJSON always fails: a secret key is not to be published by accident. ExportJWK writes it on purpose.
func (k SecretKey) MarshalJSON() ([]byte, error) { return nil, errSecretJSON }

// MarshalJSON always fails: secret keys are not to be published. ExportJWK of each writes it on purpose.
func (s SecretKeySet) MarshalJSON() ([]byte, error) { return nil, errSecretJSON }

var errSecretJSON = errors.New("jot: private and secret keys are not written as JSON by accident: use ExportJWK, or Public")

// MarshalJSON writes the public JWK with its type, algorithm, use and key ID. A key that was made without an ID is
// written with its thumbprint, and who reads it back has a key of that name: it verifies no tokens that bear another.
func (k PublicKey) MarshalJSON() ([]byte, error) {
	if !k.usable() {
		return nil, errNoKey
	}
	return exported(jwk.MarshalPublic(k.material, describedAs(k.scheme, k.id)))
}

// ExportJWK returns the private key as a JWK, in the clear: whoever reads it can sign in this key's name. A key whose
// material is out of reach, as in an HSM, is an error.
func (k *PrivateKey) ExportJWK() ([]byte, error) {
	material, err := k.exportable()
	if err != nil {
		return nil, err
	}
	return exported(jwk.MarshalPrivate(material, describedAs(k.public.scheme, k.public.id)))
}

func (k *PrivateKey) exportable() (crypto.PrivateKey, error) {
	if !k.usable() {
		return nil, errNoKey
	}
	if k.local == nil {
		return nil, fmt.Errorf("jot: %v can't be exported: its private half is elsewhere", k)
	}
	return k.local(), nil
}

// ExportJWK returns the secret key as a JWK, in the clear: whoever reads it can sign and verify.
func (k *SecretKey) ExportJWK() ([]byte, error) {
	if !k.usable() {
		return nil, errNoKey
	}
	return exported(jwk.MarshalSecret(k.secret(), describedAs(k.scheme, k.id)))
}

func describedAs(s *scheme, id string) jwk.Description {
	return jwk.Description{Use: useSignature, Algorithm: string(s.name), KeyID: id}
}
