package main

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

func allLibraries() []library { return append([]library{jotLibrary()}, peers()...) }

func testKeyring(t testing.TB) *keyring {
	t.Helper()
	k, err := newKeyring()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signed(t testing.TB, k *keyring, alg jot.Algorithm, change func(*accessClaims)) token {
	t.Helper()
	claims := newAccessClaims()
	if change != nil {
		change(&claims)
	}
	made, err := k.sign(alg, claims)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// No library is measured doing less than the others.
func TestEveryLibraryVerifiesEverything(t *testing.T) {
	k, foreign := testKeyring(t), testKeyring(t)
	for _, lib := range allLibraries() {
		for _, alg := range algorithms {
			t.Run(lib.name+"/"+string(alg), func(t *testing.T) {
				verify, err := lib.verifier(k, alg)
				if err != nil {
					t.Fatal(err)
				}
				if verify == nil {
					requireLacking(t, lib, alg)
					return
				}
				good := signed(t, k, alg, nil)
				if err := verify(good, func(claims any) { requireClaims(t, claims, good) }); err != nil {
					t.Fatal("the good token is refused:", err)
				}
				for name, bad := range badTokens(t, k, foreign, alg) {
					if verify(bad, nil) == nil {
						t.Errorf("a token with %s is accepted", name)
					}
				}
			})
		}
	}
}

// badTokens are tokens that differ from the good one in one respect each.
func badTokens(t *testing.T, k, foreign *keyring, alg jot.Algorithm) map[string]token {
	hour := int64(time.Hour / time.Second)
	another := signed(t, k, alg, func(c *accessClaims) { c.ID = "another" })
	return map[string]token{
		"a bad signature":        signed(t, k, alg, nil).withSignatureOf(another),
		"a broken form":          newToken(strings.Replace(another.text, ".", "", 1)),
		"an exp that has passed": signed(t, k, alg, func(c *accessClaims) { c.Expires = c.IssuedAt - hour }),
		"no exp":                 signed(t, k, alg, func(c *accessClaims) { c.Expires = 0 }),
		"an nbf to come":         signed(t, k, alg, func(c *accessClaims) { c.NotBefore = c.IssuedAt + hour }),
		"another issuer":         signed(t, k, alg, func(c *accessClaims) { c.Issuer += "/other" }),
		"no issuer":              signed(t, k, alg, func(c *accessClaims) { c.Issuer = "" }),
		"another audience":       signed(t, k, alg, func(c *accessClaims) { c.Audience = []string{"other"} }),
		"no audience":            signed(t, k, alg, func(c *accessClaims) { c.Audience = nil }),
		"another key":            signed(t, foreign, alg, nil),
	}
}

func TestEveryLibrarySigns(t *testing.T) {
	k := testKeyring(t)
	for _, lib := range allLibraries() {
		for _, alg := range algorithms {
			t.Run(lib.name+"/"+string(alg), func(t *testing.T) {
				sign, err := lib.signer(k, alg)
				if err != nil {
					t.Fatal(err)
				}
				if sign == nil {
					requireLacking(t, lib, alg)
					return
				}
				made, err := sign()
				if err != nil {
					t.Fatal(err)
				}
				requireRegisteredClaims(t, k, alg, made.text+string(made.bytes))
			})
		}
	}
}

func requireRegisteredClaims(t *testing.T, k *keyring, alg jot.Algorithm, raw string) {
	t.Helper()
	key, err := newJotKey(k, alg)
	if err != nil {
		t.Fatal(err)
	}
	source := jot.KeySource(nil)
	switch key := key.(type) {
	case *jot.SecretKey:
		source = jot.NewSecretKeySet(key)
	case *jot.PrivateKey:
		source = jot.NewKeySet(key.Public())
	}
	// kataras/jwt and jwx write no typ, or their own, on the way that is measured.
	v, err := jot.NewVerifier(source, jot.VerifierOptions{Issuer: issuer, Audience: audience, AnyType: true})
	if err != nil {
		t.Fatal(err)
	}
	tok, err := v.Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	if tok.Subject() != registered.subject || tok.ID() != registered.id || !tok.Expires().Equal(registered.expires) ||
		!tok.IssuedAt().Equal(registered.issuedAt) || !tok.NotBefore().Equal(registered.issuedAt) {
		t.Errorf("claims %s", tok.Payload())
	}
	if !strings.Contains(string(tok.Header()), `"kid":"`+keyID+`"`) {
		t.Errorf("header %s", tok.Header())
	}
}

// requireLacking holds that only what a library's documentation doesn't offer is left out.
func requireLacking(t *testing.T, lib library, alg jot.Algorithm) {
	t.Helper()
	if lib.name != "tink" || alg != jot.EdDSA {
		t.Errorf("%s is said to lack %s", lib.name, alg)
	}
}

// requireClaims holds the decoded struct against the token's payload, all of it.
func requireClaims(t *testing.T, claims any, from token) {
	t.Helper()
	encoded, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(from.text, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	got, want := members(t, encoded), members(t, payload)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("decoded %v from %v", got, want)
	}
	if len(want) != 13 || len(payload) < 380 || len(payload) > 440 {
		t.Errorf("the payload has %d members in %d bytes", len(want), len(payload))
	}
}

// members are those of a JSON object; an audience of one may be written as a string or an array.
func members(t *testing.T, object []byte) map[string]any {
	t.Helper()
	decoded := map[string]any{}
	if err := json.Unmarshal(object, &decoded); err != nil {
		t.Fatal(err)
	}
	if one, ok := decoded["aud"].(string); ok {
		decoded = maps.Clone(decoded)
		decoded["aud"] = []any{one}
	}
	return decoded
}
