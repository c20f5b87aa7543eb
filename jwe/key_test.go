package jwe_test

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/jot-auth/jot/jwe"
)

const bobJWK = `"kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"`

const bobPrivate = `"d":"XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os"`

func TestNewPublicKeyRefuses(t *testing.T) {
	weak := &rsa.PublicKey{N: privateRSA().N, E: 2}
	offCurve := &ecdsa.PublicKey{Curve: elliptic.P256()}
	signing, _, _ := ed25519.GenerateKey(rand.Reader)
	p224, _ := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	x25519, _ := ecdh.X25519().GenerateKey(rand.Reader)
	for name, test := range map[string]struct {
		alg jwe.Algorithm
		key crypto.PublicKey
		id  string
	}{
		"RSA key for ECDH-ES":     {jwe.ECDH_ES, privateRSA().Public(), ""},
		"X25519 key for RSA-OAEP": {jwe.RSA_OAEP_256, x25519.PublicKey(), ""},
		"a private key":           {jwe.RSA_OAEP_256, privateRSA(), ""},
		"RSA with exponent 2":     {jwe.RSA_OAEP, weak, ""},
		"no point":                {jwe.ECDH_ES_A128KW, offCurve, ""},
		"P-224":                   {jwe.ECDH_ES_A128KW, p224.Public(), ""},
		"a key that signs":        {jwe.ECDH_ES, signing, ""},
		"nil":                     {jwe.ECDH_ES, nil, ""},
		"typed nil RSA":           {jwe.RSA_OAEP, (*rsa.PublicKey)(nil), ""},
		"typed nil ECDH":          {jwe.ECDH_ES, (*ecdh.PublicKey)(nil), ""},
		"typed nil ECDSA":         {jwe.ECDH_ES, (*ecdsa.PublicKey)(nil), ""},
		"zero ECDH":               {jwe.ECDH_ES, new(ecdh.PublicKey), ""},
		"RSA1_5":                  {"RSA1_5", privateRSA().Public(), ""},
		"a symmetric algorithm":   {jwe.A128KW, []byte("sixteen bytes ok"), ""},
		"a long key ID":           {jwe.ECDH_ES, x25519.PublicKey(), strings.Repeat("x", 257)},
		"an invalid key ID":       {jwe.ECDH_ES, x25519.PublicKey(), "\xff"},
	} {
		if key, err := jwe.NewPublicKey(test.alg, test.key, jwe.KeyOptions{KeyID: test.id}); err == nil || key != nil || !strings.HasPrefix(err.Error(), "jwe: ") {
			t.Errorf("%s: %v, %v", name, key, err)
		}
	}
}

func TestNewPrivateKeyRefuses(t *testing.T) {
	mismatched, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	mismatched.PublicKey = other.PublicKey
	x25519, _ := ecdh.X25519().GenerateKey(rand.Reader)
	_, signing, _ := ed25519.GenerateKey(rand.Reader)
	for name, test := range map[string]struct {
		alg jwe.Algorithm
		key crypto.PrivateKey
	}{
		"RSA key for ECDH-ES":   {jwe.ECDH_ES, privateRSA()},
		"X25519 for RSA-OAEP":   {jwe.RSA_OAEP, x25519},
		"halves of two keys":    {jwe.ECDH_ES, mismatched},
		"a key that signs":      {jwe.ECDH_ES, signing},
		"nil":                   {jwe.ECDH_ES, nil},
		"typed nil RSA":         {jwe.RSA_OAEP, (*rsa.PrivateKey)(nil)},
		"typed nil ECDH":        {jwe.ECDH_ES, (*ecdh.PrivateKey)(nil)},
		"typed nil ECDSA":       {jwe.ECDH_ES, (*ecdsa.PrivateKey)(nil)},
		"zero RSA":              {jwe.RSA_OAEP, new(rsa.PrivateKey)},
		"zero ECDH":             {jwe.ECDH_ES, new(ecdh.PrivateKey)},
		"zero ECDSA":            {jwe.ECDH_ES, new(ecdsa.PrivateKey)},
		"a symmetric algorithm": {jwe.Dir, x25519},
		"remote without public": {jwe.RSA_OAEP_256, remoteDecrypter{}},
	} {
		if key, err := jwe.NewPrivateKey(test.alg, test.key, jwe.KeyOptions{}); err == nil || key != nil || !strings.HasPrefix(err.Error(), "jwe: ") {
			t.Errorf("%s: %v, %v", name, key, err)
		}
	}
	large := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 8192, 1), E: 65537}}
	if key, err := jwe.NewPrivateKey(jwe.RSA_OAEP, large, jwe.KeyOptions{}); key != nil || err == nil || !strings.Contains(err.Error(), "at most 8192 bits") {
		t.Errorf("8193 bits: %v, %v", key, err)
	}
	for _, alg := range []jwe.Algorithm{jwe.A128KW, jwe.Dir, jwe.PBES2_HS256_A128KW, "", "none"} {
		if key, err := jwe.GenerateKey(alg); err == nil || key != nil {
			t.Errorf("GenerateKey(%q): %v, %v", alg, key, err)
		}
	}
}

func TestNewSecretKeyRefuses(t *testing.T) {
	for alg, size := range map[jwe.Algorithm]int{jwe.A128KW: 16, jwe.A192KW: 24, jwe.A256KW: 32, jwe.A128GCMKW: 16, jwe.A192GCMKW: 24, jwe.A256GCMKW: 32} {
		for _, wrong := range []int{0, size - 1, size + 1, 64} {
			if key, err := jwe.NewSecretKey(alg, make([]byte, wrong), jwe.KeyOptions{}); err == nil || key != nil {
				t.Errorf("%s with %d bytes: %v, %v", alg, wrong, key, err)
			}
		}
	}
	for _, enc := range append(everyEncryption, "", "A512GCM") {
		if key, err := jwe.NewDirectKey(enc, make([]byte, 33), jwe.KeyOptions{}); err == nil || key != nil {
			t.Errorf("%s with 33 bytes: %v, %v", enc, key, err)
		}
	}
	for _, alg := range []jwe.Algorithm{jwe.Dir, jwe.ECDH_ES, jwe.PBES2_HS256_A128KW, ""} {
		if key, err := jwe.GenerateSecretKey(alg); err == nil || key != nil {
			t.Errorf("GenerateSecretKey(%q): %v, %v", alg, key, err)
		}
	}
	if key, err := jwe.GenerateDirectKey(""); err == nil || key != nil {
		t.Errorf("GenerateDirectKey: %v, %v", key, err)
	}
}

// A key that is written and read again decrypts what it did before.
func TestKeysAreWrittenAndRead(t *testing.T) {
	const enc = jwe.A128CBC_HS256
	for _, pair := range pairsFor(enc) {
		message := encrypt(t, newEncrypter(t, enc, jwe.EncrypterOptions{}, pair.encrypt), "content")
		t.Run(pair.name, func(t *testing.T) {
			switch key := pair.decrypt.(type) {
			case *jwe.SecretKey:
				checkSecretKey(t, key, message)
			case *jwe.PrivateKey:
				checkPrivateKey(t, key, message)
				checkPublicKey(t, key)
			}
		})
	}
}

// publicRSA is a public JWK with one more member.
func publicRSA(name string, value any) string {
	key, err := jwe.NewPublicKey(jwe.RSA_OAEP, privateRSA().Public(), jwe.KeyOptions{})
	if err != nil {
		panic(err)
	}
	text, err := json.Marshal(key)
	if err != nil {
		panic(err)
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		panic(err)
	}
	delete(members, "alg")
	members[name] = value
	if text, err = json.Marshal(members); err != nil {
		panic(err)
	}
	return string(text)
}

func checkSecretKey(t *testing.T, key *jwe.SecretKey, message string) {
	t.Helper()
	exported, err := key.ExportJWK()
	if err != nil {
		t.Fatal(err)
	}
	again, err := jwe.ParseSecretKey(exported, jwe.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if again.KeyID() != key.KeyID() || again.Algorithm() != key.Algorithm() || again.Encryption() != key.Encryption() {
		t.Errorf("%v became %v", key, again)
	}
	decrypt(t, jwe.DecrypterOptions{}, message, again)
}

func checkPrivateKey(t *testing.T, key *jwe.PrivateKey, message string) {
	t.Helper()
	exported, err := key.ExportJWK()
	if err != nil {
		t.Fatal(err)
	}
	block, err := key.ExportPEM()
	if err != nil {
		t.Fatal(err)
	}
	fromJWK, err := jwe.ParsePrivateKey(exported, jwe.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	fromPEM, err := jwe.ParsePrivateKey(block, jwe.ParseOptions{Algorithm: key.Algorithm(), KeyID: key.KeyID()})
	if err != nil {
		t.Fatal(err)
	}
	for _, again := range []*jwe.PrivateKey{fromJWK, fromPEM} {
		if again.KeyID() != key.KeyID() || again.Algorithm() != key.Algorithm() {
			t.Errorf("%v became %v", key, again)
		}
		decrypt(t, jwe.DecrypterOptions{}, message, again)
	}
	for _, private := range [][]byte{exported, block} {
		if public, err := jwe.ParsePublicKey(private, jwe.ParseOptions{Algorithm: key.Algorithm()}); err == nil || public != nil {
			t.Errorf("a private key was read as a public one")
		}
	}
}

func checkPublicKey(t *testing.T, key *jwe.PrivateKey) {
	t.Helper()
	written, err := json.Marshal(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	block, err := key.Public().ExportPEM()
	if err != nil {
		t.Fatal(err)
	}
	var fromJWK jwe.PublicKey
	if err := json.Unmarshal(written, &fromJWK); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(written), `"use":"enc"`) {
		t.Errorf("written as %s", written)
	}
	fromPEM, err := jwe.ParsePublicKey(block, jwe.ParseOptions{Algorithm: key.Algorithm(), KeyID: "other"})
	if err != nil || fromPEM.KeyID() != "other" {
		t.Fatalf("%v, %v", fromPEM, err)
	}
	renamed, err := jwe.ParsePrivateKey(mustPEM(t, key), jwe.ParseOptions{Algorithm: key.Algorithm(), KeyID: "other"})
	if err != nil {
		t.Fatal(err)
	}
	decrypt(t, jwe.DecrypterOptions{}, encrypt(t, newEncrypter(t, jwe.A128GCM, jwe.EncrypterOptions{}, &fromJWK), "content"), key)
	decrypt(t, jwe.DecrypterOptions{}, encrypt(t, newEncrypter(t, jwe.A128GCM, jwe.EncrypterOptions{}, fromPEM), "content"), renamed)
	if private, err := jwe.ParsePrivateKey(written, jwe.ParseOptions{}); err == nil || private != nil {
		t.Error("a public key was read as a private one")
	}
}

func mustPEM(t testing.TB, key *jwe.PrivateKey) []byte {
	t.Helper()
	block, err := key.ExportPEM()
	if err != nil {
		t.Fatal(err)
	}
	return block
}

// parse reads a key as one of a kind.
type parse func(text string, o jwe.ParseOptions) error

func asPrivate(text string, o jwe.ParseOptions) error {
	_, err := jwe.ParsePrivateKey([]byte(text), o)
	return err
}

func asPublic(text string, o jwe.ParseOptions) error {
	_, err := jwe.ParsePublicKey([]byte(text), o)
	return err
}

func asSecret(text string, o jwe.ParseOptions) error {
	_, err := jwe.ParseSecretKey([]byte(text), o)
	return err
}

// What is stated beside a key: how it's used, or nothing.
var agree, wrap, none = jwe.ParseOptions{Algorithm: jwe.ECDH_ES}, jwe.ParseOptions{Algorithm: jwe.A128KW}, jwe.ParseOptions{}

const secretMembers = `"kty":"oct","k":"GawgguFyGrWKav7AX4VKUg"`

func TestParseAccepts(t *testing.T) {
	for _, test := range []struct {
		name  string
		parse parse
		text  string
		o     jwe.ParseOptions
	}{
		{"public", asPublic, `{` + bobJWK + `}`, agree},
		{"public that lists no operation", asPublic, `{` + bobJWK + `,"key_ops":[]}`, agree},
		{"RSA", asPublic, publicRSA("ext", true), jwe.ParseOptions{Algorithm: jwe.RSA_OAEP}},
		{"private", asPrivate, `{` + bobJWK + `,` + bobPrivate + `}`, agree},
		{"secret", asSecret, `{` + secretMembers + `}`, wrap},
		{"use", asPublic, `{` + bobJWK + `,"use":"enc"}`, agree},
		{"operation of a private key", asPrivate, `{` + bobJWK + `,` + bobPrivate + `,"key_ops":["deriveBits"]}`, agree},
		{"operations of a secret key", asSecret, `{` + secretMembers + `,"key_ops":["wrapKey","unwrapKey"]}`, wrap},
		{"operations of a direct key", asSecret, `{` + secretMembers + `,"key_ops":["decrypt","encrypt"],"alg":"A128GCM"}`, none},
		{"direct key, named and stated", asSecret, `{` + secretMembers + `,"alg":"A128GCM"}`, jwe.ParseOptions{Algorithm: jwe.Dir, Encryption: jwe.A128GCM}},
		{"direct key, half named", asSecret, `{` + secretMembers + `,"alg":"dir"}`, jwe.ParseOptions{Encryption: jwe.A128GCM}},
	} {
		if err := test.parse(test.text, test.o); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// The errors quote no secret.
func TestParseRefuses(t *testing.T) {
	block := string(mustPEM(t, privateKey(t, jwe.ECDH_ES)))
	for _, test := range []struct {
		name  string
		parse parse
		text  string
		o     jwe.ParseOptions
	}{
		{"public that lists no operation, for signatures", asPublic, `{` + bobJWK + `,"key_ops":[],"use":"sig"}`, agree},
		{"RSA that lists no operation", asPublic, publicRSA("key_ops", []string{}), jwe.ParseOptions{Algorithm: jwe.RSA_OAEP}},
		{"zero", asPublic, `{"kty":"OKP","crv":"X25519","x":"` + strings.Repeat("A", 43) + `"}`, agree},
		{"small order", asPublic, `{"kty":"OKP","crv":"X25519","x":"4Ot6fDtBuK4WVuP68Z_EatoJjeucMrH9hmIFFl9JuAA"}`, agree},
		{"no algorithm", asPublic, `{` + bobJWK + `}`, none},
		{"no algorithm in PEM", asPrivate, block, none},
		{"another algorithm", asPublic, `{` + bobJWK + `,"alg":"ECDH-ES+A128KW"}`, agree},
		{"an algorithm that signs", asPublic, `{` + bobJWK + `,"alg":"ES256"}`, none},
		{"RSA1_5", asPublic, `{` + bobJWK + `,"alg":"RSA1_5"}`, none},
		{"use for signatures", asPublic, `{` + bobJWK + `,"use":"sig"}`, agree},
		{"private use for signatures", asPrivate, `{` + bobJWK + `,` + bobPrivate + `,"use":"sig"}`, agree},
		{"secret use for signatures", asSecret, `{` + secretMembers + `,"use":"sig"}`, wrap},
		{"operation of another kind", asPrivate, `{` + bobJWK + `,` + bobPrivate + `,"key_ops":["decrypt","unwrapKey"]}`, agree},
		{"no operation", asPrivate, `{` + bobJWK + `,` + bobPrivate + `,"key_ops":[]}`, agree},
		{"half the operations", asSecret, `{` + secretMembers + `,"key_ops":["wrapKey"]}`, wrap},
		{"operations of a direct key", asSecret, `{` + secretMembers + `,"key_ops":["encrypt","decrypt"]}`, wrap},
		{"operations of a wrapping key", asSecret, `{` + secretMembers + `,"key_ops":["wrapKey","unwrapKey"],"alg":"A128GCM"}`, none},
		{"private as public", asPublic, `{` + bobJWK + `,` + bobPrivate + `}`, agree},
		{"public as private", asPrivate, `{` + bobJWK + `}`, agree},
		{"secret as public", asPublic, `{` + secretMembers + `}`, agree},
		{"secret as private", asPrivate, `{` + secretMembers + `}`, agree},
		{"public as secret", asSecret, `{` + bobJWK + `}`, wrap},
		{"secret of another size", asSecret, `{` + secretMembers + `}`, jwe.ParseOptions{Algorithm: jwe.A256KW}},
		{"direct key without encryption", asSecret, `{` + secretMembers + `,"alg":"dir"}`, none},
		{"direct key of another encryption", asSecret, `{` + secretMembers + `,"alg":"A128GCM"}`, jwe.ParseOptions{Encryption: jwe.A256GCM}},
		{"encryption for a wrapping key", asSecret, `{` + secretMembers + `,"alg":"A128KW"}`, jwe.ParseOptions{Encryption: jwe.A128GCM}},
		{"encryption as a public key's", asPublic, `{` + bobJWK + `,"alg":"A128GCM"}`, none},
		{"another key ID", asPublic, `{` + bobJWK + `,"kid":"a"}`, jwe.ParseOptions{Algorithm: jwe.ECDH_ES, KeyID: "b"}},
		{"halves of two keys", asPrivate, `{` + bobJWK + `,"d":"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo"}`, agree},
		{"a member twice", asPublic, `{` + bobJWK + `,"x":"AA"}`, agree},
		{"not JSON", asPublic, `x`, agree},
		{"half a public key", asPublic, `{"kty":"EC","crv":"P-256","x":"AA"}`, agree},
		{"not a PEM block", asPublic, "-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n", agree},
		{"long key ID", asSecret, `{` + secretMembers + `,"kid":"` + strings.Repeat("x", 257) + `"}`, wrap},
		{"PEM of a private key", asPublic, block, agree},
		{"two PEM blocks", asPrivate, block + block, agree},
	} {
		err := test.parse(test.text, test.o)
		if err == nil || !strings.HasPrefix(err.Error(), "jwe: ") || strings.Contains(err.Error(), "XasIfmJKikt54X") || strings.Contains(err.Error(), "GawgguFyGrWK") {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestPublicPEMIsNoPrivateKey(t *testing.T) {
	public25519, err := jwe.ParsePublicKey([]byte(`{`+bobJWK+`}`), agree)
	if err != nil {
		t.Fatal(err)
	}
	publicBlock, err := public25519.ExportPEM()
	if err != nil {
		t.Fatal(err)
	}
	if key, err := jwe.ParsePrivateKey(publicBlock, agree); err == nil || key != nil {
		t.Error("the PEM of a public key was read as a private one")
	}
}

// Keys are copied: what the caller does with its own afterwards is without effect.
func TestKeysAreCopied(t *testing.T) {
	secret := []byte("sixteen bytes ok")
	shared, _ := jwe.NewSecretKey(jwe.A128KW, secret, jwe.KeyOptions{KeyID: "shared"})
	phrase := []byte(password)
	remembered, _ := jwe.NewPassword(jwe.PBES2_HS256_A128KW, phrase, jwe.PasswordOptions{KeyID: "remembered", Iterations: 1000})
	mutable, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	private, err := jwe.NewPrivateKey(jwe.ECDH_ES_A128KW, mutable, jwe.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	keys := []jwe.DecryptionKey{shared, remembered, private}
	recipients := []jwe.EncryptionKey{shared, remembered, private.Public()}
	for _, curve := range []ecdh.Curve{ecdh.P256(), ecdh.P384(), ecdh.P521(), ecdh.X25519()} {
		mine, _ := curve.GenerateKey(rand.Reader)
		others, _ := curve.GenerateKey(rand.Reader)
		private, err := jwe.NewPrivateKey(jwe.ECDH_ES_A128KW, mine, jwe.KeyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		half := *mine.PublicKey()
		public, err := jwe.NewPublicKey(jwe.ECDH_ES_A128KW, &half, jwe.KeyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		*mine, half = *others, *others.PublicKey()
		keys, recipients = append(keys, private), append(recipients, public)
	}
	before := encryptJSON(t, newEncrypter(t, jwe.A128GCM, jwe.EncrypterOptions{}, shared, remembered), "content", "")
	clear(secret)
	clear(phrase)
	for _, key := range []jwe.DecryptionKey{shared, remembered} {
		decrypt(t, jwe.DecrypterOptions{}, before, key)
	}
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	*mutable = *other
	message := encryptJSON(t, newEncrypter(t, jwe.A128GCM, jwe.EncrypterOptions{}, recipients...), "content", "")
	for _, key := range keys {
		decrypt(t, jwe.DecrypterOptions{}, message, key)
	}
}

// A secret's key ID says nothing of it: two keys of one secret are told apart, and one without an ID leaves "kid" out.
func TestKeyIDs(t *testing.T) {
	unnamed, _ := jwe.NewSecretKey(jwe.A128KW, []byte("sixteen bytes ok"), jwe.KeyOptions{})
	message := decrypt(t, jwe.DecrypterOptions{}, encrypt(t, newEncrypter(t, jwe.A128GCM, jwe.EncrypterOptions{}, unnamed), ""), unnamed)
	if unnamed.KeyID() != "" || strings.Contains(string(message.Protected()), "kid") {
		t.Errorf("%v: %s", unnamed, message.Protected())
	}
	if a, b := secretKey(t, jwe.A128KW), secretKey(t, jwe.A128KW); a.KeyID() == b.KeyID() || len(a.KeyID()) < 20 {
		t.Errorf("%v, %v", a, b)
	}
	bob, err := jwe.ParsePublicKey([]byte(`{`+bobJWK+`}`), jwe.ParseOptions{Algorithm: jwe.ECDH_ES})
	if err != nil || len(bob.KeyID()) != 43 {
		t.Errorf("%v, %v", bob, err)
	}
}

// A key that is made stays what it is, and its public half too, which others hold.
func TestUnmarshalingIntoAKey(t *testing.T) {
	key, other := privateKey(t, jwe.ECDH_ES), privateKey(t, jwe.ECDH_ES_A256KW)
	text, err := json.Marshal(other.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := key.Public()
	if err := json.Unmarshal(text, public); err == nil || public.KeyID() != key.KeyID() {
		t.Errorf("%v, %v", public, err)
	}
	var read jwe.PublicKey
	if err := json.Unmarshal(text, &read); err != nil || read.KeyID() != other.KeyID() {
		t.Errorf("%v, %v", read, err)
	}
	*key.Public() = *other.Public()
	if key.Algorithm() != jwe.ECDH_ES {
		t.Errorf("a private key became %v", key)
	}
}

func TestThumbprint(t *testing.T) {
	bob, err := jwe.ParsePublicKey([]byte(`{`+bobJWK+`,"kid":"Bob"}`), jwe.ParseOptions{Algorithm: jwe.ECDH_ES})
	if err != nil {
		t.Fatal(err)
	}
	for hash, canonical := range map[crypto.Hash]string{
		crypto.SHA256: `{"crv":"X25519","kty":"OKP","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}`,
		crypto.SHA512: `{"crv":"X25519","kty":"OKP","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}`,
	} {
		want := hash.New()
		want.Write([]byte(canonical))
		if digest, err := bob.Thumbprint(hash); err != nil || !slices.Equal(digest, want.Sum(nil)) {
			t.Errorf("%v: %x, %v", hash, digest, err)
		}
	}
	for _, pair := range wrappingPairs() {
		private, ok := pair.decrypt.(*jwe.PrivateKey)
		if !ok || strings.HasPrefix(pair.name, "RSA") {
			continue
		}
		if digest, err := private.Public().Thumbprint(crypto.SHA256); err != nil || base64.RawURLEncoding.EncodeToString(digest) != private.KeyID() {
			t.Errorf("%v: %x, %v", private, digest, err)
		}
	}
	if digest, err := bob.Thumbprint(crypto.SHA1); err == nil || digest != nil {
		t.Errorf("SHA-1: %x, %v", digest, err)
	}
}

// An error is one line, and says a thing once.
func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1}`:                                `jwe: not a JWK: it lacks member "kty" (RFC 7517 §4.1)`,
		`{"kty":"EC","alg":"ECDH-ES","kid":"a"}`: "jwe: this key names another algorithm than the one stated",
	} {
		if _, err := jwe.ParsePublicKey([]byte(text), jwe.ParseOptions{Algorithm: "x", KeyID: "y"}); err == nil || err.Error() != want {
			t.Errorf("%s: %q", text, err)
		}
	}
}
