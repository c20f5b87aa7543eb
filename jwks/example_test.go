package jwks_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwks"
)

// exampleIssuer serves an issuer's metadata and one key, which it answers.
func exampleIssuer() (*httptest.Server, *jot.PrivateKey) {
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, server.URL, server.URL+"/jwks.json")
	})
	mux.HandleFunc("GET /jwks.json", func(w http.ResponseWriter, _ *http.Request) {
		set, _ := jot.NewKeySet(key.Public()).MarshalJSON()
		w.Write(set)
	})
	return server, key
}

// A verifier that finds its issuer's keys by itself and follows their rotation.
func Example() {
	issuer, key := exampleIssuer()
	defer issuer.Close()
	ctx := context.Background()

	uri, err := jwks.Discover(ctx, issuer.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	source, err := jwks.NewSource(uri, jwks.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	verifier, err := jot.NewVerifier(source, jot.VerifierOptions{Issuer: issuer.URL, Audience: "petstore", Type: "at+jwt"})
	if err != nil {
		log.Fatal(err)
	}

	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: "at+jwt"})
	if err != nil {
		log.Fatal(err)
	}
	raw, err := signer.Sign(ctx, jot.Claims{
		Issuer: issuer.URL, Subject: "alice", Audience: jot.Audience{"petstore"}, Expires: jot.At(time.Now().Add(time.Minute)),
	})
	if err != nil {
		log.Fatal(err)
	}
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.Subject())
	// Output: alice
}

// Discover turns an issuer's name into the address of its keys.
func ExampleDiscover() {
	issuer, _ := exampleIssuer()
	defer issuer.Close()
	uri, err := jwks.Discover(context.Background(), issuer.URL, nil)
	fmt.Println(uri == issuer.URL+"/jwks.json", err)
	// Output: true <nil>
}

// A source that follows a withdrawn key faster, at the price of more fetches, and rides out shorter failures only.
func ExampleNewSource() {
	source, err := jwks.NewSource("https://auth.example.com/.well-known/jwks.json", jwks.Options{
		MaxAge:   time.Minute,
		MaxStale: 15 * time.Minute,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()

	_, err = jwks.NewSource("http://auth.example.com/.well-known/jwks.json", jwks.Options{})
	fmt.Println(err)
	// Output: jwks: http://auth.example.com is not protected: use https
}

// The state of a source belongs on a health page.
func ExampleSource_State() {
	issuer, key := exampleIssuer()
	defer issuer.Close()
	source, err := jwks.NewSource(issuer.URL+"/jwks.json", jwks.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	fmt.Println(len(source.State().Keys), "keys before the first token")
	if _, err := source.VerificationKeys(context.Background(), jot.ES256, key.KeyID()); err != nil {
		log.Fatal(err)
	}
	state := source.State()
	fmt.Println(len(state.Keys), "key of algorithm", state.Keys[0].Algorithm(), "last error", state.LastError)
	// Output:
	// 0 keys before the first token
	// 1 key of algorithm ES256 last error <nil>
}
