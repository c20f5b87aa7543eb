//go:build go1.27

package jwk_test

import (
	"crypto"
	"crypto/mldsa"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/jot-auth/jot/internal/jwk"
)

const zeroSeed = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// The examples of RFC 9964, appendix A, have the seed of zeros and its thumbprint as key ID.
var rfc9964 = []struct {
	parameters mldsa.Parameters
	begin      string // of "pub"
	thumbprint string
}{
	{mldsa.MLDSA44(), "unH59k4RuutY-pxvu24U5h8YZD2rSVtHU5qRZsoBmBMcRPgmu9VuNOVdteXi", "T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o"},
	{mldsa.MLDSA65(), "QksvJn5Y1bO0TXGs_Gpla7JpUNV8YdsciAvPof6rRD8JQquL2619cIq7w1YH", "Suiu29qbfuaBaR4Ats-c6XQBePB_OpAxAwcTR_0KXVM"},
	{mldsa.MLDSA87(), "5F_8jMc9uIXcZi5ioYzY44AylxF_pWWIFKmFtf8dt7Roz8gruSnx2Gt37RT1", "tRn1JNIkgMsABVQBlXeDHxAIcclh-2IX0UdDEzPt5XU"},
}

func TestMLDSA(t *testing.T) {
	for _, example := range rfc9964 {
		name := example.parameters.String()
		t.Run(name, func(t *testing.T) {
			key, err := mldsa.NewPrivateKey(example.parameters, make([]byte, mldsa.PrivateKeySize))
			if err != nil {
				t.Fatal(err)
			}
			text, err := jwk.MarshalPrivate(key, jwk.Description{})
			if err != nil || !strings.Contains(string(text), `"kty":"AKP"`) || !strings.Contains(string(text), `"alg":"`+name+`"`) ||
				!strings.Contains(string(text), `"pub":"`+example.begin) || !strings.Contains(string(text), `"priv":"`+zeroSeed+`"`) {
				t.Fatalf("%s, %v", text, err)
			}
			again, err := parse(t, string(text)).Private()
			if err != nil || !key.Equal(again) {
				t.Errorf("%T, %v", again, err)
			}
			digest, err := jwk.Thumbprint(key.Public(), crypto.SHA256)
			if got := base64.RawURLEncoding.EncodeToString(digest); got != example.thumbprint || err != nil {
				t.Errorf("thumbprint %s, %v", got, err)
			}
			if algorithm := jwk.MLDSAAlgorithm(key.Public()); algorithm != name {
				t.Errorf("algorithm %q", algorithm)
			}
			if _, err := jwk.MarshalPublic(key.Public(), jwk.Description{Algorithm: "ES256"}); err == nil {
				t.Error("written for another algorithm")
			}
			testMLDSAPEM(t, key)
			testMLDSARefusals(t, string(text), name)
		})
	}
}

func testMLDSAPEM(t *testing.T, key *mldsa.PrivateKey) {
	text, err := jwk.MarshalPrivatePEM(key)
	if err != nil {
		t.Fatal(err)
	}
	if again, isPrivate, err := jwk.ParsePEM(text); err != nil || !isPrivate || !key.Equal(again) {
		t.Errorf("%T, %v", again, err)
	}
	if text, err = jwk.MarshalPublicPEM(key.Public()); err != nil {
		t.Fatal(err)
	}
	if again, isPrivate, err := jwk.ParsePEM(text); err != nil || isPrivate || !key.PublicKey().Equal(again) {
		t.Errorf("%T, %v", again, err)
	}
	if again, _, err := jwk.ParsePEM(block("CERTIFICATE", certificate(t, key))); err != nil || !key.PublicKey().Equal(again) {
		t.Errorf("a certificate: %T, %v", again, err)
	}
}

func testMLDSARefusals(t *testing.T, text, name string) {
	another := map[string]string{"ML-DSA-44": "ML-DSA-65", "ML-DSA-65": "ML-DSA-87", "ML-DSA-87": "ML-DSA-44"}[name]
	for what, changed := range map[string]string{
		"another parameter set": strings.Replace(text, name, another, 1),
		"another algorithm":     strings.Replace(text, name, "ES256", 1),
		"another type":          strings.Replace(text, "AKP", "OKP", 1),
		"another seed":          strings.Replace(text, zeroSeed, "B"+zeroSeed[1:], 1),
		"a short seed":          strings.Replace(text, zeroSeed, zeroSeed[4:], 1),
		"a short public key":    strings.Replace(text, `"pub":"`, `"pub":"AAAA`, 1),
		"no seed":               strings.Replace(text, "priv", "Priv", 1),
	} {
		if key, err := parse(t, changed).Private(); err == nil {
			t.Errorf("%s: %T", what, key)
		}
	}
}

func TestMLDSAChecks(t *testing.T) {
	for name, key := range map[string]any{
		"nil public": (*mldsa.PublicKey)(nil), "nil private": (*mldsa.PrivateKey)(nil), "empty public": new(mldsa.PublicKey), "empty private": new(mldsa.PrivateKey),
	} {
		if _, err := jwk.CheckPublic(key); err == nil {
			t.Errorf("%s: accepted as public", name)
		}
		if _, err := jwk.CheckPrivate(key); err == nil {
			t.Errorf("%s: accepted as private", name)
		}
	}
}
