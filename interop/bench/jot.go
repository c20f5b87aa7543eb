package main

import (
	"context"
	"crypto"

	"github.com/jot-auth/jot"
)

// jotClaims is the struct of a program that uses jot: the registered claims are the library's, the others its own.
type jotClaims struct {
	jot.Claims
	ownClaims
}

func jotLibrary() library {
	return library{
		name: "jot",
		verifier: func(k *keyring, alg jot.Algorithm) (verifier, error) {
			v, err := newJotVerifier(k, alg, jot.VerifierOptions{})
			if err != nil {
				return nil, err
			}
			return func(t token, see func(any)) error {
				claims, _, err := jot.Verify[jotClaims](context.Background(), v, t.text)
				if err == nil && see != nil {
					see(claims)
				}
				return err
			}, nil
		},
		signer: func(k *keyring, alg jot.Algorithm) (signer, error) {
			s, err := newJotSigner(k, alg)
			if err != nil {
				return nil, err
			}
			recipients := jot.Audience{audience}
			claims := new(jot.Claims) // filled anew for each token, as a server that signs many may do
			return func() (token, error) {
				*claims = jot.Claims{
					Issuer: issuer, Subject: registered.subject, Audience: recipients, ID: registered.id,
					Expires: jot.At(registered.expires), NotBefore: jot.At(registered.issuedAt), IssuedAt: jot.At(registered.issuedAt),
				}
				text, err := s.Sign(context.Background(), claims)
				return token{text: text}, err
			}, nil
		},
	}
}

// newJotVerifier makes a verifier of the tokens that are measured, with these further options.
func newJotVerifier(k *keyring, alg jot.Algorithm, o jot.VerifierOptions) (*jot.Verifier, error) {
	o.Issuer, o.Audience, o.Type = issuer, audience, tokenType
	key, err := newJotKey(k, alg)
	if err != nil {
		return nil, err
	}
	switch key := key.(type) {
	case *jot.SecretKey:
		return jot.NewVerifier(jot.NewSecretKeySet(key), o)
	case *jot.PrivateKey:
		return jot.NewVerifier(jot.NewKeySet(key.Public()), o)
	}
	panic("a signing key is one of these two")
}

func newJotSigner(k *keyring, alg jot.Algorithm) (*jot.Signer, error) {
	key, err := newJotKey(k, alg)
	if err != nil {
		return nil, err
	}
	return jot.NewSigner(key, jot.SignerOptions{Type: tokenType})
}

func newJotKey(k *keyring, alg jot.Algorithm) (jot.SigningKey, error) {
	if private, ok := k.private(alg).(crypto.Signer); ok {
		return jot.NewPrivateKey(alg, private, jot.KeyOptions{KeyID: keyID})
	}
	return jot.NewSecretKey(alg, k.secret, jot.KeyOptions{KeyID: keyID})
}
