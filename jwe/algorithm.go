package jwe

import (
	"crypto"
	_ "crypto/sha1" // RSA-OAEP
	_ "crypto/sha256"
	_ "crypto/sha512"
	"fmt"
)

// Algorithm is the name of a key management algorithm: how the key that encrypts the content is brought to its
// recipient. It's the "alg" of a header and of a JWK (RFC 7518 §4.1). A key has exactly one; a message's header never
// chooses. RSA1_5 is not offered: it can't be decrypted without telling an attacker too much (RFC 8725 §3.2).
type Algorithm string

// The key management algorithms that this package offers.
const (
	RSA_OAEP     Algorithm = "RSA-OAEP"     // RSAES OAEP with SHA-1 (RFC 7518 §4.3): for peers that can't do RSA-OAEP-256
	RSA_OAEP_256 Algorithm = "RSA-OAEP-256" // RSAES OAEP with SHA-256

	ECDH_ES        Algorithm = "ECDH-ES"        // ephemeral-static Diffie-Hellman, whose result encrypts the content (RFC 7518 §4.6): for one recipient
	ECDH_ES_A128KW Algorithm = "ECDH-ES+A128KW" // the same, and its result wraps the content's key
	ECDH_ES_A192KW Algorithm = "ECDH-ES+A192KW"
	ECDH_ES_A256KW Algorithm = "ECDH-ES+A256KW"

	A128KW Algorithm = "A128KW" // AES Key Wrap (RFC 7518 §4.4, RFC 3394)
	A192KW Algorithm = "A192KW"
	A256KW Algorithm = "A256KW"

	A128GCMKW Algorithm = "A128GCMKW" // key wrap with AES-GCM (RFC 7518 §4.7): at most 2³² messages for one key
	A192GCMKW Algorithm = "A192GCMKW"
	A256GCMKW Algorithm = "A256GCMKW"

	Dir Algorithm = "dir" // a shared key encrypts the content itself (RFC 7518 §4.5): for one recipient; see NewDirectKey

	PBES2_HS256_A128KW Algorithm = "PBES2-HS256+A128KW" // a password wraps the content's key (RFC 7518 §4.8); see Password
	PBES2_HS384_A192KW Algorithm = "PBES2-HS384+A192KW"
	PBES2_HS512_A256KW Algorithm = "PBES2-HS512+A256KW"
)

type family byte

const (
	familyRSA family = iota + 1
	familyECDH
	familyKeyWrap
	familyGCMKeyWrap
	familyDirect
	familyPassword
)

// scheme is what an algorithm does: its family, the size in bytes of the AES key that wraps the content's key, if one
// does, and the hash of OAEP or PBKDF2.
type scheme struct {
	name     Algorithm
	family   family
	wrapSize int
	hash     crypto.Hash
}

var schemes = [...]scheme{
	{RSA_OAEP, familyRSA, 0, crypto.SHA1}, {RSA_OAEP_256, familyRSA, 0, crypto.SHA256},
	{ECDH_ES, familyECDH, 0, 0}, {ECDH_ES_A128KW, familyECDH, 16, 0}, {ECDH_ES_A192KW, familyECDH, 24, 0}, {ECDH_ES_A256KW, familyECDH, 32, 0},
	{A128KW, familyKeyWrap, 16, 0}, {A192KW, familyKeyWrap, 24, 0}, {A256KW, familyKeyWrap, 32, 0},
	{A128GCMKW, familyGCMKeyWrap, 16, 0}, {A192GCMKW, familyGCMKeyWrap, 24, 0}, {A256GCMKW, familyGCMKeyWrap, 32, 0},
	{Dir, familyDirect, 0, 0},
	{PBES2_HS256_A128KW, familyPassword, 16, crypto.SHA256}, {PBES2_HS384_A192KW, familyPassword, 24, crypto.SHA384},
	{PBES2_HS512_A256KW, familyPassword, 32, crypto.SHA512},
}

// schemeOf returns the scheme of an algorithm, or nil for a name that this package doesn't offer.
func schemeOf(name Algorithm) *scheme {
	for i := range schemes {
		if schemes[i].name == name {
			return &schemes[i]
		}
	}
	return nil
}

// direct reports whether the algorithm yields the content's key itself, so that there is no encrypted key and only one
// recipient (RFC 7516 §5.1).
func (s *scheme) direct() bool { return s.name == Dir || s.name == ECDH_ES }

// schemeAmong returns the scheme of an algorithm that belongs to one of the families. The advice goes into the error
// for any other.
func schemeAmong(name Algorithm, advice string, families ...family) (*scheme, error) {
	s := schemeOf(name)
	if s == nil {
		return nil, fmt.Errorf("jwe: algorithm %.32q is not offered: use ECDH_ES_A256KW, A256KW or another of this package's constants", string(name))
	}
	for _, f := range families {
		if s.family == f {
			return s, nil
		}
	}
	return nil, fmt.Errorf("jwe: %s %s", name, advice)
}
