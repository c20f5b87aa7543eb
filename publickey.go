package jot

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/jot-auth/jot/internal/jwk"
)

// PublicKey verifies tokens: a public key, its one algorithm and its key ID, fixed when made.
type PublicKey struct {
	id       string
	hasName  bool // someone chose the ID, or knows it from here: tokens under another are not this key's
	scheme   *scheme
	material crypto.PublicKey // *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey or *mldsa.PublicKey; never altered
}

// NewPublicKey binds a public key to its algorithm: *ecdsa.PublicKey on the algorithm's curve for ES256, ES384 and
// ES512, *rsa.PublicKey of 2048 to 16384 bits for RS and PS, ed25519.PublicKey for EdDSA and Ed25519, *mldsa.PublicKey
// of the algorithm's parameter set for ML-DSA. The key is copied. Any other pairing, a point off its NIST curve, an
// even RSA modulus or an Ed25519 point of small order is refused. Not so 32 bytes that are the encoding of no Ed25519
// point: nothing verifies under such a key. A verification with the largest RSA keys takes some 20 milliseconds.
//
// Without a KeyID among its options, the key has its thumbprint for one, and verifies tokens whatever key ID they bear:
// whoever holds the private half may call it something else.
func NewPublicKey(alg Algorithm, key crypto.PublicKey, o KeyOptions) (*PublicKey, error) {
	s, err := findScheme(alg)
	if err != nil {
		return nil, err
	}
	material, err := jwk.CheckPublic(key)
	if err != nil {
		return nil, fmt.Errorf("jot: a key for %s: %w", alg, err)
	}
	if err := s.fits(material); err != nil {
		return nil, err
	}
	id := o.KeyID
	if id == "" {
		digest, err := jwk.Thumbprint(material, crypto.SHA256)
		if err != nil {
			return nil, fmt.Errorf("jot: the key's thumbprint: %w", err)
		}
		id = base64.RawURLEncoding.EncodeToString(digest)
	}
	if err := checkKeyID(id); err != nil {
		return nil, err
	}
	return &PublicKey{id, o.KeyID != "", s, material}, nil
}

// fits binds the type of key, and the curve of an ECDSA key, to the algorithm (RFC 7518 §3.4).
func (s *scheme) fits(material crypto.PublicKey) error {
	fits := false
	switch k := material.(type) {
	case *rsa.PublicKey:
		fits = s.family == familyRSA || s.family == familyPSS
	case *ecdsa.PublicKey:
		if s.family == familyECDSA && k.Curve != s.curve {
			return fmt.Errorf("jot: %s needs a key on %s (RFC 7518 §3.4)", s.name, s.curve.Params().Name)
		}
		fits = s.family == familyECDSA
	case ed25519.PublicKey:
		fits = s.family == familyEd25519
	default:
		fits = s.family == familyMLDSA && jwk.MLDSAAlgorithm(material) == string(s.name)
	}
	if !fits {
		return fmt.Errorf("jot: %s can't use a key of type %T", s.name, material)
	}
	return nil
}

// KeyID returns the key's "kid".
func (k *PublicKey) KeyID() string {
	if !k.usable() {
		return ""
	}
	return k.id
}

// Algorithm returns the one algorithm of this key.
func (k *PublicKey) Algorithm() Algorithm {
	if !k.usable() {
		return ""
	}
	return k.scheme.name
}

// Format writes the algorithm and the key ID.
func (k PublicKey) Format(f fmt.State, _ rune) { describeKey(f, "public", k.scheme, k.id) }

// LogValue is what log/slog writes: the algorithm and the key ID.
func (k PublicKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

func (k *PublicKey) usable() bool { return k != nil && k.material != nil }

func (k *PublicKey) named() bool { return k.hasName }

var errNoKey = errors.New("jot: the zero value of a key is no key")

func (k *PublicKey) verifiesSize(signature []byte) bool {
	if material, ok := k.material.(*rsa.PublicKey); ok {
		return len(signature) == material.Size()
	}
	return len(signature) == k.scheme.size
}

// verification is the working memory of one, all of it public, which would else be allocated for each.
type verification struct {
	digest [maxDigestSize]byte
	der    [maxDERSize]byte
}

var verifications = sync.Pool{New: func() any { return new(verification) }}

// VerifyInput reports whether the signature over a JWS signing input is this key's (RFC 7515 §5.2).
func (k *PublicKey) VerifyInput(input, signature []byte) bool {
	if !k.usable() || !k.verifiesSize(signature) {
		return false
	}
	switch k.scheme.family {
	case familyEd25519:
		return ed25519.Verify(k.material.(ed25519.PublicKey), input, signature)
	case familyMLDSA:
		return verifyMLDSA(k.material, input, signature)
	}
	work := verifications.Get().(*verification)
	defer verifications.Put(work)
	hashed := digest(k.scheme.hash, input, &work.digest)
	switch material := k.material.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(material, hashed, derFromRaw(work.der[:0], signature))
	case *rsa.PublicKey:
		if k.scheme.family == familyPSS {
			return rsa.VerifyPSS(material, k.scheme.hash, hashed, signature, k.scheme.pss()) == nil
		}
		return rsa.VerifyPKCS1v15(material, k.scheme.hash, hashed, signature) == nil
	}
	return false
}
