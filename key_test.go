package jot_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
)

func TestKeysAreBoundToOneAlgorithm(t *testing.T) {
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	small, _ := rsa.GenerateKey(rand.Reader, 1024)
	offCurve := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}
	even := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2048), E: 65537}
	weakExponent := &rsa.PublicKey{N: new(big.Int).Add(even.N, big.NewInt(1)), E: 2}

	for name, pair := range map[string]struct {
		alg jot.Algorithm
		key crypto.PublicKey
	}{
		"ES256 with P-384":        {jot.ES256, p384.Public()},
		"ES256 with Ed25519":      {jot.ES256, ed.Public()},
		"EdDSA with P-256":        {jot.EdDSA, p256.Public()},
		"RS256 with P-256":        {jot.RS256, p256.Public()},
		"RS256 with 1024 bits":    {jot.RS256, small.Public()},
		"HS256 with P-256":        {jot.HS256, p256.Public()},
		"ES384 with P-256":        {jot.ES384, p256.Public()},
		"ES512 with P-384":        {jot.ES512, p384.Public()},
		"PS256 with P-256":        {jot.PS256, p256.Public()},
		"Ed25519 with P-256":      {jot.Ed25519, p256.Public()},
		"none":                    {"none", p256.Public()},
		"a point off the curve":   {jot.ES256, offCurve},
		"an even modulus":         {jot.RS256, even},
		"an even exponent":        {jot.RS256, weakExponent},
		"nil":                     {jot.ES256, nil},
		"a nil key":               {jot.ES256, (*ecdsa.PublicKey)(nil)},
		"a nil RSA key":           {jot.RS256, (*rsa.PublicKey)(nil)},
		"an Ed25519 key cut":      {jot.EdDSA, ed25519.PublicKey(make([]byte, 31))},
		"a private key as public": {jot.ES256, p256},
	} {
		if _, err := jot.NewPublicKey(pair.alg, pair.key, jot.KeyOptions{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for alg, size := range map[jot.Algorithm]int{jot.HS256: 32, jot.HS384: 48, jot.HS512: 64} {
		if _, err := jot.NewSecretKey(alg, make([]byte, size), jot.KeyOptions{}); err != nil {
			t.Error(err)
		}
		if _, err := jot.NewSecretKey(alg, make([]byte, size-1), jot.KeyOptions{}); err == nil {
			t.Errorf("%s: a secret of %d bytes: accepted", alg, size-1)
		}
	}
	if _, err := jot.NewPublicKey(jot.ES256, p256.Public(), jot.KeyOptions{KeyID: "\xff"}); err == nil {
		t.Error("a key ID of invalid UTF-8: accepted")
	}
	if _, err := jot.GenerateKey(jot.HS256); err == nil {
		t.Error("a private key for HS256")
	}
}

// What a key prints is not its material, whatever the verb, and whether it's formatted as value or pointer, alone or in a struct.
func TestKeysDoNotPrintTheirMaterial(t *testing.T) {
	private, secret := generate(t, jot.EdDSA), generateSecret(t)
	exportedPrivate, _ := private.ExportJWK()
	exportedSecret, _ := secret.ExportJWK()
	var members struct{ D, K string }
	json.Unmarshal(exportedPrivate, &members)
	json.Unmarshal(exportedSecret, &members)

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		fmt.Fprintf(&out, verb, private)
		fmt.Fprintf(&out, verb, *private)
		fmt.Fprintf(&out, verb, secret)
		fmt.Fprintf(&out, verb, *secret)
		fmt.Fprintf(&out, verb, struct{ Key any }{secret})
	}
	logger := slog.New(slog.NewJSONHandler(&out, nil))
	logger.Info("keys", "private", private, "secret", secret, "value", *secret)
	for _, key := range []any{private, *private, secret, *secret} {
		if written, err := json.Marshal(key); err == nil {
			t.Errorf("written as JSON by accident: %s", written)
		}
	}

	text := out.String()
	if strings.Contains(text, members.D) || strings.Contains(text, members.K) || strings.Contains(text, "[]byte") {
		t.Errorf("key material in %s", text)
	}
	if !strings.Contains(text, "HS256 secret key") || !strings.Contains(text, private.KeyID()) {
		t.Errorf("no description in %s", text)
	}
}

func TestJWKRoundTrip(t *testing.T) {
	for _, alg := range everyAlgorithm {
		if alg.Symmetric() {
			continue
		}
		private := generate(t, alg)
		exported, err := private.ExportJWK()
		if err != nil {
			t.Fatal(err)
		}
		again, err := jot.ParsePrivateKey(exported, jot.ParseOptions{})
		if err != nil {
			t.Fatal(alg, err)
		}
		public, err := json.Marshal(private.Public())
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := jot.ParsePublicKey(public, jot.ParseOptions{})
		if err != nil {
			t.Fatal(alg, err)
		}
		if again.KeyID() != private.KeyID() || parsed.KeyID() != private.KeyID() || parsed.Algorithm() != alg {
			t.Errorf("%s: %v, %v", alg, again, parsed)
		}
		raw := sign(t, again, jot.SignerOptions{}, claims())
		if err := newVerifier(t, jot.NewKeySet(parsed), strict()).Check(t.Context(), raw); err != nil {
			t.Error(alg, err)
		}
		if _, err := jot.ParsePublicKey(exported, jot.ParseOptions{}); err == nil {
			t.Errorf("%s: a private key was read as public", alg)
		}
		if _, err := jot.ParsePrivateKey(public, jot.ParseOptions{}); err == nil {
			t.Errorf("%s: a public key was read as private", alg)
		}
	}
	secret := generateSecret(t)
	exported, _ := secret.ExportJWK()
	again, err := jot.ParseSecretKey(exported, jot.ParseOptions{Algorithm: jot.HS256})
	if err != nil || again.KeyID() != secret.KeyID() {
		t.Error(again, err)
	}
}

func TestPEM(t *testing.T) {
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	block := func(kind string, der []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(p256)
	privatePKCS8 := block("PRIVATE KEY", pkcs8, err)
	sec1, err := x509.MarshalECPrivateKey(p256)
	privateSEC1 := block("EC PRIVATE KEY", sec1, err)
	spki, err := x509.MarshalPKIXPublicKey(p256.Public())
	publicSPKI := block("PUBLIC KEY", spki, err)
	privatePKCS1 := block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), nil)
	publicPKCS1 := block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey.PublicKey), nil)

	for name, pair := range map[string]struct {
		alg             jot.Algorithm
		private, public []byte
	}{
		"PKCS #8":                     {jot.ES256, privatePKCS8, publicSPKI},
		"SEC 1":                       {jot.ES256, privateSEC1, publicSPKI},
		"SEC 1 with curve parameters": {jot.ES256, append(block("EC PARAMETERS", []byte{6, 0}, nil), privateSEC1...), publicSPKI},
		"PKCS #1":                     {jot.RS256, privatePKCS1, publicPKCS1},
	} {
		private, err := jot.ParsePrivateKey(pair.private, jot.ParseOptions{Algorithm: pair.alg})
		if err != nil {
			t.Fatal(name, err)
		}
		public, err := jot.ParsePublicKey(pair.public, jot.ParseOptions{Algorithm: pair.alg})
		if err != nil {
			t.Fatal(name, err)
		}
		if private.KeyID() != public.KeyID() {
			t.Errorf("%s: %v, %v", name, private, public)
		}
	}
	for name, data := range map[string][]byte{
		"no algorithm stated": privatePKCS8,
	} {
		if _, err := jot.ParsePrivateKey(data, jot.ParseOptions{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, data := range map[string][]byte{
		"a broken block before a good one": append([]byte("-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----\n"), privatePKCS8...),
		"two blocks":                       append(bytes.Clone(privatePKCS8), privatePKCS8...), "a public key": publicSPKI, "a broken key": block("PRIVATE KEY", []byte{1}, nil),
		"an unclosed block": []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n"), "a key of another algorithm": privatePKCS1,
	} {
		if _, err := jot.ParsePrivateKey(data, jot.ParseOptions{Algorithm: jot.ES256}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

const p256JWK = `"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`

func TestPublicJWKRefusals(t *testing.T) {
	for name, jwk := range map[string]string{
		"no algorithm":          `{` + p256JWK + `}`,
		"unknown algorithm":     `{` + p256JWK + `,"alg":"ES257"}`,
		"another algorithm":     `{` + p256JWK + `,"alg":"RS256"}`,
		"for encryption":        `{` + p256JWK + `,"alg":"ES256","use":"enc"}`,
		"for other operations":  `{` + p256JWK + `,"alg":"ES256","key_ops":["sign"]}`,
		"private member":        `{` + p256JWK + `,"alg":"ES256","d":"AA"}`,
		"member twice":          `{` + p256JWK + `,"alg":"ES256","alg":"ES256"}`,
		"member in two cases":   `{` + p256JWK + `,"alg":"ES256","KTY":"RSA"}`,
		"y missing":             `{"kty":"EC","crv":"P-256","alg":"ES256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}`,
		"off the curve":         `{"kty":"EC","crv":"P-256","alg":"ES256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}`,
		"x too short":           `{"kty":"EC","crv":"P-256","alg":"ES256","x":"AA","y":"AA"}`,
		"unknown curve":         `{"kty":"EC","crv":"secp256k1","alg":"ES256","x":"AA","y":"AA"}`,
		"unknown type":          `{"kty":"LWE","alg":"ES256"}`,
		"a secret":              `{"kty":"oct","alg":"HS256","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}`,
		"modulus with zeros":    `{"kty":"RSA","alg":"RS256","n":"AAAA","e":"AQAB"}`,
		"exponent too large":    `{"kty":"RSA","alg":"RS256","n":"ofgW","e":"AQABAQABAQAB"}`,
		"an array":              `[]`,
		"a string for a number": `{` + p256JWK + `,"alg":256}`,
	} {
		if key, err := jot.ParsePublicKey([]byte(jwk), jot.ParseOptions{}); err == nil {
			t.Errorf("%s: accepted as %v", name, key)
		}
	}
	if _, err := jot.ParsePublicKey([]byte(`{`+p256JWK+`,"alg":"ES256"}`), jot.ParseOptions{Algorithm: jot.RS256}); err == nil {
		t.Error("a key of another algorithm than stated: accepted")
	}
}

// The private and public halves of a JWK must belong together, or one reader would sign with a key that another publishes.
func TestPrivateJWKRefusals(t *testing.T) {
	for _, alg := range []jot.Algorithm{jot.ES256, jot.EdDSA, jot.RS256} {
		exported, _ := generate(t, alg).ExportJWK()
		other, _ := generate(t, alg).ExportJWK()
		var mine, theirs map[string]any
		json.Unmarshal(exported, &mine)
		json.Unmarshal(other, &theirs)
		for _, member := range []string{"d", "p", "q", "dp", "dq", "qi"} {
			if mine[member] == nil {
				continue
			}
			mixed := map[string]any{}
			for name, value := range mine {
				mixed[name] = value
			}
			mixed[member] = theirs[member]
			data, _ := json.Marshal(mixed)
			if _, err := jot.ParsePrivateKey(data, jot.ParseOptions{}); err == nil {
				t.Errorf("%s: a foreign %q was accepted", alg, member)
			}
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
		"too many": `{"keys":[` + strings.Repeat("{},", 128) + `{}]}`,
	} {
		if _, err := jot.ParseKeySet([]byte(document), jot.ParseOptions{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if empty, _ := json.Marshal(jot.NewKeySet(nil)); string(empty) != `{"keys":[]}` {
		t.Errorf("an empty set is %s", empty)
	}
}

// A key in an HSM is a crypto.Signer whose material is out of reach.
type remoteSigner struct {
	crypto.Signer
	answer func([]byte, error) ([]byte, error)
}

func (s remoteSigner) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return s.answer(s.Signer.Sign(random, digest, o))
}

func TestRemoteSigner(t *testing.T) {
	for alg, curve := range map[jot.Algorithm]elliptic.Curve{jot.ES256: elliptic.P256(), jot.ES384: elliptic.P384(), jot.ES512: elliptic.P521()} {
		t.Run(string(alg), func(t *testing.T) { testRemoteSigner(t, alg, curve) })
	}
}

func testRemoteSigner(t *testing.T, alg jot.Algorithm, curve elliptic.Curve) {
	local, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keyThat := func(answer func([]byte, error) ([]byte, error)) *jot.PrivateKey {
		key, err := jot.NewPrivateKey(alg, remoteSigner{local, answer}, jot.KeyOptions{KeyID: "hsm-1"})
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	good := keyThat(func(signature []byte, err error) ([]byte, error) { return signature, err })
	for range 50 { // r and s differ in length
		raw := sign(t, good, jot.SignerOptions{}, claims())
		if err := newVerifier(t, jot.NewKeySet(good.Public()), strict()).Check(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := good.ExportJWK(); err == nil {
		t.Error("a remote key was exported")
	}
	outage := errors.New("hsm is down")
	for name, key := range map[string]*jot.PrivateKey{
		"an outage":    keyThat(func([]byte, error) ([]byte, error) { return nil, outage }),
		"nothing":      keyThat(func([]byte, error) ([]byte, error) { return nil, nil }),
		"noise":        keyThat(func([]byte, error) ([]byte, error) { return []byte{0x30, 2, 2, 9}, nil }),
		"a raw answer": keyThat(func([]byte, error) ([]byte, error) { return make([]byte, 64), nil }),
		"a long form": keyThat(func(s []byte, _ error) ([]byte, error) {
			return append([]byte{0x30, 0x82, 0, byte(len(s) - 2)}, s[2:]...), nil
		}),
		"a cut answer":  keyThat(func(s []byte, _ error) ([]byte, error) { return s[:len(s)-1], nil }),
		"a long answer": keyThat(func(s []byte, _ error) ([]byte, error) { return append(s, 0), nil }),
	} {
		signer, err := jot.NewSigner(key, jot.SignerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := signer.Sign(t.Context(), claims())
		if err == nil || raw != "" {
			t.Errorf("%s: %q, %v", name, raw, err)
		}
		if name == "an outage" && !errors.Is(err, outage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Halves that don't belong together sign tokens that never verify; for Ed25519 they give the private half away.
func TestPrivateKeysAreWhole(t *testing.T) {
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	_, otherEd, _ := ed25519.GenerateKey(rand.Reader)
	huge := new(big.Int).Lsh(big.NewInt(1), 200_000)
	mixed := *p256
	mixed.PublicKey = other.PublicKey

	for name, pair := range map[string]struct {
		alg jot.Algorithm
		key crypto.Signer
	}{
		"nil":                  {jot.ES256, nil},
		"a nil ECDSA key":      {jot.ES256, (*ecdsa.PrivateKey)(nil)},
		"an empty ECDSA key":   {jot.ES256, new(ecdsa.PrivateKey)},
		"a nil RSA key":        {jot.RS256, (*rsa.PrivateKey)(nil)},
		"a nil Ed25519 key":    {jot.EdDSA, ed25519.PrivateKey(nil)},
		"a cut Ed25519 key":    {jot.EdDSA, ed[:40]},
		"two ECDSA halves":     {jot.ES256, &mixed},
		"two Ed25519 halves":   {jot.EdDSA, ed25519.PrivateKey(append(bytes.Clone(ed[:32]), otherEd[32:]...))},
		"RSA with other parts": {jot.RS256, &rsa.PrivateKey{PublicKey: rsaKey.PublicKey, D: rsaKey.D, Primes: []*big.Int{big.NewInt(3), big.NewInt(5)}}},
		"RSA with huge parts":  {jot.RS256, &rsa.PrivateKey{PublicKey: rsaKey.PublicKey, D: rsaKey.D, Primes: []*big.Int{huge, huge}}},
		"RSA without primes":   {jot.RS256, &rsa.PrivateKey{PublicKey: rsaKey.PublicKey, D: rsaKey.D}},
	} {
		if _, err := jot.NewPrivateKey(pair.alg, pair.key, jot.KeyOptions{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// What the caller does with its key afterwards doesn't reach the copy.
func TestPrivateKeysAreCopied(t *testing.T) {
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	key, err := jot.NewPrivateKey(jot.EdDSA, ed, jot.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	clear(ed)
	raw := sign(t, key, jot.SignerOptions{}, claims())
	if err := newVerifier(t, jot.NewKeySet(key.Public()), strict()).Check(t.Context(), raw); err != nil {
		t.Error(err)
	}
}

func TestKeysReadTheirOwnJSON(t *testing.T) {
	private := generate(t, jot.ES256)
	written, err := json.Marshal(struct{ Keys jot.KeySet }{*jot.NewKeySet(private.Public())})
	if err != nil {
		t.Fatal(err)
	}
	var again struct{ Keys jot.KeySet }
	if err := json.Unmarshal(written, &again); err != nil || len(again.Keys.Keys()) != 1 || again.Keys.Keys()[0].KeyID() != private.KeyID() {
		t.Errorf("%s reads as %v, %v", written, again.Keys.Keys(), err)
	}
	var public jot.PublicKey
	if err := json.Unmarshal([]byte(`{"kty":"EC"}`), &public); err == nil {
		t.Error("half a key was read")
	}
	if _, err := json.Marshal(public); err == nil {
		t.Error("no key was written")
	}
}

func TestClaimsTypes(t *testing.T) {
	for text, want := range map[string]int64{"1795349700.9999999999": 1795349700, "253402300799.9": 253402300799, "1e3": 1000} {
		var date jot.NumericDate
		if err := json.Unmarshal([]byte(text), &date); err != nil || int64(date) != want {
			t.Errorf("%s: %d, %v", text, date, err)
		}
	}
	for _, text := range []string{"-1", "253402300800", `"1"`, "1e400"} {
		var date jot.NumericDate
		if err := json.Unmarshal([]byte(text), &date); err == nil {
			t.Errorf("%s: read as %d", text, date)
		}
	}
	for _, text := range []string{`null`, `[null]`, `[1]`, `{}`, `1`} {
		var audience jot.Audience
		if err := audience.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("aud %s: read as %q", text, audience)
		}
	}
	var audience jot.Audience
	if err := json.Unmarshal([]byte(`["a","\u0062"]`), &audience); err != nil || !audience.Contains("b") || len(audience) != 2 {
		t.Errorf("%q, %v", audience, err)
	}
}
