package jot_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
)

const p256JWK = `"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`

func TestJWKRoundTrip(t *testing.T) {
	for _, alg := range everyAlgorithm {
		if alg.Symmetric() {
			continue
		}
		private := newPrivate(t, alg)
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
	_, err = jot.ParseSecretKey([]byte("a secret by itself, as other tools keep it"), jot.ParseOptions{Algorithm: jot.HS256})
	if err == nil || !strings.Contains(err.Error(), "NewSecretKey") {
		t.Error(err)
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

// The private and public halves of a JWK must belong together, or one reader would sign with a key that another
// publishes.
func TestPrivateJWKRefusals(t *testing.T) {
	for _, alg := range []jot.Algorithm{jot.ES256, jot.EdDSA, jot.RS256} {
		signers := signersFor(t, alg)
		exported, other := exportedJWK(t, alg, signers[0]), exportedJWK(t, alg, signers[1])
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

// A private key that is for something else doesn't sign.
func TestPrivateJWKSigns(t *testing.T) {
	exported, err := generate(t, jot.EdDSA).ExportJWK()
	if err != nil {
		t.Fatal(err)
	}
	for members, good := range map[string]bool{
		`"use":"sig"`: true, `"use":"sig","key_ops":["sign"]`: true, `"key_ops":["sign"]`: true,
		`"use":"enc"`: false, `"key_ops":["verify"]`: false, `"key_ops":[]`: false, `"use":"enc","key_ops":["sign"]`: false,
	} {
		text := strings.Replace(string(exported), `"use":"sig"`, members, 1)
		if _, err := jot.ParsePrivateKey([]byte(text), jot.ParseOptions{}); (err == nil) != good {
			t.Errorf("%s: %v", members, err)
		}
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
	var set jot.KeySet
	if err := json.Unmarshal([]byte(`{"keys":{}}`), &set); err == nil {
		t.Error("half a set was read")
	}
	if _, err := json.Marshal(public); err == nil {
		t.Error("no key was written")
	}
}

// What a key says of itself and what the caller states must agree.
func TestParseOptions(t *testing.T) {
	const bare, withID = `{` + p256JWK + `,"alg":"ES256"}`, `{` + p256JWK + `,"alg":"ES256","kid":"a"}`
	for name, c := range map[string]struct {
		text string
		o    jot.ParseOptions
		want string // the key ID; empty where the key is refused
	}{
		"no ID":              {bare, jot.ParseOptions{}, "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"},
		"a stated ID":        {bare, jot.ParseOptions{KeyID: "b"}, "b"},
		"an ID of its own":   {withID, jot.ParseOptions{}, "a"},
		"the same twice":     {withID, jot.ParseOptions{KeyID: "a", Algorithm: jot.ES256}, "a"},
		"another ID":         {withID, jot.ParseOptions{KeyID: "b"}, ""},
		"another algorithm":  {withID, jot.ParseOptions{Algorithm: jot.RS256}, ""},
		"an unknown one":     {withID, jot.ParseOptions{Algorithm: "none"}, ""},
		"an ID of 257 bytes": {bare, jot.ParseOptions{KeyID: strings.Repeat("a", 257)}, ""},
		"an ID of no text":   {bare, jot.ParseOptions{KeyID: "\xff"}, ""},
	} {
		key, err := jot.ParsePublicKey([]byte(c.text), c.o)
		if (err == nil) != (c.want != "") || err == nil && key.KeyID() != c.want {
			t.Errorf("%s: %v, %v", name, key, err)
		}
	}
	if _, err := jot.ParseKeySet([]byte(`{"keys":[]}`), jot.ParseOptions{KeyID: "a"}); err == nil {
		t.Error("one ID for all keys of a set was accepted")
	}
	text, err := generate(t, jot.EdDSA).ExportPEM()
	if err != nil {
		t.Fatal(err)
	}
	if key, err := jot.ParsePrivateKey(text, jot.ParseOptions{Algorithm: jot.EdDSA, KeyID: "b"}); err != nil || key.KeyID() != "b" || key.Public().KeyID() != "b" {
		t.Error(key, err)
	}
}

func exportedJWK(t *testing.T, alg jot.Algorithm, signer crypto.Signer) []byte {
	t.Helper()
	key, err := jot.NewPrivateKey(alg, signer, jot.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.ExportJWK()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
