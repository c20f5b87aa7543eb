package jwk_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/jot-auth/jot/internal/jwk"
)

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// certificate returns one for the public half of the key, that the key itself signed.
func certificate(t testing.TB, key crypto.PrivateKey) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.(private).Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestPEMRoundTrip(t *testing.T) {
	for name, key := range privateKeys {
		t.Run(name, func(t *testing.T) {
			written, err := jwk.MarshalPrivatePEM(key)
			if err != nil || !jwk.IsPEM(written) || !bytes.HasPrefix(written, []byte("-----BEGIN PRIVATE KEY-----")) {
				t.Fatalf("%s, %v", written, err)
			}
			again, isPrivate, err := jwk.ParsePEM(written)
			if err != nil || !isPrivate || !again.(same).Equal(key) {
				t.Errorf("%T, %v", again, err)
			}
			public := key.(private).Public()
			if written, err = jwk.MarshalPublicPEM(public); err != nil || !bytes.HasPrefix(written, []byte("-----BEGIN PUBLIC KEY-----")) {
				t.Fatalf("%s, %v", written, err)
			}
			half, isPrivate, err := jwk.ParsePEM(written)
			if err != nil || isPrivate || !half.(samePub).Equal(public) {
				t.Errorf("%T, %v", half, err)
			}
			if _, err := jwk.MarshalPublicPEM(key); err == nil {
				t.Error("a private key was written as a public one")
			}
			if _, err := jwk.MarshalPrivatePEM(public); err == nil {
				t.Error("a public key was written as a private one")
			}
		})
	}
}

func TestPEMForms(t *testing.T) {
	p256 := privateKeys["P-256"].(*ecdsa.PrivateKey)
	rsaKey := privateKeys["RSA"].(*rsa.PrivateKey)
	sec1, _ := x509.MarshalECPrivateKey(p256)
	for name, c := range map[string]struct {
		text    []byte
		private bool
		public  crypto.PublicKey
	}{
		"SEC 1":                       {block("EC PRIVATE KEY", sec1), true, p256.Public()},
		"SEC 1 with curve parameters": {append(block("EC PARAMETERS", []byte{6, 0}), block("EC PRIVATE KEY", sec1)...), true, p256.Public()},
		"PKCS #1, private":            {block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), true, rsaKey.Public()},
		"PKCS #1, public":             {block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey.PublicKey)), false, rsaKey.Public()},
		"a certificate":               {block("CERTIFICATE", certificate(t, p256)), false, p256.Public()},
		"SEC 1 behind text":           {append([]byte("Bag Attributes\n    friendlyName: api\n"), block("EC PRIVATE KEY", sec1)...), true, p256.Public()},
	} {
		if !jwk.IsPEM(c.text) {
			t.Errorf("%s: not taken for PEM", name)
		}
		key, isPrivate, err := jwk.ParsePEM(c.text)
		if err != nil || isPrivate != c.private {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if isPrivate {
			key = key.(private).Public()
		}
		if !key.(samePub).Equal(c.public) {
			t.Errorf("%s: another key", name)
		}
	}
}

func TestPEMRefusals(t *testing.T) {
	good, _ := jwk.MarshalPublicPEM(privateKeys["P-256"].(private).Public())
	secret, _ := jwk.MarshalPrivatePEM(privateKeys["Ed25519"])
	rsaKey := privateKeys["RSA"].(*rsa.PrivateKey)
	secretDER, _ := x509.MarshalPKCS8PrivateKey(privateKeys["Ed25519"])
	weak, _ := rsa.GenerateKey(rand.Reader, 1024)
	for name, text := range map[string][]byte{
		"nothing":                          nil,
		"a broken block before a good one": append([]byte("-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----\n"), good...),
		"two blocks":                       append(bytes.Clone(good), secret...),
		"text after the block":             append(bytes.Clone(good), "more"...),
		"an unclosed block":                []byte("-----BEGIN PUBLIC KEY-----\nAAAA\n"),
		"a broken private key":             block("PRIVATE KEY", []byte{1}),
		"a broken public key":              block("PUBLIC KEY", []byte{1}),
		"a broken certificate":             block("CERTIFICATE", []byte{1}),
		"parameters alone":                 block("EC PARAMETERS", []byte{6, 0}),
		"an encrypted key":                 block("ENCRYPTED PRIVATE KEY", []byte{1}),
		"a certificate request":            block("CERTIFICATE REQUEST", []byte{1}),
		"a weak private key":               block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(weak)),
		"a weak public key":                block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&weak.PublicKey)),
		"an RSA key in bytes of another":   block("RSA PRIVATE KEY", secretDER),
		"an RSA key with bytes behind it":  block("RSA PRIVATE KEY", append(x509.MarshalPKCS1PrivateKey(rsaKey), 0)),
		"too large":                        append(bytes.Repeat([]byte("\n"), 32<<10), good...),
	} {
		if key, isPrivate, err := jwk.ParsePEM(text); err == nil || key != nil || isPrivate {
			t.Errorf("%s: %T, %t, %v", name, key, isPrivate, err)
		}
	}
}

func TestCertificateOfJWK(t *testing.T) {
	p256 := privateKeys["P-256"]
	mine, foreign := certificate(t, p256), certificate(t, privateKeys["P-384"])
	public, err := jwk.MarshalPublic(p256.(private).Public(), jwk.Description{})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := jwk.MarshalPrivate(p256, jwk.Description{})
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.StdEncoding.EncodeToString
	for name, c := range map[string]struct {
		x5c  string
		good bool
	}{
		"its own":              {`["` + encode(mine) + `"]`, true},
		"its own, and a chain": {`["` + encode(mine) + `","` + encode(foreign) + `"]`, true},
		"another's":            {`["` + encode(foreign) + `"]`, false},
		"another's first":      {`["` + encode(foreign) + `","` + encode(mine) + `"]`, false},
		"none":                 {`[]`, false},
		"base64url":            {`["` + base64.RawURLEncoding.EncodeToString(mine) + `"]`, false},
		"with a line break":    {`["` + encode(mine)[:64] + `\n` + encode(mine)[64:] + `"]`, false},
		"no certificate":       {`["AAAA"]`, false},
	} {
		for _, text := range []string{string(public), string(whole)} {
			key := parse(t, strings.TrimSuffix(text, "}")+`,"x5c":`+c.x5c+`}`)
			if _, err := key.Public(); (err == nil) != c.good {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := key.Private(); key.HoldsSecret() && (err == nil) != c.good {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// What people give by mistake, and what they are told.
func TestMistakesAreNamed(t *testing.T) {
	const block = "-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n"
	for text, want := range map[string]string{
		block + block:         "here are 2",
		block + "and a note":  "something follows",
		block[:len(block)-12]: "damaged",
		strings.ReplaceAll(block, "PUBLIC", "OPENSSH PRIVATE"): "ssh-keygen",
		strings.ReplaceAll(block, "PUBLIC", "SECRET"):          "holds no key",
	} {
		if _, _, err := jwk.ParsePEM([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := jwk.Parse([]byte(`{"keys":[]}`)); err == nil || !strings.Contains(err.Error(), "JWK Set") {
		t.Errorf("a set: %v", err)
	}
}
