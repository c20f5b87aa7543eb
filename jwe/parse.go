package jwe

import (
	"errors"
	"fmt"

	"github.com/jot-auth/jot/internal/jwk"
)

// ParseOptions say what a serialized key leaves open.
type ParseOptions struct {
	// Algorithm is the algorithm of a key that doesn't name its own, as PEM never does. A key that names another one is
	// refused.
	Algorithm Algorithm
	// Encryption is the content encryption of a secret key of algorithm Dir that doesn't name it. A key that names
	// another one is refused, and so is a key of any other algorithm.
	Encryption Encryption
	// KeyID is the key ID of a key that doesn't name its own. A key that names another one is refused.
	KeyID string
}

// ParsePrivateKey reads a private key: a JWK (RFC 7517), or PEM in PKCS #8, PKCS #1 or SEC 1.
// It refuses a key whose "use" or "key_ops" forbid decrypting, whose parts contradict each other, or that is too weak.
func ParsePrivateKey(data []byte, o ParseOptions) (*PrivateKey, error) {
	if jwk.IsPEM(data) {
		key, err := parsePEM(data, true, o)
		if err != nil {
			return nil, err
		}
		return NewPrivateKey(o.Algorithm, key, KeyOptions{KeyID: o.KeyID})
	}
	k, o, err := parseJWK(data, o)
	if err != nil {
		return nil, err
	}
	if !k.HoldsSecret() {
		return nil, errors.New("jwe: this JWK holds no private key")
	}
	if err := permits(k, o.Algorithm, "unwrapKey", "decrypt"); err != nil {
		return nil, err
	}
	key, err := k.Private()
	if err != nil {
		return nil, fmt.Errorf("jwe: %w", err)
	}
	return NewPrivateKey(o.Algorithm, key, KeyOptions{KeyID: o.KeyID})
}

// ParsePublicKey reads a public key: a JWK (RFC 7517), or PEM in SPKI, PKCS #1 or a certificate. A certificate is a
// container here: its chain and dates are not checked. It refuses private material, so that a key which was to stay
// secret is noticed.
func ParsePublicKey(data []byte, o ParseOptions) (*PublicKey, error) {
	if jwk.IsPEM(data) {
		key, err := parsePEM(data, false, o)
		if err != nil {
			return nil, err
		}
		return NewPublicKey(o.Algorithm, key, KeyOptions{KeyID: o.KeyID})
	}
	k, o, err := parseJWK(data, o)
	if err != nil {
		return nil, err
	}
	if k.HoldsSecret() {
		return nil, errors.New("jwe: this JWK holds a private or secret key where a public one is expected: keep it secret, and publish its public part")
	}
	if err := permits(k, o.Algorithm, "wrapKey", "encrypt"); err != nil {
		return nil, err
	}
	key, err := k.Public()
	if err != nil {
		return nil, fmt.Errorf("jwe: %w", err)
	}
	return NewPublicKey(o.Algorithm, key, KeyOptions{KeyID: o.KeyID})
}

// ParseSecretKey reads a key of AES key wrap, or of algorithm Dir, from a JWK of type "oct" (RFC 7518 §6.4). A JWK that
// names a content encryption as its "alg" is a key of algorithm Dir (RFC 7520 §5.6).
func ParseSecretKey(data []byte, o ParseOptions) (*SecretKey, error) {
	k, o, err := parseJWK(data, o)
	if err != nil {
		return nil, err
	}
	operations := []string{"wrapKey", "unwrapKey"}
	if o.Algorithm == Dir {
		operations = []string{"encrypt", "decrypt"}
	}
	for _, operation := range operations {
		if err := permits(k, o.Algorithm, operation); err != nil {
			return nil, err
		}
	}
	secret, err := k.Secret()
	if err != nil {
		return nil, fmt.Errorf("jwe: %w", err)
	}
	if o.Algorithm != Dir {
		return NewSecretKey(o.Algorithm, secret, KeyOptions{KeyID: o.KeyID})
	}
	if o.Encryption == "" {
		return nil, errors.New("jwe: this key doesn't name its content encryption: state it in ParseOptions")
	}
	return NewDirectKey(o.Encryption, secret, KeyOptions{KeyID: o.KeyID})
}

func parsePEM(data []byte, wantPrivate bool, o ParseOptions) (any, error) {
	if o.Algorithm == "" {
		return nil, errors.New("jwe: a PEM key doesn't name its algorithm: state it in ParseOptions")
	}
	key, private, err := jwk.ParsePEM(data)
	switch {
	case err != nil:
		return nil, fmt.Errorf("jwe: %w", err)
	case wantPrivate && !private:
		return nil, errors.New("jwe: this PEM block holds no private key")
	case private && !wantPrivate:
		return nil, errors.New("jwe: this PEM block holds a private key where a public one is expected: keep it secret, and publish its public part")
	}
	return key, nil
}

// parseJWK reads the members strictly and settles the options: what the key names, else what the caller states.
func parseJWK(data []byte, o ParseOptions) (*jwk.Key, ParseOptions, error) {
	k, err := jwk.Parse(data)
	if err != nil {
		return nil, o, fmt.Errorf("jwe: %w", err)
	}
	named, encryption := Algorithm(k.Algorithm()), Encryption("")
	if contentOf(Encryption(named)) != nil {
		named, encryption = Dir, Encryption(named)
	}
	if err := o.settle(named, encryption, k.ID()); err != nil {
		return nil, o, err
	}
	if o.Algorithm == "" {
		return nil, o, errors.New("jwe: this key doesn't name its algorithm: state it in ParseOptions")
	}
	if o.Encryption != "" && o.Algorithm != Dir {
		return nil, o, fmt.Errorf("jwe: a key for %.32q isn't bound to a content encryption: leave it out of ParseOptions", string(o.Algorithm))
	}
	return k, o, nil
}

// settle joins what a key says of itself with what the caller states.
func (o *ParseOptions) settle(alg Algorithm, enc Encryption, id string) error {
	if err := settle("algorithm", &o.Algorithm, alg); err != nil {
		return err
	}
	if err := settle("content encryption", &o.Encryption, enc); err != nil {
		return err
	}
	return settle("key ID", &o.KeyID, id)
}

func settle[Text ~string](attribute string, stated *Text, named Text) error {
	if named != "" && *stated != "" && named != *stated {
		return fmt.Errorf("jwe: this key names another %s than the one stated", attribute)
	}
	if named != "" {
		*stated = named
	}
	return nil
}

// permits enforces "use" and "key_ops" (RFC 7517 §4.2 and §4.3): one of the operations has to be listed, if there is a
// list. An ECDH key only ever derives; for a public one, which is no more than an argument of that, the list may be
// empty, as Web Crypto exports it.
func permits(k *jwk.Key, alg Algorithm, operations ...string) error {
	if s := schemeOf(alg); s != nil && s.family == familyECDH {
		operations = []string{"deriveKey", "deriveBits"}
		if k.ListsNoOperations() && !k.HoldsSecret() {
			operations = nil
		}
	}
	if err := k.Permits("enc", operations...); err != nil {
		return fmt.Errorf("jwe: %w", err)
	}
	return nil
}
