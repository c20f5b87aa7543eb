package jot

import (
	"crypto"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
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

	MLDSA44 Algorithm = "ML-DSA-44" // ML-DSA with parameter set ML-DSA-44 (RFC 9964 §2); needs Go 1.27
	MLDSA65 Algorithm = "ML-DSA-65" // ML-DSA with parameter set ML-DSA-65; needs Go 1.27
	MLDSA87 Algorithm = "ML-DSA-87" // ML-DSA with parameter set ML-DSA-87; needs Go 1.27
)

type family byte

const (
	familyHMAC family = iota + 1
	familyRSA
	familyPSS
	familyECDSA
	familyEd25519
	familyMLDSA
)

// scheme is what an algorithm does: its family, its hash, and for ECDSA the one curve that goes with it.
type scheme struct {
	name   Algorithm
	family family
	hash   crypto.Hash
	curve  elliptic.Curve
	size   int // bytes of a signature; 0 where it's the size of the RSA modulus
}

var p256, p384, p521 = elliptic.P256(), elliptic.P384(), elliptic.P521()

var schemes = [...]scheme{
	{HS256, familyHMAC, crypto.SHA256, nil, 32}, {HS384, familyHMAC, crypto.SHA384, nil, 48}, {HS512, familyHMAC, crypto.SHA512, nil, 64},
	{RS256, familyRSA, crypto.SHA256, nil, 0}, {RS384, familyRSA, crypto.SHA384, nil, 0}, {RS512, familyRSA, crypto.SHA512, nil, 0},
	{PS256, familyPSS, crypto.SHA256, nil, 0}, {PS384, familyPSS, crypto.SHA384, nil, 0}, {PS512, familyPSS, crypto.SHA512, nil, 0},
	{ES256, familyECDSA, crypto.SHA256, p256, 64}, {ES384, familyECDSA, crypto.SHA384, p384, 96}, {ES512, familyECDSA, crypto.SHA512, p521, 132},
	{EdDSA, familyEd25519, 0, nil, 64}, {Ed25519, familyEd25519, 0, nil, 64},
	{MLDSA44, familyMLDSA, 0, nil, 2420}, {MLDSA65, familyMLDSA, 0, nil, 3309}, {MLDSA87, familyMLDSA, 0, nil, 4627}, // FIPS 204, table 2
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

// findScheme is schemeOf for an algorithm that a key is to be made for.
func findScheme(alg Algorithm) (*scheme, error) {
	s := schemeOf(alg)
	if s == nil {
		return nil, unknownAlgorithm(alg)
	}
	if s.family == familyMLDSA && !offersMLDSA {
		return nil, fmt.Errorf("jot: %s needs Go 1.27 or later", alg)
	}
	return s, nil
}

// ClassicalAlgorithms returns the algorithms with a key pair, but for ML-DSA: those whose public keys and signatures
// are small enough for the headers of HTTP. The list is the caller's.
func ClassicalAlgorithms() []Algorithm {
	return []Algorithm{ES256, ES384, ES512, EdDSA, Ed25519, PS256, PS384, PS512, RS256, RS384, RS512}
}

// Hash returns the hash that the algorithm signs a digest of, for a SignerFunc whose key service takes digests. It's 0
// for Ed25519 and ML-DSA, which sign the input itself, and for a name that isn't offered.
func (a Algorithm) Hash() crypto.Hash {
	if s := schemeOf(a); s != nil {
		return s.hash
	}
	return 0
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
