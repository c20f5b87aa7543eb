package jot

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/jot-auth/jot/internal/jose"
)

// maxKeySize bounds the bytes of one key, JWK or PEM: an RSA key of 16384 bits takes about 13 KiB.
const maxKeySize = 32 << 10

// jwk is one JSON Web Key (RFC 7517 §4).
type jwk struct {
	jwkMembers
	Use        string   `json:"use,omitempty"`
	Operations []string `json:"key_ops,omitempty"`
	Algorithm  string   `json:"alg,omitempty"`
	KeyID      string   `json:"kid,omitempty"`

	// Private members (RFC 7518 §6.2.2 and §6.3.2).
	D           string          `json:"d,omitempty"`
	P           string          `json:"p,omitempty"`
	Q           string          `json:"q,omitempty"`
	DP          string          `json:"dp,omitempty"`
	DQ          string          `json:"dq,omitempty"`
	QI          string          `json:"qi,omitempty"`
	OtherPrimes json.RawMessage `json:"oth,omitempty"`
	Private     string          `json:"priv,omitempty"` // of type AKP (RFC 9964 §3)
}

// ParseOptions say what a serialized key leaves open.
type ParseOptions struct {
	// Algorithm is the algorithm of a key that doesn't name its own, as PEM never does. A key that
	// names another one is refused.
	Algorithm Algorithm
}

// ParsePrivateKey reads a private key: a JWK (RFC 7517), or PEM in PKCS #8, PKCS #1 or SEC 1.
// It refuses a key whose "use" or "key_ops" forbid signing, whose parts contradict each other, or that is too weak.
func ParsePrivateKey(data []byte, o ParseOptions) (*PrivateKey, error) {
	if isPEM(data) {
		return parsePrivatePEM(data, o)
	}
	k, alg, err := parseJWK(data, o)
	if err != nil {
		return nil, err
	}
	if k.Type == typeSecret {
		return nil, errors.New("jot: this JWK is a secret key: read it with ParseSecretKey")
	}
	if k.D == "" {
		return nil, errors.New("jot: this JWK holds no private key")
	}
	if err := k.permits("sign"); err != nil {
		return nil, err
	}
	signer, err := k.signer()
	if err != nil {
		return nil, err
	}
	return newPrivateKey(alg, signer, KeyOptions{KeyID: k.KeyID})
}

// ParsePublicKey reads a public key: a JWK (RFC 7517), or PEM in SPKI, PKCS #1 or a certificate. A certificate is
// a container here: its chain and dates are not checked.
// It refuses private material, so that a key which was to stay secret is noticed.
func ParsePublicKey(data []byte, o ParseOptions) (*PublicKey, error) {
	if isPEM(data) {
		return parsePublicPEM(data, o)
	}
	k, alg, err := parseJWK(data, o)
	if err != nil {
		return nil, err
	}
	return k.publicKey(alg)
}

// ParseSecretKey reads an HMAC key from a JWK of type "oct" (RFC 7518 §6.4).
func ParseSecretKey(data []byte, o ParseOptions) (*SecretKey, error) {
	k, alg, err := parseJWK(data, o)
	if err != nil {
		return nil, err
	}
	if k.Type != typeSecret {
		return nil, fmt.Errorf("jot: this JWK is of type %.16q, a secret key is of type %q", k.Type, typeSecret)
	}
	if err := errors.Join(k.permits("sign"), k.permits("verify")); err != nil {
		return nil, err
	}
	secret, err := k.decode("k", k.Secret)
	if err != nil {
		return nil, err
	}
	return NewSecretKey(alg, secret, KeyOptions{KeyID: k.KeyID})
}

// UnmarshalJSON is ParsePublicKey, for a JWK that names its algorithm. It's for a variable that nobody else uses yet.
func (k *PublicKey) UnmarshalJSON(data []byte) error {
	parsed, err := ParsePublicKey(data, ParseOptions{})
	if err == nil {
		*k = *parsed
	}
	return err
}

// MarshalJSON always fails: a private key is not to be published by accident. ExportJWK writes it on purpose.
func (k PrivateKey) MarshalJSON() ([]byte, error) { return nil, errSecretJSON }

// MarshalJSON always fails: a secret key is not to be published by accident. ExportJWK writes it on purpose.
func (k SecretKey) MarshalJSON() ([]byte, error) { return nil, errSecretJSON }

var errSecretJSON = errors.New("jot: private and secret keys are not written as JSON by accident: use ExportJWK, or Public")

// MarshalJSON writes the public JWK with its type, algorithm, use and key ID.
func (k PublicKey) MarshalJSON() ([]byte, error) {
	if k.scheme == nil {
		return nil, errors.New("jot: the zero value of PublicKey is no key")
	}
	return json.Marshal(describedJWK(publicMembers(k.material), k.scheme, k.id))
}

// ExportJWK returns the private key as a JWK, in the clear: whoever reads it can sign in this key's name. A key whose
// material is out of reach, as in an HSM, is an error.
func (k *PrivateKey) ExportJWK() ([]byte, error) {
	exported := describedJWK(publicMembers(k.public.material), k.public.scheme, k.public.id)
	switch signer := k.material.signer.(type) {
	case *ecdsa.PrivateKey:
		scalar, err := signer.Bytes()
		if err != nil {
			return nil, fmt.Errorf("jot: exporting a key: %w", err)
		}
		exported.D = base64URL(scalar)
	case *rsa.PrivateKey:
		exported.D = base64URL(signer.D.Bytes())
		exported.P, exported.Q = base64URL(signer.Primes[0].Bytes()), base64URL(signer.Primes[1].Bytes())
		exported.DP, exported.DQ = base64URL(signer.Precomputed.Dp.Bytes()), base64URL(signer.Precomputed.Dq.Bytes())
		exported.QI = base64URL(signer.Precomputed.Qinv.Bytes())
	case ed25519.PrivateKey:
		exported.D = base64URL(signer.Seed())
	default:
		return nil, fmt.Errorf("jot: a key held by %T can't be exported", signer)
	}
	return json.Marshal(exported)
}

// ExportJWK returns the secret key as a JWK, in the clear: whoever reads it can sign and verify.
func (k *SecretKey) ExportJWK() ([]byte, error) {
	return json.Marshal(describedJWK(secretMembers(k.material.secret), k.scheme, k.id))
}

func describedJWK(members jwkMembers, s *scheme, id string) jwk {
	return jwk{jwkMembers: members, Use: "sig", Algorithm: string(s.name), KeyID: id}
}

// parseJWK reads the members strictly and settles the algorithm: what the key names, else what the caller states.
func parseJWK(data []byte, o ParseOptions) (jwk, Algorithm, error) {
	var k jwk
	if len(data) > maxKeySize {
		return jwk{}, "", fmt.Errorf("jot: a JWK has at most %d bytes", maxKeySize)
	}
	if err := jose.Unmarshal(data, &k); err != nil {
		return jwk{}, "", fmt.Errorf("jot: not a JWK: %w", err)
	}
	named, stated := Algorithm(k.Algorithm), o.Algorithm
	switch {
	case named == "" && stated == "":
		return jwk{}, "", errors.New("jot: this key doesn't name its algorithm: state it in ParseOptions")
	case named != "" && stated != "" && named != stated:
		return jwk{}, "", fmt.Errorf("jot: this key is for %.32q, not for %s", k.Algorithm, stated)
	case named == "":
		named = stated
	}
	if schemeOf(named) == nil {
		return jwk{}, "", unknownAlgorithm(named)
	}
	return k, named, nil
}

// permits enforces "use" and "key_ops" (RFC 7517 §4.2 and §4.3).
func (k jwk) permits(operation string) error {
	if k.Use != "" && k.Use != "sig" {
		return fmt.Errorf("jot: this key is for use %.16q, not for signatures", k.Use)
	}
	if k.Operations != nil && !slices.Contains(k.Operations, operation) {
		return fmt.Errorf("jot: the key_ops of this key don't permit %q", operation)
	}
	return nil
}

func (k jwk) publicKey(alg Algorithm) (*PublicKey, error) {
	if k.holdsSecret() {
		return nil, errors.New("jot: this JWK holds a private or secret key where a public one is expected: keep it secret, and publish its public part")
	}
	if err := k.permits("verify"); err != nil {
		return nil, err
	}
	material, err := k.publicMaterial()
	if err != nil {
		return nil, err
	}
	return NewPublicKey(alg, material, KeyOptions{KeyID: k.KeyID})
}

func (k jwk) holdsSecret() bool {
	private := k.D + k.P + k.Q + k.DP + k.DQ + k.QI + k.Secret + k.Private
	return private != "" || k.OtherPrimes != nil || k.Type == typeSecret
}

func (k jwk) publicMaterial() (crypto.PublicKey, error) {
	switch {
	case k.Type == typeEC && k.curve() != nil:
		return k.ecdsaPublic(k.curve())
	case k.Type == typeOKP && k.Curve == curveEd25519:
		return k.ed25519Public()
	case k.Type == typeRSA:
		return k.rsaPublic()
	}
	return nil, fmt.Errorf("jot: a key of type %.16q on curve %.16q is not offered", k.Type, k.Curve)
}

// curve returns the curve that "crv" names; nil for one that isn't offered.
func (k jwk) curve() *curve {
	for _, c := range []*curve{p256, p384, p521} {
		if c.name == k.Curve {
			return c
		}
	}
	return nil
}

func (k jwk) ecdsaPublic(c *curve) (*ecdsa.PublicKey, error) {
	x, err := k.decodeSized("x", k.X, c.scalarSize)
	if err != nil {
		return nil, err
	}
	y, err := k.decodeSized("y", k.Y, c.scalarSize)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.ParseUncompressedPublicKey(c.Curve, slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, fmt.Errorf("jot: the point of this JWK is not on %s", c.name)
	}
	return key, nil
}

func (k jwk) ed25519Public() (ed25519.PublicKey, error) {
	x, err := k.decodeSized("x", k.X, ed25519.PublicKeySize)
	return ed25519.PublicKey(x), err
}

func (k jwk) rsaPublic() (*rsa.PublicKey, error) {
	modulus, err := k.decode("n", k.Modulus) // some encoders write a leading zero (RFC 7518 §6.3.1.1)
	if err != nil {
		return nil, err
	}
	n := new(big.Int).SetBytes(modulus)
	e, err := k.decodeInteger("e", k.Exponent)
	if err != nil {
		return nil, err
	}
	if e.BitLen() > 31 {
		return nil, errors.New("jot: the RSA exponent of this JWK has more than 31 bits")
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

// signer rebuilds the private key and holds it against the public part beside it.
func (k jwk) signer() (crypto.Signer, error) {
	public, err := k.publicMaterial()
	if err != nil {
		return nil, err
	}
	var signer crypto.Signer
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		signer, err = k.ecdsaPrivate(k.curve())
	case ed25519.PublicKey:
		signer, err = k.ed25519Private()
	case *rsa.PublicKey:
		signer, err = k.rsaPrivate(p)
	}
	if err != nil {
		return nil, err
	}
	if !signer.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(public) {
		return nil, errors.New("jot: the private and public parts of this JWK don't belong together")
	}
	return signer, nil
}

func (k jwk) ecdsaPrivate(c *curve) (crypto.Signer, error) {
	d, err := k.decodeSized("d", k.D, c.scalarSize)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.ParseRawPrivateKey(c.Curve, d)
	if err != nil {
		return nil, errors.New("jot: the private scalar of this JWK is out of range")
	}
	return key, nil
}

func (k jwk) ed25519Private() (crypto.Signer, error) {
	d, err := k.decodeSized("d", k.D, ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(d), nil
}

func (k jwk) rsaPrivate(public *rsa.PublicKey) (crypto.Signer, error) {
	if k.OtherPrimes != nil {
		return nil, errors.New("jot: RSA keys of more than two primes are not offered")
	}
	var parts [3]*big.Int
	for i, member := range []struct{ name, text string }{{"d", k.D}, {"p", k.P}, {"q", k.Q}} {
		part, err := k.decodeInteger(member.name, member.text)
		if err != nil {
			return nil, err
		}
		parts[i] = part
	}
	checked, err := checkedRSAPrivate(&rsa.PrivateKey{PublicKey: *public, D: parts[0], Primes: parts[1:]})
	if err != nil {
		return nil, err
	}
	return checked, k.checkRSAShortcuts(checked.(*rsa.PrivateKey))
}

// checkRSAShortcuts refuses precomputed members that another reader would use with another result.
func (k jwk) checkRSAShortcuts(key *rsa.PrivateKey) error {
	computed := key.Precomputed
	for _, member := range []struct {
		name, text string
		want       *big.Int
	}{{"dp", k.DP, computed.Dp}, {"dq", k.DQ, computed.Dq}, {"qi", k.QI, computed.Qinv}} {
		if member.text == "" {
			continue
		}
		got, err := k.decodeInteger(member.name, member.text)
		if err != nil {
			return err
		}
		if got.Cmp(member.want) != 0 {
			return fmt.Errorf("jot: member %q of this RSA key contradicts its primes", member.name)
		}
	}
	return nil
}

func (k jwk) decode(name, text string) ([]byte, error) {
	if text == "" {
		return nil, fmt.Errorf("jot: this JWK lacks member %q", name)
	}
	data, err := jose.AppendDecode(nil, text)
	if err != nil {
		return nil, fmt.Errorf("jot: member %q of this JWK: %w", name, err)
	}
	return data, nil
}

// decodeSized decodes an octet string of a fixed size: leading zeros belong to it (RFC 7518 §6.2.1.2).
func (k jwk) decodeSized(name, text string, size int) ([]byte, error) {
	data, err := k.decode(name, text)
	if err == nil && len(data) != size {
		return nil, fmt.Errorf("jot: member %q of this JWK has %d bytes, not %d", name, len(data), size)
	}
	return data, err
}

// decodeInteger decodes a Base64urlUInt: no leading zeros (RFC 7518 §2).
func (k jwk) decodeInteger(name, text string) (*big.Int, error) {
	data, err := k.decode(name, text)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(data, []byte{0}) {
		return nil, fmt.Errorf("jot: member %q of this JWK has leading zeros", name)
	}
	return new(big.Int).SetBytes(data), nil
}
