package jot

import (
	"context"
	"fmt"

	"github.com/jot-auth/jot/internal/jwk"
)

const (
	generatedRSABits = 3072 // the 128-bit strength of NIST SP 800-57, as ES256's and EdDSA's
	maxSecretSize    = 4 << 10
)

// SigningKey is a key that signs: *PrivateKey or *SecretKey.
type SigningKey interface {
	KeyID() string
	Algorithm() Algorithm
	// SignInput returns the signature of a JWS signing input (RFC 7515 §5.1), for other forms of JWS than a token.
	// A token is made by a Signer.
	SignInput(ctx context.Context, input []byte) ([]byte, error)
	appendSignature(ctx context.Context, dst, input []byte) ([]byte, error)
	usable() bool // false of nil and of the zero value, which have neither ID nor algorithm, and don't sign
}

// VerificationKey is a key that verifies: *PublicKey or *SecretKey.
type VerificationKey interface {
	KeyID() string
	Algorithm() Algorithm
	// VerifyInput reports whether the signature over a JWS signing input is this key's (RFC 7515 §5.2), for other forms
	// of JWS than a token. It says nothing of what the input means: a token is checked by a Verifier.
	VerifyInput(input, signature []byte) bool
	usable() bool
	named() bool // false where nobody gave the key an ID, so that its tokens may bear any
}

// KeyOptions are the optional attributes of a key.
type KeyOptions struct {
	// KeyID is the key's "kid" (RFC 7517 §4.5), at most 256 bytes. Empty means its RFC 7638 thumbprint; a secret key
	// then has none, and its tokens bear none, for a hash of a secret lets whoever reads it try guesses (RFC 7638 §7).
	//
	// A public or secret key that is made without one verifies tokens whatever key ID they bear, as long as it's among
	// the first 4 such keys of its algorithm in its set. A public key keeps its thumbprint where it's written, by
	// MarshalJSON, and so is named for whoever reads it. Name a key that a revocation rule of kind "kid" is to reach:
	// the rule goes by this ID, whatever the token says.
	KeyID string
}

func checkKeyID(id string) error {
	if err := jwk.CheckKeyID(id); err != nil {
		return fmt.Errorf("jot: %w", err)
	}
	return nil
}

func unknownAlgorithm(alg Algorithm) error {
	return fmt.Errorf("jot: algorithm %.32q is not offered: use ES256, EdDSA, RS256 or another of this package's constants", string(alg))
}

func describeKey(f fmt.State, kind string, s *scheme, id string) {
	if s == nil { // the zero value of a key is none
		fmt.Fprintf(f, "no %s key", kind)
		return
	}
	if id == "" {
		fmt.Fprintf(f, "%s %s key without an ID", s.name, kind)
		return
	}
	fmt.Fprintf(f, "%s %s key %q", s.name, kind, id)
}
