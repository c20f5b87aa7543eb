package jot_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
)

// careless is a key source that answers the same keys whatever the header says.
type careless []jot.VerificationKey

func (s careless) VerificationKeys(context.Context, jot.Algorithm, string) ([]jot.VerificationKey, error) {
	return s, nil
}

// pair is a key that signs, and what verifies its signatures.
type pair struct {
	signing  jot.SigningKey
	verifies jot.VerificationKey
	public   crypto.PublicKey // nil for HMAC
}

// pairs makes a key for each algorithm, out of as little material as possible: where two algorithms can share a key,
// they do.
func pairs(t *testing.T) map[jot.Algorithm]pair {
	t.Helper()
	secret := []byte(rand.Text() + rand.Text() + rand.Text())[:64]
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, _ := ed25519.GenerateKey(nil)
	made := map[jot.Algorithm]pair{}
	for _, alg := range everyAlgorithm {
		var material crypto.Signer
		switch name := string(alg); {
		case alg.Symmetric():
			key, err := jot.NewSecretKey(alg, secret, jot.KeyOptions{KeyID: "shared"})
			if err != nil {
				t.Fatal(err)
			}
			made[alg] = pair{key, key, nil}
			continue
		case strings.HasPrefix(name, "RS"), strings.HasPrefix(name, "PS"):
			material = rsaKey
		case strings.HasPrefix(name, "ES"):
			material, _ = ecdsa.GenerateKey(map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}[name], rand.Reader)
		case strings.HasPrefix(name, "Ed"):
			material = edwards
		default:
			key := generate(t, alg)
			made[alg] = pair{key, key.Public(), nil}
			continue
		}
		key, err := jot.NewPrivateKey(alg, material, jot.KeyOptions{KeyID: "shared"})
		if err != nil {
			t.Fatal(err)
		}
		made[alg] = pair{key, key.Public(), material.Public()}
	}
	return made
}

// samePrimitive reports whether the two names mean one algorithm: RFC 9864 gives Ed25519 a name of its own.
func samePrimitive(a, b jot.Algorithm) bool {
	return a == b || strings.HasPrefix(string(a), "Ed") && strings.HasPrefix(string(b), "Ed")
}

// RFC 8725 §3.1: a key is for one algorithm. The whole matrix: whichever key signed, whatever the header claims, each
// verifier accepts only its own algorithm, signed as that, though RSA's keys, HMAC's secrets and Ed25519's keys are the
// same under all their names.
func TestEveryKeyAgainstEveryAlgorithm(t *testing.T) {
	keys := pairs(t)
	for _, signer := range everyAlgorithm {
		for _, claimed := range everyAlgorithm {
			for _, header := range []string{`{"alg":%q}`, `{"alg":%q,"kid":"shared"}`} {
				raw, err := jot.ForgeForTest(keys[signer].signing, fmt.Appendf(nil, header, claimed), []byte(acceptablePayload+"}"))
				if err != nil {
					t.Fatal(err)
				}
				for _, verifies := range everyAlgorithm {
					var want error
					switch {
					case claimed != verifies:
						want = jot.ErrAlgorithm
					case !samePrimitive(signer, verifies):
						want = jot.ErrSignature
					}
					err := newVerifier(t, careless{keys[verifies].verifies}, strict()).Check(t.Context(), raw)
					if !errors.Is(err, want) {
						t.Errorf("signed by %s, claims %s, verified with a key for %s: %v, want %v", signer, claimed, verifies, err, want)
					}
				}
			}
		}
	}
}

// The classic confusion: what is published, in any spelling, is used as an HMAC secret.
func TestNoSpellingOfAPublicKeyIsASecret(t *testing.T) {
	keys := pairs(t)
	for _, alg := range everyAlgorithm {
		if alg.Symmetric() {
			continue
		}
		public := keys[alg].verifies.(*jot.PublicKey)
		for name, secret := range spellings(t, public, keys[alg].public) {
			for claimed, hash := range map[jot.Algorithm]crypto.Hash{jot.HS256: crypto.SHA256, jot.HS384: crypto.SHA384, jot.HS512: crypto.SHA512, alg: crypto.SHA256} {
				for _, header := range []string{`{"alg":%q}`, `{"alg":%q,"kid":"shared"}`} {
					encoded := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, header, claimed))
					input := encoded + "." + base64.RawURLEncoding.EncodeToString([]byte(acceptablePayload+"}"))
					mac := hmac.New(hash.New, secret)
					mac.Write([]byte(input))
					raw := input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
					want := jot.ErrAlgorithm
					if claimed == alg {
						want = jot.ErrSignature
					}
					for _, source := range []jot.KeySource{careless{public}, jot.NewKeySet(public)} {
						err := newVerifier(t, source, strict()).Check(t.Context(), raw)
						if !errors.Is(err, want) && !errors.Is(err, jot.ErrUnknownKey) {
							t.Errorf("%s key, %s as the secret of %s: %v", alg, name, claimed, err)
						}
					}
				}
			}
		}
	}
}

// spellings are the forms in which a public key goes around.
func spellings(t *testing.T, key *jot.PublicKey, material crypto.PublicKey) map[string][]byte {
	t.Helper()
	jwk, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	set, _ := json.Marshal(jot.NewKeySet(key))
	all := map[string][]byte{"JWK": jwk, "JWK Set": set, "key ID": []byte(key.KeyID()), "nothing": {}}
	switch public := material.(type) {
	case *rsa.PublicKey:
		all["modulus"], all["PKCS #1"] = public.N.Bytes(), x509.MarshalPKCS1PublicKey(public)
		all["PKCS #1 PEM"] = pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: all["PKCS #1"]})
	case *ecdsa.PublicKey:
		all["point"], _ = public.Bytes()
	case ed25519.PublicKey:
		all["point"] = public
	default:
		return all
	}
	der, err := x509.MarshalPKIXPublicKey(material)
	if err != nil {
		t.Fatal(err)
	}
	all["SPKI"], all["SPKI PEM"] = der, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	all["SPKI PEM, trimmed"] = []byte(strings.TrimSpace(string(all["SPKI PEM"])))
	all["SPKI in hex"], all["SPKI in base64"] = []byte(hex.EncodeToString(der)), []byte(base64.StdEncoding.EncodeToString(der))
	return all
}

// RFC 8725 §3.1 and §3.2: "none" is no algorithm, in any spelling, with any signature.
func TestAlgNone(t *testing.T) {
	key := generateSecret(t)
	for i := range 1 << len("none") {
		name := []byte("none")
		for j := range name {
			if i>>j&1 == 1 {
				name[j] -= 'a' - 'A'
			}
		}
		for _, alg := range []string{string(name), escaped(string(name)), string(name) + " ", " " + string(name), string(name) + `\u0000`} {
			raw := forge(key, `{"alg":"`+alg+`"}`, acceptablePayload+"}")
			unsigned := raw[:strings.LastIndexByte(raw, '.')+1]
			for _, raw := range []string{raw, unsigned, unsigned + "AA"} {
				checkRefused(t, key, raw, jot.ErrAlgorithm)
			}
		}
	}
}

// RFC 7515 §4.1: the registered members have one type, and "alg" one spelling.
func TestHeaderMembers(t *testing.T) {
	key := generateSecret(t)
	checkHeader := func(header string, want error) {
		t.Helper()
		checkRefused(t, key, forge(key, header, acceptablePayload+"}"), want)
	}
	for _, value := range []string{"null", "true", "256", "1e400", `["HS256"]`, "[]", "{}", `{"alg":"HS256"}`} {
		checkHeader(`{"alg":`+value+`}`, jot.ErrMalformed)
		checkHeader(acceptableHeader+`,"typ":`+value+`}`, jot.ErrMalformed)
		checkHeader(acceptableHeader+`,"kid":`+value+`}`, jot.ErrMalformed)
	}
	for _, name := range []string{
		"", " ", "hs256", "Hs256", "HS256 ", " HS256", "HS-256", "HS256\\u0000", "HS256,RS256", "HMACSHA256", "sha256", "HS1", "HS255", "HS2560", "ＨＳ256",
		"ES256K", "ED25519", "Ed448", "eddsa", "RSA1_5", "RSA-OAEP", "A128KW", "dir", "ECDH-ES", "../../dev/null", "HS256' OR '1'='1",
	} {
		checkHeader(`{"alg":"`+name+`"}`, jot.ErrAlgorithm)
	}
	for _, typ := range []string{
		"jwe", "JWT ", " JWT", "JW", "JWTT", "JWT;charset=utf-8", "application/", "application/application/JWT", "text/JWT", "application/jwt/x", "at+jwt", "secevent+jwt",
	} {
		checkHeader(acceptableHeader+`,"typ":"`+typ+`"}`, jot.ErrType)
	}
	for _, accepted := range []string{`{"\u0061lg":"\u0048S256"}`, `{"typ":"application/Jwt","alg":"HS256"}`, `{"alg":"HS256","cty":1,"unheard-of":{"of":[null]}}`} {
		checkAccepted(t, key, forge(key, accepted, acceptablePayload+"}"))
	}
}

// RFC 7515 §4.1.11: this verifier understands no extension, so it refuses whatever "crit" is. RFC 7797 §7: nor is "b64"
// for a JWT.
func TestExtensions(t *testing.T) {
	key := generateSecret(t)
	for _, members := range []string{
		`"crit":[]`, `"crit":null`, `"crit":false`, `"crit":0`, `"crit":""`, `"crit":"exp"`, `"crit":{}`, `"crit":{"exp":true}`, `"crit":[""]`, `"crit":[1]`, `"crit":[null]`,
		`"crit":[["exp"]],"exp":1`, `"crit":["exp"]`, `"crit":["exp"],"exp":1`, `"crit":["exp","exp"],"exp":1`, `"crit":["alg"]`, `"crit":["crit"]`, `"crit":["typ","kid"]`,
		`"crit":["b64"],"b64":true`, `"crit":["b64"],"b64":false`, `"crit":["http://example.com/ext"],"http://example.com/ext":1`, `"\u0063rit":["exp"],"exp":1`,
		`"b64":true`, `"b64":false`, `"b64":null`, `"b64":"false"`, `"b64":0`, `"\u00624":1,"b\u00364":false`,
	} {
		t.Run(members, func(t *testing.T) {
			checkRefused(t, key, forge(key, acceptableHeader+","+members+"}", acceptablePayload+"}"), jot.ErrMalformed)
		})
	}
	checkAccepted(t, key, forge(key, acceptableHeader+"}", acceptablePayload+`,"crit":["exp"],"b64":false}`)) // as claims they mean nothing
}

// RFC 8725 §3.10: a token brings no key of its own, and no place to get one from.
func TestKeysInTheHeader(t *testing.T) {
	trusted, evil := generate(t, jot.ES256), generate(t, jot.ES256)
	jwk, err := json.Marshal(evil.Public())
	if err != nil {
		t.Fatal(err)
	}
	oct := `{"kty":"oct","alg":"ES256","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`
	for _, members := range []string{
		`"jwk":` + string(jwk), `"jwk":` + oct, `"jku":"https://evil.example/jwks.json"`, `"jku":"http://127.0.0.1:1/"`, `"x5u":"file:///etc/passwd"`, `"x5c":["MIIB"]`,
		`"x5t":"AAAA"`, `"x5t#S256":"AAAA"`, `"jwks":{"keys":[` + string(jwk) + `]}`, `"iss":"https://evil.example"`,
	} {
		for header, want := range map[string]error{
			`{"alg":"ES256",` + members + `}`:                                    jot.ErrSignature,
			fmt.Sprintf(`{"alg":"ES256","kid":%q,%s}`, trusted.KeyID(), members): jot.ErrSignature,
			fmt.Sprintf(`{"alg":"ES256","kid":%q,%s}`, evil.KeyID(), members):    jot.ErrUnknownKey,
		} {
			raw, err := jot.ForgeForTest(evil, []byte(header), []byte(acceptablePayload+"}"))
			if err != nil {
				t.Fatal(err)
			}
			if err := newVerifier(t, jot.NewKeySet(trusted.Public()), strict()).Check(t.Context(), raw); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", header, err, want)
			}
		}
	}
}

// RFC 8725 §3.11: a token of one kind never passes where another is asked for.
func TestEveryTypeAgainstEveryOther(t *testing.T) {
	key := generateSecret(t)
	types := []string{"", "JWT", "at+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "jot-feed+jwt", "statuslist+jwt", "oauth-authz-req+jwt"}
	for _, asked := range types {
		o := strict()
		o.Type = asked
		verifier := newVerifier(t, jot.NewSecretKeySet(key), o)
		for _, typ := range types {
			header := acceptableHeader + fmt.Sprintf(`,"typ":%q}`, typ)
			if typ == "" {
				header = acceptableHeader + "}"
			}
			var want error
			if asked != typ && !(asked == "" && typ == "JWT") {
				want = jot.ErrType
			}
			if err := verifier.Check(t.Context(), forge(key, header, acceptablePayload+"}")); !errors.Is(err, want) {
				t.Errorf("asked for %q, got %q: %v, want %v", asked, typ, err, want)
			}
		}
	}
}

// A key without a hint in the token must be of the token's algorithm: the classic confusion signs with the public key
// as HMAC secret.
func TestPublicKeyIsNoSecret(t *testing.T) {
	private := generate(t, jot.ES256)
	published, err := json.Marshal(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	secret, err := jot.NewSecretKey(jot.HS256, published, jot.KeyOptions{KeyID: private.KeyID()})
	if err != nil {
		t.Fatal(err)
	}
	verifier := newVerifier(t, jot.NewKeySet(private.Public()), strict())
	for _, kid := range []string{private.KeyID(), ""} {
		header, _ := json.Marshal(map[string]string{"alg": "HS256", "kid": kid})
		payload, _ := json.Marshal(claims())
		if err := verifier.Check(t.Context(), forge(secret, string(header), string(payload))); !errors.Is(err, jot.ErrAlgorithm) {
			t.Errorf("kid %q: %v", kid, err)
		}
	}
}
