package jot

import (
	"crypto"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
)

// Algorithm is the name of a signature algorithm, as the "alg" of a JOSE header
// and of a JWK spells it (RFC 7518 §3.1). A key has exactly one; a token's header never chooses.
// The name "none" stands for no algorithm here: an unsigned token can't be made nor verified.
type Algorithm string

// The algorithms that this package signs and verifies with.
const (
	HS256 Algorithm = "HS256" // HMAC with SHA-256 (RFC 7518 §3.2)
	HS384 Algorithm = "HS384" // HMAC with SHA-384
	HS512 Algorithm = "HS512" // HMAC with SHA-512

	RS256 Algorithm = "RS256" // RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3)
	RS384 Algorithm = "RS384" // RSASSA-PKCS1-v1_5 with SHA-384
	RS512 Algorithm = "RS512" // RSASSA-PKCS1-v1_5 with SHA-512

	PS256 Algorithm = "PS256" // RSASSA-PSS with SHA-256, the salt of the hash's size (RFC 7518 §3.5)
	PS384 Algorithm = "PS384" // RSASSA-PSS with SHA-384
	PS512 Algorithm = "PS512" // RSASSA-PSS with SHA-512

	ES256 Algorithm = "ES256" // ECDSA on P-256 with SHA-256 (RFC 7518 §3.4)
	ES384 Algorithm = "ES384" // ECDSA on P-384 with SHA-384
	ES512 Algorithm = "ES512" // ECDSA on P-521 with SHA-512

	EdDSA   Algorithm = "EdDSA"   // Ed25519, by the name of RFC 8037 §3.1
	Ed25519 Algorithm = "Ed25519" // Ed25519, by the name of RFC 9864 §2.2
)

type family byte

const (
	familyHMAC family = iota + 1
	familyRSA
	familyPSS
	familyECDSA
	familyEd25519
)

// scheme is what an algorithm does: its family, its hash, and for ECDSA the one curve that goes with it.
type scheme struct {
	name   Algorithm
	family family
	hash   crypto.Hash
	curve  *curve
}

// curve is an elliptic curve as a JWK names it (RFC 7518 §6.2.1.1).
type curve struct {
	elliptic.Curve
	name       string
	scalarSize int // bytes of a scalar and of a coordinate
}

var (
	p256 = &curve{elliptic.P256(), "P-256", 32}
	p384 = &curve{elliptic.P384(), "P-384", 48}
	p521 = &curve{elliptic.P521(), "P-521", 66}
)

var schemes = [...]scheme{
	{HS256, familyHMAC, crypto.SHA256, nil}, {HS384, familyHMAC, crypto.SHA384, nil}, {HS512, familyHMAC, crypto.SHA512, nil},
	{RS256, familyRSA, crypto.SHA256, nil}, {RS384, familyRSA, crypto.SHA384, nil}, {RS512, familyRSA, crypto.SHA512, nil},
	{PS256, familyPSS, crypto.SHA256, nil}, {PS384, familyPSS, crypto.SHA384, nil}, {PS512, familyPSS, crypto.SHA512, nil},
	{ES256, familyECDSA, crypto.SHA256, p256}, {ES384, familyECDSA, crypto.SHA384, p384}, {ES512, familyECDSA, crypto.SHA512, p521},
	{EdDSA, familyEd25519, 0, nil}, {Ed25519, familyEd25519, 0, nil},
}

// schemeOf returns the scheme of an algorithm, or nil for a name that this package doesn't offer.
func schemeOf[Name string | []byte | Algorithm](name Name) *scheme {
	for i := range schemes {
		if string(schemes[i].name) == string(name) {
			return &schemes[i]
		}
	}
	return nil
}

// Symmetric reports whether the algorithm's one key both signs and verifies, so that whoever
// can verify a token can also forge it.
func (a Algorithm) Symmetric() bool {
	s := schemeOf(a)
	return s != nil && s.family == familyHMAC
}

// maxDigestSize is that of SHA-512.
const maxDigestSize = sha512.Size

// digest hashes the input with one of the three hashes, into the buffer.
func digest(hash crypto.Hash, input []byte, buffer *[maxDigestSize]byte) []byte {
	switch hash {
	case crypto.SHA256:
		sum := sha256.Sum256(input)
		return buffer[:copy(buffer[:], sum[:])]
	case crypto.SHA384:
		sum := sha512.Sum384(input)
		return buffer[:copy(buffer[:], sum[:])]
	default:
		sum := sha512.Sum512(input)
		return buffer[:copy(buffer[:], sum[:])]
	}
}
