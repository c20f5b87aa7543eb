package jot

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
)

// jwkMembers are the members of a JWK that hold key material, as text (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
// Their order is that of the names, which is the order that RFC 7638 §3.3 hashes them in.
type jwkMembers struct {
	Curve    string `json:"crv,omitempty"`
	Exponent string `json:"e,omitempty"`
	Secret   string `json:"k,omitempty"`
	Type     string `json:"kty"`
	Modulus  string `json:"n,omitempty"`
	X        string `json:"x,omitempty"`
	Y        string `json:"y,omitempty"`
}

const (
	typeEC     = "EC"
	typeRSA    = "RSA"
	typeOKP    = "OKP"
	typeSecret = "oct"

	curveEd25519 = "Ed25519"
)

func publicMembers(material crypto.PublicKey) jwkMembers {
	switch k := material.(type) {
	case *ecdsa.PublicKey:
		point, err := k.Bytes() // 4, x, y
		if err != nil {
			panic("jot: a checked key holds a point off its curve: " + err.Error())
		}
		x, y := point[1:1+len(point)/2], point[1+len(point)/2:]
		return jwkMembers{Type: typeEC, Curve: k.Curve.Params().Name, X: base64URL(x), Y: base64URL(y)}
	case *rsa.PublicKey:
		return jwkMembers{Type: typeRSA, Modulus: base64URL(k.N.Bytes()), Exponent: base64URL(big.NewInt(int64(k.E)).Bytes())}
	default:
		return jwkMembers{Type: typeOKP, Curve: curveEd25519, X: base64URL(material.(ed25519.PublicKey))}
	}
}

func secretMembers(secret []byte) jwkMembers {
	return jwkMembers{Type: typeSecret, Secret: base64URL(secret)}
}

// thumbprint is the SHA-256 JWK thumbprint in base64url (RFC 7638 §3.1).
func thumbprint(members jwkMembers) string {
	canonical, err := json.Marshal(members)
	if err != nil {
		panic("jot: encoding strings: " + err.Error())
	}
	sum := sha256.Sum256(canonical)
	return base64URL(sum[:])
}

func base64URL(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
