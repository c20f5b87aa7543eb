package jwk_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/jot-auth/jot/internal/jwk"
)

const (
	// RFC 7515, appendix A.3.1
	p256Members = `"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`
	p256D       = `"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"`
	// RFC 8037, appendix A.1
	ed25519Members = `"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`
	ed25519D       = `"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"`
	// RFC 7748 §6.1, Alice; RFC 8037, appendix A.6 uses the same as its ephemeral key
	x25519Members = `"kty":"OKP","crv":"X25519","x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"`
	x25519D       = `"d":"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo"`
)

// privateKeys is one of each type that both toolchains know, made once: RSA takes its time.
var privateKeys = func() map[string]crypto.PrivateKey {
	keys := map[string]crypto.PrivateKey{}
	keys["P-256"], _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	keys["P-384"], _ = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	keys["P-521"], _ = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	keys["RSA"], _ = rsa.GenerateKey(rand.Reader, 2048)
	_, keys["Ed25519"], _ = ed25519.GenerateKey(rand.Reader)
	keys["X25519"], _ = ecdh.X25519().GenerateKey(rand.Reader)
	return keys
}()

type (
	private interface{ Public() crypto.PublicKey }
	same    interface{ Equal(crypto.PrivateKey) bool }
	samePub interface{ Equal(crypto.PublicKey) bool }
)

func parse(t *testing.T, text string) *jwk.Key {
	t.Helper()
	key, err := jwk.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestRoundTrip(t *testing.T) {
	description := jwk.Description{Use: "sig", KeyID: "<1>"}
	for name, key := range privateKeys {
		t.Run(name, func(t *testing.T) {
			written, err := jwk.MarshalPrivate(key, description)
			if err != nil {
				t.Fatal(err)
			}
			parsed := parse(t, string(written))
			again, err := parsed.Private()
			if err != nil || !again.(same).Equal(key) || !parsed.HoldsSecret() || parsed.ID() != "<1>" {
				t.Errorf("the private key reads as %T, %v", again, err)
			}
			public := key.(private).Public()
			if written, err = jwk.MarshalPublic(public, description); err != nil {
				t.Fatal(err)
			}
			parsed = parse(t, string(written))
			if half, err := parsed.Public(); err != nil || !half.(samePub).Equal(public) || parsed.HoldsSecret() {
				t.Errorf("the public key reads as %T, %v", half, err)
			}
			if _, err := parsed.Private(); err == nil {
				t.Error("a public key was read as private")
			}
			if _, err := jwk.MarshalPublic(key, description); err == nil {
				t.Error("a private key was written as a public one")
			}
		})
	}
}

func TestSecret(t *testing.T) {
	written, err := jwk.MarshalSecret([]byte("0123"), jwk.Description{Algorithm: "HS256"})
	if err != nil || string(written) != `{"kty":"oct","alg":"HS256","k":"MDEyMw"}` {
		t.Fatalf("%s, %v", written, err)
	}
	key := parse(t, string(written))
	if secret, err := key.Secret(); err != nil || string(secret) != "0123" || !key.HoldsSecret() {
		t.Errorf("%q, %v", secret, err)
	}
	if _, err := key.Public(); err == nil {
		t.Error("a secret key has a public part")
	}
	if _, err := key.Private(); err == nil {
		t.Error("a secret key has a private part")
	}
	for name, text := range map[string]string{
		"no k": `{"kty":"oct"}`, "bad k": `{"kty":"oct","k":"A"}`, "another type": `{` + p256Members + `,` + p256D + `}`,
		"a certificate": `{"kty":"oct","k":"MDEyMw","x5c":["AA=="]}`,
	} {
		if secret, err := parse(t, text).Secret(); err == nil {
			t.Errorf("%s: %q", name, secret)
		}
	}
}

func TestParseRefusals(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":             ``,
		"an array":            `[]`,
		"a string":            `"kty"`,
		"no type":             `{}`,
		"an empty type":       `{"kty":""}`,
		"a number as type":    `{"kty":1}`,
		"null as type":        `{"kty":null}`,
		"null as algorithm":   `{"kty":"EC","alg":null}`,
		"null as key ID":      `{"kty":"EC","kid":null}`,
		"a number as key ID":  `{"kty":"EC","kid":7}`,
		"null as private":     `{"kty":"EC","d":null}`,
		"an empty member":     `{"kty":"EC","x":""}`,
		"an empty use":        `{"kty":"EC","use":""}`,
		"a member twice":      `{"kty":"EC","kty":"EC"}`,
		"in two cases":        `{"kty":"EC","KTY":"EC"}`,
		"fold-equal":          `{"kty":"EC","k":"AA","\u212a":"AA"}`,
		"something after":     `{"kty":"EC"}{}`,
		"key_ops a string":    `{"kty":"EC","key_ops":"sign"}`,
		"key_ops with number": `{"kty":"EC","key_ops":["sign",1]}`,
		"key_ops null":        `{"kty":"EC","key_ops":null}`,
		"an operation twice":  `{"kty":"EC","key_ops":["sign","verify","sign"]}`,
		"sig, but encrypts":   `{"kty":"EC","use":"sig","key_ops":["verify","deriveKey"]}`,
		"enc, but signs":      `{"kty":"EC","use":"enc","key_ops":["sign"]}`,
		"x5c a string":        `{"kty":"EC","x5c":"AA=="}`,
		"x5c with null":       `{"kty":"EC","x5c":[null]}`,
		"too many operations": `{"kty":"EC","key_ops":["` + strings.Join(numbered(33), `","`) + `"]}`,
		"too many certs":      `{"kty":"EC","x5c":["` + strings.Join(numbered(17), `","`) + `"]}`,
		"too large":           `{"kty":"EC","other":"` + strings.Repeat("a", 32<<10) + `"}`,
		"too deep":            `{"kty":"EC","other":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	} {
		if key, err := jwk.Parse([]byte(text)); err == nil || key != nil {
			t.Errorf("%s: %v, %v", name, key, err)
		}
	}
}

// numbered returns different words.
func numbered(count int) (words []string) {
	for n := range count {
		words = append(words, strconv.Itoa(n))
	}
	return words
}

// As many as are allowed are read.
func TestLongestArrays(t *testing.T) {
	parse(t, `{"kty":"EC","key_ops":["`+strings.Join(numbered(32), `","`)+`"],"x5c":["`+strings.Join(numbered(16), `","`)+`"]}`)
}

// Every member is unfit in its own way; the rest of the key is good.
func TestPublicRefusals(t *testing.T) {
	for name, text := range map[string]string{
		"unknown type":               `{"kty":"LWE"}`,
		"a type in another case":     `{"kty":"ec","crv":"P-256","x":"AA","y":"AA"}`,
		"unknown curve":              `{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}`,
		"no curve":                   `{"kty":"EC","x":"AA","y":"AA"}`,
		"Ed25519 as EC":              `{"kty":"EC","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
		"Ed448":                      `{"kty":"OKP","crv":"Ed448","x":"AA"}`,
		"no x":                       `{"kty":"EC","crv":"P-256","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
		"no y":                       `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}`,
		"x cut":                      `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVA","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
		"x padded":                   `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU=","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
		"x with a line break":        `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\n","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
		"a point off the curve":      `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}`,
		"a coordinate over p":        `{"kty":"EC","crv":"P-256","x":"__________________________________________8","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
		"Ed25519 cut":                `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcH"}`,
		"X25519 cut":                 `{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcH"}`,
		"a small modulus":            `{"kty":"RSA","n":"ofgW","e":"AQAB"}`,
		"no modulus":                 `{"kty":"RSA","e":"AQAB"}`,
		"a large exponent":           `{"kty":"RSA","n":"ofgW","e":"AQABAQABAQAB"}`,
		"an exponent with a zero":    `{"kty":"RSA","n":"ofgW","e":"AAEAAQ"}`,
		"ML-DSA without algorithm":   `{"kty":"AKP","pub":"AA"}`,
		"ML-DSA with another":        `{"kty":"AKP","alg":"ES256","pub":"AA"}`,
		"ML-DSA without key":         `{"kty":"AKP","alg":"ML-DSA-44"}`,
		"ML-DSA with a key too soon": `{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"}`,
	} {
		if key, err := parse(t, text).Public(); err == nil || key != nil {
			t.Errorf("%s: %v, %v", name, key, err)
		}
	}
}

// Each private member of a key is replaced by that of another key of its type.
func TestPrivateRefusals(t *testing.T) {
	others := map[string]crypto.PrivateKey{}
	others["P-256"], _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	others["RSA"], _ = rsa.GenerateKey(rand.Reader, 2048)
	_, others["Ed25519"], _ = ed25519.GenerateKey(rand.Reader)
	others["X25519"], _ = ecdh.X25519().GenerateKey(rand.Reader)
	for name, other := range others {
		mine, theirs := members(t, privateKeys[name]), members(t, other)
		for _, member := range []string{"d", "p", "q", "dp", "dq", "qi"} {
			if mine[member] == "" {
				continue
			}
			for what, value := range map[string]string{"foreign": theirs[member], "cut": mine[member][:4], "not base64": "!!!!"} {
				mixed := map[string]string{}
				for name, value := range mine {
					mixed[name] = value
				}
				mixed[member] = value
				text, _ := json.Marshal(mixed)
				if key, err := parse(t, string(text)).Private(); err == nil || key != nil {
					t.Errorf("%s: a %s %q was accepted", name, what, member)
				} else if strings.Contains(err.Error(), value) && what == "foreign" {
					t.Errorf("%s: the error quotes %q: %v", name, member, err)
				}
			}
		}
	}
	mine := members(t, privateKeys["RSA"])
	for name, text := range map[string]string{
		"a third prime": `{"kty":"RSA","n":"` + mine["n"] + `","e":"AQAB","d":"` + mine["d"] + `","p":"` + mine["p"] + `","q":"` + mine["q"] + `","oth":[]}`,
		"only d":        `{"kty":"RSA","n":"` + mine["n"] + `","e":"AQAB","d":"` + mine["d"] + `"}`,
		"only d of EC":  `{"kty":"EC","crv":"P-256",` + p256D + `}`,
		"d of zero":     `{` + p256Members + `,"d":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`,
		"another's d":   `{` + ed25519Members + `,"priv":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`,
	} {
		if key, err := parse(t, text).Private(); err == nil || key != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func members(t *testing.T, key crypto.PrivateKey) (members map[string]string) {
	t.Helper()
	text, err := jwk.MarshalPrivate(key, jwk.Description{})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	return members
}

func TestHoldsSecret(t *testing.T) {
	for member, want := range map[string]bool{
		`"d":"AA"`: true, `"p":"AA"`: true, `"q":"AA"`: true, `"dp":"AA"`: true, `"dq":"AA"`: true, `"qi":"AA"`: true, `"k":"AA"`: true,
		`"priv":"AA"`: true, `"oth":[]`: true, `"oth":null`: true, `"x":"AA"`: false, `"D":"AA"`: false, `"x5t":"AA"`: false,
	} {
		for _, kty := range []string{"EC", "RSA", "OKP", "AKP", "LWE"} {
			if got := parse(t, `{"kty":"`+kty+`",`+member+`}`).HoldsSecret(); got != want {
				t.Errorf("%s with %s: %t", kty, member, got)
			}
		}
	}
}

func TestPermits(t *testing.T) {
	for _, c := range []struct {
		members   string
		use       string
		operation string
		want      bool
	}{
		{``, "sig", "verify", true},
		{`,"use":"sig"`, "sig", "verify", true},
		{`,"use":"enc"`, "sig", "verify", false},
		{`,"use":"Sig"`, "sig", "verify", false},
		{`,"use":"other"`, "sig", "verify", false},
		{`,"key_ops":["verify"]`, "sig", "verify", true},
		{`,"key_ops":["sign"]`, "sig", "verify", false},
		{`,"key_ops":[]`, "sig", "verify", false},
		{`,"key_ops":["Verify"]`, "sig", "verify", false},
		{`,"key_ops":["verify","from the future"]`, "sig", "verify", true},
		{`,"key_ops":["unwrapKey"]`, "enc", "decrypt", false},
		{`,"use":"enc","key_ops":["unwrapKey"]`, "enc", "unwrapKey", true},
	} {
		if err := parse(t, `{"kty":"EC"`+c.members+`}`).Permits(c.use, c.operation); (err == nil) != c.want {
			t.Errorf("%s for %s, %s: %v", c.members, c.use, c.operation, err)
		}
	}
	if err := parse(t, `{"kty":"EC","key_ops":["unwrapKey"]}`).Permits("enc", "decrypt", "unwrapKey"); err != nil {
		t.Error("one of two operations is enough:", err)
	}
}

func TestAlgorithmIsNotReplaced(t *testing.T) {
	public := privateKeys["Ed25519"].(private).Public()
	written, err := jwk.MarshalPublic(public, jwk.Description{Algorithm: "EdDSA"})
	if err != nil || parse(t, string(written)).Algorithm() != "EdDSA" {
		t.Errorf("%s, %v", written, err)
	}
	if key := parse(t, `{`+x25519Members+`,`+x25519D+`}`); key.Type() != "OKP" || key.Algorithm() != "" {
		t.Errorf("%s, %s", key.Type(), key.Algorithm())
	}
}

// Keys that were never parsed are checked the same.
func TestCheckRefusals(t *testing.T) {
	p256 := privateKeys["P-256"].(*ecdsa.PrivateKey)
	rsaKey := privateKeys["RSA"].(*rsa.PrivateKey)
	ed := privateKeys["Ed25519"].(ed25519.PrivateKey)
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, otherEd, _ := ed25519.GenerateKey(rand.Reader)
	p224, _ := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	nist, _ := ecdh.P256().GenerateKey(rand.Reader)
	mixed := *p256
	mixed.PublicKey = other.PublicKey
	huge := new(big.Int).Lsh(big.NewInt(1), 200_000)
	modulus := new(big.Int).SetBit(big.NewInt(1), 2048, 1)
	largeExponent := int64(1<<31 + 1) // negative where an int has 32 bits

	for name, key := range map[string]crypto.PublicKey{
		"nil": nil, "no key": 7, "a private key": p256, "nil RSA": (*rsa.PublicKey)(nil), "nil ECDSA": (*ecdsa.PublicKey)(nil), "nil ECDH": (*ecdh.PublicKey)(nil),
		"nil Ed25519": ed25519.PublicKey(nil), "empty RSA": new(rsa.PublicKey), "empty ECDSA": new(ecdsa.PublicKey), "empty ECDH": new(ecdh.PublicKey),
		"ECDSA without a point":       &ecdsa.PublicKey{Curve: elliptic.P256()},
		"ECDSA with half a point":     &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1)},
		"ECDSA with the other half":   &ecdsa.PublicKey{Curve: elliptic.P256(), Y: big.NewInt(1)},
		"ECDSA with negative numbers": &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(-1), Y: big.NewInt(-1)},
		"ECDSA with huge numbers":     &ecdsa.PublicKey{Curve: elliptic.P256(), X: huge, Y: huge},
		"ECDSA on P-224":              p224.Public(),
		"ECDH on P-256":               nist.Public(),
		"RSA of 2047 bits":            &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 2046, 1), E: 3},
		"RSA of 16385 bits":           &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 16384, 1), E: 3},
		"RSA with an even modulus":    &rsa.PublicKey{N: new(big.Int).Lsh(modulus, 1), E: 3},
		"RSA with exponent 1":         &rsa.PublicKey{N: modulus, E: 1},
		"RSA with an even exponent":   &rsa.PublicKey{N: modulus, E: 65536},
		"RSA with a large exponent":   &rsa.PublicKey{N: modulus, E: int(largeExponent)},
		"RSA with a negative modulus": &rsa.PublicKey{N: new(big.Int).Neg(modulus), E: 3},
	} {
		if checked, err := jwk.CheckPublic(key); err == nil || checked != nil {
			t.Errorf("public, %s: accepted", name)
		}
	}
	for name, key := range map[string]crypto.PrivateKey{
		"nil": nil, "no key": 7, "a public key": p256.Public(), "nil RSA": (*rsa.PrivateKey)(nil), "nil ECDSA": (*ecdsa.PrivateKey)(nil), "nil ECDH": (*ecdh.PrivateKey)(nil),
		"nil Ed25519": ed25519.PrivateKey(nil), "empty RSA": new(rsa.PrivateKey), "empty ECDSA": new(ecdsa.PrivateKey), "empty ECDH": new(ecdh.PrivateKey),
		"ECDSA without a scalar": &ecdsa.PrivateKey{PublicKey: p256.PublicKey},
		"ECDSA of two halves":    &mixed,
		"ECDSA, scalar too big":  &ecdsa.PrivateKey{PublicKey: p256.PublicKey, D: huge},
		"ECDSA with scalar 0":    &ecdsa.PrivateKey{PublicKey: p256.PublicKey, D: new(big.Int)},
		"ECDSA with the order":   &ecdsa.PrivateKey{PublicKey: p256.PublicKey, D: p256.Params().N},
		"ECDSA on P-224":         p224,
		"ECDH on P-256":          nist,
		"Ed25519 cut":            ed[:40],
		"Ed25519 of two halves":  ed25519.PrivateKey(append(bytes.Clone(ed[:32]), otherEd[32:]...)),
		"RSA without primes":     &rsa.PrivateKey{PublicKey: rsaKey.PublicKey, D: rsaKey.D},
		"RSA of one prime":       &rsa.PrivateKey{PublicKey: rsaKey.PublicKey, D: rsaKey.D, Primes: rsaKey.Primes[:1]},
		"RSA without d":          &rsa.PrivateKey{PublicKey: rsaKey.PublicKey, Primes: rsaKey.Primes},
		"RSA without p":          &rsa.PrivateKey{PublicKey: rsaKey.PublicKey, D: rsaKey.D, Primes: []*big.Int{nil, rsaKey.Primes[1]}},
		"RSA without q":          &rsa.PrivateKey{PublicKey: rsaKey.PublicKey, D: rsaKey.D, Primes: []*big.Int{rsaKey.Primes[0], nil}},
		"RSA of other primes":    &rsa.PrivateKey{PublicKey: rsaKey.PublicKey, D: rsaKey.D, Primes: []*big.Int{big.NewInt(3), big.NewInt(5)}},
		"RSA of huge primes":     &rsa.PrivateKey{PublicKey: rsaKey.PublicKey, D: rsaKey.D, Primes: []*big.Int{huge, huge}},
		"RSA of negative primes": &rsa.PrivateKey{PublicKey: rsaKey.PublicKey, D: rsaKey.D, Primes: []*big.Int{new(big.Int).Neg(rsaKey.Primes[0]), new(big.Int).Neg(rsaKey.Primes[1])}},
		"RSA with another d":     &rsa.PrivateKey{PublicKey: rsaKey.PublicKey, D: new(big.Int).Add(rsaKey.D, big.NewInt(2)), Primes: rsaKey.Primes},
	} {
		if checked, err := jwk.CheckPrivate(key); err == nil || checked != nil {
			t.Errorf("private, %s: accepted", name)
		}
	}
}

// What the owner of a key does with it afterwards doesn't reach the copy.
func TestChecksCopy(t *testing.T) {
	public, private, _ := ed25519.GenerateKey(rand.Reader)
	owned, _ := rsa.GenerateKey(rand.Reader, 2048)
	publicCopy, err1 := jwk.CheckPublic(public)
	privateCopy, err2 := jwk.CheckPrivate(private)
	rsaCopy, err3 := jwk.CheckPublic(owned.Public())
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	before, modulus := bytes.Clone(public), new(big.Int).Set(owned.N)
	clear(public)
	clear(private)
	owned.N.SetInt64(0)
	if !bytes.Equal(publicCopy.(ed25519.PublicKey), before) || !bytes.Equal(privateCopy.(ed25519.PrivateKey)[ed25519.SeedSize:], before) {
		t.Error("an Ed25519 key changed")
	}
	if rsaCopy.(*rsa.PublicKey).N.Cmp(modulus) != 0 {
		t.Error("an RSA key changed")
	}
}
