package jot_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
)

func TestEveryAlgorithmSignsAndVerifies(t *testing.T) {
	for _, alg := range everyAlgorithm {
		t.Run(string(alg), func(t *testing.T) {
			var key jot.SigningKey
			var source jot.KeySource
			if alg.Symmetric() {
				secret := generateSecretFor(t, alg)
				key, source = secret, jot.NewSecretKeySet(secret)
			} else {
				private := generate(t, alg)
				key, source = private, jot.NewKeySet(private.Public())
			}
			raw := sign(t, key, jot.SignerOptions{Type: "at+jwt"}, claims())
			o := strict()
			o.Type = "at+jwt"
			verifier := newVerifier(t, source, o)
			for range 3 { // the first reads the header, the others remember it
				token, err := verifier.Verify(t.Context(), raw)
				if err != nil {
					t.Fatal(err)
				}
				if token.Algorithm() != alg || token.KeyID() != key.KeyID() || token.Subject() != "ada" || token.Type() != "at+jwt" {
					t.Errorf("%v %v %v %v", token.Algorithm(), token.KeyID(), token.Subject(), token.Type())
				}
			}
			checkEveryAlteration(t, verifier, raw)
		})
	}
}

// checkEveryAlteration changes each character of the token in turn: none of the results may verify.
func checkEveryAlteration(t *testing.T, verifier *jot.Verifier, raw string) {
	t.Helper()
	for i := range raw {
		other := byte('A')
		if raw[i] == 'A' {
			other = 'B'
		}
		altered := raw[:i] + string(other) + raw[i+1:]
		if err := verifier.Check(t.Context(), altered); !errors.Is(err, jot.ErrInvalidToken) {
			t.Fatalf("character %d altered: %v", i, err)
		}
	}
}

func TestNewVerifierRefusesWhatIsLeftOpen(t *testing.T) {
	keys := jot.NewKeySet(generate(t, jot.ES256).Public())
	for name, o := range map[string]jot.VerifierOptions{
		"nothing":               {},
		"no audience":           {Issuer: issuer},
		"no issuer":             {Audience: audience},
		"issuer and any":        {Issuer: issuer, AnyIssuer: true, Audience: audience},
		"audience and any":      {Issuer: issuer, Audience: audience, AnyAudience: true},
		"audience and none":     {Issuer: issuer, Audience: audience, NoAudience: true},
		"any audience and none": {Issuer: issuer, AnyAudience: true, NoAudience: true},
		"type and any":          {Issuer: issuer, Audience: audience, Type: "JWT", AnyType: true},
		"an unknown algorithm":  {Issuer: issuer, Audience: audience, Algorithms: []jot.Algorithm{"none"}},
		"negative leeway":       {Issuer: issuer, Audience: audience, Leeway: -1},
		"negative lifetime":     {Issuer: issuer, Audience: audience, MaxTTL: -1},
		"negative size":         {Issuer: issuer, Audience: audience, MaxSize: -1},
		"negative cache size":   {Issuer: issuer, Audience: audience, CacheSize: -1},
		"too large a token":     {Issuer: issuer, Audience: audience, MaxSize: 16<<20 + 1},
		"too large a cache":     {Issuer: issuer, Audience: audience, CacheSize: 1<<20 + 1},
	} {
		if _, err := jot.NewVerifier(keys, o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A set without a key never gets one. That is told where the set is used, not by refusing every token.
func TestVerifierNeedsKeys(t *testing.T) {
	skipped, err := jot.ParseSecretKeySet([]byte(`{"keys":[{"kty":"oct","alg":"HS256","k":"c2hvcnQ"}]}`), jot.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, source := range map[string]jot.KeySource{
		"none": nil, "no public keys": jot.NewKeySet(), "a set that wasn't parsed": (*jot.KeySet)(nil),
		"no secret keys": jot.NewSecretKeySet(), "secret keys that aren't any": jot.NewSecretKeySet(nil, new(jot.SecretKey)),
		"secret keys that were skipped": skipped, "secret keys that weren't parsed": (*jot.SecretKeySet)(nil),
	} {
		if _, err := jot.NewVerifier(source, strict()); err == nil {
			t.Errorf("key source, %s: accepted", name)
		}
	}
	if _, err := jot.NewVerifier(failingSource{}, strict()); err != nil {
		t.Errorf("a source that may get keys: %v", err)
	}
}

type failingSource struct{ err error }

func (s failingSource) VerificationKeys(context.Context, jot.Algorithm, string) ([]jot.VerificationKey, error) {
	return nil, s.err
}

// A source that failed says nothing about the token: 503, not 401.
func TestUnavailableIsNotInvalid(t *testing.T) {
	key := generateSecret(t)
	raw := sign(t, key, jot.SignerOptions{}, claims())
	cause := errors.New("no route to host")
	for name, o := range map[string]struct {
		keys    jot.KeySource
		options jot.VerifierOptions
	}{
		"keys":       {failingSource{cause}, strict()},
		"revocation": {jot.NewSecretKeySet(key), withRevocation(func(*jot.RevocationFacts) (jot.Verdict, error) { return jot.Current, cause })},
	} {
		err := newVerifier(t, o.keys, o.options).Check(t.Context(), raw)
		if !errors.Is(err, jot.ErrUnavailable) || errors.Is(err, jot.ErrInvalidToken) || !errors.Is(err, cause) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyDecodesCaseSensitively(t *testing.T) {
	key := generateSecret(t)
	verifier := newVerifier(t, jot.NewSecretKeySet(key), strict())
	type custom struct {
		jot.Claims
		Role  string `json:"role"`
		Level int    `json:"level"`
	}
	got, token, err := jot.Verify[custom](t.Context(), verifier, sign(t, key, jot.SignerOptions{}, with(with(claims(), "Role", "admin"), "level", 3)))
	if err != nil {
		t.Fatal(err)
	}
	if got.Role != "" || got.Level != 3 || got.Subject != "ada" || got.Expires.Time() != token.Expires() || !got.Audience.Contains(audience) {
		t.Errorf("%+v", got)
	}
	got, token, err = jot.Verify[custom](t.Context(), verifier, sign(t, key, jot.SignerOptions{}, with(claims(), "level", "three")))
	var failure *jot.DecodeError
	if !errors.As(err, &failure) || failure.Field != "level" || errors.Is(err, jot.ErrInvalidToken) || token != nil || got.Subject != "" {
		t.Errorf("a claim of the wrong type: %+v, %v, %v", got, token, err)
	}
	if strings.Contains(err.Error(), "three") {
		t.Errorf("the error quotes the claim: %v", err)
	}
}

func TestHeaderMemoryIsBounded(t *testing.T) {
	key := generateSecret(t)
	verifier := newVerifier(t, jot.NewSecretKeySet(key), strict())
	payload, _ := json.Marshal(claims())
	for i := range 40 {
		raw := forge(key, `{"alg":"HS256","n":`+string(rune('0'+i%10))+strings.Repeat(" ", i)+`}`, string(payload))
		for range 2 {
			token, err := verifier.Verify(t.Context(), raw)
			if err != nil {
				t.Fatal(err)
			}
			header, _ := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[0])
			if string(token.Header()) != string(header) {
				t.Fatalf("header %q, want %q", token.Header(), header)
			}
		}
	}
	if n := jot.HeadersForTest(verifier); n != 8 {
		t.Errorf("%d headers are remembered", n)
	}
}

// Of a token without a key ID the verifier tries the first four keys, and no more.
func TestFourCandidatesAreTried(t *testing.T) {
	var secrets []*jot.SecretKey
	for range 5 {
		secrets = append(secrets, generateSecret(t))
	}
	verifier := newVerifier(t, jot.NewSecretKeySet(secrets...), strict())
	payload, _ := json.Marshal(claims())
	for i, secret := range secrets {
		err := verifier.Check(t.Context(), forge(secret, `{"alg":"HS256"}`, string(payload)))
		if i < 4 && err != nil || i == 4 && !errors.Is(err, jot.ErrSignature) {
			t.Errorf("key %d: %v", i, err)
		}
	}
}

// A source that mistakes its own trouble for the token's must not log people out.
func TestSourceCannotRefuse(t *testing.T) {
	raw := sign(t, generateSecret(t), jot.SignerOptions{}, claims())
	err := newVerifier(t, failingSource{jot.ErrUnknownKey}, strict()).Check(t.Context(), raw)
	if !errors.Is(err, jot.ErrUnavailable) || errors.Is(err, jot.ErrInvalidToken) {
		t.Error(err)
	}
}
