package petstore_test

import (
	"net/http"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
)

// protect is what an API needs to trust the tokens of a jot server: its keys, its revocation feed, and a policy.
func protect(issuer, credential string, pets http.Handler) (http.Handler, error) {
	keys, err := jwks.NewSource(issuer+"/.well-known/jwks.json", jwks.Options{})
	if err != nil {
		return nil, err
	}
	feedKeys, err := jwks.NewSource(issuer+"/feed/jwks.json", jwks.Options{})
	if err != nil {
		return nil, err
	}
	feed, err := revocation.NewReader(revocation.ReaderOptions{
		URL: issuer + "/feed", Issuer: issuer, Keys: feedKeys, Credential: credential,
	})
	if err != nil {
		return nil, err
	}
	verifier, err := jot.NewVerifier(keys, jot.VerifierOptions{
		Issuer: issuer, Audience: "petstore", Type: "at+jwt", Revocation: feed,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /pets/{id}", jothttp.Protect(verifier)(jothttp.RequireScope("pets:read")(pets)))
	return mux, nil
}
