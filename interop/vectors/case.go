package vectors

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// Case is one vector. Which members it has depends on its suite.
type Case struct {
	ID       string   `json:"id"`
	Level    string   `json:"level"` // empty or "must": decides; others are reported
	Expect   string   `json:"expect"`
	Features []string `json:"features"`
	Comment  string   `json:"comment"`

	// A message, the keys that are to open it, and what is in it.
	JWK             json.RawMessage `json:"jwk"`
	JWKS            json.RawMessage `json:"jwks"`
	Password        *Text           `json:"password_b64u"`
	Token           string          `json:"token"`
	TokenFile       string          `json:"token_file"`
	Serialization   string          `json:"ser"`
	Algorithms      []string        `json:"alg_allowed"`
	Encryptions     []string        `json:"enc_allowed"`
	Critical        []string        `json:"crit_understood"`
	DetachedPayload *Text           `json:"detached_payload"`
	Payload         *Text           `json:"payload"`
	Plaintext       *Text           `json:"plaintext"`

	// A claims set is judged by these.
	Options Options `json:"options"`

	// A key or a key set, as JSON.
	Kind  string `json:"kind"`
	Input string `json:"input"`

	// A JSON text.
	Base64 *string `json:"b64"`
}

// Options are what a case demands of a claims set.
type Options struct {
	Now            *float64 `json:"now"`
	Skew           float64  `json:"skew"`
	Issuer         *string  `json:"iss"`
	Audience       *string  `json:"aud"`
	Type           string   `json:"typ"`
	NoType         bool     `json:"typ_strict"`
	NoIssuer       bool     `json:"iss_strict"`
	NoAudience     bool     `json:"aud_strict"`
	PastIssuedAt   bool     `json:"iat_in_past"`
	RequiredClaims []string `json:"require"`
	ID             *string  `json:"claim_jti"`
}

// Text is a byte string, in base64url.
type Text []byte

// UnmarshalText decodes base64url.
func (b *Text) UnmarshalText(text []byte) (err error) {
	*b, err = base64.RawURLEncoding.DecodeString(string(text))
	return err
}

// ExpectsAcceptance reports whether the case is to be accepted.
func (c *Case) ExpectsAcceptance() bool { return c.Expect == "valid" || c.Expect == "accept" }

// Gates reports whether an RFC forces the outcome, so that another one is a fault or a deviation with a reason.
func (c *Case) Gates() bool { return (c.Level == "" || c.Level == "must") && c.Expect != "either" }

// Has reports whether the case is about a feature.
func (c *Case) Has(feature string) bool { return slices.Contains(c.Features, feature) }

// compressed reports whether the plaintext is compressed; of Wycheproof's cases a flag says so.
func (c *Case) compressed() bool {
	return c.Has("zip=DEF") || strings.Contains(c.Comment, "CompressedPlaintext")
}

// needsMLDSA reports whether the case is about algorithms that the standard library has from Go 1.27 on.
func (c *Case) needsMLDSA() bool {
	return slices.ContainsFunc(c.Algorithms, func(name string) bool { return strings.HasPrefix(name, "ML-DSA") })
}
