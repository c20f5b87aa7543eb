package main

import (
	"github.com/golang-jwt/jwt/v5"

	"github.com/jot-auth/jot"
)

type golangJWTClaims struct {
	jwt.RegisteredClaims
	ownClaims
}

// golangJWT holds one Parser and decodes into a struct that embeds RegisteredClaims, as its documentation does. The key
// function needn't look for the key ID: there is one key.
func golangJWT() library {
	return library{
		name: "golang-jwt", module: "github.com/golang-jwt/jwt/v5",
		verifier: func(k *keyring, alg jot.Algorithm) (verifier, error) {
			key := k.public(alg)
			find := func(*jwt.Token) (any, error) { return key, nil }
			parser := jwt.NewParser(jwt.WithValidMethods([]string{string(alg)}),
				jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithExpirationRequired())
			return func(t token, see func(any)) error {
				claims := new(golangJWTClaims)
				_, err := parser.ParseWithClaims(t.text, claims, find)
				show(see, claims)
				return err
			}, nil
		},
		signer: func(k *keyring, alg jot.Algorithm) (signer, error) {
			key, method := k.private(alg), jwt.GetSigningMethod(string(alg))
			return func() (token, error) {
				unsigned := jwt.NewWithClaims(method, jwt.RegisteredClaims{
					Issuer: issuer, Subject: registered.subject, Audience: jwt.ClaimStrings{audience}, ID: registered.id,
					ExpiresAt: jwt.NewNumericDate(registered.expires), NotBefore: jwt.NewNumericDate(registered.issuedAt),
					IssuedAt: jwt.NewNumericDate(registered.issuedAt),
				})
				unsigned.Header["kid"], unsigned.Header["typ"] = keyID, tokenType
				text, err := unsigned.SignedString(key)
				return token{text: text}, err
			}, nil
		},
	}
}
