package cli

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwe"
)

// fileKey is one key of a key file, bound to one algorithm: for signing or for encryption, never for both.
type fileKey struct {
	signing    jot.SigningKey    // nil for a public key
	verifying  *jot.PublicKey    // nil for a symmetric key
	encrypting jwe.EncryptionKey // nil for a signing key
	decrypting jwe.DecryptionKey // nil for a public key
}

// publicKey is a key that may be published.
type publicKey interface {
	json.Marshaler
	ExportPEM() ([]byte, error)
	Thumbprint(hash crypto.Hash) ([]byte, error)
	KeyID() string
}

// secretKey is a key that can be written down, in the clear.
type secretKey interface {
	ExportJWK() ([]byte, error)
}

// public returns the part that may be published; nil for a symmetric key.
func (k fileKey) public() publicKey {
	if k.verifying != nil {
		return k.verifying
	}
	if public, ok := k.encrypting.(*jwe.PublicKey); ok {
		return public
	}
	return nil
}

// secret returns the private or symmetric key; nil for a public one.
func (k fileKey) secret() secretKey {
	if k.signing != nil {
		return k.signing.(secretKey)
	}
	if k.decrypting != nil {
		return k.decrypting.(secretKey)
	}
	return nil
}

func (k fileKey) isSecret() bool { return k.secret() != nil }

func (k fileKey) algorithm() string {
	switch {
	case k.verifying != nil:
		return string(k.verifying.Algorithm())
	case k.signing != nil:
		return string(k.signing.Algorithm())
	}
	if direct, ok := k.encrypting.(*jwe.SecretKey); ok && direct.Algorithm() == jwe.Dir {
		return string(direct.Encryption())
	}
	return string(k.encrypting.Algorithm())
}

func (k fileKey) id() string {
	switch {
	case k.verifying != nil:
		return k.verifying.KeyID()
	case k.signing != nil:
		return k.signing.KeyID()
	}
	return k.encrypting.KeyID()
}

// String says what the key is, never what is in it.
func (k fileKey) String() string {
	text := fmt.Sprint(k.public())
	if secret := k.secret(); secret != nil {
		text = fmt.Sprint(secret)
	}
	if direct, ok := strings.CutPrefix(text, string(jwe.Dir)+" "); ok { // which says less than what it encrypts with
		return k.algorithm() + " " + direct
	}
	return text
}

// kind tells the type of a key, whatever its algorithm: "an RSA key".
func (k fileKey) kind() string {
	var label keyLabel
	if public := k.public(); public != nil {
		document, _ := public.MarshalJSON() // never fails for a key that was parsed
		label = labelOf(document)
	}
	switch {
	case label.Type == "":
		return "a symmetric key"
	case label.Type == "AKP":
		return "an " + k.algorithm() + " key"
	case strings.HasPrefix(label.Curve, "P"):
		return "a " + label.Curve + " key"
	case label.Curve != "":
		return "an " + label.Curve + " key"
	}
	return "an " + label.Type + " key"
}

// errNoPEM is a symmetric key that was to become PEM.
var errNoPEM = errors.New("a symmetric key has no PEM form: it is a JWK")

// pem returns the key as PEM: a private key with its private half.
func (k fileKey) pem() ([]byte, error) {
	if key, ok := k.secret().(interface{ ExportPEM() ([]byte, error) }); ok {
		return key.ExportPEM()
	}
	if k.isSecret() {
		return nil, errNoPEM
	}
	return k.public().ExportPEM()
}

// jwk returns the key as a JWK: a private key with its private half.
func (k fileKey) jwk() ([]byte, error) {
	if k.isSecret() {
		return k.secret().ExportJWK()
	}
	return k.public().MarshalJSON()
}
