package jot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
)

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
		"an extension in capitals": {"CRIT": []string{"x"}}, "an encoding in capitals": {"B64": false},
		"not to be encoded": {"x": func() {}}, "too large": {"x": strings.Repeat("x", 8<<10)},
		"33 members": furtherMembers(30), "33 members in a member": {"x": furtherMembers(33)},
	} {
		if _, err := jot.NewSigner(key, jot.SignerOptions{Header: header}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A verifier reads the largest header that a signer writes.
func TestLargestHeader(t *testing.T) {
	key := generate(t, jot.ES256)
	raw := sign(t, key, jot.SignerOptions{Header: furtherMembers(29)}, claims()) // beside alg, kid and typ
	if err := newVerifier(t, jot.NewKeySet(key.Public()), strict()).Check(t.Context(), raw); err != nil {
		t.Error(err)
	}
}

func furtherMembers(n int) map[string]any {
	members := map[string]any{}
	for i := range n {
		members[fmt.Sprint("member", i)] = i
	}
	return members
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
