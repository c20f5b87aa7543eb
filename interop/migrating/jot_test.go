package migrating

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/jwks"
)

var ctx = context.Background()

func jotSign(private *ecdsa.PrivateKey) (string, error) {
	key, err := jot.NewPrivateKey(jot.ES256, private, jot.KeyOptions{KeyID: "2026-11"})
	if err != nil {
		return "", err
	}
	signer, err := jot.NewSigner(key, jot.SignerOptions{})
	if err != nil {
		return "", err
	}
	raw, err := signer.Sign(ctx, jot.Claims{
		Issuer:   "https://auth.example.com",
		Subject:  "ada",
		Audience: jot.Audience{"petstore"},
		Expires:  jot.At(time.Now().Add(15 * time.Minute)),
	})
	return raw, err
}

func jotVerify(public *ecdsa.PublicKey, raw string) (string, error) {
	verifier, err := newVerifier(public)
	if err != nil {
		return "", err
	}
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		return "", err
	}
	subject := token.Subject()
	return subject, nil
}

func newVerifier(public *ecdsa.PublicKey) (*jot.Verifier, error) {
	key, err := jot.NewPublicKey(jot.ES256, public, jot.KeyOptions{KeyID: "2026-11"})
	if err != nil {
		return nil, err
	}
	verifier, err := jot.NewVerifier(jot.NewKeySet(key), jot.VerifierOptions{
		Issuer: "https://auth.example.com", Audience: "petstore",
	})
	return verifier, err
}

func jotOwnClaims(public *ecdsa.PublicKey, raw string) (string, error) {
	verifier, err := newVerifier(public)
	if err != nil {
		return "", err
	}
	type Claims struct {
		jot.Claims
		Role string `json:"role"`
	}
	claims, token, err := jot.Verify[Claims](ctx, verifier, raw)
	if err != nil {
		return "", err
	}
	if token.Subject() != claims.Subject {
		return "", errors.New("two subjects")
	}
	return claims.Role, nil
}

func jotKey(data []byte) error {
	key, err := jot.ParsePrivateKey(data, jot.ParseOptions{Algorithm: jot.ES256, KeyID: "2026-11"})
	if err != nil {
		return err
	}
	if key.KeyID() != "2026-11" {
		return fmt.Errorf("key ID %q", key.KeyID())
	}
	return nil
}

func jotFromURL(_ *testing.T, url, raw string) error {
	keys, err := jwks.NewSource(url, jwks.Options{})
	if err != nil {
		return err
	}
	defer keys.Close()
	verifier, err := jot.NewVerifier(keys, jot.VerifierOptions{
		Issuer: "https://auth.example.com", Audience: "petstore",
	})
	if err != nil {
		return err
	}
	return verifier.Check(ctx, raw)
}

func jotMiddleware(t *testing.T, public *ecdsa.PublicKey) http.Handler {
	verifier, err := newVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	protect := jothttp.Protect(verifier)
	greet := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello, %s", jothttp.From(r.Context()).Subject())
	})
	return protect(greet)
}

// answer is what a server makes of the verifier's answer.
func answer(err error) (status int, reason string) {
	var claim *jot.ClaimError
	switch {
	case err == nil:
		return http.StatusOK, ""
	case errors.Is(err, jot.ErrUnavailable):
		return http.StatusServiceUnavailable, "no keys now" // that says nothing of the token
	case errors.Is(err, jot.ErrExpired):
		return http.StatusUnauthorized, "refresh it"
	case errors.As(err, &claim):
		return http.StatusUnauthorized, "not with this claim: " + claim.Claim
	default:
		return http.StatusUnauthorized, "bad token" // errors.Is(err, jot.ErrInvalidToken) holds for each of them
	}
}
