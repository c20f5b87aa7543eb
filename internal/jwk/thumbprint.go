package jwk

import (
	"crypto"
	_ "crypto/sha256" // for crypto.SHA256.New
	_ "crypto/sha512" // for crypto.SHA384.New and crypto.SHA512.New
	"errors"

	"github.com/jot-auth/jot/internal/jose"
)

// Thumbprint returns the digest of a public key's required members (RFC 7638 §3; RFC 8037 §2 for OKP, RFC 9964 §6 for
// AKP). The hash is SHA-256, SHA-384 or SHA-512. There's none for a secret: whoever knows it could try guesses (RFC
// 7638 §7).
func Thumbprint(key crypto.PublicKey, hash crypto.Hash) ([]byte, error) {
	if hash != crypto.SHA256 && hash != crypto.SHA384 && hash != crypto.SHA512 {
		return nil, errors.New("a thumbprint is made with SHA-256, SHA-384 or SHA-512")
	}
	m, err := publicMembers(key)
	if err != nil {
		return nil, err
	}
	// The order of these fields is that of the names, in which they are hashed (RFC 7638 §3.3).
	canonical, err := jose.Marshal(struct {
		Algorithm string `json:"alg,omitempty"`
		Curve     string `json:"crv,omitempty"`
		Exponent  string `json:"e,omitempty"`
		Type      string `json:"kty"`
		Modulus   string `json:"n,omitempty"`
		Public    string `json:"pub,omitempty"`
		X         string `json:"x,omitempty"`
		Y         string `json:"y,omitempty"`
	}{m.Algorithm, m.Curve, m.Exponent, m.Type, m.Modulus, m.Public, m.X, m.Y})
	if err != nil {
		return nil, err
	}
	digest := hash.New()
	digest.Write(canonical)
	return digest.Sum(nil), nil
}
