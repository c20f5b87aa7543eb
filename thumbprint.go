package jot

import (
	"crypto"
	"encoding/base64"

	"github.com/jot-auth/jot/internal/jwk"
)

// Thumbprint returns the digest that stands for the key whatever its key ID and algorithm are called (RFC 7638; RFC
// 9964 §6 for ML-DSA). The hash is crypto.SHA256, SHA384 or SHA512. A key ID by thumbprint is the base64url of the one
// by SHA-256. Secret keys have no thumbprint: see RFC 7638 §7.
func (k *PublicKey) Thumbprint(hash crypto.Hash) ([]byte, error) {
	if !k.usable() {
		return nil, errNoKey
	}
	return exported(jwk.Thumbprint(k.material, hash))
}

// ThumbprintURI returns the URI of the key's SHA-256 thumbprint (RFC 9278 §3).
func (k *PublicKey) ThumbprintURI() (string, error) {
	digest, err := k.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", err
	}
	return "urn:ietf:params:oauth:jwk-thumbprint:sha-256:" + base64.RawURLEncoding.EncodeToString(digest), nil
}
