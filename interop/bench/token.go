package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"time"

	"github.com/jot-auth/jot"
)

const (
	issuer    = "https://auth.example.com"
	audience  = "petstore"
	tokenType = "at+jwt"
	keyID     = "lq7x2CnzDvN1EoYl0r3FfA"

	// rsaBits is the least that RFC 7518 §3.3 allows, so that the signature hides as little as possible of what a
	// library adds.
	rsaBits = 2048
)

// algorithms are those that are measured.
var algorithms = []jot.Algorithm{jot.HS256, jot.RS256, jot.ES256, jot.EdDSA}

// token is a token in compact form, in both types that libraries take, so that none has to convert it.
type token struct {
	text  string
	bytes []byte
}

func newToken(text string) token { return token{text, []byte(text)} }

// cut returns the signing input and the encoded signature.
func (t token) cut() (input, signature string) {
	dot := strings.LastIndexByte(t.text, '.')
	return t.text[:dot], t.text[dot+1:]
}

// withSignatureOf returns the token with the signature of another one: well-formed, and wrong.
func (t token) withSignatureOf(other token) token {
	input, _ := t.cut()
	_, signature := other.cut()
	return newToken(input + "." + signature)
}

// accessClaims are the 13 claims of an access token (RFC 9068), in plain Go types. The audience is an array, for which
// every library has its quick path; kataras/jwt would read the payload once more for a string.
type accessClaims struct {
	Issuer    string   `json:"iss,omitempty"`
	Subject   string   `json:"sub"`
	Audience  []string `json:"aud,omitempty"`
	Expires   int64    `json:"exp,omitempty"`
	NotBefore int64    `json:"nbf"`
	IssuedAt  int64    `json:"iat"`
	ID        string   `json:"jti"`
	ownClaims
}

// ownClaims are those that RFC 7519 doesn't register, to stand beside a library's own type for the others.
type ownClaims struct {
	ClientID   string   `json:"client_id"`
	SessionID  string   `json:"sid"`
	Generation uint64   `json:"gen"`
	Scope      string   `json:"scope"`
	AuthTime   int64    `json:"auth_time"`
	Methods    []string `json:"amr"`
}

// newAccessClaims returns the claims of a token from a minute ago that lives for a day, longer than any measurement.
func newAccessClaims() accessClaims {
	now := time.Now().Unix()
	return accessClaims{
		Issuer: issuer, Subject: "usr_01JD8Z6Q3M4T9V2XK7W5", Audience: []string{audience},
		Expires: now + 86400, NotBefore: now - 60, IssuedAt: now - 60, ID: "5f0c7f3e9b4a4d1c8e2a6b7d",
		ownClaims: ownClaims{
			ClientID: "client_petstore_web", SessionID: "ses_01JD8Z7A1B2C3D4E5F6G", Generation: 7,
			Scope: "pets:read pets:write orders:read orders:write licenses:read profile offline_access", AuthTime: now - 3600,
			Methods: []string{"pwd", "otp", "mfa"},
		},
	}
}

// keyring is one key for each algorithm, the same for every library.
type keyring struct {
	secret  []byte
	rsa     *rsa.PrivateKey
	ecdsa   *ecdsa.PrivateKey
	ed25519 ed25519.PrivateKey
}

func newKeyring() (*keyring, error) {
	k := &keyring{secret: make([]byte, 32)}
	rand.Read(k.secret)
	var err error
	if k.rsa, err = rsa.GenerateKey(rand.Reader, rsaBits); err != nil {
		return nil, err
	}
	if k.ecdsa, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	_, k.ed25519, err = ed25519.GenerateKey(rand.Reader)
	return k, err
}

// private returns what signs: the secret, or a private key of the standard library.
func (k *keyring) private(alg jot.Algorithm) any {
	switch alg {
	case jot.HS256:
		return k.secret
	case jot.RS256:
		return k.rsa
	case jot.ES256:
		return k.ecdsa
	default:
		return k.ed25519
	}
}

// public returns what verifies: the secret, or a public key of the standard library.
func (k *keyring) public(alg jot.Algorithm) any {
	if signer, ok := k.private(alg).(crypto.Signer); ok {
		return signer.Public()
	}
	return k.secret
}

// sign makes a token of any claims, for every library to verify.
func (k *keyring) sign(alg jot.Algorithm, claims any) (token, error) {
	signer, err := newJotSigner(k, alg)
	if err != nil {
		return token{}, err
	}
	text, err := signer.Sign(context.Background(), claims)
	return newToken(text), err
}
