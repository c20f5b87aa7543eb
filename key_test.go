package jot_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
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
		secret := []byte(rand.Text() + rand.Text() + rand.Text())[:size]
		if _, err := jot.NewSecretKey(alg, secret, jot.KeyOptions{}); err != nil {
			t.Error(err)
		}
		if _, err := jot.NewSecretKey(alg, secret[1:], jot.KeyOptions{}); err == nil {
			t.Errorf("%s: a secret of %d bytes: accepted", alg, size-1)
		}
	}
	for _, alg := range []jot.Algorithm{"", "none", jot.ES256, jot.RS256, jot.EdDSA} {
		if _, err := jot.NewSecretKey(alg, []byte(rand.Text()+rand.Text()+rand.Text()), jot.KeyOptions{}); err == nil {
			t.Errorf("a secret for %q: accepted", alg)
		}
		if _, err := jot.GenerateSecretKey(alg); err == nil {
			t.Errorf("a new secret for %q", alg)
		}
	}
	published, err := x509.MarshalPKIXPublicKey(p256.Public())
	if err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: published})
	for name, secret := range map[string][]byte{
		"nothing": nil, "zeros": make([]byte, 32), "one byte": bytes.Repeat([]byte("s"), 40), "PEM": block, "PEM behind spaces": append([]byte(" \n"), block...),
		"PEM behind text": append([]byte("Certificate:\n"), block...), "more than 4 KiB": []byte(strings.Repeat("secret", 4<<10/6+1)),
	} {
		if _, err := jot.NewSecretKey(jot.HS256, secret, jot.KeyOptions{}); err == nil {
			t.Errorf("%s as a secret: accepted", name)
		}
	}
	if _, err := jot.NewPublicKey(jot.ES256, p256.Public(), jot.KeyOptions{KeyID: "\xff"}); err == nil {
		t.Error("a key ID of invalid UTF-8: accepted")
	}
	if _, err := jot.NewSecretKey(jot.HS256, []byte(rand.Text()+rand.Text()), jot.KeyOptions{KeyID: "\xff"}); err == nil {
		t.Error("a secret's key ID of invalid UTF-8: accepted")
	}
	if _, err := jot.GenerateKey(jot.HS256); err == nil {
		t.Error("a private key for HS256")
	}
}

// A PSS signature has a salt of exactly the hash's size (RFC 7518 §3.5), on either side: verifiers that go by the RFC
// know no other.
func TestPSSSaltIsAsLongAsTheHash(t *testing.T) {
	material, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for alg, hash := range map[jot.Algorithm]crypto.Hash{jot.PS256: crypto.SHA256, jot.PS384: crypto.SHA384, jot.PS512: crypto.SHA512} {
		key, err := jot.NewPrivateKey(alg, material, jot.KeyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		input := []byte("header.payload")
		digest := hash.New()
		digest.Write(input)
		signature, err := key.SignInput(t.Context(), input)
		if err != nil {
			t.Fatal(err)
		}
		if err := rsa.VerifyPSS(&material.PublicKey, hash, digest.Sum(nil), signature, &rsa.PSSOptions{SaltLength: hash.Size()}); err != nil {
			t.Errorf("%s signs with another salt: %v", alg, err)
		}
		for _, size := range []int{hash.Size() - 1, hash.Size(), hash.Size() + 1} {
			signature, err := rsa.SignPSS(rand.Reader, material, hash, digest.Sum(nil), &rsa.PSSOptions{SaltLength: size})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := key.Public().VerifyInput(input, signature), size == hash.Size(); got != want {
				t.Errorf("%s with a salt of %d bytes: %t", alg, size, got)
			}
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
	bytes := []byte(rand.Text() + rand.Text())
	secret, err := jot.NewSecretKey(jot.HS256, bytes, jot.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	raw = sign(t, secret, jot.SignerOptions{}, claims())
	clear(bytes)
	if err := newVerifier(t, jot.NewSecretKeySet(secret), strict()).Check(t.Context(), raw); err != nil {
		t.Errorf("a secret: %v", err)
	}
}

// A hash of a secret tells whoever sees it whether a guess is right (RFC 7638 §7), so nobody sees one.
func TestSecretKeysHaveNoThumbprint(t *testing.T) {
	unnamed, err := jot.NewSecretKey(jot.HS256, []byte("the secret of these tests, fixed"), jot.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if unnamed.KeyID() != "" || fmt.Sprint(unnamed) != "HS256 secret key without an ID" {
		t.Errorf("%v has ID %q", unnamed, unnamed.KeyID())
	}
	token := sign(t, unnamed, jot.SignerOptions{}, claims())
	if header := jot.Inspect(token).Header.Decoded; strings.Contains(string(header), "kid") {
		t.Errorf("header %s", header)
	}
	text, err := unnamed.ExportJWK()
	if err != nil || strings.Contains(string(text), "kid") {
		t.Errorf("%s, %v", text, err)
	}
	if again, err := jot.ParseSecretKey(text, jot.ParseOptions{}); err != nil || again.KeyID() != "" {
		t.Error(again, err)
	}
	first, second := generateSecret(t), generateSecret(t)
	if first.KeyID() == "" || first.KeyID() == second.KeyID() {
		t.Errorf("%v, %v", first, second)
	}
}

// A key for agreement or encryption signs nothing, in whichever form it comes.
func TestX25519DoesNotSign(t *testing.T) {
	material, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(material)
	if err != nil {
		t.Fatal(err)
	}
	const public = `"kty":"OKP","crv":"X25519","x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"`
	for _, alg := range everyAlgorithm {
		o := jot.ParseOptions{Algorithm: alg}
		if key, err := jot.NewPublicKey(alg, material.Public(), jot.KeyOptions{}); err == nil {
			t.Errorf("%s: %v", alg, key)
		}
		if key, err := jot.ParsePublicKey([]byte(`{`+public+`}`), o); err == nil {
			t.Errorf("%s: %v", alg, key)
		}
		if key, err := jot.ParsePrivateKey([]byte(`{`+public+`,"d":"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo"}`), o); err == nil {
			t.Errorf("%s: %v", alg, key)
		}
		if key, err := jot.ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), o); err == nil {
			t.Errorf("%s: %v", alg, key)
		}
	}
}

// An Ed25519 key of small order verifies what nobody signed: here the neutral point, under which R = that point and S =
// 0 is a signature over everything. The full table of them is checked where keys are.
func TestSmallOrderKeysAreRefused(t *testing.T) {
	neutral := make(ed25519.PublicKey, ed25519.PublicKeySize)
	neutral[0] = 1
	forged := make([]byte, ed25519.SignatureSize)
	forged[0] = 1
	if !ed25519.Verify(neutral, []byte("anything"), forged) {
		t.Fatal("crypto/ed25519 refuses the neutral point itself")
	}
	for _, alg := range []jot.Algorithm{jot.EdDSA, jot.Ed25519} {
		if key, err := jot.NewPublicKey(alg, neutral, jot.KeyOptions{}); err == nil {
			t.Errorf("%v was made", key)
		}
	}
}

func TestThumbprints(t *testing.T) {
	key, err := jot.ParsePublicKey([]byte(`{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB"}`), jot.ParseOptions{Algorithm: jot.PS256, KeyID: "2011-04-29"})
	if err != nil {
		t.Fatal(err)
	}
	for hash, want := range map[crypto.Hash]string{ // RFC 7638 §3.1
		crypto.SHA256: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
		crypto.SHA384: "R9_OfJjSjaw8Fuum86UzK5ixTdN9bo9BaqPSiseq89DWfmqCdpSgUHus-cxDUNc8",
		crypto.SHA1:   "",
	} {
		digest, err := key.Thumbprint(hash)
		if got := base64.RawURLEncoding.EncodeToString(digest); got != want || (err == nil) != (want != "") {
			t.Errorf("%v: %s, %v", hash, got, err)
		}
	}
	uri, err := key.ThumbprintURI() // RFC 9278 §5
	if want := "urn:ietf:params:oauth:jwk-thumbprint:sha-256:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"; uri != want || err != nil {
		t.Errorf("%s, %v", uri, err)
	}
}

// The zero value of a key is none, and every way to use it says so.
func TestZeroKeysAreNone(t *testing.T) {
	errs := map[string]error{}
	_, errs["PrivateKey.ExportJWK"] = new(jot.PrivateKey).ExportJWK()
	_, errs["PrivateKey.ExportPEM"] = new(jot.PrivateKey).ExportPEM()
	_, errs["PublicKey.ExportPEM"] = new(jot.PublicKey).ExportPEM()
	_, errs["PublicKey.Thumbprint"] = new(jot.PublicKey).Thumbprint(crypto.SHA256)
	_, errs["PublicKey.ThumbprintURI"] = new(jot.PublicKey).ThumbprintURI()
	_, errs["PublicKey.MarshalJSON"] = json.Marshal(jot.PublicKey{})
	_, errs["SecretKey.ExportJWK"] = new(jot.SecretKey).ExportJWK()
	_, errs["NewSigner"] = jot.NewSigner(new(jot.PrivateKey), jot.SignerOptions{})
	for name, err := range errs {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if text := fmt.Sprint(new(jot.PrivateKey), jot.PublicKey{}, jot.SecretKey{}); text != "no private key no public key no secret key" {
		t.Error(text)
	}
}
