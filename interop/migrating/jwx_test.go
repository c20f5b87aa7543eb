package migrating

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/lestrrat-go/httprc/v3"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

func jwxSign(private *ecdsa.PrivateKey) (string, error) {
	key, err := jwk.Import(private)
	if err != nil {
		return "", err
	}
	if err := key.Set(jwk.KeyIDKey, "2026-11"); err != nil {
		return "", err
	}
	token, err := jwt.NewBuilder().
		Issuer("https://auth.example.com").
		Subject("ada").
		Audience([]string{"petstore"}).
		Expiration(time.Now().Add(15 * time.Minute)).
		Build()
	if err != nil {
		return "", err
	}
	raw, err := jwt.Sign(token, jwt.WithKey(jwa.ES256(), key))
	return string(raw), err
}

func jwxVerify(public *ecdsa.PublicKey, raw string) (string, error) {
	token, err := jwt.ParseString(raw, jwt.WithKey(jwa.ES256(), public),
		jwt.WithIssuer("https://auth.example.com"),
		jwt.WithAudience("petstore"),
		jwt.WithRequiredClaim(jwt.ExpirationKey))
	if err != nil {
		return "", err
	}
	subject, _ := token.Subject()
	return subject, nil
}

func jwxOwnClaims(public *ecdsa.PublicKey, raw string) (string, error) {
	token, err := jwt.ParseString(raw, jwt.WithKey(jwa.ES256(), public), jwt.WithIssuer("https://auth.example.com"), jwt.WithAudience("petstore"))
	if err != nil {
		return "", err
	}
	var role string
	if err := token.Get("role", &role); err != nil {
		return "", err
	}
	return role, nil
}

func jwxKey(data []byte) error {
	key, err := jwk.ParseKey(data, jwk.WithPEM(true))
	if err != nil {
		return err
	}
	var private ecdsa.PrivateKey
	return errors.Join(jwk.Export(key, &private), fits(&private))
}

func jwxFromURL(t *testing.T, url, raw string) error {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cache, err := jwk.NewCache(ctx, httprc.NewClient())
	if err != nil {
		return err
	}
	if err := cache.Register(ctx, url); err != nil {
		return err
	}
	keys, err := cache.CachedSet(url)
	if err != nil {
		return err
	}
	_, err = jwt.ParseString(raw, jwt.WithKeySet(keys))
	return err
}

func jwxMiddleware(_ *testing.T, public *ecdsa.PublicKey) http.Handler {
	options := []jwt.ParseOption{jwt.WithKey(jwa.ES256(), public), jwt.WithIssuer("https://auth.example.com"), jwt.WithAudience("petstore")}
	protect := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, err := jwt.ParseRequest(r, options...)
			if err != nil {
				http.Error(w, "unauthorized", http.StatusUnauthorized)
				return
			}
			subject, _ := token.Subject()
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), subjectKey{}, subject)))
		})
	}
	return protect(greetBySubject)
}
