package jot_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

const (
	issuer   = "https://auth.example.com"
	audience = "petstore"
)

var everyAlgorithm = []jot.Algorithm{
	jot.HS256, jot.HS384, jot.HS512, jot.RS256, jot.RS384, jot.RS512, jot.PS256, jot.PS384, jot.PS512,
	jot.ES256, jot.ES384, jot.ES512, jot.EdDSA, jot.Ed25519,
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// claims is a set that verifier accepts at noon.
func claims() map[string]any {
	return map[string]any{"iss": issuer, "aud": audience, "sub": "ada", "exp": noon.Unix() + 900, "iat": noon.Unix()}
}

func with(base map[string]any, name string, value any) map[string]any {
	base[name] = value
	return base
}

func without(base map[string]any, name string) map[string]any {
	delete(base, name)
	return base
}

func generate(t testing.TB, alg jot.Algorithm) *jot.PrivateKey {
	t.Helper()
	key, err := jot.GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func generateSecret(t testing.TB) *jot.SecretKey { return generateSecretFor(t, jot.HS256) }

func generateSecretFor(t testing.TB, alg jot.Algorithm) *jot.SecretKey {
	t.Helper()
	key, err := jot.GenerateSecretKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, key jot.SigningKey, o jot.SignerOptions, claims any) string {
	t.Helper()
	signer, err := jot.NewSigner(key, o)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signer.Sign(t.Context(), claims)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// strict is the policy that the tests vary: noon, the issuer and the audience.
func strict() jot.VerifierOptions {
	return jot.VerifierOptions{Issuer: issuer, Audience: audience, Now: func() time.Time { return noon }}
}

func newVerifier(t testing.TB, keys jot.KeySource, o jot.VerifierOptions) *jot.Verifier {
	t.Helper()
	verifier, err := jot.NewVerifier(keys, o)
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

// forge signs a header and a payload as they are, however wrong.
func forge(key *jot.SecretKey, header, payload string) string {
	raw, err := jot.ForgeForTest(key, []byte(header), []byte(payload))
	if err != nil {
		panic(err)
	}
	return raw
}

func refusedAs(err, want error) bool {
	var wanted, got *jot.ClaimError
	if errors.As(want, &wanted) {
		return errors.As(err, &got) && got.Claim == wanted.Claim && !errors.Is(err, jot.ErrMalformed)
	}
	return errors.Is(err, want)
}
