// Package libraries holds jot against other token libraries: what one signs, the other verifies, and each
// reads the other's keys.
package libraries

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/golang-jwt/jwt/v5"

	"github.com/jot-auth/jot"
)

const (
	issuer   = "https://auth.example.com"
	audience = "petstore"
)

var algorithms = []jot.Algorithm{
	jot.HS256, jot.HS384, jot.HS512, jot.RS256, jot.RS384, jot.RS512, jot.PS256, jot.PS384, jot.PS512, jot.ES256, jot.ES384, jot.ES512, jot.EdDSA,
}

// pair is one key in jot's form and in the form that every other library takes: a JWK.
type pair struct {
	signing jot.SigningKey
	source  jot.KeySource
	private []byte // JWK
}

func newPair(t *testing.T, alg jot.Algorithm) pair {
	t.Helper()
	if alg.Symmetric() {
		secret, err := jot.GenerateSecretKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		exported, err := secret.ExportJWK()
		if err != nil {
			t.Fatal(err)
		}
		return pair{secret, jot.NewSecretKeySet(secret), exported}
	}
	private, err := jot.GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	exported, err := private.ExportJWK()
	if err != nil {
		t.Fatal(err)
	}
	return pair{private, jot.NewKeySet(private.Public()), exported}
}

// jose reads the JWK as go-jose does.
func (p pair) jose(t *testing.T) jose.JSONWebKey {
	t.Helper()
	var key jose.JSONWebKey
	if err := json.Unmarshal(p.private, &key); err != nil {
		t.Fatal(err)
	}
	return key
}

// public returns what verifies: the public key, or the secret.
func public(key jose.JSONWebKey) any {
	if signer, ok := key.Key.(crypto.Signer); ok {
		return signer.Public()
	}
	return key.Key
}

func (p pair) sign(t *testing.T) string {
	t.Helper()
	signer, err := jot.NewSigner(p.signing, jot.SignerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signer.Sign(t.Context(), jot.Claims{
		Issuer: issuer, Subject: "ada", Audience: jot.Audience{audience}, Expires: jot.At(time.Now().Add(time.Minute)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (p pair) verify(t *testing.T, raw string) {
	t.Helper()
	verifier, err := jot.NewVerifier(p.source, jot.VerifierOptions{Issuer: issuer, Audience: audience})
	if err != nil {
		t.Fatal(err)
	}
	token, err := verifier.Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	if token.Subject() != "ada" {
		t.Errorf("subject %q", token.Subject())
	}
}

func TestGolangJWT(t *testing.T) {
	for _, alg := range algorithms {
		t.Run(string(alg), func(t *testing.T) {
			p := newPair(t, alg)
			key := p.jose(t)
			parsed, err := jwt.Parse(p.sign(t), func(*jwt.Token) (any, error) { return public(key), nil },
				jwt.WithValidMethods([]string{string(alg)}), jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithExpirationRequired())
			if err != nil || !parsed.Valid {
				t.Fatal("golang-jwt refuses jot's token:", err)
			}
			theirs, err := jwt.NewWithClaims(jwt.GetSigningMethod(string(alg)), jwt.RegisteredClaims{
				Issuer: issuer, Subject: "ada", Audience: jwt.ClaimStrings{audience}, ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Minute)),
			}).SignedString(key.Key)
			if err != nil {
				t.Fatal(err)
			}
			p.verify(t, theirs)
		})
	}
}

func TestGoJose(t *testing.T) {
	for _, alg := range algorithms {
		t.Run(string(alg), func(t *testing.T) {
			p := newPair(t, alg)
			key := p.jose(t)
			parsed, err := josejwt.ParseSigned(p.sign(t), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
			if err != nil {
				t.Fatal(err)
			}
			var claims josejwt.Claims
			if err := parsed.Claims(public(key), &claims); err != nil || claims.Subject != "ada" {
				t.Fatal("go-jose refuses jot's token:", err)
			}
			signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := josejwt.Signed(signer).Claims(josejwt.Claims{
				Issuer: issuer, Subject: "ada", Audience: josejwt.Audience{audience}, Expiry: josejwt.NewNumericDate(time.Now().Add(time.Minute)),
			}).Serialize()
			if err != nil {
				t.Fatal(err)
			}
			p.verify(t, theirs)
		})
	}
}

// Each reads the other's key sets, and computes the same RFC 7638 thumbprints.
func TestKeySets(t *testing.T) {
	for _, alg := range []jot.Algorithm{jot.RS256, jot.ES256, jot.EdDSA} {
		t.Run(string(alg), func(t *testing.T) {
			private, err := jot.GenerateKey(alg)
			if err != nil {
				t.Fatal(err)
			}
			ours, err := json.Marshal(jot.NewKeySet(private.Public()))
			if err != nil {
				t.Fatal(err)
			}
			var theirs jose.JSONWebKeySet
			if err := json.Unmarshal(ours, &theirs); err != nil {
				t.Fatal(err)
			}
			keys := theirs.Key(private.KeyID())
			if len(keys) != 1 || !keys[0].Valid() || !keys[0].IsPublic() || keys[0].Algorithm != string(alg) {
				t.Fatalf("go-jose reads %+v", keys)
			}
			sum, err := keys[0].Thumbprint(crypto.SHA256)
			if err != nil || base64.RawURLEncoding.EncodeToString(sum) != private.KeyID() {
				t.Errorf("go-jose's thumbprint is %x, %v; jot's %s", sum, err, private.KeyID())
			}
			keys[0].KeyID = ""
			written, err := json.Marshal(theirs)
			if err != nil {
				t.Fatal(err)
			}
			again, err := jot.ParseKeySet(written, jot.ParseOptions{})
			if err != nil || len(again.Keys()) != 1 || again.Keys()[0].KeyID() != private.KeyID() {
				t.Errorf("jot reads %v, %v", again, err)
			}
		})
	}
}
