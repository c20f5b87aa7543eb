package jwe

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/jot-auth/jot/internal/jwk"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func un64(t testing.TB, text string) []byte {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// RFC 3394, section 4.
func TestKeyWrap(t *testing.T) {
	const wrapping = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	const key = "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f"
	for _, vector := range []struct {
		name                  string
		wrappingSize, keySize int
		wrapped               string
	}{
		{"4.1", 16, 16, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"},
		{"4.2", 24, 16, "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"},
		{"4.3", 32, 16, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"},
		{"4.4", 24, 24, "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2"},
		{"4.5", 32, 24, "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1"},
		{"4.6", 32, 32, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"},
	} {
		t.Run(vector.name, func(t *testing.T) {
			wrapping, key := unhex(t, wrapping)[:vector.wrappingSize], unhex(t, key)[:vector.keySize]
			wrapped, err := wrapKey(wrapping, key)
			if err != nil || hex.EncodeToString(wrapped) != vector.wrapped {
				t.Fatalf("wrapped: %x, %v", wrapped, err)
			}
			if unwrapped, err := unwrapKey(wrapping, wrapped, len(key)); err != nil || !bytes.Equal(unwrapped, key) {
				t.Errorf("unwrapped: %x, %v", unwrapped, err)
			}
			for i := range 8 * len(wrapped) {
				wrapped[i/8] ^= 1 << (i % 8)
				if _, err := unwrapKey(wrapping, wrapped, len(key)); err == nil {
					t.Errorf("unwrapped with bit %d flipped", i)
				}
				wrapped[i/8] ^= 1 << (i % 8)
			}
			for _, size := range []int{0, 8, len(key) - 8, len(key) + 8} {
				if _, err := unwrapKey(wrapping, wrapped, size); err == nil {
					t.Errorf("unwrapped as %d bytes", size)
				}
			}
		})
	}
}

// RFC 7518, appendix B.
func TestCBCVectors(t *testing.T) {
	const key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
	plaintext := []byte("A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience")
	additional := []byte("The second principle of Auguste Kerckhoffs")
	iv := unhex(t, "1af38c2dc2b96ffdd86694092341bc04")
	for _, vector := range []struct {
		enc   Encryption
		start string // of the ciphertext
		tag   string
	}{
		{A128CBC_HS256, "c80edfa32ddf39d5ef00c0b468834279", "652c3fa36b0a7c5b3219fab3a30bc1c4"},
		{A192CBC_HS384, "ea65da6b59e61edb419be62d19712ae5", "8490ac0e58949bfe51875d733f93ac2075168039ccc733d7"},
		{A256CBC_HS512, "4affaaadb78c31c5da4b1b590d10ffbd", "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5"},
	} {
		t.Run(string(vector.enc), func(t *testing.T) {
			c := contentOf(vector.enc)
			key := unhex(t, key)[:c.keySize]
			s, err := c.sealCBC(key, iv, plaintext, additional)
			if err != nil || hex.EncodeToString(s.tag) != vector.tag || hex.EncodeToString(s.ciphertext[:16]) != vector.start {
				t.Fatalf("ciphertext %x, tag %x, %v", s.ciphertext, s.tag, err)
			}
			if opened, err := c.open(key, s, additional); err != nil || !bytes.Equal(opened, plaintext) {
				t.Errorf("opened: %q, %v", opened, err)
			}
		})
	}
}

// A sender who knows the key can put a good tag to parts of the wrong size.
func TestWrongSizes(t *testing.T) {
	c := contentOf(A128CBC_HS256)
	key := c.newKey()
	for _, sizes := range [][2]int{{0, 16}, {12, 16}, {15, 16}, {17, 16}, {32, 16}, {16, 0}, {16, 15}, {16, 17}} {
		s := sealed{iv: make([]byte, sizes[0]), ciphertext: make([]byte, sizes[1])}
		s.tag = c.tag(key[:c.keySize/2], nil, s.iv, s.ciphertext)
		if plaintext, err := c.open(key, s, nil); err == nil {
			t.Errorf("an IV of %d bytes and a ciphertext of %d open as %x", sizes[0], sizes[1], plaintext)
		}
	}
}

// A sender who knows the key can pad wrongly under a good tag.
func TestWrongPadding(t *testing.T) {
	for _, padded := range [][]byte{
		bytes.Repeat([]byte{0}, 16), bytes.Repeat([]byte{17}, 16), bytes.Repeat([]byte{255}, 32),
		append(bytes.Repeat([]byte{1}, 14), 3, 2),
	} {
		if plaintext, err := withoutPadding(padded); err == nil {
			t.Errorf("%x was padded %x", padded, plaintext)
		}
	}
	if plaintext, err := withoutPadding(bytes.Repeat([]byte{16}, 16)); err != nil || len(plaintext) != 0 {
		t.Errorf("a block of padding: %x, %v", plaintext, err)
	}
}

// Each part of a ciphertext has one size, whatever would pass for authentic in another.
func TestSizesOfParts(t *testing.T) {
	for i := range contents {
		c := &contents[i]
		key := c.newKey()
		good, err := c.seal(key, []byte("sixteen bytes ok"), nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, s := range map[string]sealed{
			"no IV":             {nil, good.ciphertext, good.tag},
			"short IV":          {good.iv[1:], good.ciphertext, good.tag},
			"long IV":           {append(good.iv[:len(good.iv):len(good.iv)], 0), good.ciphertext, good.tag},
			"no tag":            {good.iv, good.ciphertext, nil},
			"short tag":         {good.iv, good.ciphertext, good.tag[:len(good.tag)-1]},
			"12 bytes of tag":   {good.iv, good.ciphertext, good.tag[:12]},
			"shifted, short IV": shifted(good, len(good.iv)-1, len(good.tag)),
			"shifted, long IV":  shifted(good, len(good.iv)+1, len(good.tag)),
			"shifted, long tag": shifted(good, len(good.iv), len(good.tag)+1),
			"both shifted down": shifted(good, len(good.iv)-1, len(good.tag)+1),
			"both shifted up":   shifted(good, len(good.iv)+1, len(good.tag)-1),
			"long tag":          {good.iv, good.ciphertext, append(good.tag[:len(good.tag):len(good.tag)], 0)},
			"no ciphertext":     {good.iv, nil, good.tag},
			"shifted, tag":      {good.iv, append(good.ciphertext[:len(good.ciphertext):len(good.ciphertext)], good.tag[0]), good.tag[1:]},
			"half a ciphertext": {good.iv, good.ciphertext[:8], good.tag},
		} {
			if _, err := c.open(key, s, nil); err == nil {
				t.Errorf("%s: opened with %s", c.name, name)
			}
		}
	}
}

// shifted are the same bytes, cut elsewhere.
func shifted(s sealed, iv, tag int) sealed {
	all := slices.Concat(s.iv, s.ciphertext, s.tag)
	return sealed{all[:iv], all[iv : len(all)-tag], all[len(all)-tag:]}
}

// A sender who knows the key can leave out even the padding, under a good tag, or part of a block.
func TestCiphertextWithoutPadding(t *testing.T) {
	for i := range contents {
		c := &contents[i]
		if c.hash == 0 {
			continue
		}
		key, iv := c.newKey(), randomBytes(16)
		for _, size := range []int{0, 1, 15, 17} {
			ciphertext := randomBytes(size)
			s := sealed{iv, ciphertext, c.tag(key[:c.keySize/2], nil, iv, ciphertext)}
			if plaintext, err := c.open(key, s, nil); err == nil {
				t.Errorf("%s: %d bytes are opened as %x", c.name, size, plaintext)
			}
		}
	}
}

// RFC 7518, appendix C.
func TestConcatKDF(t *testing.T) {
	private, err := ecdh.P256().NewPrivateKey(un64(t, "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"))
	if err != nil {
		t.Fatal(err)
	}
	var h header
	if err := h.read([]byte(`{"alg":"ECDH-ES","enc":"A128GCM","apu":"QWxpY2U","apv":"Qm9i","epk":{"kty":"EC","crv":"P-256",
		"x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0","y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"}}`), true); err != nil {
		t.Fatal(err)
	}
	derived, err := agreeWith(t, ECDH_ES, private, &h.wrapping)
	if err != nil || base64URL(derived) != "VqqN6vgjbSBcIijNcacQGg" {
		t.Errorf("derived %s, %v", base64URL(derived), err)
	}
}

// RFC 8037, appendix A.6: what the two sides share is given there, the key that is derived from it isn't.
func TestX25519Agreement(t *testing.T) {
	private, err := ecdh.X25519().NewPrivateKey(unhex(t, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))
	if err != nil {
		t.Fatal(err)
	}
	var h header
	if err := h.read([]byte(`{"alg":"ECDH-ES+A128KW","epk":{"kty":"OKP","crv":"X25519","x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"},
		"enc":"A128GCM","kid":"Bob"}`), true); err != nil {
		t.Fatal(err)
	}
	shared := unhex(t, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
	want := concatKDF(shared, "ECDH-ES+A128KW", nil, nil, 16)
	derived, err := agreeWith(t, ECDH_ES_A128KW, private, &h.wrapping)
	if err != nil || !bytes.Equal(derived, want) {
		t.Errorf("derived %x, %v, want %x", derived, err, want)
	}
}

// A key of several hashes: the second round continues the first.
func TestConcatKDFRounds(t *testing.T) {
	long := concatKDF([]byte("shared"), "x", nil, nil, 64)
	if len(long) != 64 || bytes.Equal(long[:32], long[32:]) {
		t.Errorf("derived %x", long)
	}
	if bytes.Equal(long[:16], concatKDF([]byte("shared"), "x", nil, nil, 16)) {
		t.Error("the derived key doesn't depend on its length")
	}
}

// agreeWith is what the recipient's side derives for content under A128GCM.
func agreeWith(t testing.TB, alg Algorithm, private *ecdh.PrivateKey, w *wrapping) ([]byte, error) {
	t.Helper()
	exchange := func(_ context.Context, ephemeral *ecdh.PublicKey) ([]byte, error) { return private.ECDH(ephemeral) }
	return agreeAgain(t.Context(), schemeOf(alg), private.Curve(), exchange, w, contentOf(A128GCM))
}

// The bounds of RFC 7518 §4.8.1 and of this package, without a computation.
func TestPasswordBounds(t *testing.T) {
	for _, test := range []struct {
		salt, iterations int
		accepted         bool
	}{
		{8, 1000, true}, {100, 1_200_000, true}, {7, 1000, false}, {0, 1000, false}, {8, 999, false}, {8, 1, false}, {8, 0, false},
		{8, 1_200_001, false}, {8, math.MaxInt, false},
	} {
		w := &wrapping{salt: make([]byte, test.salt), iterations: test.iterations}
		if err := w.checkBounds(); test.accepted != (err == nil) {
			t.Errorf("%d bytes of salt, %d iterations: %v", test.salt, test.iterations, err)
		}
	}
}

// A message is worth so many attempts of each kind, and no more.
func TestAllowance(t *testing.T) {
	password := func(alg Algorithm) *Password { return &Password{scheme: schemeOf(alg)} }
	rsaKey := func(bits uint, held bool) *PrivateKey {
		key := &PrivateKey{public: &PublicKey{material: &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), bits-1)}}}
		if held {
			key.held = func() crypto.PrivateKey { return nil }
		}
		return key
	}
	for name, test := range map[string]struct {
		key        DecryptionKey
		iterations int
		want       int // attempts that are paid for
	}{
		"secret": {new(SecretKey), math.MaxInt, 8}, "three": {password(PBES2_HS256_A128KW), 400_000, 3}, "eight": {password(PBES2_HS256_A128KW), 150_000, 8},
		"one": {password(PBES2_HS256_A128KW), 1_200_000, 1}, "SHA-384": {password(PBES2_HS384_A192KW), 600_000, 2}, "SHA-512": {password(PBES2_HS512_A256KW), 400_000, 3},
		"an overflow":      {password(PBES2_HS512_A256KW), math.MaxInt/4 + 1, 8},
		"another overflow": {password(PBES2_HS512_A256KW), math.MaxInt/2 + 1, 8},
		"RSA":              {rsaKey(4096, true), 0, 8}, "large RSA": {rsaKey(4097, true), 0, 2}, "the largest RSA": {rsaKey(8192, true), 0, 2},
		"large RSA elsewhere": {rsaKey(16384, false), 0, 8},
	} {
		left, paid := allowance, 0
		for range 20 {
			if left.pays(test.key.price(&wrapping{salt: make([]byte, 8), iterations: test.iterations})) {
				paid++
			}
		}
		if left.iterations > maxIterations {
			t.Errorf("%s: %d iterations are left", name, left.iterations)
		}
		if paid != test.want {
			t.Errorf("%s: paid for %d attempts, want %d", name, paid, test.want)
		}
	}
}

// A crafted ephemeral key is refused before the private key touches it.
func TestEphemeralKey(t *testing.T) {
	x25519, _ := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{7}, 32))
	p256, _ := ecdh.P256().NewPrivateKey(bytes.Repeat([]byte{7}, 32))
	const point = `"kty":"EC","crv":"P-256","x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0","y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"`
	const montgomery = `"kty":"OKP","crv":"X25519","x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"`
	for name, test := range map[string]struct {
		private  *ecdh.PrivateKey
		epk      string
		accepted bool
	}{
		"P-256":             {p256, `{` + point + `}`, true},
		"X25519":            {x25519, `{` + montgomery + `}`, true},
		"none":              {p256, ``, false},
		"another curve":     {p256, `{` + montgomery + `}`, false},
		"yet another":       {x25519, `{` + point + `}`, false},
		"off its curve":     {p256, `{"kty":"EC","crv":"P-256","x":"gTxs8MT8WNkOUcMwoOAKjxU8nTRpBSHCGjmQGkqCoR0","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`, false},
		"zero":              {p256, `{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`, false},
		"half":              {p256, `{"kty":"EC","crv":"P-256","x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0"}`, false},
		"short coordinate":  {p256, `{"kty":"EC","crv":"P-256","x":"AYAD","y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"}`, false},
		"with private half": {x25519, `{` + montgomery + `,"d":"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo"}`, false},
		"with certificate":  {p256, `{` + point + `,"x5c":[]}`, false},
		"of small order":    {x25519, `{"kty":"OKP","crv":"X25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`, false},
		"unknown curve":     {p256, `{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}`, false},
		"key that signs":    {x25519, `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`, false},
		"secret":            {x25519, `{"kty":"oct","k":"AAAA"}`, false},
		"text":              {p256, `"epk"`, false},
		"null":              {p256, `null`, false},
	} {
		if _, err := agreeWith(t, ECDH_ES, test.private, &wrapping{ephemeral: []byte(test.epk)}); test.accepted != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever holds a key isn't trusted with what it answers, nor asked about a key of another curve.
func TestForeignSharedSecret(t *testing.T) {
	for _, curve := range []ecdh.Curve{ecdh.P256(), ecdh.P384(), ecdh.P521(), ecdh.X25519()} {
		sender, err := curve.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		good, err := sender.ECDH(sender.PublicKey())
		if err != nil {
			t.Fatal(err)
		}
		epk, err := jwk.MarshalPublic(portable(sender.PublicKey()), jwk.Description{})
		if err != nil {
			t.Fatal(err)
		}
		for _, held := range []ecdh.Curve{ecdh.P256(), ecdh.P384(), ecdh.P521(), ecdh.X25519()} {
			for name, answer := range map[string][]byte{"": good, "nothing": nil, "zeros": make([]byte, len(good)), "short": good[1:], "long": append(good[:len(good):len(good)], 1)} {
				exchange := ExchangerFunc(func(context.Context, *ecdh.PublicKey) ([]byte, error) { return answer, nil }).checked(held)
				_, err := agreeAgain(t.Context(), schemeOf(ECDH_ES), held, exchange, &wrapping{ephemeral: epk}, contentOf(A128GCM))
				if accepted := held == curve && name == ""; accepted != (err == nil) {
					t.Errorf("%v with a key on %v, answer %q: %v", held, curve, name, err)
				}
			}
		}
	}
}

// No other kind of key, and no certificate, is looked into, however good: that takes long.
func TestEphemeralKeyOfAnotherType(t *testing.T) {
	modulus := new(big.Int).SetBit(big.NewInt(1), 2047, 1)
	text := `{"kty":"RSA","n":"` + base64URL(modulus.Bytes()) + `","e":"AQAB"}`
	certified := `{"kty":"OKP","crv":"X25519","x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo","x5c":["AAAA"]}`
	for _, text := range []string{text, certified} {
		if key, err := readEphemeral([]byte(text)); err == nil || err.Error() != "jwe: not an ephemeral public key" {
			t.Errorf("%s: %v, %v", text, key, err)
		}
	}
}
