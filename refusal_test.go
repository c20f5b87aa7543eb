package jot_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
)

// refusal is a token that is refused, and the most exact error for it.
type refusal struct {
	name string
	raw  string
	want error
}

// The token that the refused ones are variations of.
const (
	goodHeader  = `{"alg":"HS256","typ":"JWT"}`
	goodPayload = `{"iss":"https://auth.example.com","aud":"petstore","exp":1795349700}`
)

// withMember is the good payload with more members.
func withMember(members string) string {
	return strings.TrimSuffix(goodPayload, "}") + "," + members + "}"
}

// instead is the good payload with another text in the place of one.
func instead(old, other string) string { return strings.Replace(goodPayload, old, other, 1) }

// checkRefusals: a refusal is the most exact error, and always ErrInvalidToken; Verify and Check agree.
func checkRefusals(t *testing.T, key *jot.SecretKey, refusals []refusal) {
	t.Helper()
	verifier := newVerifier(t, jot.NewSecretKeySet(key), strict())
	if err := verifier.Check(t.Context(), forge(key, goodHeader, goodPayload)); err != nil {
		t.Fatal("the token that the others are variations of:", err)
	}
	for _, test := range refusals {
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

func TestRefusedForms(t *testing.T) {
	key := generateSecret(t)
	valid := forge(key, goodHeader, goodPayload)
	parts := strings.Split(valid, ".")
	resign := func(input string) string {
		signature, err := key.SignInput(t.Context(), []byte(input))
		if err != nil {
			t.Fatal(err)
		}
		return input + "." + base64.RawURLEncoding.EncodeToString(signature)
	}
	checkRefusals(t, key, []refusal{
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
	})
}

func TestRefusedHeaders(t *testing.T) {
	key := generateSecret(t)
	checkRefusals(t, key, []refusal{
		{"alg none", forge(key, `{"alg":"none"}`, goodPayload), jot.ErrAlgorithm},
		{"alg None", forge(key, `{"alg":"None"}`, goodPayload), jot.ErrAlgorithm},
		{"alg hs256", forge(key, `{"alg":"hs256"}`, goodPayload), jot.ErrAlgorithm},
		{"alg of another key", forge(key, `{"alg":"RS256"}`, goodPayload), jot.ErrAlgorithm},
		{"alg missing", forge(key, `{"typ":"JWT"}`, goodPayload), jot.ErrMalformed},
		{"alg a number", forge(key, `{"alg":256}`, goodPayload), jot.ErrMalformed},
		{"alg twice", forge(key, `{"alg":"HS256","alg":"HS256"}`, goodPayload), jot.ErrMalformed},
		{"alg in two cases", forge(key, `{"alg":"HS256","ALG":"none"}`, goodPayload), jot.ErrMalformed},
		{"crit", forge(key, `{"alg":"HS256","crit":["exp"],"exp":1}`, goodPayload), jot.ErrMalformed},
		{"b64 false", forge(key, `{"alg":"HS256","b64":false}`, goodPayload), jot.ErrMalformed},
		{"unknown kid", forge(key, `{"alg":"HS256","kid":"other"}`, goodPayload), jot.ErrUnknownKey},
		{"kid a number", forge(key, `{"alg":"HS256","kid":1}`, goodPayload), jot.ErrMalformed},
		{"header an array", forge(key, `["HS256"]`, goodPayload), jot.ErrMalformed},
		{"header with invalid UTF-8", forge(key, "{\"alg\":\"HS256\",\"x\":\"\xff\"}", goodPayload), jot.ErrMalformed},
		{"header of 33 members", forge(key, `{"alg":"HS256"`+moreMembers(32)+`}`, goodPayload), jot.ErrMalformed},
		{"header that holds 33 members", forge(key, `{"alg":"HS256","x":{"a":1`+moreMembers(32)+`}}`, goodPayload), jot.ErrMalformed},
		{"other type", forge(key, `{"alg":"HS256","typ":"at+jwt"}`, goodPayload), jot.ErrType},
		{"header too large", forge(key, `{"alg":"HS256","x":"`+strings.Repeat("x", 7000)+`"}`, goodPayload), jot.ErrTooLarge},
		{"type in foreign letters", forge(key, `{"alg":"HS256","typ":"\u017fwt"}`, goodPayload), jot.ErrType},
	})
}

func TestRefusedPayloads(t *testing.T) {
	key := generateSecret(t)
	checkRefusals(t, key, []refusal{
		{"payload an array", forge(key, goodHeader, `[1]`), jot.ErrMalformed},
		{"payload with a tail", forge(key, goodHeader, goodPayload+`{}`), jot.ErrMalformed},
		{"member twice", forge(key, goodHeader, withMember(`"role":"user","role":"admin"`)), jot.ErrMalformed},
		{"member in two cases", forge(key, goodHeader, withMember(`"role":"user","Role":"admin"`)), jot.ErrMalformed},
		{"long s", forge(key, goodHeader, withMember(`"i\u017fs":"evil"`)), jot.ErrMalformed},
		{"nested member twice", forge(key, goodHeader, withMember(`"x":{"a":1,"a":2}`)), jot.ErrMalformed},
		{"lone surrogate", forge(key, goodHeader, withMember(`"x":"\ud800"`)), jot.ErrMalformed},
		{"deep nesting", forge(key, goodHeader, withMember(`"x":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000))), jot.ErrMalformed},
	})
}

func TestRefusedClaims(t *testing.T) {
	key := generateSecret(t)
	checkRefusals(t, key, []refusal{
		{"exp missing", forge(key, goodHeader, `{"iss":"https://auth.example.com","aud":"petstore"}`), &jot.ClaimError{Claim: "exp"}},
		{"exp now", forge(key, goodHeader, instead("1795349700", "1795348800")), jot.ErrExpired},
		{"exp past", forge(key, goodHeader, instead("1795349700", "1795348799")), jot.ErrExpired},
		{"exp a string", forge(key, goodHeader, instead("1795349700", `"1795349700"`)), jot.ErrMalformed},
		{"exp null", forge(key, goodHeader, instead("1795349700", "null")), jot.ErrMalformed},
		{"exp negative", forge(key, goodHeader, instead("1795349700", "-1")), jot.ErrMalformed},
		{"exp beyond float64", forge(key, goodHeader, instead("1795349700", "1e400")), jot.ErrMalformed},
		{"exp beyond int64", forge(key, goodHeader, instead("1795349700", "9223372036854775808")), jot.ErrMalformed},
		{"nbf in a second", forge(key, goodHeader, withMember(`"nbf":1795348801`)), jot.ErrNotYetValid},
		{"nbf in a nanosecond", forge(key, goodHeader, withMember(`"nbf":1795348800.000000001`)), jot.ErrNotYetValid},
		{"nbf an object", forge(key, goodHeader, withMember(`"nbf":{}`)), jot.ErrMalformed},
		{"iat a string", forge(key, goodHeader, withMember(`"iat":"now"`)), jot.ErrMalformed},
		{"other issuer", forge(key, goodHeader, instead("auth.", "evil.")), &jot.ClaimError{Claim: "iss"}},
		{"issuer a number", forge(key, goodHeader, instead(`"https://auth.example.com"`, "1")), jot.ErrMalformed},
		{"issuer missing", forge(key, goodHeader, `{"aud":"petstore","exp":1795349700}`), &jot.ClaimError{Claim: "iss"}},
		{"other audience", forge(key, goodHeader, instead("petstore", "Petstore")), &jot.ClaimError{Claim: "aud"}},
		{"audience missing", forge(key, goodHeader, `{"iss":"https://auth.example.com","exp":1795349700}`), &jot.ClaimError{Claim: "aud"}},
		{"audience empty", forge(key, goodHeader, instead(`"petstore"`, "[]")), &jot.ClaimError{Claim: "aud"}},
		{"audience of mixed types", forge(key, goodHeader, instead(`"petstore"`, `["petstore",1]`)), jot.ErrMalformed},
	})
}

// moreMembers returns n members, each after a comma.
func moreMembers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"m%d":%d`, i, i)
	}
	return b.String()
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
