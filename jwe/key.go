package jwe

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/jot-auth/jot/internal/jwk"
)

const generatedRSABits = 3072 // the 128-bit strength of NIST SP 800-57

// EncryptionKey is a key that messages are encrypted for: *PublicKey, *SecretKey or *Password, and no type that embeds
// one of these.
type EncryptionKey interface {
	KeyID() string
	Algorithm() Algorithm
	// wrap returns the content's key, which is the proposed one unless the algorithm yields its own, and leaves in w
	// what the recipient needs to find it.
	wrap(w *wrapping, c *content, proposed []byte) ([]byte, error)
	bound() *content // the one content encryption that the key is for; nil if it goes with all
	usual() work     // what an attempt costs a decrypter at a message that this key wrote, if it can't tell by the key ID that the attempt is in vain
	usable() bool    // false of nil and of the zero value
}

// DecryptionKey is a key that messages are decrypted with: *PrivateKey, *SecretKey or *Password, and no type that
// embeds one of these.
type DecryptionKey interface {
	KeyID() string
	Algorithm() Algorithm
	// unwrap finds the content's key again.
	unwrap(ctx context.Context, w *wrapping, c *content) ([]byte, error)
	price(w *wrapping) work // what that costs
	usual() work
	usable() bool
}

// KeyOptions are the optional attributes of a key.
type KeyOptions struct {
	// KeyID is the key's "kid" (RFC 7517 §4.5), at most 256 bytes. Empty means the RFC 7638 thumbprint for a public or
	// private key, and none for a secret one, whose digest would let anybody try guesses (RFC 7638 §7).
	KeyID string
}

var (
	errNoKey      = errors.New("jwe: the zero value of a key is no key")
	errSurplusKey = errors.New("jwe: an encrypted key where the algorithm has none")
	errSecretJSON = errors.New("jwe: private and secret keys are not written as JSON by accident: use ExportJWK, or Public")
)

func checkKeyID(id string) error {
	if err := jwk.CheckKeyID(id); err != nil {
		return fmt.Errorf("jwe: %w", err)
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

// keyAlgorithm returns the name of a key's algorithm; empty for the zero value of a key.
func (s *scheme) keyAlgorithm() Algorithm {
	if s == nil {
		return ""
	}
	return s.name
}

// prefixed names this package in an error of the one below.
func prefixed(data []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, fmt.Errorf("jwe: %w", err)
	}
	return data, nil
}

func base64URL(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
