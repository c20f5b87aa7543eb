package migrating

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

func golangJWTSign(private *ecdsa.PrivateKey) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.RegisteredClaims{
		Issuer:    "https://auth.example.com",
		Subject:   "ada",
		Audience:  jwt.ClaimStrings{"petstore"},
		ExpiresAt: jwt.NewNumericDate(time.Now().Add(15 * time.Minute)),
	})
	token.Header["kid"] = "2026-11"
	raw, err := token.SignedString(private)
	return raw, err
}

func golangJWTVerify(public *ecdsa.PublicKey, raw string) (string, error) {
	token, err := jwt.ParseWithClaims(raw, &jwt.RegisteredClaims{},
		func(*jwt.Token) (any, error) { return public, nil },
		jwt.WithValidMethods([]string{"ES256"}),
		jwt.WithIssuer("https://auth.example.com"),
		jwt.WithAudience("petstore"),
		jwt.WithExpirationRequired())
	if err != nil {
		return "", err
	}
	subject, err := token.Claims.GetSubject()
	return subject, err
}

func golangJWTOwnClaims(public *ecdsa.PublicKey, raw string) (string, error) {
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"ES256"}), jwt.WithIssuer("https://auth.example.com"), jwt.WithAudience("petstore"))
	keyFunc := func(*jwt.Token) (any, error) { return public, nil }
	type Claims struct {
		jwt.RegisteredClaims
		Role string `json:"role"`
	}
	var claims Claims
	_, err := parser.ParseWithClaims(raw, &claims, keyFunc)
	return claims.Role, err
}

func golangJWTKey(data []byte) error {
	private, err := jwt.ParseECPrivateKeyFromPEM(data)
	return errors.Join(err, fits(private))
}

func fits(private any) error {
	if key, ok := private.(*ecdsa.PrivateKey); !ok || key == nil {
		return fmt.Errorf("a key of type %T", private)
	}
	return nil
}

func golangJWTFromURL(t *testing.T, url, raw string) error {
	keys := fetchedKeys(t, url)
	keyFunc := func(token *jwt.Token) (any, error) {
		kid, _ := token.Header["kid"].(string)
		key, known := keys[kid] // fetched, parsed and refreshed by code of your own, or of a third module
		if !known {
			return nil, errors.New("unknown key")
		}
		return key, nil
	}
	_, err := jwt.Parse(raw, keyFunc, jwt.WithValidMethods([]string{"ES256"}))
	return err
}

// fetchedKeys is the code of one's own of which the page speaks.
func fetchedKeys(t *testing.T, url string) map[string]any {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(response.Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	keys := map[string]any{}
	for _, key := range set.Keys {
		keys[key.KeyID] = key.Key
	}
	return keys
}

type subjectKey struct{}

var greetBySubject = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "hello, %v", r.Context().Value(subjectKey{}))
})

func golangJWTMiddleware(_ *testing.T, public *ecdsa.PublicKey) http.Handler {
	verify := func(raw string) (subject string, err error) { return golangJWTVerify(public, raw) }
	protect := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			raw, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if !found {
				http.Error(w, "unauthorized", http.StatusUnauthorized)
				return
			}
			subject, err := verify(raw)
			if err != nil {
				http.Error(w, "unauthorized", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), subjectKey{}, subject)))
		})
	}
	return protect(greetBySubject)
}
