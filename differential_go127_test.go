//go:build go1.27

package jot_test

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// FuzzAgainstJSONV2 makes sure that encoding/json/v2, with its own strictness, accepts each claims set that jot
// accepts, and reads the same values.
func FuzzAgainstJSONV2(f *testing.F) {
	key := generateSecret(f)
	o := strict()
	o.Issuer, o.AnyIssuer, o.Audience, o.AnyAudience, o.NoExpiry = "", true, "", true, true
	o.Now = func() time.Time { return time.Unix(0, 0) }
	verifier := newVerifier(f, jot.NewSecretKeySet(key), o)
	valid, err := json.Marshal(claims())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(valid)
	for _, payload := range []string{
		acceptablePayload + "}", `{}`, `{"sub":"\ud834\udd1e","aud":["\u0061",""],"exp":1795349700.5,"iat":17953488e2,"jti":""}`,
		`{"exp":1.7953497e9,"Role":"a","nested":{"a":[{"a":1},{"a":-0.0}],"\u0000":null},"n":12345678901234567890,"f":1e-400}`, `{"scope":["a"],"n":1e400,"auth_time":1}`,
	} {
		f.Add([]byte(payload))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		token, err := verifier.Verify(t.Context(), forge(key, `{"alg":"HS256"}`, string(payload)))
		if err != nil {
			return
		}
		var members map[string]jsontext.Value
		if err := json.Unmarshal(payload, &members); err != nil {
			t.Fatalf("json/v2 refuses %q: %v", payload, err)
		}
		compareTexts(t, token, members)
		compareDates(t, token, members)
		var got, want map[string]any
		if gotErr, wantErr := token.Decode(&got), json.Unmarshal(payload, &want); (gotErr == nil) != (wantErr == nil) || gotErr == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%q: Decode gives %v, %v, json/v2 %v, %v", payload, got, gotErr, want, wantErr)
		}
	})
}

func compareTexts(t *testing.T, token *jot.Token, members map[string]jsontext.Value) {
	t.Helper()
	for name, got := range map[string]string{"iss": token.Issuer(), "sub": token.Subject(), "jti": token.ID()} {
		var want string
		if text, present := members[name]; present {
			if err := json.Unmarshal(text, &want); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got != want {
			t.Errorf("%s is %q, json/v2: %q", name, got, want)
		}
	}
	var audience []string
	if text, present := members["aud"]; present && json.Unmarshal(text, &audience) != nil {
		audience = make([]string, 1)
		if err := json.Unmarshal(text, &audience[0]); err != nil {
			t.Errorf("aud: %v", err)
		}
	}
	if !slices.Equal(token.Audience(), audience) {
		t.Errorf("aud is %q, json/v2: %q", token.Audience(), audience)
	}
}

// longExponent is of numbers that can't be computed exactly in reasonable time.
var longExponent = regexp.MustCompile(`[eE][+-]?\d{4}`)

func compareDates(t *testing.T, token *jot.Token, members map[string]jsontext.Value) {
	t.Helper()
	for name, got := range map[string]time.Time{"exp": token.Expires(), "nbf": token.NotBefore(), "iat": token.IssuedAt()} {
		text, present := members[name]
		if !present || longExponent.Match(text) {
			if got.IsZero() == present {
				t.Errorf("%s is %v, json/v2: %s", name, got, text)
			}
			continue
		}
		exact, ok := new(big.Rat).SetString(string(text))
		if !ok {
			t.Fatalf("%s is no number: %s", name, text)
		}
		exact.Mul(exact, big.NewRat(1e9, 1))
		nanoseconds := new(big.Int).Quo(exact.Num(), exact.Denom())
		want := new(big.Int).Add(new(big.Int).Mul(big.NewInt(got.Unix()), big.NewInt(1e9)), big.NewInt(int64(got.Nanosecond())))
		if nanoseconds.Cmp(want) != 0 {
			t.Errorf("%s is %v, json/v2: %s", name, got, text)
		}
	}
}
