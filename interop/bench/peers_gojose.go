package main

import (
	"errors"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/jot-auth/jot"
)

type goJoseClaims struct {
	jwt.Claims
	ownClaims
}

// goJose decodes once, into a struct that embeds its Claims, and validates those. It has no option that requires exp,
// so its caller looks.
func goJose() library {
	return library{
		name: "go-jose", module: "github.com/go-jose/go-jose/v4",
		verifier: func(k *keyring, alg jot.Algorithm) (verifier, error) {
			key, accepted := k.public(alg), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)}
			return func(t token, see func(any)) error {
				parsed, err := jwt.ParseSigned(t.text, accepted)
				if err != nil {
					return err
				}
				claims := new(goJoseClaims)
				if err := parsed.Claims(key, claims); err != nil {
					return err
				}
				if claims.Expiry == nil {
					return errors.New("no exp")
				}
				show(see, claims)
				return claims.ValidateWithLeeway(jwt.Expected{Issuer: issuer, AnyAudience: jwt.Audience{audience}}, 0)
			}, nil
		},
		signer: func(k *keyring, alg jot.Algorithm) (signer, error) {
			options := (&jose.SignerOptions{}).WithType(tokenType).WithHeader(jose.HeaderKey("kid"), keyID)
			s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: k.private(alg)}, options)
			if err != nil {
				return nil, err
			}
			return func() (token, error) {
				text, err := jwt.Signed(s).Claims(jwt.Claims{
					Issuer: issuer, Subject: registered.subject, Audience: jwt.Audience{audience}, ID: registered.id,
					Expiry: jwt.NewNumericDate(registered.expires), NotBefore: jwt.NewNumericDate(registered.issuedAt),
					IssuedAt: jwt.NewNumericDate(registered.issuedAt),
				}).Serialize()
				return token{text: text}, err
			}, nil
		},
	}
}
