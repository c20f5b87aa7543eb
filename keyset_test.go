package jot_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
)

const rfc7515Secret = `"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"`

func TestSetsSaveWhatIsGood(t *testing.T) {
	for reason, text := range map[string]string{
		"not offered":          `{"kty":"LWE","kid":"future","alg":"ES256"}`,
		"secp256k1":            `{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA","alg":"ES256"}`,
		"on P-256":             `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","alg":"ES256"}`,
		"needs a key on P-384": `{` + p256JWK + `,"alg":"ES384"}`,
		"can't use a key":      `{` + p256JWK + `,"alg":"RS256"}`,
		"private or secret":    `{` + rfc7515Secret + `,"alg":"HS256"}`,
		"doesn't name its":     `{` + p256JWK + `}`,
		"not for":              `{` + p256JWK + `,"alg":"ES256","use":"enc"}`,
		"don't permit":         `{` + p256JWK + `,"alg":"ES256","key_ops":["sign"]}`,
		"contradict its use":   `{` + p256JWK + `,"alg":"ES256","use":"sig","key_ops":["verify","wrapKey"]}`,
		"not a string":         `{` + p256JWK + `,"alg":"ES256","kid":1}`,
		"certificate":          `{` + p256JWK + `,"alg":"ES256","x5c":["AAAA"]}`,
		"ECDH-ES":              `{` + p256JWK + `,"alg":"ECDH-ES"}`,
		"ecdh.PublicKey":       `{"kty":"OKP","crv":"X25519","x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo","alg":"EdDSA"}`,
		"small order":          `{"kty":"OKP","crv":"Ed25519","x":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","alg":"EdDSA"}`,
		"not a JWK":            `17`,
	} {
		document := `{"keys":[` + text + `,{` + p256JWK + `,"alg":"ES256","kid":"good"}]}`
		set, err := jot.ParseKeySet([]byte(document), jot.ParseOptions{})
		if err != nil {
			t.Fatal(reason, err)
		}
		if len(set.Keys()) != 1 || set.Keys()[0].KeyID() != "good" || len(set.Skipped()) != 1 || set.Skipped()[0].Position != 0 {
			t.Errorf("%s: keys %v, skipped %v", reason, set.Keys(), set.Skipped())
			continue
		}
		if got := set.Skipped()[0].Reason; !strings.Contains(got, reason) || !strings.HasPrefix(got, "jot: ") {
			t.Errorf("the reason is %q, without %q", got, reason)
		}
	}
}

func TestKeySetWorksForItsGoodKeys(t *testing.T) {
	set, err := jot.ParseKeySet([]byte(`{"keys":[
		{"kty":"LWE","kid":"future"},
		{`+p256JWK+`,"alg":"ES256","kid":"good"},
		{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"EdDSA","kid":"good"},
		{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T","alg":"HS256"},
		17
	],"other":true}`), jot.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Keys()) != 2 || len(set.Skipped()) != 3 || set.Skipped()[0].Position != 0 || set.Skipped()[2].Position != 4 {
		t.Errorf("keys %v, skipped %v", set.Keys(), set.Skipped())
	}
	for _, alg := range []jot.Algorithm{jot.ES256, jot.EdDSA} { // one key ID on two key types
		found, err := set.VerificationKeys(t.Context(), alg, "good")
		if err != nil || len(found) != 1 || found[0].Algorithm() != alg {
			t.Errorf("%s: %v, %v", alg, found, err)
		}
	}
	for name, document := range map[string]string{
		"no keys": `{}`, "keys null": `{"keys":null}`, "keys an object": `{"keys":{}}`, "an array": `[]`, "cut": `{"keys":[`,
		"too many": `{"keys":[` + strings.Repeat("{},", 128) + `{}]}`, "more than 512 KiB": `{"keys":[]}` + strings.Repeat(" ", 512<<10),
	} {
		if _, err := jot.ParseKeySet([]byte(document), jot.ParseOptions{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, document := range map[string]string{
		"as many as it may": `{"keys":[` + strings.Repeat("{},", 127) + `{}]}`, "512 KiB": `{"keys":[]}` + strings.Repeat(" ", 512<<10-11),
	} {
		if _, err := jot.ParseKeySet([]byte(document), jot.ParseOptions{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, set := range []*jot.KeySet{{}, jot.NewKeySet(nil)} {
		if empty, _ := json.Marshal(set); string(empty) != `{"keys":[]}` {
			t.Errorf("an empty set is %s", empty)
		}
	}
}

func TestParseSecretKeySet(t *testing.T) {
	set, err := jot.ParseSecretKeySet([]byte(`{"keys":[
		{`+rfc7515Secret+`,"alg":"HS256","kid":"a"},
		{`+rfc7515Secret+`,"alg":"HS512"},
		{`+p256JWK+`,"alg":"ES256"},
		{"kty":"oct","k":"AAAA","alg":"HS256"},
		{`+rfc7515Secret+`,"alg":"A128KW"},
		{`+rfc7515Secret+`,"alg":"HS256","key_ops":["verify"]},
		{`+rfc7515Secret+`,"alg":"HS256","key_ops":["sign"]},
		{`+rfc7515Secret+`}
	]}`), jot.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Keys()) != 2 || set.Keys()[0].KeyID() != "a" || set.Keys()[1].KeyID() != "" || len(set.Skipped()) != 6 || set.Skipped()[0].Position != 2 {
		t.Errorf("keys %v, skipped %v", set.Keys(), set.Skipped())
	}
	token := sign(t, set.Keys()[1], jot.SignerOptions{}, claims())
	if err := newVerifier(t, set, strict()).Check(t.Context(), token); err != nil {
		t.Error(err)
	}
	for name, document := range map[string]string{"no keys": `{}`, "an array": `[]`, "cut": `{"keys":[`} {
		if _, err := jot.ParseSecretKeySet([]byte(document), jot.ParseOptions{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if text, err := json.Marshal(set); err == nil {
		t.Errorf("a secret set was written: %s", text)
	}
}

func TestSetsLeaveOutWhatIsNoKey(t *testing.T) {
	if set := jot.NewKeySet(nil, new(jot.PublicKey), generate(t, jot.EdDSA).Public()); len(set.Keys()) != 1 {
		t.Errorf("public: %v", set.Keys())
	}
	if set := jot.NewSecretKeySet(nil, new(jot.SecretKey), generateSecret(t)); len(set.Keys()) != 1 {
		t.Errorf("secret: %v", set.Keys())
	}
}

// A kid rules out the keys that are known under another, and no key that is known under none.
func TestUnnamedKeysAreTriedForAnyKeyID(t *testing.T) {
	secret := []byte("the secret of these tests, fixed")
	named, _ := jot.NewSecretKey(jot.HS256, secret, jot.KeyOptions{KeyID: "2026"})
	other, _ := jot.NewSecretKey(jot.HS256, secret, jot.KeyOptions{KeyID: "2027"})
	unnamed, _ := jot.NewSecretKey(jot.HS256, secret, jot.KeyOptions{})
	wrong, _ := jot.NewSecretKey(jot.HS256, []byte("another secret, of the same size"), jot.KeyOptions{})
	longer, _ := jot.NewSecretKey(jot.HS512, []byte("a longer secret, for another algorithm, which wants 64 bytes, so"), jot.KeyOptions{})

	private := generate(t, jot.ES256)
	text, err := private.Public().ExportPEM()
	if err != nil {
		t.Fatal(err)
	}
	fromPEM, err := jot.ParsePublicKey(text, jot.ParseOptions{Algorithm: jot.ES256})
	if err != nil {
		t.Fatal(err)
	}
	namedPEM, err := jot.ParsePublicKey(text, jot.ParseOptions{Algorithm: jot.ES256, KeyID: "2027"})
	if err != nil {
		t.Fatal(err)
	}
	exported, _ := private.ExportPEM()
	asNamed, err := jot.ParsePrivateKey(exported, jot.ParseOptions{Algorithm: jot.ES256, KeyID: "2026"})
	if err != nil {
		t.Fatal(err)
	}

	for name, c := range map[string]struct {
		signer jot.SigningKey
		keys   jot.KeySource
		want   error
	}{
		"a named token, the named key":            {named, jot.NewSecretKeySet(other, named), nil},
		"a named token, another name":             {named, jot.NewSecretKeySet(other), jot.ErrUnknownKey},
		"a named token, an unnamed key":           {named, jot.NewSecretKeySet(other, unnamed), nil},
		"a named token, an unnamed wrong key":     {named, jot.NewSecretKeySet(other, wrong), jot.ErrSignature},
		"a named token, unnamed of another kind":  {named, jot.NewSecretKeySet(longer), jot.ErrUnknownKey},
		"an unnamed token, a named key":           {unnamed, jot.NewSecretKeySet(named), nil},
		"an unnamed token, both":                  {unnamed, jot.NewSecretKeySet(wrong, named), nil},
		"a named token, PEM":                      {asNamed, jot.NewKeySet(fromPEM), nil},
		"a named token, PEM with another":         {asNamed, jot.NewKeySet(namedPEM), jot.ErrUnknownKey},
		"a token with a thumbprint, its PEM":      {private, jot.NewKeySet(fromPEM), nil},
		"a named token, a generated key":          {asNamed, jot.NewKeySet(private.Public()), jot.ErrUnknownKey},
		"a named token, its own key and a PEM":    {asNamed, jot.NewKeySet(fromPEM, asNamed.Public()), nil},
		"a named token, a PEM of another's token": {generate(t, jot.ES256), jot.NewKeySet(fromPEM), jot.ErrSignature},
	} {
		token := sign(t, c.signer, jot.SignerOptions{}, claims())
		if err := newVerifier(t, c.keys, strict()).Check(t.Context(), token); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Of the keys that name neither themselves nor anything else, four are tried with a token: the fifth is reported, not
// kept in vain.
func TestFifthUnnamedKeyIsSkipped(t *testing.T) {
	var public, secret []string
	for range 6 {
		for _, alg := range []jot.Algorithm{jot.ES256, jot.EdDSA} {
			public = append(public, withoutID(t, generate(t, alg).Public()))
		}
		text, err := generateSecret(t).ExportJWK()
		if err != nil {
			t.Fatal(err)
		}
		secret = append(secret, withoutID(t, json.RawMessage(text)))
	}
	named, _ := json.Marshal(generate(t, jot.ES256).Public())
	public = append(public, string(named))
	set, err := jot.ParseKeySet([]byte(`{"keys":[`+strings.Join(public, ",")+`]}`), jot.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var positions []int
	for _, skipped := range set.Skipped() {
		positions = append(positions, skipped.Position)
		if !strings.Contains(skipped.Reason, "no key ID") {
			t.Error(skipped.Reason)
		}
	}
	if len(set.Keys()) != 9 || !slices.Equal(positions, []int{8, 9, 10, 11}) {
		t.Errorf("%d keys, skipped %v", len(set.Keys()), positions)
	}
	secrets, err := jot.ParseSecretKeySet([]byte(`{"keys":[`+strings.Join(secret, ",")+`]}`), jot.ParseOptions{})
	if err != nil || len(secrets.Keys()) != 4 || len(secrets.Skipped()) != 2 {
		t.Errorf("%v, %v, %v", secrets.Keys(), secrets.Skipped(), err)
	}
}

// Nor is a token tried with more than four keys of one name and one algorithm.
func TestFifthKeyOfANameIsSkipped(t *testing.T) {
	var public []string
	for range 5 {
		for _, alg := range []jot.Algorithm{jot.ES256, jot.EdDSA} {
			unnamed := withoutID(t, generate(t, alg).Public())
			public = append(public, strings.TrimSuffix(unnamed, "}")+`,"kid":"signing"}`)
		}
	}
	set, err := jot.ParseKeySet([]byte(`{"keys":[`+strings.Join(public, ",")+`]}`), jot.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	skipped := set.Skipped()
	if len(set.Keys()) != 8 || len(skipped) != 2 || skipped[0].Position != 8 || !strings.Contains(skipped[0].Reason, "this key ID") {
		t.Errorf("%d keys, skipped %v", len(set.Keys()), skipped)
	}
}

// withoutID is a JWK that doesn't name its key.
func withoutID(t *testing.T, key any) string {
	t.Helper()
	text, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]string
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	delete(members, "kid")
	text, _ = json.Marshal(members)
	return string(text)
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

// Whatever keys share IDs and algorithms, a set answers what the plain reading of them does.
func TestKeySetsAnswerAsTheirKeysRead(t *testing.T) {
	algorithms := []jot.Algorithm{jot.EdDSA, jot.Ed25519, jot.ES256}
	elliptic, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	material := map[jot.Algorithm]crypto.PublicKey{jot.EdDSA: edwards, jot.Ed25519: edwards, jot.ES256: elliptic.Public()}
	var some []*jot.PublicKey
	unnamed := map[*jot.PublicKey]bool{}
	for _, alg := range algorithms {
		for _, id := range []string{"a", "b", "c", "", ""} {
			key, err := jot.NewPublicKey(alg, material[alg], jot.KeyOptions{KeyID: id})
			if err != nil {
				t.Fatal(err)
			}
			some, unnamed[key] = append(some, key), id == ""
		}
	}
	for seed := range uint64(2000) {
		order := mathrand.New(mathrand.NewPCG(seed, 0))
		keys := make([]*jot.PublicKey, order.IntN(12))
		for n := range keys {
			keys[n] = some[order.IntN(len(some))]
		}
		set := jot.NewKeySet(keys...)
		for _, alg := range append(algorithms, jot.RS256) {
			for _, id := range []string{"", "a", "b", "c", "d", some[3].KeyID()} {
				got, err := set.VerificationKeys(t.Context(), alg, id)
				if err != nil || cap(got) != len(got) {
					t.Fatalf("%d keys in room for %d, %v", len(got), cap(got), err)
				}
				if why := misread(keys, unnamed, alg, id, got); why != "" {
					t.Fatalf("of %v, %s %q finds %v: %s", keys, alg, id, got, why)
				}
			}
		}
	}
}

// misread says what is wrong with the answer of a set of these keys.
func misread(keys []*jot.PublicKey, unnamed map[*jot.PublicKey]bool, alg jot.Algorithm, id string, got []jot.VerificationKey) string {
	those := func(fit func(*jot.PublicKey) bool) (found []jot.VerificationKey) {
		for _, key := range keys {
			if fit(key) {
				found = append(found, key)
			}
		}
		return found
	}
	fitting := those(func(k *jot.PublicKey) bool { return k.Algorithm() == alg && (id == "" || k.KeyID() == id) })
	nameless := those(func(k *jot.PublicKey) bool { return k.Algorithm() == alg && unnamed[k] })
	others := those(func(k *jot.PublicKey) bool { return id == "" || k.KeyID() == id })
	switch {
	case len(fitting) > 0:
		return unlike(got, fitting)
	case id != "" && len(nameless) > 0:
		return unlike(got, nameless)
	case id == "":
		return unlike(got, others[:min(len(others), 4)])
	}
	outside := func(k jot.VerificationKey) bool { return !slices.Contains(others, k) }
	if len(got) == 0 != (len(others) == 0) || slices.ContainsFunc(got, outside) {
		return "a refusal is to be exact: keys of this ID, or none if there are none"
	}
	return ""
}

func unlike(got, want []jot.VerificationKey) string {
	if !slices.Equal(got, want) {
		return fmt.Sprintf("it should be %v", want)
	}
	return ""
}

// A set of many keys is made in a time that grows with them: its lists grow by more than one key at a time.
func TestLargeKeySetsAreMadeQuickly(t *testing.T) {
	const many = 4096
	keys := slices.Repeat([]*jot.SecretKey{generateSecret(t)}, many)
	if n := testing.AllocsPerRun(1, func() { jot.NewSecretKeySet(keys...) }); n > many/8 {
		t.Errorf("%v allocations for %d keys", n, many)
	}
}
