package jot_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

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

// A claim that binds the token to a key is read or refused, and never passed over: whoever doesn't see it would take
// the token from a thief.
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
