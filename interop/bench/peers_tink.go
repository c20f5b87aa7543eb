package main

import (
	"fmt"

	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/jwt"
	"github.com/tink-crypto/tink-go/v2/jwt/jwtecdsa"
	"github.com/tink-crypto/tink-go/v2/jwt/jwthmac"
	"github.com/tink-crypto/tink-go/v2/jwt/jwtrsassapkcs1"
	"github.com/tink-crypto/tink-go/v2/key"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/secretdata"

	"github.com/jot-auth/jot"
)

// tink makes its primitive and its validator once. It has no decoding into a struct: its caller reads each claim by its
// name. It lacks EdDSA.
func tink() library {
	return library{name: "tink", module: "github.com/tink-crypto/tink-go/v2", verifier: newTinkVerifier, signer: newTinkSigner}
}

func newTinkVerifier(k *keyring, alg jot.Algorithm) (verifier, error) {
	handle, err := k.tinkHandle(alg)
	if err != nil || handle == nil {
		return nil, err
	}
	expectedIssuer, expectedAudience, expectedType := issuer, audience, tokenType
	validator, err := jwt.NewValidator(&jwt.ValidatorOpts{
		ExpectedIssuer: &expectedIssuer, ExpectedAudience: &expectedAudience, ExpectedTypeHeader: &expectedType,
	})
	if err != nil {
		return nil, err
	}
	verify, err := tinkVerify(handle, alg)
	if err != nil {
		return nil, err
	}
	return func(t token, see func(any)) error {
		verified, err := verify(t.text, validator)
		if err != nil {
			return err
		}
		claims, err := readTinkClaims(verified)
		show(see, claims)
		return err
	}, nil
}

func newTinkSigner(k *keyring, alg jot.Algorithm) (signer, error) {
	handle, err := k.tinkHandle(alg)
	if err != nil || handle == nil {
		return nil, err
	}
	sign, err := tinkSign(handle, alg)
	if err != nil {
		return nil, err
	}
	iss, aud, typ := issuer, audience, tokenType
	return func() (token, error) {
		unsigned, err := jwt.NewRawJWT(&jwt.RawJWTOptions{
			Issuer: &iss, Subject: &registered.subject, Audience: &aud, JWTID: &registered.id, TypeHeader: &typ,
			ExpiresAt: &registered.expires, NotBefore: &registered.issuedAt, IssuedAt: &registered.issuedAt,
		})
		if err != nil {
			return token{}, err
		}
		text, err := sign(unsigned)
		return token{text: text}, err
	}, nil
}

func tinkVerify(handle *keyset.Handle, alg jot.Algorithm) (func(string, *jwt.Validator) (*jwt.VerifiedJWT, error), error) {
	if alg.Symmetric() {
		mac, err := jwt.NewMAC(handle)
		if err != nil {
			return nil, err
		}
		return mac.VerifyMACAndDecode, nil
	}
	public, err := handle.Public()
	if err != nil {
		return nil, err
	}
	v, err := jwt.NewVerifier(public)
	if err != nil {
		return nil, err
	}
	return v.VerifyAndDecode, nil
}

func tinkSign(handle *keyset.Handle, alg jot.Algorithm) (func(*jwt.RawJWT) (string, error), error) {
	if alg.Symmetric() {
		mac, err := jwt.NewMAC(handle)
		if err != nil {
			return nil, err
		}
		return mac.ComputeMACAndEncode, nil
	}
	s, err := jwt.NewSigner(handle)
	if err != nil {
		return nil, err
	}
	return s.SignAndEncode, nil
}

// readTinkClaims reads every claim by its accessor, and so to the same struct as the others.
func readTinkClaims(verified *jwt.VerifiedJWT) (*accessClaims, error) {
	r := tinkReader{verified: verified}
	claims := &accessClaims{
		Issuer: take(&r, verified.Issuer), Subject: take(&r, verified.Subject), Audience: take(&r, verified.Audiences), ID: take(&r, verified.JWTID),
		Expires: take(&r, verified.ExpiresAt).Unix(), NotBefore: take(&r, verified.NotBefore).Unix(), IssuedAt: take(&r, verified.IssuedAt).Unix(),
		ownClaims: ownClaims{
			ClientID: r.text("client_id"), SessionID: r.text("sid"), Scope: r.text("scope"),
			Generation: uint64(r.number("gen")), AuthTime: int64(r.number("auth_time")), Methods: r.texts("amr"),
		},
	}
	return claims, r.err
}

// tinkReader keeps the first error of several accessors.
type tinkReader struct {
	verified *jwt.VerifiedJWT
	err      error
}

func take[T any](r *tinkReader, read func() (T, error)) T {
	value, err := read()
	r.keep(err)
	return value
}

func (r *tinkReader) keep(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *tinkReader) text(name string) string {
	value, err := r.verified.StringClaim(name)
	r.keep(err)
	return value
}

func (r *tinkReader) number(name string) float64 {
	value, err := r.verified.NumberClaim(name)
	r.keep(err)
	return value
}

func (r *tinkReader) texts(name string) []string {
	values, err := r.verified.ArrayClaim(name)
	r.keep(err)
	texts := make([]string, len(values))
	for i, value := range values {
		text, ok := value.(string)
		if !ok {
			r.keep(fmt.Errorf("%s holds something that is not a string", name))
		}
		texts[i] = text
	}
	return texts
}

// tinkHandle returns the algorithm's key as a key set; nil where tink lacks the algorithm.
func (k *keyring) tinkHandle(alg jot.Algorithm) (*keyset.Handle, error) {
	var made key.Key
	var err error
	switch alg {
	case jot.HS256:
		made, err = k.tinkHMAC()
	case jot.RS256:
		made, err = k.tinkRSA()
	case jot.ES256:
		made, err = k.tinkECDSA()
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	manager := keyset.NewManager()
	id, err := manager.AddKey(made)
	if err != nil {
		return nil, err
	}
	if err := manager.SetPrimary(id); err != nil {
		return nil, err
	}
	return manager.Handle()
}

func tinkSecret(data []byte) secretdata.Bytes {
	return secretdata.NewBytesFromData(data, insecuresecretdataaccess.Token{})
}

func (k *keyring) tinkHMAC() (key.Key, error) {
	parameters, err := jwthmac.NewParameters(len(k.secret), jwthmac.CustomKID, jwthmac.HS256)
	if err != nil {
		return nil, err
	}
	return jwthmac.NewKey(jwthmac.KeyOpts{KeyBytes: tinkSecret(k.secret), CustomKID: keyID, HasCustomKID: true, Parameters: parameters})
}

func (k *keyring) tinkRSA() (key.Key, error) {
	parameters, err := jwtrsassapkcs1.NewParameters(jwtrsassapkcs1.ParametersOpts{
		ModulusSizeInBits: rsaBits, PublicExponent: k.rsa.E, Algorithm: jwtrsassapkcs1.RS256, KidStrategy: jwtrsassapkcs1.CustomKID,
	})
	if err != nil {
		return nil, err
	}
	public, err := jwtrsassapkcs1.NewPublicKey(jwtrsassapkcs1.PublicKeyOpts{
		Modulus: k.rsa.N.Bytes(), CustomKID: keyID, HasCustomKID: true, Parameters: parameters,
	})
	if err != nil {
		return nil, err
	}
	return jwtrsassapkcs1.NewPrivateKey(jwtrsassapkcs1.PrivateKeyOpts{
		PublicKey: public, D: tinkSecret(k.rsa.D.Bytes()), P: tinkSecret(k.rsa.Primes[0].Bytes()), Q: tinkSecret(k.rsa.Primes[1].Bytes()),
	})
}

func (k *keyring) tinkECDSA() (key.Key, error) {
	parameters, err := jwtecdsa.NewParameters(jwtecdsa.CustomKID, jwtecdsa.ES256)
	if err != nil {
		return nil, err
	}
	point, err := k.ecdsa.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	public, err := jwtecdsa.NewPublicKey(jwtecdsa.PublicKeyOpts{PublicPoint: point, CustomKID: keyID, HasCustomKID: true, Parameters: parameters})
	if err != nil {
		return nil, err
	}
	scalar, err := k.ecdsa.Bytes()
	if err != nil {
		return nil, err
	}
	return jwtecdsa.NewPrivateKeyFromPublicKey(tinkSecret(scalar), public)
}
