package jwe

import (
	"encoding/base64"
	"errors"
	"fmt"
	"unicode/utf8"
)

const (
	generatedRSABits = 3072 // the 128-bit strength of NIST SP 800-57
	maxKeyIDSize     = 256
)

// EncryptionKey is a key that messages are encrypted for: *PublicKey, *SecretKey or *Password.
type EncryptionKey interface {
	KeyID() string
	Algorithm() Algorithm
	// wrap returns the content's key, which is the proposed one unless the algorithm yields its own, and leaves in w what the recipient
	// needs to find it.
	wrap(w *wrapping, c *content, proposed []byte) ([]byte, error)
	usable() bool // false of nil and of the zero value
}

// DecryptionKey is a key that messages are decrypted with: *PrivateKey, *SecretKey or *Password.
type DecryptionKey interface {
	KeyID() string
	Algorithm() Algorithm
	// unwrap finds the content's key again.
	unwrap(w *wrapping, c *content) ([]byte, error)
	usable() bool
}

// KeyOptions are the optional attributes of a key.
type KeyOptions struct {
	// KeyID is the key's "kid" (RFC 7517 §4.5), at most 256 bytes. Empty means the RFC 7638 thumbprint for a public or private key, and none for
	// a secret one, whose digest would let anybody try guesses (RFC 7638 §7).
	KeyID string
}

var (
	errSurplusKey = errors.New("jwe: an encrypted key where the algorithm has none")
	errSecretJSON = errors.New("jwe: private and secret keys are not written as JSON by accident: use ExportJWK, or Public")
)

func checkKeyID(id string) error {
	if len(id) > maxKeyIDSize || !utf8.ValidString(id) {
		return fmt.Errorf("jwe: a key ID is valid UTF-8 of at most %d bytes", maxKeyIDSize)
	}
	return nil
}

func describeKey(f fmt.State, kind string, s *scheme, id string) {
	switch {
	case s == nil: // the zero value of a key is none
		fmt.Fprintf(f, "no %s key", kind)
	case id == "":
		fmt.Fprintf(f, "%s %s key", s.name, kind)
	default:
		fmt.Fprintf(f, "%s %s key %q", s.name, kind, id)
	}
}

func base64URL(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
