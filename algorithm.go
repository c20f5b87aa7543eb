package jot

import (
	"crypto"
	_ "crypto/sha256" // registers the hash of HS256, RS256 and ES256
)

// Algorithm is the name of a signature algorithm, as the "alg" of a JOSE header
// and of a JWK spells it (RFC 7518 §3.1). A key has exactly one; a token's header never chooses.
// The name "none" stands for no algorithm here: an unsigned token can't be made nor verified.
type Algorithm string

// The algorithms that this package signs and verifies with.
const (
	HS256 Algorithm = "HS256" // HMAC with SHA-256 (RFC 7518 §3.2)
	RS256 Algorithm = "RS256" // RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3)
	ES256 Algorithm = "ES256" // ECDSA on P-256 with SHA-256 (RFC 7518 §3.4)
	EdDSA Algorithm = "EdDSA" // Ed25519 (RFC 8037 §3.1)
)

// scheme is what an algorithm does: one of three families, and its hash.
type scheme struct {
	family family
	hash   crypto.Hash
}

type family byte

const (
	familyHMAC family = iota + 1
	familyRSA
	familyECDSA
	familyEd25519
)

// schemeOf returns the scheme of an algorithm; ok is false for a name that this package doesn't offer.
func schemeOf(alg Algorithm) (s scheme, ok bool) {
	switch alg {
	case HS256:
		return scheme{familyHMAC, crypto.SHA256}, true
	case RS256:
		return scheme{familyRSA, crypto.SHA256}, true
	case ES256:
		return scheme{familyECDSA, crypto.SHA256}, true
	case EdDSA:
		return scheme{familyEd25519, 0}, true
	}
	return scheme{}, false
}

// algorithmNamed turns a header's "alg" into an Algorithm without allocating.
func algorithmNamed(name []byte) (Algorithm, bool) {
	switch string(name) {
	case string(HS256):
		return HS256, true
	case string(RS256):
		return RS256, true
	case string(ES256):
		return ES256, true
	case string(EdDSA):
		return EdDSA, true
	}
	return "", false
}

// Symmetric reports whether the algorithm's one key both signs and verifies, so that whoever
// can verify a token can also forge it.
func (a Algorithm) Symmetric() bool {
	s, ok := schemeOf(a)
	return ok && s.family == familyHMAC
}
