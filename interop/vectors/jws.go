package vectors

import (
	"context"
	"errors"
	"go/version"
	"runtime"
	"slices"
	"strings"

	"encoding/json"
	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jws"
	"github.com/jot-auth/jot/strictjson"
)

// errTwoAnswers is a token on whose signature two packages of jot disagree.
var errTwoAnswers = errors.New("package jot accepts what package jws refuses")

// JWS judges signed messages, in every serialization.
func JWS(deviations map[string]string) Suite {
	return Suite{"JWS", openJWS, func(c *Case) *Text { return c.Payload }, deviations}
}

func openJWS(c *Case) ([]byte, error) {
	algorithms, source, err := c.keys()
	if err != nil {
		return nil, err
	}
	verifier, err := jws.NewVerifier(jws.VerifierOptions{
		AnyType: true, Algorithms: algorithms, Unencoded: slices.Contains(c.Critical, "b64"), UnprotectedAlgorithm: c.Has("unprotected-alg"),
		Critical: slices.DeleteFunc(slices.Clone(c.Critical), func(name string) bool { return name == "b64" }),
	}, source)
	if err != nil {
		return nil, err
	}
	var message *jws.Message
	if c.DetachedPayload != nil {
		message, err = verifier.VerifyDetached(context.Background(), []byte(c.Token), *c.DetachedPayload)
	} else {
		message, err = verifier.Verify(context.Background(), []byte(c.Token))
	}
	if err != nil {
		if acceptedAsToken(c, source, algorithms) {
			panic(errTwoAnswers)
		}
		return nil, err
	}
	return message.Payload(), nil
}

// acceptedAsToken asks the verifier of tokens, which is a way to the same keys.
func acceptedAsToken(c *Case, source jot.KeySource, algorithms []jot.Algorithm) bool {
	verifier, err := jot.NewVerifier(source, jot.VerifierOptions{AnyIssuer: true, AnyAudience: true, AnyType: true, NoExpiry: true, Algorithms: algorithms})
	return err == nil && verifier.Check(context.Background(), c.Token) == nil
}

// offered are the algorithms that jot has, with this version of Go.
func offered(names []string) (algorithms []jot.Algorithm) {
	for _, name := range names {
		options := jot.VerifierOptions{AnyIssuer: true, AnyAudience: true, Algorithms: []jot.Algorithm{jot.Algorithm(name)}}
		if _, err := jot.NewVerifier(union{}, options); err != nil || strings.HasPrefix(name, "ML-DSA") && !hasMLDSA() {
			continue
		}
		algorithms = append(algorithms, jot.Algorithm(name))
	}
	return algorithms
}

func hasMLDSA() bool { return version.Compare(runtime.Version(), "go1.27") >= 0 }

// keys are the algorithms of the case that jot has, and its keys for them.
func (c *Case) keys() ([]jot.Algorithm, jot.KeySource, error) {
	algorithms := offered(c.Algorithms)
	if len(algorithms) == 0 {
		return nil, nil, ErrNotOffered
	}
	source, err := c.source(algorithms)
	return algorithms, source, err
}

// source is the case's key, whatever key ID a header names, or its key set, where key IDs count.
func (c *Case) source(algorithms []jot.Algorithm) (jot.KeySource, error) {
	if isPresent(c.JWKS) {
		return parseSet(c.JWKS, algorithms)
	}
	var keys careless
	refused := errors.New("the case has no key")
	for _, alg := range algorithms {
		key, err := parseVerificationKey(c.JWK, alg)
		if err != nil {
			refused = err
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, refused
	}
	return keys, nil
}

func isPresent(data json.RawMessage) bool { return len(data) > 0 && string(data) != "null" }

// careless answers its keys whatever the key ID.
type careless []jot.VerificationKey

func (s careless) VerificationKeys(_ context.Context, alg jot.Algorithm, _ string) ([]jot.VerificationKey, error) {
	fitting := slices.DeleteFunc(slices.Clone(s), func(k jot.VerificationKey) bool { return k.Algorithm() != alg })
	if len(fitting) == 0 {
		return s, nil
	}
	return fitting, nil
}

// parseVerificationKey takes a key in each form that jot has for it; of a private one it takes the public half.
func parseVerificationKey(data []byte, alg jot.Algorithm) (jot.VerificationKey, error) {
	o := jot.ParseOptions{Algorithm: alg}
	if alg.Symmetric() {
		return orNil(jot.ParseSecretKey(data, o))
	}
	public, err := jot.ParsePublicKey(data, o)
	if err == nil {
		return public, nil
	}
	private, privateErr := jot.ParsePrivateKey(data, o)
	if privateErr != nil {
		return nil, errors.Join(err, privateErr)
	}
	return private.Public(), nil
}

// orNil makes a nil key a nil interface.
func orNil(key *jot.SecretKey, err error) (jot.VerificationKey, error) {
	if err != nil {
		return nil, err
	}
	return key, nil
}

// union is a set of public and of secret keys.
type union []jot.KeySource

func (u union) VerificationKeys(ctx context.Context, alg jot.Algorithm, kid string) (found []jot.VerificationKey, _ error) {
	for _, source := range u {
		keys, err := source.VerificationKeys(ctx, alg, kid)
		if err != nil {
			return nil, err
		}
		found = append(found, keys...)
	}
	return slices.DeleteFunc(found, func(k jot.VerificationKey) bool { return k.Algorithm() != alg }), nil
}

// parseSet reads a key set as its parts: package jot keeps public and secret keys apart. Keys that can't be used are
// left out.
func parseSet(data []byte, algorithms []jot.Algorithm) (jot.KeySource, error) {
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := strictjson.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	var public []*jot.PublicKey
	var secret []*jot.SecretKey
	for _, raw := range document.Keys {
		for _, alg := range algorithms {
			switch key, _ := parseVerificationKey(raw, alg); key := key.(type) {
			case *jot.PublicKey:
				public = append(public, key)
			case *jot.SecretKey:
				secret = append(secret, key)
			}
		}
	}
	return union{jot.NewKeySet(public...), jot.NewSecretKeySet(secret...)}, nil
}
