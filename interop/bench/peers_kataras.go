package main

import (
	"errors"

	"github.com/kataras/jwt"

	"github.com/jot-auth/jot"
)

var katarasAlgorithms = map[jot.Algorithm]jwt.Alg{jot.HS256: jwt.HS256, jot.RS256: jwt.RS256, jot.ES256: jwt.ES256, jot.EdDSA: jwt.EdDSA}

// kataras looks the key up by its ID, its one documented way to read a header that has a kid, and checks with its
// Expected, its "more performance-wise" way. It has no option that requires exp, so a validator of the caller's own
// looks.
func kataras() library {
	requireExpiry := jwt.TokenValidatorFunc(func(_ []byte, claims jwt.Claims, err error) error {
		if err == nil && claims.Expiry == 0 {
			return errors.New("no exp")
		}
		return err
	})
	return library{
		name: "kataras/jwt", module: "github.com/kataras/jwt",
		verifier: func(k *keyring, alg jot.Algorithm) (verifier, error) {
			keys := jwt.Keys{}
			keys.Register(katarasAlgorithms[alg], keyID, k.public(alg), nil)
			expected := jwt.Expected{Issuer: issuer, Audience: []string{audience}}
			validators := []jwt.TokenValidator{expected, requireExpiry}
			return func(t token, see func(any)) error {
				claims := new(accessClaims)
				err := keys.VerifyToken(t.bytes, claims, validators...)
				show(see, claims)
				return err
			}, nil
		},
		signer: func(k *keyring, alg jot.Algorithm) (signer, error) {
			keys := jwt.Keys{}
			keys.Register(katarasAlgorithms[alg], keyID, nil, k.private(alg))
			return func() (token, error) {
				signed, err := keys.SignToken(keyID, jwt.Claims{
					Issuer: issuer, Subject: registered.subject, Audience: []string{audience}, ID: registered.id,
					Expiry: registered.expires.Unix(), NotBefore: registered.issuedAt.Unix(), IssuedAt: registered.issuedAt.Unix(),
				})
				return token{bytes: signed}, err
			}, nil
		},
	}
}
