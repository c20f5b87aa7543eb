package jot_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// accessToken is the payload of a typical access token (RFC 9068): 13 members, about 400 bytes.
const accessToken = `{"iss":"https://auth.example.com","sub":"usr_01JD8Z6Q3M4T9V2XK7W5","aud":"petstore","client_id":"client_petstore_web",` +
	`"exp":1795349700,"iat":1795348800,"jti":"5f0c7f3e9b4a4d1c8e2a6b7d","sid":"ses_01JD8Z7A1B2C3D4E5F6G","gen":7,` +
	`"scope":"pets:read pets:write offline_access","auth_time":1795340000,"amr":["pwd","otp"],` +
	`"licensedFeatures":["export","audit-log","sso","priority-support"]}`

// accessTokenClaims has a field for each of its members.
type accessTokenClaims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  string   `json:"aud"`
	ClientID  string   `json:"client_id"`
	Expires   int64    `json:"exp"`
	IssuedAt  int64    `json:"iat"`
	ID        string   `json:"jti"`
	SessionID string   `json:"sid"`
	Gen       uint64   `json:"gen"`
	Scope     string   `json:"scope"`
	AuthTime  int64    `json:"auth_time"`
	Methods   []string `json:"amr"`
	Features  []string `json:"licensedFeatures"`
}

// accessClaims are similar claims, to be changed and signed.
func accessClaims() map[string]any {
	return map[string]any{
		"iss": issuer, "sub": "JBSWY3DPEHPK3PXPJBSWY3DPEH", "aud": audience, "client_id": "client_app",
		"exp": noon.Unix() + 900, "iat": noon.Unix(), "jti": "MFRGGZDFMZTWQ2LKNNWG23TPOA", "sid": "GEZDGNBVGY3TQOJQGEZDGNBVGY",
		"gen": 3, "scope": "pets:read pets:write", "auth_time": noon.Unix() - 60, "amr": []string{"pwd"},
		"licensedFeatures": []string{"insights", "export"},
	}
}

// registered are claims to sign.
func registered() *jot.Claims {
	return &jot.Claims{Issuer: issuer, Subject: "usr_01JD8Z6Q3M4T9V2XK7W5", Audience: jot.Audience{audience},
		Expires: jot.At(noon.Add(15 * time.Minute)), IssuedAt: jot.At(noon), ID: "5f0c7f3e9b4a4d1c8e2a6b7d"}
}

// allocations returns how often f allocates once its memory has grown.
func allocations(f func()) float64 { return testing.AllocsPerRun(100, f) }

func skipCountsUnderRace(t *testing.T) bool {
	if raceEnabled {
		t.Log("under the race detector sync.Pool drops at random: the counts are pinned by the run without it")
	}
	return raceEnabled
}

func TestAllocations(t *testing.T) {
	if skipCountsUnderRace(t) {
		return
	}
	key := generateSecret(t)
	raw := sign(t, key, jot.SignerOptions{Type: "at+jwt"}, json.RawMessage(accessToken))
	forged := raw[:len(raw)-4] + "AAAA"
	huge := strings.Repeat("a", 16<<10+1)
	o := strict()
	o.Type = "at+jwt"
	verifier := newVerifier(t, jot.NewSecretKeySet(key), o)
	o.CacheSize = 16
	remembering := newVerifier(t, jot.NewSecretKeySet(key), o)
	o.Revocation = revocationFunc(func(*jot.RevocationFacts) (jot.Verdict, error) { return jot.Current, nil })
	revoking := newVerifier(t, jot.NewSecretKeySet(key), o)
	signer, err := jot.NewSigner(key, jot.SignerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	claims, ctx := registered(), t.Context()
	const decoded = 1 + 7 + 2 + 6 // the struct; its strings; its lists and theirs
	for _, test := range []struct {
		name string
		most float64
		run  func() error
		ok   bool
	}{
		{"Check", 0, func() error { return verifier.Check(ctx, raw) }, true},
		{"Check of a forged token", 0, func() error { return verifier.Check(ctx, forged) }, false},
		{"Check of a token that is too large", 0, func() error { return verifier.Check(ctx, huge) }, false},
		{"Check of a remembered token", 0, func() error { return remembering.Check(ctx, raw) }, true},
		{"Check of a remembered token, with revocation", 0, func() error { return revoking.Check(ctx, raw) }, true},
		{"Verify", 2, func() error { _, err := verifier.Verify(ctx, raw); return err }, true},
		{"Verify of a remembered token", 0, func() error { _, err := remembering.Verify(ctx, raw); return err }, true},
		{"Verify[T]", 2 + decoded, func() error { _, _, err := jot.Verify[accessTokenClaims](ctx, verifier, raw); return err }, true},
		{"Sign", 1, func() error { _, err := signer.Sign(ctx, claims); return err }, true},
	} {
		got := allocations(func() {
			if err := test.run(); (err == nil) != test.ok {
				t.Fatal(err)
			}
		})
		if got > test.most {
			t.Errorf("%s allocates %v times, more than %v", test.name, got, test.most)
		}
	}
}

// A token with a public key costs what the signature costs in the standard library, and three allocations.
func TestAllocationsBesideThePrimitive(t *testing.T) {
	if skipCountsUnderRace(t) {
		return
	}
	input := []byte("input")
	digest := sha256.Sum256(input)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecdsaKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	hash := func() []byte { // as a caller would: the standard library makes the digest escape to the heap
		digest := sha256.Sum256(input)
		return digest[:]
	}
	rsaSignature, _ := rsaKey.Sign(rand.Reader, digest[:], crypto.SHA256)
	ecdsaSignature, _ := ecdsaKey.Sign(rand.Reader, digest[:], crypto.SHA256)
	edSignature := ed25519.Sign(edKey, input)
	for _, test := range []struct {
		alg    jot.Algorithm
		key    crypto.Signer
		sign   func() ([]byte, error)
		verify func() bool
	}{
		{jot.RS256, rsaKey, func() ([]byte, error) { return rsaKey.Sign(rand.Reader, hash(), crypto.SHA256) },
			func() bool { return rsa.VerifyPKCS1v15(&rsaKey.PublicKey, crypto.SHA256, hash(), rsaSignature) == nil }},
		{jot.ES256, ecdsaKey, func() ([]byte, error) { return ecdsaKey.Sign(rand.Reader, hash(), crypto.SHA256) },
			func() bool { return ecdsa.VerifyASN1(&ecdsaKey.PublicKey, hash(), ecdsaSignature) }},
		{jot.EdDSA, edKey, func() ([]byte, error) { return edKey.Sign(nil, input, crypto.Hash(0)) },
			func() bool { return ed25519.Verify(edKey.Public().(ed25519.PublicKey), input, edSignature) }},
	} {
		t.Run(string(test.alg), func(t *testing.T) {
			key, err := jot.NewPrivateKey(test.alg, test.key, jot.KeyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			raw := sign(t, key, jot.SignerOptions{}, json.RawMessage(accessToken))
			verifier := newVerifier(t, jot.NewKeySet(key.Public()), strict())
			signer, err := jot.NewSigner(key, jot.SignerOptions{})
			if err != nil {
				t.Fatal(err)
			}
			claims := registered()
			ours := allocations(func() {
				if _, err := verifier.Verify(t.Context(), raw); err != nil {
					t.Fatal(err)
				}
			})
			if primitive := allocations(func() { test.verify() }); ours > primitive+3 {
				t.Errorf("Verify allocates %v times, the primitive %v", ours, primitive)
			}
			ours = allocations(func() {
				if _, err := signer.Sign(t.Context(), claims); err != nil {
					t.Fatal(err)
				}
			})
			if primitive := allocations(func() { _, _ = test.sign() }); ours > primitive+3 {
				t.Errorf("Sign allocates %v times, the primitive %v", ours, primitive)
			}
		})
	}
}

// A header comes before any signature: whatever it holds, reading it takes little memory.
func TestHostileHeadersTakeLittleMemory(t *testing.T) {
	if skipCountsUnderRace(t) {
		return
	}
	key := generateSecret(t)
	for name, header := range map[string]string{
		"many members":          `{"alg":"HS256"` + moreMembers(500) + `}`,
		"many members, nested":  `{"alg":"HS256","x":{"a":1` + moreMembers(500) + `}}`,
		"many objects":          `{"alg":"HS256","x":[` + strings.Repeat(`{"a":{}},`, 500) + `1]}`,
		"many members, deep":    `{"alg":"HS256"` + strings.Repeat(`,"a":1,"b":2,"c":3,"x":{"d":4`, 30) + strings.Repeat("}", 31),
		"names of equal hashes": "{\"alg\":\"HS256\",\"a@b\":1,\"a`b\":2" + moreMembers(28) + `}`,
		"and many objects":      `{"alg":"HS256","x":[` + strings.Repeat("{\"a@b\":1,\"a`b\":2},", 20) + `1]}`,
	} {
		verifier := newVerifier(t, jot.NewSecretKeySet(generateSecret(t)), strict()) // another key: no header is remembered
		raw := forge(key, header, accessToken)
		const runs = 100
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			if verifier.Check(t.Context(), raw) == nil {
				t.Fatal("accepted")
			}
		}
		runtime.ReadMemStats(&after)
		if bytes := (after.TotalAlloc - before.TotalAlloc) / runs; bytes > 8<<10 {
			t.Errorf("%s: %d bytes allocated", name, bytes)
		}
	}
}
