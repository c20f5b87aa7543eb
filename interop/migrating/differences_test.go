package migrating

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"
	jwxjwt "github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/jot-auth/jot"
)

// The page's table of errors, row by row, in the order of its columns.
func TestErrors(t *testing.T) {
	key := newKey(t)
	good := payload(date("exp", time.Minute))
	for _, test := range []struct {
		cells                   []string
		raw                     string
		golangJWT, goJose, jwx_ error
		jot                     error
		claim                   string
	}{
		{cells: []string{"expired", "`jwt.ErrTokenExpired`", "`jwt.ErrExpired`", "`jwt.TokenExpiredError()`", "`jot.ErrExpired`"},
			raw:       signText(t, key, header, payload(date("exp", -time.Hour))),
			golangJWT: jwt.ErrTokenExpired, goJose: josejwt.ErrExpired, jwx_: jwxjwt.TokenExpiredError(), jot: jot.ErrExpired},
		{cells: []string{"before `nbf`", "`jwt.ErrTokenNotValidYet`", "`jwt.ErrNotValidYet`", "`jwt.TokenNotYetValidError()`", "`jot.ErrNotYetValid`"},
			raw:       signText(t, key, header, payload(date("exp", 2*time.Hour), date("nbf", time.Hour))),
			golangJWT: jwt.ErrTokenNotValidYet, goJose: josejwt.ErrNotValidYet, jwx_: jwxjwt.TokenNotYetValidError(), jot: jot.ErrNotYetValid},
		{cells: []string{"bad signature", "`jwt.ErrTokenSignatureInvalid`", "`jose.ErrCryptoFailure`", "`jws.VerificationError()`", "`jot.ErrSignature`"},
			raw:       signText(t, newKey(t), header, good),
			golangJWT: jwt.ErrTokenSignatureInvalid, goJose: jose.ErrCryptoFailure, jwx_: jws.VerificationError(), jot: jot.ErrSignature},
		{cells: []string{"another issuer", "`jwt.ErrTokenInvalidIssuer`", "`jwt.ErrInvalidIssuer`", "`jwt.InvalidIssuerError()`", "`*jot.ClaimError`, `iss`"},
			raw:       signText(t, key, header, strings.Replace(good, "auth.", "evil.", 1)),
			golangJWT: jwt.ErrTokenInvalidIssuer, goJose: josejwt.ErrInvalidIssuer, jwx_: jwxjwt.InvalidIssuerError(), claim: "iss"},
		{cells: []string{"another audience", "`jwt.ErrTokenInvalidAudience`", "`jwt.ErrInvalidAudience`", "`jwt.InvalidAudienceError()`", "`*jot.ClaimError`, `aud`"},
			raw:       signText(t, key, header, strings.Replace(good, "petstore", "zoo", 1)),
			golangJWT: jwt.ErrTokenInvalidAudience, goJose: josejwt.ErrInvalidAudience, jwx_: jwxjwt.InvalidAudienceError(), claim: "aud"},
		{cells: []string{"no `exp`, where required", "`jwt.ErrTokenRequiredClaimMissing`", "–", "`jwt.MissingRequiredClaimError()`", "`*jot.ClaimError`, `exp`"},
			raw:       signText(t, key, header, payload()),
			golangJWT: jwt.ErrTokenRequiredClaimMissing, jwx_: jwxjwt.MissingRequiredClaimError(), claim: "exp"},
		{cells: []string{"not a token", "`jwt.ErrTokenMalformed`", "unnamed", "unnamed", "`jot.ErrMalformed`"},
			raw: "not a token", golangJWT: jwt.ErrTokenMalformed, jot: jot.ErrMalformed},
	} {
		requireRow(t, test.cells...)
		for name, want := range map[string]error{"golang-jwt": test.golangJWT, "go-jose": test.goJose, "jwx": test.jwx_, "jot": test.jot} {
			if _, err := verifiers[name](&key.PublicKey, test.raw); want != nil && !errors.Is(err, want) {
				t.Errorf("%s: %s answers %v", test.cells[0], name, err)
			}
		}
		_, err := jotVerify(&key.PublicKey, test.raw)
		var claim *jot.ClaimError
		if !errors.Is(err, jot.ErrInvalidToken) || test.claim != "" && (!errors.As(err, &claim) || claim.Claim != test.claim) {
			t.Errorf("%s: jot answers %v", test.cells[0], err)
		}
		if status, _ := answer(err); status != 401 {
			t.Errorf("%s: status %d", test.cells[0], status)
		}
	}
	if status, _ := answer(jot.ErrUnavailable); status != 503 {
		t.Errorf("unavailable: status %d", status)
	}
}

// The page's table of what each library says of a token, with the code of the page.
func TestDifferences(t *testing.T) {
	key := newKey(t)
	expires := date("exp", time.Minute)
	for _, test := range []struct{ what, header, payload string }{
		{"that expired half a minute ago", header, payload(date("exp", -30*time.Second))},
		{"without `exp`, if nobody asks for one", header, payload()},
		{"whose `iat` is ten minutes ahead", header, payload(expires, date("iat", 10*time.Minute))},
		{"with `exp` as a string", header, payload(`"exp":"4102444800"`)},
		{"with `\"role\"` twice", header, payload(expires, `"role":"guest"`, `"role":"admin"`)},
		{"with `\"role\"` and `\"Role\"`", header, payload(expires, `"role":"guest"`, `"Role":"admin"`)},
		{"with `\"iss\"` in the letters `\"ISS\"`", header, strings.Replace(payload(expires), `"iss"`, `"ISS"`, 1)},
		{"of type `at+jwt`", strings.Replace(header, `"JWT"`, `"at+jwt"`, 1), payload(expires)},
		{"with another `kid` than the key's", strings.Replace(header, "2026-11", "2026-10", 1), payload(expires)},
		{"of 20 KiB", header, payload(expires, `"note":"`+strings.Repeat("x", 20<<10)+`"`)},
	} {
		raw := signText(t, key, test.header, test.payload)
		cells := []string{test.what}
		for _, verify := range []func(*ecdsa.PublicKey, string) (string, error){golangJWTOwnClaims, goJoseVerify, jwxParse, jotVerify} {
			verdict := "accepted"
			if _, err := verify(&key.PublicKey, raw); err != nil {
				verdict = "refused"
			}
			cells = append(cells, verdict)
		}
		requireRow(t, cells...)
	}
}

type validated struct {
	jwt.RegisteredClaims
}

func (validated) Validate() error { return errors.New("not these") }

// What claims say of themselves counts for golang-jwt alone, as the page tells.
func TestOwnValidation(t *testing.T) {
	key := newKey(t)
	raw := signText(t, key, header, payload(date("exp", time.Minute)))
	if _, err := jwt.ParseWithClaims(raw, &validated{}, func(*jwt.Token) (any, error) { return &key.PublicKey, nil }); err == nil {
		t.Error("golang-jwt accepts it")
	}
	verifier, err := newVerifier(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	claims, _, err := jot.Verify[validated](t.Context(), verifier, raw)
	if err != nil || claims.Validate() == nil {
		t.Error(err)
	}
}

// The page's table of the keys that each library takes.
func TestWeakKeys(t *testing.T) {
	short := []byte("12345")
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what string
		alg  string
		key  any
		jot  func() error
	}{
		{"an HMAC secret of 5 bytes", "HS256", short, func() error {
			_, err := jot.NewSecretKey(jot.HS256, short, jot.KeyOptions{})
			return err
		}},
		{"an RSA key of 1024 bits", "RS256", small, func() error {
			_, err := jot.NewPrivateKey(jot.RS256, small, jot.KeyOptions{})
			return err
		}},
	} {
		cells := []string{test.what}
		for _, err := range []error{golangJWTTakes(test.alg, test.key), goJoseTakes(test.alg, test.key), jwxTakes(test.alg, test.key), test.jot()} {
			verdict := "accepted"
			if err != nil {
				verdict = "refused"
			}
			cells = append(cells, verdict)
		}
		requireRow(t, cells...)
	}
}

func golangJWTTakes(alg string, key any) error {
	_, err := jwt.New(jwt.GetSigningMethod(alg)).SignedString(key)
	return err
}

func goJoseTakes(alg string, key any) error {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: key}, nil)
	if err != nil {
		return err
	}
	_, err = josejwt.Signed(signer).Claims(josejwt.Claims{}).Serialize()
	return err
}

func jwxTakes(alg string, key any) error {
	algorithm, _ := jwa.LookupSignatureAlgorithm(alg)
	_, err := jwxjwt.Sign(jwxjwt.New(), jwxjwt.WithKey(algorithm, key))
	return err
}

// jwxParse verifies without asking for exp, as golangJWTOwnClaims does, too.
func jwxParse(public *ecdsa.PublicKey, raw string) (string, error) {
	_, err := jwxjwt.ParseString(raw, jwxjwt.WithKey(jwa.ES256(), public), jwxjwt.WithIssuer("https://auth.example.com"), jwxjwt.WithAudience("petstore"))
	return "", err
}
