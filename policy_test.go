package jot_test

import (
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

func TestPolicyOptions(t *testing.T) {
	key := generateSecret(t)
	relaxed := func(change func(*jot.VerifierOptions)) jot.VerifierOptions {
		o := strict()
		change(&o)
		return o
	}
	tests := []struct {
		name    string
		options jot.VerifierOptions
		typ     string
		claims  map[string]any
		want    error
	}{
		{"AnyIssuer", relaxed(func(o *jot.VerifierOptions) { o.Issuer, o.AnyIssuer = "", true }), "", without(claims(), "iss"), nil},
		{"AnyAudience", relaxed(func(o *jot.VerifierOptions) { o.Audience, o.AnyAudience = "", true }), "", without(claims(), "aud"), nil},
		{"NoAudience", relaxed(func(o *jot.VerifierOptions) { o.Audience, o.NoAudience = "", true }), "", without(claims(), "aud"), nil},
		{"NoAudience, but one", relaxed(func(o *jot.VerifierOptions) { o.Audience, o.NoAudience = "", true }), "", claims(), &jot.ClaimError{Claim: "aud"}},
		{"NoAudience, but an empty list", relaxed(func(o *jot.VerifierOptions) { o.Audience, o.NoAudience = "", true }), "", with(claims(), "aud", []string{}), &jot.ClaimError{Claim: "aud"}},
		{"RequirePastIssuedAt", relaxed(func(o *jot.VerifierOptions) { o.RequirePastIssuedAt, o.Leeway = true, 3*time.Second }), "", with(claims(), "iat", noon.Unix()+3), nil},
		{"RequirePastIssuedAt, issued later", relaxed(func(o *jot.VerifierOptions) { o.RequirePastIssuedAt, o.Leeway = true, 3*time.Second }), "", with(claims(), "iat", noon.Unix()+4), jot.ErrNotYetValid},
		{"NoExpiry", relaxed(func(o *jot.VerifierOptions) { o.NoExpiry = true }), "", without(claims(), "exp"), nil},
		{"NoExpiry, but expired", relaxed(func(o *jot.VerifierOptions) { o.NoExpiry = true }), "", with(claims(), "exp", noon.Unix()), jot.ErrExpired},
		{"expired, and a half", strict(), "", with(claims(), "exp", float64(noon.Unix()-1)+0.5), jot.ErrExpired},
		{"Leeway", relaxed(func(o *jot.VerifierOptions) { o.Leeway = 3 * time.Second }), "", with(claims(), "exp", noon.Unix()-2), nil},
		{"Leeway used up", relaxed(func(o *jot.VerifierOptions) { o.Leeway = 3 * time.Second }), "", with(claims(), "exp", noon.Unix()-3), jot.ErrExpired},
		{"Leeway for nbf", relaxed(func(o *jot.VerifierOptions) { o.Leeway = 3 * time.Second }), "", with(claims(), "nbf", noon.Unix()+3), nil},
		{"MaxTTL", relaxed(func(o *jot.VerifierOptions) { o.MaxTTL = 15 * time.Minute }), "", claims(), nil},
		{"MaxTTL exceeded", relaxed(func(o *jot.VerifierOptions) { o.MaxTTL = 14 * time.Minute }), "", claims(), &jot.ClaimError{Claim: "exp"}},
		{"MaxTTL exceeded by a moment", relaxed(func(o *jot.VerifierOptions) { o.MaxTTL = 15*time.Minute - time.Nanosecond }), "", claims(), &jot.ClaimError{Claim: "exp"}},
		{"MaxTTL without exp", relaxed(func(o *jot.VerifierOptions) { o.MaxTTL, o.NoExpiry = time.Hour, true }), "", without(claims(), "exp"), &jot.ClaimError{Claim: "exp"}},
		{"MaxTTL without iat", relaxed(func(o *jot.VerifierOptions) { o.MaxTTL = time.Hour }), "", without(claims(), "iat"), &jot.ClaimError{Claim: "iat"}},
		{"MaxTTL, issued in a minute", relaxed(func(o *jot.VerifierOptions) { o.MaxTTL = time.Hour }), "", with(claims(), "iat", noon.Unix()+60), nil},
		{"MaxTTL, issued later", relaxed(func(o *jot.VerifierOptions) { o.MaxTTL = time.Hour }), "", with(claims(), "iat", noon.Unix()+61), jot.ErrNotYetValid},
		{"Revocation, issued later", withRevocation(func(*jot.RevocationFacts) (jot.Verdict, error) { return jot.Current, nil }), "", with(claims(), "iat", noon.Unix()+61), jot.ErrNotYetValid},
		{"issued later", strict(), "", with(claims(), "iat", noon.Unix()+61), nil},
		{"Type", relaxed(func(o *jot.VerifierOptions) { o.Type = "at+jwt" }), "application/AT+JWT", claims(), nil},
		{"Type of the verifier in full", relaxed(func(o *jot.VerifierOptions) { o.Type = "application/at+jwt" }), "at+jwt", claims(), nil},
		{"Type missing", relaxed(func(o *jot.VerifierOptions) { o.Type = "at+jwt" }), "JWT", claims(), jot.ErrType},
		{"AnyType", relaxed(func(o *jot.VerifierOptions) { o.AnyType = true }), "logout+jwt", claims(), nil},
		{"Algorithms", relaxed(func(o *jot.VerifierOptions) { o.Algorithms = []jot.Algorithm{jot.ES256, jot.HS256} }), "", claims(), nil},
		{"Algorithms, but another", relaxed(func(o *jot.VerifierOptions) { o.Algorithms = []jot.Algorithm{jot.ES256} }), "", claims(), jot.ErrAlgorithm},
		{"MaxSize", relaxed(func(o *jot.VerifierOptions) { o.MaxSize = 64 }), "", claims(), jot.ErrTooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			raw := sign(t, key, jot.SignerOptions{Type: test.typ}, test.claims)
			err := newVerifier(t, jot.NewSecretKeySet(key), test.options).Check(t.Context(), raw)
			if test.want == nil && err != nil || test.want != nil && !refusedAs(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}
