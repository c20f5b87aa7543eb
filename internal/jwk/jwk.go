// Package jwk turns JSON Web Keys (RFC 7517) and PEM into checked key material, and back. Package jot uses it for keys
// that sign, package jwe for keys that encrypt; what a key is allowed to do is for them to ask (Permits) and to
// enforce.
//
// Material that leaves this package is whole: a point is on its curve, an RSA key is of a size and form that is safe to
// use, a private half belongs to the public half beside it, and nobody else holds the memory. Its errors have no
// prefix; the callers add their own.
package jwk

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jot-auth/jot/internal/jose"
)

// maxSize bounds the bytes of one key, JWK or PEM: an RSA key of 16384 bits takes about 13 KiB.
const maxSize = 32 << 10

// Elements of arrays that are read. The eight operations of RFC 7517 §4.3 leave room for private ones; a chain of
// certificates is shorter.
const (
	maxOperations   = 32
	maxCertificates = 16
)

// Values of "kty" (RFC 7518 §6.1, RFC 8037 §2, RFC 9964 §3).
const (
	typeEC  = "EC"
	typeRSA = "RSA"
	typeOKP = "OKP"
	typeAKP = "AKP"

	TypeSecret = "oct" // a secret, which has no public half
)

// Values of "crv" for type OKP (RFC 8037 §2).
const (
	curveEd25519 = "Ed25519"
	curveX25519  = "X25519"
)

// Key is one JSON Web Key: its members as text, nothing of its material read yet.
type Key struct {
	texts        members
	operations   []string
	certificates []string
	restricted   bool // has key_ops
	certified    bool // has x5c
	otherPrimes  bool // has oth
	secret       bool // has a private or secret member
	isSet        bool // has keys, as a JWK Set
}

// members are the members of a JWK that are text (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2, RFC 9964 §3).
type members struct {
	Type      string `json:"kty"`
	Curve     string `json:"crv,omitempty"`
	Use       string `json:"use,omitempty"`
	Algorithm string `json:"alg,omitempty"`
	KeyID     string `json:"kid,omitempty"`

	X        string `json:"x,omitempty"`
	Y        string `json:"y,omitempty"`
	Modulus  string `json:"n,omitempty"`
	Exponent string `json:"e,omitempty"`
	Public   string `json:"pub,omitempty"`

	D       string `json:"d,omitempty"`
	P       string `json:"p,omitempty"`
	Q       string `json:"q,omitempty"`
	DP      string `json:"dp,omitempty"`
	DQ      string `json:"dq,omitempty"`
	QI      string `json:"qi,omitempty"`
	Private string `json:"priv,omitempty"`
	Secret  string `json:"k,omitempty"`
}

// place returns where a member's text goes, and whether the member is private; nil for a name that isn't one of them.
func (m *members) place(name string) (text *string, private bool) {
	switch name {
	case "kty":
		return &m.Type, false
	case "crv":
		return &m.Curve, false
	case "use":
		return &m.Use, false
	case "alg":
		return &m.Algorithm, false
	case "kid":
		return &m.KeyID, false
	case "x":
		return &m.X, false
	case "y":
		return &m.Y, false
	case "n":
		return &m.Modulus, false
	case "e":
		return &m.Exponent, false
	case "pub":
		return &m.Public, false
	case "d":
		return &m.D, true
	case "p":
		return &m.P, true
	case "q":
		return &m.Q, true
	case "dp":
		return &m.DP, true
	case "dq":
		return &m.DQ, true
	case "qi":
		return &m.QI, true
	case "priv":
		return &m.Private, true
	case "k":
		return &m.Secret, true
	}
	return nil, false
}

// Parse reads a JWK (RFC 7517 §4) of at most 32 KiB. The JSON is strict: no two members of one name, known members of
// the right type, none of them empty but "kid". Members that aren't known are passed over, as the RFC says. The
// material is read by Public, Private and Secret.
func Parse(data []byte) (*Key, error) {
	if len(data) > maxSize {
		return nil, fmt.Errorf("a JWK has at most %d bytes", maxSize)
	}
	k := new(Key)
	var scanner jose.Scanner
	for scanner.Reset(data); scanner.Next(); {
		if err := k.read(string(scanner.Name()), scanner.Value()); err != nil {
			return nil, err
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("not a JWK: %w", err)
	}
	if k.texts.Type == "" && k.isSet {
		return nil, errors.New("this is a JWK Set where one JWK is expected")
	}
	if k.texts.Type == "" {
		return nil, errors.New(`not a JWK: it lacks member "kty" (RFC 7517 §4.1)`)
	}
	if err := k.checkOperations(); err != nil {
		return nil, err
	}
	return k, nil
}

func (k *Key) read(name string, value jose.Value) (err error) {
	switch name {
	case "key_ops":
		k.restricted = true
		k.operations, err = texts(name, value, maxOperations)
		return err
	case "x5c":
		k.certified = true
		k.certificates, err = texts(name, value, maxCertificates)
		return err
	case "keys":
		k.isSet = value.Kind() == jose.Array
		return nil
	case "oth":
		k.otherPrimes, k.secret = true, true
		return nil
	}
	place, private := k.texts.place(name)
	if place == nil {
		return nil
	}
	text, ok := value.Text()
	if !ok {
		return fmt.Errorf("member %q of this JWK is not a string", name)
	}
	if len(text) == 0 && name != "kid" {
		return fmt.Errorf("member %q of this JWK is empty", name)
	}
	*place = string(text)
	k.secret = k.secret || private
	return nil
}

// texts reads an array of strings, of at most limit elements.
func texts(name string, value jose.Value, limit int) (list []string, _ error) {
	if value.Kind() != jose.Array {
		return nil, fmt.Errorf("member %q of this JWK is not an array", name)
	}
	for e := value.Elements(); e.Next(); {
		if len(list) == limit {
			return nil, fmt.Errorf("member %q of this JWK has more than %d elements", name, limit)
		}
		text, ok := e.Value().Text()
		if !ok {
			return nil, fmt.Errorf("member %q of this JWK has an element that is not a string", name)
		}
		list = append(list, string(text))
	}
	return list, nil
}

// Type returns "kty", as it's spelled in the key.
func (k *Key) Type() string { return k.texts.Type }

// ID returns "kid", empty where the key has none.
func (k *Key) ID() string { return k.texts.KeyID }

// Algorithm returns "alg", empty where the key has none.
func (k *Key) Algorithm() string { return k.texts.Algorithm }

// HoldsSecret reports whether the JWK has a private or secret member, or is of the type whose keys are nothing else.
// Such a key is not to be read, nor written, where a public one is expected.
func (k *Key) HoldsSecret() bool { return k.secret || k.texts.Type == TypeSecret }

// HasCertificate reports whether the JWK has "x5c" (RFC 7517 §4.7).
func (k *Key) HasCertificate() bool { return k.certified }

// ListsNoOperations reports whether the JWK has a "key_ops" without elements.
func (k *Key) ListsNoOperations() bool { return k.restricted && len(k.operations) == 0 }

// Permits enforces "use" and "key_ops" (RFC 7517 §4.2 and §4.3): the use is "sig" or "enc", and where the key lists
// operations, one of these must be among them. Without operations, it's about the use alone.
func (k *Key) Permits(use string, operations ...string) error {
	if k.texts.Use != "" && k.texts.Use != use {
		return fmt.Errorf("this key is for use %.16q, not for %q", k.texts.Use, use)
	}
	permitted := func(operation string) bool { return slices.Contains(k.operations, operation) }
	if k.restricted && len(operations) > 0 && !slices.ContainsFunc(operations, permitted) {
		return fmt.Errorf("the key_ops of this key don't permit %q", operations)
	}
	return nil
}

// useOf says which "use" an operation belongs to (RFC 7517 §4.3).
var useOf = map[string]string{
	"sign": "sig", "verify": "sig",
	"encrypt": "enc", "decrypt": "enc", "wrapKey": "enc", "unwrapKey": "enc", "deriveKey": "enc", "deriveBits": "enc",
}

// checkOperations refuses what RFC 7517 §4.3 does: an operation listed twice, and a "use" that says something else.
func (k *Key) checkOperations() error {
	for i, operation := range k.operations {
		if slices.Contains(k.operations[:i], operation) {
			return errors.New("the key_ops of this JWK name an operation twice (RFC 7517 §4.3)")
		}
		use := useOf[operation]
		if use != "" && k.texts.Use != "" && use != k.texts.Use {
			return fmt.Errorf("the key_ops of this JWK contradict its use %.16q (RFC 7517 §4.3)", k.texts.Use)
		}
	}
	return nil
}
