package jwe

import (
	"bytes"
	"context"
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

// PrivateKey decrypts what was encrypted for its public half: a private key, its one algorithm and its key ID, fixed
// when made. It prints as its algorithm and key ID, never as its material.
type PrivateKey struct {
	public *PublicKey

	// One of the two is set. Material is behind functions here: where a key is in somebody's unexported field, fmt
	// can't call its Format, and prints what it finds; of a function, that's an address.
	decrypt  DecrypterFunc // for RSA
	exchange ExchangerFunc // for ECDH

	held func() crypto.PrivateKey // *rsa.PrivateKey or *ecdh.PrivateKey; nil for a key that is held elsewhere
}

// GenerateKey makes a new private key for an RSA_OAEP or ECDH_ES algorithm, from the operating system's randomness. RSA
// keys have 3072 bits; others are on P-256. For another curve, make a key with crypto/ecdh and bind it with
// NewPrivateKey. Its key ID is the RFC 7638 thumbprint. For the other algorithms see GenerateSecretKey,
// GenerateDirectKey and NewPassword.
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

// maxDecryptingBits bounds the RSA keys that decrypt here: the time grows with the third power, and one with 16384 bits
// would take seconds for each message.
const maxDecryptingBits = 8192

// NewPrivateKey binds a private key to its algorithm: *rsa.PrivateKey of 2048 to 8192 bits for RSA_OAEP and
// RSA_OAEP_256; *ecdh.PrivateKey, or *ecdsa.PrivateKey on P-256, P-384 or P-521, for the ECDH_ES algorithms. The key is
// copied. A key that the algorithm can't use, that is too weak for it, or whose halves don't belong together, is
// refused.
//
// A key that is held elsewhere, as in an HSM, is a crypto.Decrypter whose Public is an *rsa.PublicKey and that takes
// *rsa.OAEPOptions, or an ecdh.KeyExchanger. For one that takes a context see NewRemoteRSAKey and NewRemoteECDHKey,
// which say what an error means.
func NewPrivateKey(alg Algorithm, key crypto.PrivateKey, o KeyOptions) (*PrivateKey, error) {
	s, err := schemeAmong(alg, "takes no private key: use NewSecretKey, NewDirectKey or NewPassword", familyRSA, familyECDH)
	if err != nil {
		return nil, err
	}
	k := new(PrivateKey)
	if key, err = k.hold(key); err != nil {
		return nil, err
	}
	if decrypter, ok := key.(crypto.Decrypter); ok && s.family == familyRSA {
		k.decrypt = s.decrypterFunc(decrypter)
		return k.bind(alg, decrypter.Public(), o)
	}
	exchanger, ok := key.(ecdh.KeyExchanger)
	if !ok || s.family != familyECDH {
		return nil, fmt.Errorf("jwe: %s can't use a private key of type %T", alg, key)
	}
	public := exchanger.PublicKey()
	if public == nil || public.Curve() != exchanger.Curve() {
		return nil, errors.New("jwe: this key names another curve than its public half's")
	}
	k.exchange = func(_ context.Context, ephemeral *ecdh.PublicKey) ([]byte, error) { return exchanger.ECDH(ephemeral) }
	if k.held == nil {
		k.exchange = k.exchange.checked(public.Curve())
	}
	return k.bind(alg, public, o)
}

// hold keeps a checked copy of a key of the standard library, and returns it. Any other key is held elsewhere, and
// returned as it is.
func (k *PrivateKey) hold(key crypto.PrivateKey) (crypto.PrivateKey, error) {
	var checked crypto.PrivateKey
	var err error
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if key != nil && key.N != nil && key.N.BitLen() > maxDecryptingBits {
			return nil, fmt.Errorf("jwe: an RSA key that decrypts has at most %d bits", maxDecryptingBits)
		}
		checked, err = jwk.CheckPrivate(key)
	case *ecdsa.PrivateKey:
		if checked, err = jwk.CheckPrivate(key); err == nil {
			checked, err = checked.(*ecdsa.PrivateKey).ECDH()
		}
	case *ecdh.PrivateKey:
		if key == nil || key.PublicKey() == nil {
			return nil, errors.New("jwe: private key is nil")
		}
		checked, err = key.Curve().NewPrivateKey(key.Bytes())
	default:
		return key, nil
	}
	if err != nil {
		return nil, fmt.Errorf("jwe: %w", err)
	}
	k.held = func() crypto.PrivateKey { return checked }
	return checked, nil
}

// bind completes a key with its public half.
func (k *PrivateKey) bind(alg Algorithm, public crypto.PublicKey, o KeyOptions) (_ *PrivateKey, err error) {
	if k.public, err = NewPublicKey(alg, public, o); err != nil {
		return nil, err
	}
	return k, nil
}

func (k *PrivateKey) usable() bool { return k != nil && k.public.usable() }

// Public returns the key that encrypts what k decrypts: a copy, which is its holder's alone.
func (k *PrivateKey) Public() *PublicKey {
	if k.public == nil {
		return new(PublicKey)
	}
	public := *k.public
	return &public
}

// KeyID returns the "kid" that messages for this key bear.
func (k *PrivateKey) KeyID() string { return k.Public().KeyID() }

// Algorithm returns the one algorithm of this key; empty for the zero value.
func (k *PrivateKey) Algorithm() Algorithm { return k.Public().Algorithm() }

// Format writes the algorithm and the key ID, whatever the verb: key material is never printed.
func (k PrivateKey) Format(f fmt.State, _ rune) {
	public := k.Public()
	describeKey(f, "private", public.scheme, public.id)
}

// LogValue is what log/slog writes: the algorithm and the key ID.
func (k PrivateKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

// MarshalJSON always fails: a private key is not to be published by accident. ExportJWK writes it on purpose.
func (k PrivateKey) MarshalJSON() ([]byte, error) { return nil, errSecretJSON }

// ExportJWK returns the private key as a JWK, in the clear: whoever reads it can decrypt in this key's name. A key that
// is held elsewhere is an error.
func (k *PrivateKey) ExportJWK() ([]byte, error) {
	key, err := k.portable()
	if err != nil {
		return nil, err
	}
	return prefixed(jwk.MarshalPrivate(key, k.public.description()))
}

// ExportPEM returns the private key as a PEM block "PRIVATE KEY" (PKCS #8, RFC 5958), in the clear. A key that is held
// elsewhere is an error.
func (k *PrivateKey) ExportPEM() ([]byte, error) {
	key, err := k.portable()
	if err != nil {
		return nil, err
	}
	return prefixed(jwk.MarshalPrivatePEM(key))
}

// portable returns the private key as JWK and PEM know it.
func (k *PrivateKey) portable() (crypto.PrivateKey, error) {
	switch {
	case !k.usable():
		return nil, errNoKey
	case k.held == nil:
		return nil, errors.New("jwe: a key that is held elsewhere can't be exported")
	}
	key, ok := k.held().(*ecdh.PrivateKey)
	if !ok || key.Curve() == ecdh.X25519() {
		return k.held(), nil
	}
	scalar, err := ecdsa.ParseRawPrivateKey(nistCurve(key.Curve()), key.Bytes())
	if err != nil {
		return nil, fmt.Errorf("jwe: %w", err)
	}
	return scalar, nil
}

// price counts an RSA key of more than 4096 bits, for which crypto/rsa has no fast way, as several attempts: two of
// 8192 bits take about as long as twenty of 4096.
func (k *PrivateKey) price(*wrapping) work {
	if key, ok := k.public.material.(*rsa.PublicKey); ok && k.held != nil && key.N.BitLen() > fastRSABits {
		return work{attempts: maxAttempts / 2}
	}
	return work{attempts: 1}
}

const fastRSABits = 4096

func (k *PrivateKey) usual() work { return k.price(nil) }

func (k *PrivateKey) unwrap(ctx context.Context, w *wrapping, c *content) ([]byte, error) {
	if k.decrypt != nil {
		return k.decryptOAEP(ctx, w)
	}
	s := k.public.scheme
	agreed, err := agreeAgain(ctx, s, k.public.material.(*ecdh.PublicKey).Curve(), k.exchange, w, c)
	switch {
	case err != nil:
		return nil, err
	case !s.direct():
		return unwrapKey(agreed, w.encryptedKey, c.keySize)
	case len(w.encryptedKey) > 0: // RFC 7516 §5.2, step 10
		return nil, errSurplusKey
	}
	return agreed, nil
}

// decryptOAEP demands the one size of an encrypted key (RFC 8017 §7.1.2), whatever the holder of the key would make of
// another.
func (k *PrivateKey) decryptOAEP(ctx context.Context, w *wrapping) ([]byte, error) {
	if len(w.encryptedKey) != k.public.material.(*rsa.PublicKey).Size() {
		return nil, errNotWrapped
	}
	return k.decrypt(ctx, bytes.Clone(w.encryptedKey))
}
