package jottest_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/jottest"
	"github.com/jot-auth/jot/jwks"
)

// protectPets is the wiring of an API that trusts an issuer by its name.
func protectPets(ctx context.Context, issuer string, pets http.Handler, serve func(http.Handler) error) error {
	address, err := jwks.Discover(ctx, issuer, nil)
	if err != nil {
		return err
	}
	keys, err := jwks.NewSource(address, jwks.Options{})
	if err != nil {
		return err
	}
	defer keys.Close()
	verifier, err := jot.NewVerifier(keys, jot.VerifierOptions{Issuer: issuer, Audience: "petstore", Type: "at+jwt"})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /pets/{id}", jothttp.Protect(verifier)(jothttp.RequireScope("pets:read")(pets)))
	return serve(mux)
}

func TestWiringByTheIssuersName(t *testing.T) {
	issuer := jottest.NewIssuer(t, jottest.Options{Audience: "petstore"})
	pets := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	err := protectPets(t.Context(), issuer.URL, pets, func(api http.Handler) error {
		if status := get(api, "/pets/1", issuer.Token(jottest.Claims{"scope": "pets:read"})); status != http.StatusOK {
			t.Errorf("with a good token: %d", status)
		}
		if status := get(api, "/pets/1", issuer.Token(jottest.Claims{"scope": "pets:write"})); status != http.StatusForbidden {
			t.Errorf("with another scope: %d", status)
		}
		for name, token := range issuer.Refused(jottest.Claims{"scope": "pets:read"}) {
			if status := get(api, "/pets/1", token); status != http.StatusUnauthorized {
				t.Errorf("%s: %d", name, status)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
