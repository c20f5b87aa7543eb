package main

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/jot-auth/jot"
)

var jwxAlgorithms = map[jot.Algorithm]jwa.SignatureAlgorithm{
	jot.HS256: jwa.HS256(), jot.RS256: jwa.RS256(), jot.ES256: jwa.ES256(), jot.EdDSA: jwa.EdDSA(),
}

// jwx verifies as the section on performance of its documentation advises: with package jws, the payload then decoded
// into a plain struct. The checks of the claims are its caller's that way. It signs with package jwt.
func jwx() library {
	return library{
		name: "jwx", module: "github.com/lestrrat-go/jwx/v3",
		verifier: func(k *keyring, alg jot.Algorithm) (verifier, error) {
			key := jws.WithKey(jwxAlgorithms[alg], k.public(alg))
			return func(t token, see func(any)) error {
				payload, err := jws.Verify(t.bytes, key)
				if err != nil {
					return err
				}
				claims := new(accessClaims)
				if err := json.Unmarshal(payload, claims); err != nil {
					return err
				}
				show(see, claims)
				return claims.check(time.Now().Unix())
			}, nil
		},
		signer: func(k *keyring, alg jot.Algorithm) (signer, error) {
			key, err := k.jwxSigning(alg)
			if err != nil {
				return nil, err
			}
			return func() (token, error) {
				unsigned, err := jwt.NewBuilder().Issuer(issuer).Subject(registered.subject).Audience([]string{audience}).JwtID(registered.id).
					Expiration(registered.expires).NotBefore(registered.issuedAt).IssuedAt(registered.issuedAt).Build()
				if err != nil {
					return token{}, err
				}
				signed, err := jwt.Sign(unsigned, key)
				return token{bytes: signed}, err
			}, nil
		},
	}
}

// jwxSigning is a key with its ID. A JWK that bears its ID takes the quick path of Sign, but is made into a key of the
// standard library for each signature, which costs RSA and Ed25519 more than the path saves: for them, the ID stands in
// a prepared header.
func (k *keyring) jwxSigning(alg jot.Algorithm) (jwt.SignEncryptParseOption, error) {
	if alg == jot.RS256 || alg == jot.EdDSA {
		header := jws.NewHeaders()
		err := header.Set(jws.KeyIDKey, keyID)
		return jwt.WithKey(jwxAlgorithms[alg], k.private(alg), jws.WithProtectedHeaders(header)), err
	}
	key, err := jwk.Import(k.private(alg))
	if err != nil {
		return nil, err
	}
	return jwt.WithKey(jwxAlgorithms[alg], key), key.Set(jwk.KeyIDKey, keyID)
}

// check is what a caller of package jws checks by itself.
func (c *accessClaims) check(now int64) error {
	switch {
	case now >= c.Expires:
		return errors.New("expired, or without exp")
	case now < c.NotBefore:
		return errors.New("not valid yet")
	case c.Issuer != issuer:
		return errors.New("another issuer")
	case !slices.Contains(c.Audience, audience):
		return errors.New("another audience")
	}
	return nil
}
