package migrating

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

func goJoseSign(private *ecdsa.PrivateKey) (string, error) {
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: "2026-11"}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	raw, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer:   "https://auth.example.com",
		Subject:  "ada",
		Audience: jwt.Audience{"petstore"},
		Expiry:   jwt.NewNumericDate(time.Now().Add(15 * time.Minute)),
	}).Serialize()
	return raw, err
}

func goJoseVerify(public *ecdsa.PublicKey, raw string) (string, error) {
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return "", err
	}
	var claims jwt.Claims
	if err := token.Claims(public, &claims); err != nil {
		return "", err
	}
	err = claims.Validate(jwt.Expected{Issuer: "https://auth.example.com", AnyAudience: jwt.Audience{"petstore"}})
	if err != nil {
		return "", err
	}
	subject := claims.Subject
	return subject, nil
}

func goJoseOwnClaims(public *ecdsa.PublicKey, raw string) (string, error) {
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return "", err
	}
	expected := jwt.Expected{Issuer: "https://auth.example.com", AnyAudience: jwt.Audience{"petstore"}}
	type Claims struct {
		jwt.Claims
		Role string `json:"role"`
	}
	var claims Claims
	if err := token.Claims(public, &claims); err != nil {
		return "", err
	}
	err = claims.Validate(expected)
	return claims.Role, err
}

func goJoseKey(data []byte) error {
	block, _ := pem.Decode(data)
	if block == nil {
		return errors.New("not PEM")
	}
	private, err := x509.ParseECPrivateKey(block.Bytes)
	return errors.Join(err, fits(private))
}

func goJoseFromURL(t *testing.T, url, raw string) error {
	get := func(url string) (*http.Response, error) {
		request, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
		if err != nil {
			return nil, err
		}
		return http.DefaultClient.Do(request)
	}
	response, err := get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var keys jose.JSONWebKeySet
	if err := json.NewDecoder(response.Body).Decode(&keys); err != nil {
		return err
	}
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return err
	}
	var claims jwt.Claims
	err = token.Claims(&keys, &claims)
	return err
}
