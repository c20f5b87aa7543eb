package jot_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// forge signs a header and a payload as they are, however wrong.
func forge(key *jot.SecretKey, header, payload string) string {
	raw, err := jot.ForgeForTest(key, []byte(header), []byte(payload))
	if err != nil {
		panic(err)
	}
	return raw
}

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

// A refusal is the most exact error, and always ErrInvalidToken; Verify and Check agree.
func TestRefusals(t *testing.T) {
	key := generateSecret(t)
	header := `{"alg":"HS256","typ":"JWT"}`
	good := `{"iss":"https://auth.example.com","aud":"petstore","exp":1795349700}`
	payload := func(members string) string {
		return strings.TrimSuffix(good, "}") + "," + members + "}"
	}
	valid := forge(key, header, good)
	parts := strings.Split(valid, ".")
	resign := func(input string) string {
		signature, err := key.SignInput(t.Context(), []byte(input))
		if err != nil {
			t.Fatal(err)
		}
		return input + "." + base64.RawURLEncoding.EncodeToString(signature)
	}

	tests := []struct {
		name string
		raw  string
		want error
	}{
		{"empty", "", jot.ErrMalformed},
		{"two parts", parts[0] + "." + parts[1], jot.ErrMalformed},
		{"four parts", valid + ".", jot.ErrMalformed},
		{"too large", strings.Repeat("a", 16<<10+1), jot.ErrTooLarge},
		{"newline in the header", parts[0][:4] + "\n" + parts[0][4:] + "." + parts[1] + "." + parts[2], jot.ErrMalformed},
		{"carriage return in the payload", resign(parts[0] + "." + parts[1][:4] + "\r" + parts[1][4:]), jot.ErrMalformed},
		{"padded payload", resign(parts[0] + "." + parts[1] + "="), jot.ErrMalformed},
		{"carriage return in the payload, not signed", parts[0] + "." + parts[1][:4] + "\r" + parts[1][4:] + "." + parts[2], jot.ErrSignature},
		{"padded signature", valid + "=", jot.ErrMalformed},
		{"standard base64 alphabet", parts[0] + "." + parts[1] + "." + strings.Map(foreign, parts[2]) + "+", jot.ErrMalformed},
		{"no signature", parts[0] + "." + parts[1] + ".", jot.ErrSignature},
		{"signature cut", valid[:len(valid)-3], jot.ErrSignature},

		{"alg none", forge(key, `{"alg":"none"}`, good), jot.ErrAlgorithm},
		{"alg None", forge(key, `{"alg":"None"}`, good), jot.ErrAlgorithm},
		{"alg hs256", forge(key, `{"alg":"hs256"}`, good), jot.ErrAlgorithm},
		{"alg of another key", forge(key, `{"alg":"RS256"}`, good), jot.ErrAlgorithm},
		{"alg missing", forge(key, `{"typ":"JWT"}`, good), jot.ErrMalformed},
		{"alg a number", forge(key, `{"alg":256}`, good), jot.ErrMalformed},
		{"alg twice", forge(key, `{"alg":"HS256","alg":"HS256"}`, good), jot.ErrMalformed},
		{"alg in two cases", forge(key, `{"alg":"HS256","ALG":"none"}`, good), jot.ErrMalformed},
		{"crit", forge(key, `{"alg":"HS256","crit":["exp"],"exp":1}`, good), jot.ErrMalformed},
		{"b64 false", forge(key, `{"alg":"HS256","b64":false}`, good), jot.ErrMalformed},
		{"unknown kid", forge(key, `{"alg":"HS256","kid":"other"}`, good), jot.ErrUnknownKey},
		{"kid a number", forge(key, `{"alg":"HS256","kid":1}`, good), jot.ErrMalformed},
		{"header an array", forge(key, `["HS256"]`, good), jot.ErrMalformed},
		{"header with invalid UTF-8", forge(key, "{\"alg\":\"HS256\",\"x\":\"\xff\"}", good), jot.ErrMalformed},
		{"header of 33 members", forge(key, `{"alg":"HS256"`+moreMembers(32)+`}`, good), jot.ErrMalformed},
		{"header that holds 33 members", forge(key, `{"alg":"HS256","x":{"a":1`+moreMembers(32)+`}}`, good), jot.ErrMalformed},
		{"other type", forge(key, `{"alg":"HS256","typ":"at+jwt"}`, good), jot.ErrType},

		{"payload an array", forge(key, header, `[1]`), jot.ErrMalformed},
		{"payload with a tail", forge(key, header, good+`{}`), jot.ErrMalformed},
		{"member twice", forge(key, header, payload(`"role":"user","role":"admin"`)), jot.ErrMalformed},
		{"member in two cases", forge(key, header, payload(`"role":"user","Role":"admin"`)), jot.ErrMalformed},
		{"long s", forge(key, header, payload(`"i\u017fs":"evil"`)), jot.ErrMalformed},
		{"nested member twice", forge(key, header, payload(`"x":{"a":1,"a":2}`)), jot.ErrMalformed},
		{"lone surrogate", forge(key, header, payload(`"x":"\ud800"`)), jot.ErrMalformed},
		{"deep nesting", forge(key, header, payload(`"x":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000))), jot.ErrMalformed},

		{"exp missing", forge(key, header, `{"iss":"https://auth.example.com","aud":"petstore"}`), &jot.ClaimError{Claim: "exp"}},
		{"exp now", forge(key, header, strings.Replace(good, "1795349700", "1795348800", 1)), jot.ErrExpired},
		{"exp past", forge(key, header, strings.Replace(good, "1795349700", "1795348799", 1)), jot.ErrExpired},
		{"exp a string", forge(key, header, strings.Replace(good, "1795349700", `"1795349700"`, 1)), jot.ErrMalformed},
		{"exp null", forge(key, header, strings.Replace(good, "1795349700", "null", 1)), jot.ErrMalformed},
		{"exp negative", forge(key, header, strings.Replace(good, "1795349700", "-1", 1)), jot.ErrMalformed},
		{"exp beyond float64", forge(key, header, strings.Replace(good, "1795349700", "1e400", 1)), jot.ErrMalformed},
		{"exp beyond int64", forge(key, header, strings.Replace(good, "1795349700", "9223372036854775808", 1)), jot.ErrMalformed},
		{"nbf in a second", forge(key, header, payload(`"nbf":1795348801`)), jot.ErrNotYetValid},
		{"nbf in a nanosecond", forge(key, header, payload(`"nbf":1795348800.000000001`)), jot.ErrNotYetValid},
		{"nbf an object", forge(key, header, payload(`"nbf":{}`)), jot.ErrMalformed},
		{"iat a string", forge(key, header, payload(`"iat":"now"`)), jot.ErrMalformed},
		{"other issuer", forge(key, header, strings.Replace(good, "auth.", "evil.", 1)), &jot.ClaimError{Claim: "iss"}},
		{"issuer a number", forge(key, header, strings.Replace(good, `"https://auth.example.com"`, "1", 1)), jot.ErrMalformed},
		{"issuer missing", forge(key, header, `{"aud":"petstore","exp":1795349700}`), &jot.ClaimError{Claim: "iss"}},
		{"other audience", forge(key, header, strings.Replace(good, "petstore", "Petstore", 1)), &jot.ClaimError{Claim: "aud"}},
		{"audience missing", forge(key, header, `{"iss":"https://auth.example.com","exp":1795349700}`), &jot.ClaimError{Claim: "aud"}},
		{"audience empty", forge(key, header, strings.Replace(good, `"petstore"`, "[]", 1)), &jot.ClaimError{Claim: "aud"}},
		{"audience of mixed types", forge(key, header, strings.Replace(good, `"petstore"`, `["petstore",1]`, 1)), jot.ErrMalformed},
		{"header too large", forge(key, `{"alg":"HS256","x":"`+strings.Repeat("x", 7000)+`"}`, good), jot.ErrTooLarge},
		{"type in foreign letters", forge(key, `{"alg":"HS256","typ":"\u017fwt"}`, good), jot.ErrType},
	}
	verifier := newVerifier(t, jot.NewSecretKeySet(key), strict())
	if err := verifier.Check(t.Context(), valid); err != nil {
		t.Fatal("the token that the others are variations of:", err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			token, err := verifier.Verify(t.Context(), test.raw)
			if token != nil || !errors.Is(err, jot.ErrInvalidToken) {
				t.Fatalf("token %v, error %v", token, err)
			}
			if !refusedAs(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if checked := verifier.Check(t.Context(), test.raw); checked == nil || checked.Error() != err.Error() {
				t.Errorf("Check says %v, Verify %v", checked, err)
			}
			if errors.Is(err, jot.ErrUnavailable) {
				t.Error("a refusal is not unavailability")
			}
		})
	}
}

// moreMembers returns n members, each after a comma.
func moreMembers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"m%d":%d`, i, i)
	}
	return b.String()
}

func refusedAs(err, want error) bool {
	var wanted, got *jot.ClaimError
	if errors.As(want, &wanted) {
		return errors.As(err, &got) && got.Claim == wanted.Claim && !errors.Is(err, jot.ErrMalformed)
	}
	return errors.Is(err, want)
}

// foreign maps base64url to the standard alphabet, where the two differ.
func foreign(r rune) rune {
	switch r {
	case '-':
		return '+'
	case '_':
		return '/'
	}
	return r
}

// A key without a hint in the token must be of the token's algorithm: the classic confusion signs with the public key as HMAC secret.
func TestPublicKeyIsNoSecret(t *testing.T) {
	private := generate(t, jot.ES256)
	published, err := json.Marshal(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	secret, err := jot.NewSecretKey(jot.HS256, published, jot.KeyOptions{KeyID: private.KeyID()})
	if err != nil {
		t.Fatal(err)
	}
	verifier := newVerifier(t, jot.NewKeySet(private.Public()), strict())
	for _, kid := range []string{private.KeyID(), ""} {
		header, _ := json.Marshal(map[string]string{"alg": "HS256", "kid": kid})
		payload, _ := json.Marshal(claims())
		if err := verifier.Check(t.Context(), forge(secret, string(header), string(payload))); !errors.Is(err, jot.ErrAlgorithm) {
			t.Errorf("kid %q: %v", kid, err)
		}
	}
}

func TestTokenAccessors(t *testing.T) {
	key := generateSecret(t)
	all := claims()
	for name, value := range map[string]any{
		"aud": []string{"other", audience}, "nbf": noon.Unix() - 1, "jti": "id-1", "sid": "session-1", "client_id": "client_1",
		"scope": "pets:read pets:write", "gen": 7, "auth_time": noon.Unix() - 60,
	} {
		all[name] = value
	}
	verifier := newVerifier(t, jot.NewSecretKeySet(key), strict())
	token, err := verifier.Verify(t.Context(), sign(t, key, jot.SignerOptions{}, all))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string][2]any{
		"iss": {token.Issuer(), issuer}, "sub": {token.Subject(), "ada"}, "jti": {token.ID(), "id-1"}, "sid": {token.SessionID(), "session-1"},
		"client_id": {token.ClientID(), "client_1"}, "scope": {token.Scope(), "pets:read pets:write"}, "gen": {token.Generation(), uint64(7)},
		"exp": {token.Expires(), noon.Add(15 * time.Minute)}, "iat": {token.IssuedAt(), noon}, "nbf": {token.NotBefore(), noon.Add(-time.Second)},
		"auth_time": {token.AuthTime(), noon.Add(-time.Minute)}, "typ": {token.Type(), "JWT"},
	} {
		if values[0] != values[1] {
			t.Errorf("%s: got %v, want %v", name, values[0], values[1])
		}
	}
	if !slices.Equal(token.Audience(), []string{"other", audience}) || !token.HasAudience("other") || token.HasAudience("Other") {
		t.Errorf("audience %v", token.Audience())
	}
	if !token.HasScope("pets:read") || !token.HasScope("pets:write") || token.HasScope("pets") || token.HasScope("") {
		t.Error("scopes are compared whole")
	}
}

// An accessor's text is the string that the JSON means, escapes and all.
func TestEscapedClaims(t *testing.T) {
	key := generateSecret(t)
	raw := forge(key, `{"alg":"HS256"}`, `{"iss":"https:\/\/auth.example.com","aud":["pet\u0073tore"],"exp":1795349700,"sub":"\ud834\udd1e\n"}`)
	token, err := newVerifier(t, jot.NewSecretKeySet(key), strict()).Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	if token.Subject() != "𝄞\n" || token.Issuer() != issuer || !token.HasAudience(audience) {
		t.Errorf("%q %q %q", token.Subject(), token.Issuer(), token.Audience())
	}
}

// Tokens are read from pooled memory; what an earlier one says must not change when later ones are read.
func TestTokensDoNotShareMemory(t *testing.T) {
	key := generateSecret(t)
	verifier := newVerifier(t, jot.NewSecretKeySet(key), strict())
	first, err := verifier.Verify(t.Context(), sign(t, key, jot.SignerOptions{}, claims()))
	if err != nil {
		t.Fatal(err)
	}
	payload := first.Payload()
	for range 100 {
		if err := verifier.Check(t.Context(), sign(t, key, jot.SignerOptions{}, with(claims(), "sub", "eve, whose name is longer"))); err != nil {
			t.Fatal(err)
		}
	}
	payload[0] = '!' // a copy: the caller may do as it likes
	if first.Subject() != "ada" || first.Payload()[0] != '{' {
		t.Errorf("the first token now says %q", first.Payload())
	}
}

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
		{"Leeway", relaxed(func(o *jot.VerifierOptions) { o.Leeway = 3 * time.Second }), "", with(claims(), "exp", noon.Unix()-2), nil},
		{"Leeway used up", relaxed(func(o *jot.VerifierOptions) { o.Leeway = 3 * time.Second }), "", with(claims(), "exp", noon.Unix()-3), jot.ErrExpired},
		{"Leeway for nbf", relaxed(func(o *jot.VerifierOptions) { o.Leeway = 3 * time.Second }), "", with(claims(), "nbf", noon.Unix()+3), nil},
		{"MaxTTL", relaxed(func(o *jot.VerifierOptions) { o.MaxTTL = 15 * time.Minute }), "", claims(), nil},
		{"MaxTTL exceeded", relaxed(func(o *jot.VerifierOptions) { o.MaxTTL = 14 * time.Minute }), "", claims(), &jot.ClaimError{Claim: "exp"}},
		{"MaxTTL without iat", relaxed(func(o *jot.VerifierOptions) { o.MaxTTL = time.Hour }), "", without(claims(), "iat"), &jot.ClaimError{Claim: "iat"}},
		{"MaxTTL, issued in a minute", relaxed(func(o *jot.VerifierOptions) { o.MaxTTL = time.Hour }), "", with(claims(), "iat", noon.Unix()+60), nil},
		{"MaxTTL, issued later", relaxed(func(o *jot.VerifierOptions) { o.MaxTTL = time.Hour }), "", with(claims(), "iat", noon.Unix()+61), jot.ErrNotYetValid},
		{"Revocation, issued later", withRevocation(func(*jot.RevocationFacts) (jot.Verdict, error) { return jot.Current, nil }), "", with(claims(), "iat", noon.Unix()+61), jot.ErrNotYetValid},
		{"issued later", strict(), "", with(claims(), "iat", noon.Unix()+61), nil},
		{"Type", relaxed(func(o *jot.VerifierOptions) { o.Type = "at+jwt" }), "application/AT+JWT", claims(), nil},
		{"Type of the verifier in full", relaxed(func(o *jot.VerifierOptions) { o.Type = "application/at+jwt" }), "at+jwt", claims(), nil},
		{"Type missing", relaxed(func(o *jot.VerifierOptions) { o.Type = "at+jwt" }), "JWT", claims(), jot.ErrType},
		{"AnyType", relaxed(func(o *jot.VerifierOptions) { o.AnyType = true }), "logout+jwt", claims(), nil},
		{"Algorithms", relaxed(func(o *jot.VerifierOptions) { o.Algorithms = []jot.Algorithm{jot.ES256} }), "", claims(), jot.ErrAlgorithm},
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
		"negative cache size":   {Issuer: issuer, Audience: audience, CacheSize: -1},
		"too large a cache":     {Issuer: issuer, Audience: audience, CacheSize: 1<<20 + 1},
	} {
		if _, err := jot.NewVerifier(keys, o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, source := range map[string]jot.KeySource{"none": nil, "no keys": jot.NewKeySet(), "a set that wasn't parsed": (*jot.KeySet)(nil)} {
		if _, err := jot.NewVerifier(source, strict()); err == nil {
			t.Errorf("key source, %s: accepted", name)
		}
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

type revocationFunc func(*jot.RevocationFacts) (jot.Verdict, error)

func (f revocationFunc) CheckRevocation(_ context.Context, facts *jot.RevocationFacts) (jot.Verdict, error) {
	return f(facts)
}

func withRevocation(f revocationFunc) jot.VerifierOptions {
	o := strict()
	o.Revocation = f
	return o
}

func TestRevocationVerdicts(t *testing.T) {
	key := generateSecret(t)
	raw := sign(t, key, jot.SignerOptions{}, with(with(claims(), "sid", "s1"), "gen", 3))
	for verdict, want := range map[jot.Verdict]error{
		jot.Current: nil, jot.RefreshAdvised: nil, jot.StaleClaims: jot.ErrStaleClaims, jot.Revoked: jot.ErrRevoked, jot.Verdict(99): jot.ErrRevoked,
	} {
		verifier := newVerifier(t, jot.NewSecretKeySet(key), withRevocation(func(f *jot.RevocationFacts) (jot.Verdict, error) {
			if string(f.Issuer) != issuer || string(f.SessionID) != "s1" || string(f.Subject) != "ada" || f.Generation != 3 || f.IssuedAt != noon.Unix() || f.KeyID != key.KeyID() {
				t.Errorf("facts %+v", f)
			}
			return verdict, nil
		}))
		token, err := verifier.Verify(t.Context(), raw)
		if !errors.Is(err, want) || (token == nil) != (want != nil) {
			t.Errorf("verdict %d: %v", verdict, err)
		}
		if token != nil && token.RefreshAdvised() != (verdict == jot.RefreshAdvised) {
			t.Errorf("verdict %d: advised %v", verdict, token.RefreshAdvised())
		}
	}
}

// Revocation is asked last: a token that is refused anyway tells the checker nothing.
func TestRevocationIsAskedLast(t *testing.T) {
	key := generateSecret(t)
	verifier := newVerifier(t, jot.NewSecretKeySet(key), withRevocation(func(*jot.RevocationFacts) (jot.Verdict, error) {
		t.Error("asked")
		return jot.Revoked, nil
	}))
	verifier.Check(t.Context(), sign(t, key, jot.SignerOptions{}, with(claims(), "exp", noon.Unix())))
	verifier.Check(t.Context(), sign(t, generateSecret(t), jot.SignerOptions{}, claims()))
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
}

// Other issuers mean other things by the names that are not registered: that only counts where revocation goes by them.
func TestForeignClaims(t *testing.T) {
	key := generateSecret(t)
	for name, member := range map[string]string{"gen": `"gen":"m"`, "sid": `"sid":12`, "client_id": `"client_id":null`} {
		raw := forge(key, `{"alg":"HS256"}`, `{"iss":"https://auth.example.com","aud":"petstore","exp":1795349700,`+member+`}`)
		if err := newVerifier(t, jot.NewSecretKeySet(key), strict()).Check(t.Context(), raw); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		revoking := withRevocation(func(*jot.RevocationFacts) (jot.Verdict, error) { return jot.Current, nil })
		if err := newVerifier(t, jot.NewSecretKeySet(key), revoking).Check(t.Context(), raw); !errors.Is(err, jot.ErrMalformed) {
			t.Errorf("%s, with revocation: %v", name, err)
		}
	}
	raw := forge(key, `{"alg":"HS256"}`, `{"iss":"https://auth.example.com","aud":"petstore","exp":1795349700,"scope":["admin"]}`)
	token, err := newVerifier(t, jot.NewSecretKeySet(key), strict()).Verify(t.Context(), raw)
	if err != nil || token.Scope() != "" || token.HasScope("admin") {
		t.Errorf("a scope that is an array: %v, %v", token, err)
	}
}

// RFC 6749 §3.3: scopes stand between spaces. Other verifiers see one odd scope in these.
func TestScopeIsSplitAtSpacesOnly(t *testing.T) {
	key := generateSecret(t)
	verifier := newVerifier(t, jot.NewSecretKeySet(key), strict())
	for _, scope := range []string{"x\tadmin", "x\u00a0admin", "x\u2028admin", "x\u0085admin", "x\nadmin"} {
		token, err := verifier.Verify(t.Context(), sign(t, key, jot.SignerOptions{}, with(claims(), "scope", scope)))
		if err != nil || token.HasScope("admin") {
			t.Errorf("%q: %v, %v", scope, token, err)
		}
	}
}

// A checker that appends to what it's given must not write into the token.
func TestRevocationCheckerMayAppend(t *testing.T) {
	key := generateSecret(t)
	o := withRevocation(func(f *jot.RevocationFacts) (jot.Verdict, error) {
		for _, fact := range [][]byte{f.Issuer, f.Subject, f.SessionID, f.ID, f.ClientID} {
			_ = append(fact, "overwritten overwritten overwritten"...)
		}
		return jot.Current, nil
	})
	raw := sign(t, key, jot.SignerOptions{}, claims())
	token, err := newVerifier(t, jot.NewSecretKeySet(key), o).Verify(t.Context(), raw)
	if err != nil || token.Subject() != "ada" || !json.Valid(token.Payload()) {
		t.Errorf("%q, %v", token.Payload(), err)
	}
}

// Whoever joins the answers of two key sets must not write into the first.
func TestKeySetAnswersMayBeAppendedTo(t *testing.T) {
	mine, also, theirs := generate(t, jot.EdDSA), generate(t, jot.EdDSA), generate(t, jot.EdDSA)
	set := jot.NewKeySet(mine.Public(), also.Public())
	for _, kid := range []string{"", mine.KeyID()} {
		found, err := set.VerificationKeys(t.Context(), jot.EdDSA, kid)
		if err != nil {
			t.Fatal(err)
		}
		_ = append(found[:len(found):len(found)], theirs.Public())
		_ = append(found, theirs.Public())
	}
	raw := sign(t, theirs, jot.SignerOptions{}, claims())
	if err := newVerifier(t, set, strict()).Check(t.Context(), raw); err == nil {
		t.Error("the set took in a key")
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

// Claims are about people: a token that ends up in a log doesn't tell them.
func TestTokensDoNotPrintTheirClaims(t *testing.T) {
	key := generateSecret(t)
	token, err := newVerifier(t, jot.NewSecretKeySet(key), strict()).Verify(t.Context(), sign(t, key, jot.SignerOptions{}, with(claims(), "email", "ada@example.com")))
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if printed := fmt.Sprintf(verb, token); strings.Contains(printed, "ada") {
			t.Errorf("%s prints %s", verb, printed)
		}
	}
}

func TestSignRefusesWhatVerifyWould(t *testing.T) {
	signer, err := jot.NewSigner(generateSecret(t), jot.SignerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, claims := range map[string]any{
		"no object":          []string{"a"},
		"invalid UTF-8":      map[string]string{"sub": "user-\xfe"},
		"invalid UTF-8, raw": json.RawMessage("{\"sub\":\"\xfe\"}"),
		"doubled members":    json.RawMessage(`{"a":1,"A":2}`),
		"a date as a string": map[string]string{"exp": "tomorrow"},
		"not to be encoded":  make(chan int),
		"nothing":            nil,
	} {
		if raw, err := signer.Sign(t.Context(), claims); err == nil {
			t.Errorf("%s: signed %s", name, raw)
		}
	}
	if _, err := signer.Sign(t.Context(), map[string]string{"sub": "\ufffd and \\ufffd"}); err != nil {
		t.Errorf("the replacement character itself: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := signer.Sign(cancelled, map[string]string{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
}

func TestSignerHeader(t *testing.T) {
	key := generate(t, jot.ES256)
	signer, err := jot.NewSigner(key, jot.SignerOptions{Header: map[string]any{"x5t#S256": "thumb", "tenant": 7}})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signer.Sign(t.Context(), claims())
	if err != nil {
		t.Fatal(err)
	}
	token, err := newVerifier(t, jot.NewKeySet(key.Public()), strict()).Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"alg":"ES256","kid":"` + key.KeyID() + `","typ":"JWT","tenant":7,"x5t#S256":"thumb"}`
	if got := string(token.Header()); got != want {
		t.Errorf("header %s, want %s", got, want)
	}
	for name, header := range map[string]map[string]any{
		"another algorithm": {"alg": "none"}, "its name in capitals": {"ALG": "none"}, "an extension": {"crit": []string{"x"}},
		"not to be encoded": {"x": func() {}}, "too large": {"x": strings.Repeat("x", 8<<10)},
	} {
		if _, err := jot.NewSigner(key, jot.SignerOptions{Header: header}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Registered claims are encoded by a faster way, which must not show.
func TestRegisteredClaimsAreEncodedAsAnyOthers(t *testing.T) {
	signer, err := jot.NewSigner(generateSecret(t), jot.SignerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"", "a", "https://auth.example.com/?q=1&r=<2>", "usr_01JD8Z6Q3M4T9V2XK7W5", `say "hi"`, `back\slash`, "tab\t", "\x00", "\x7f", "~", " ", "é", "\u2028", "\ufffd", "a\xffb"}
	dates := []jot.NumericDate{0, 1, 1795348800, 253402300799, 253402300800, -1, math.MaxInt64}
	random := rand.New(rand.NewPCG(1, 2))
	text := func() string { return texts[random.IntN(len(texts))] }
	date := func() jot.NumericDate { return dates[random.IntN(len(dates))*random.IntN(2)] }
	signed := 0
	for range 5000 {
		claims := jot.Claims{Expires: date(), NotBefore: date(), IssuedAt: date()}
		for _, field := range []*string{&claims.Issuer, &claims.Subject, &claims.ID} {
			if random.IntN(2) == 0 {
				*field = text()
			}
		}
		for range random.IntN(4) {
			claims.Audience = append(claims.Audience, text())
		}
		want, wantErr := signer.Sign(t.Context(), struct{ jot.Claims }{claims})
		for _, form := range []any{claims, &claims} {
			got, err := signer.Sign(t.Context(), form)
			if got != want || fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Fatalf("%+v: %s, %v, not %s, %v", claims, got, err, want, wantErr)
			}
		}
		if wantErr == nil {
			signed++
		}
	}
	if signed < 1000 {
		t.Errorf("only %d could be signed at all", signed)
	}
	var none *jot.Claims
	if raw, err := signer.Sign(t.Context(), none); err == nil {
		t.Errorf("no claims: signed %s", raw)
	}
	if raw := sign(t, generateSecret(t), jot.SignerOptions{}, jot.Claims{}); strings.Split(raw, ".")[1] != "e30" {
		t.Errorf("empty claims: %s", raw)
	}
}

func TestNewSignerRefusals(t *testing.T) {
	var none *jot.PrivateKey
	for name, key := range map[string]jot.SigningKey{"nil": nil, "a nil key": none, "no key": &jot.PrivateKey{}, "no secret": &jot.SecretKey{}} {
		if _, err := jot.NewSigner(key, jot.SignerOptions{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, typ := range []string{"a\xff", "a b", "a\n", "é"} {
		if _, err := jot.NewSigner(generateSecret(t), jot.SignerOptions{Type: typ}); err == nil {
			t.Errorf("type %q: accepted", typ)
		}
	}
}

// A claim that binds the token to a key is read or refused, and never passed over: whoever doesn't see it would take the token from a thief.
func TestConfirmation(t *testing.T) {
	key := generateSecret(t)
	options := strict()
	options.CacheSize = 8
	verifier := newVerifier(t, jot.NewSecretKeySet(key), options)
	for member, want := range map[string]struct {
		thumbprint string
		bound      bool
		err        error
	}{
		`"x":1`:                           {"", false, nil},
		`"cnf":{"jkt":"abc"}`:             {"abc", true, nil},
		`"cnf":{"j\u006bt":"a\u0062c"}`:   {"abc", true, nil},
		`"cnf":{"x5t#S256":"abc"}`:        {"", true, nil},
		`"cnf":{}`:                        {"", true, nil},
		`"cnf":{"jkt":""}`:                {"", false, jot.ErrMalformed},
		`"cnf":{"jkt":null}`:              {"", false, jot.ErrMalformed},
		`"cnf":{"jkt":1}`:                 {"", false, jot.ErrMalformed},
		`"cnf":"abc"`:                     {"", false, jot.ErrMalformed},
		`"cnf":null`:                      {"", false, jot.ErrMalformed},
		`"cnf":[{"jkt":"abc"}]`:           {"", false, jot.ErrMalformed},
		`"cnf":{"jkt":"a","jkt":"abc"}`:   {"", false, jot.ErrMalformed},
		`"cnf":{"jkt":"a"},"Cnf":{}`:      {"", false, jot.ErrMalformed},
		`"cnf":{"jkt":"a","JKT":"abc"}`:   {"", false, jot.ErrMalformed},
		`"cnf":{"j\u006bt":null}`:         {"", false, jot.ErrMalformed},
		`"cnf":{"jkt":["abc"]}`:           {"", false, jot.ErrMalformed},
		`"cnf":{"kid":"jkt"}`:             {"", true, nil},
		`"cnf":{"x":{"jkt":"abc"},"y":1}`: {"", true, nil},
	} {
		raw := forge(key, `{"alg":"HS256"}`, `{"iss":"https://auth.example.com","aud":"petstore","exp":1795349700,`+member+`}`)
		for range 2 { // the second time from the cache
			token, err := verifier.Verify(t.Context(), raw)
			if !errors.Is(err, want.err) {
				t.Errorf("%s: %v", member, err)
			} else if err == nil {
				if thumbprint, bound := token.Confirmation(); thumbprint != want.thumbprint || bound != want.bound {
					t.Errorf("%s: %q, %v", member, thumbprint, bound)
				}
			}
		}
	}
}
