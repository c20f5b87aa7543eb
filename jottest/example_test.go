package jottest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/examples/petstore"
	"github.com/jot-auth/jot/jottest"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
)

// exampleT stands in for the *testing.T of a test.
type exampleT struct {
	testing.TB
	cleanups []func()
}

func (t *exampleT) Helper()                  {}
func (t *exampleT) Context() context.Context { return context.Background() }
func (t *exampleT) Cleanup(f func())         { t.cleanups = append(t.cleanups, f) }

func (t *exampleT) end() {
	for _, cleanup := range slices.Backward(t.cleanups) {
		cleanup()
	}
}

// get asks an API for a path and returns the status.
func get(api http.Handler, path, token string) int {
	request := httptest.NewRequest("GET", path, nil)
	request.Header.Set("Authorization", "Bearer "+token)
	response := httptest.NewRecorder()
	api.ServeHTTP(response, request)
	return response.Code
}

// The test of a protected API. In yours, t is the *testing.T.
func Example() {
	t := &exampleT{}
	defer t.end()
	issuer := jottest.NewIssuer(t, jottest.Options{Audience: "petstore"})
	api := petstore.Handler(issuer.Verifier())

	fmt.Println("may read:", get(api, "/pets/1", issuer.Token(jottest.Claims{"scope": "pets:read"})))
	fmt.Println("may write only:", get(api, "/pets/1", issuer.Token(jottest.Claims{"scope": "pets:write"})))
	fmt.Println("for another API:", get(api, "/pets/1", issuer.Token(jottest.Claims{"scope": "pets:read", "aud": "shoestore"})))
	// Output:
	// may read: 200
	// may write only: 403
	// for another API: 401
}

// Each kind of bad token, to be sure that a route is protected.
func ExampleIssuer_Refused() {
	t := &exampleT{}
	defer t.end()
	issuer := jottest.NewIssuer(t, jottest.Options{Audience: "petstore"})
	api := petstore.Handler(issuer.Verifier())

	for fault, token := range issuer.Refused(jottest.Claims{"scope": "pets:read"}) {
		if status := get(api, "/pets/1", token); status != http.StatusUnauthorized {
			fmt.Println(fault, "is answered", status)
		}
	}
	// Output:
}

// Expiry is tested by moving the clock, not by waiting.
func ExampleClock() {
	t := &exampleT{}
	defer t.end()
	noon := jottest.NewClock(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	issuer := jottest.NewIssuer(t, jottest.Options{Audience: "petstore", Clock: noon})
	api := petstore.Handler(issuer.Verifier())

	token := issuer.Token(jottest.Claims{"scope": "pets:read", "exp": issuer.Clock.Now().Add(time.Hour)})
	issuer.Clock.Advance(59 * time.Minute)
	fmt.Println(get(api, "/pets/1", token))
	issuer.Clock.Advance(time.Minute)
	fmt.Println(get(api, "/pets/1", token))
	// Output:
	// 200
	// 401
}

// What an API answers after a logout, and while it can't know of logouts.
func ExampleIssuer_EndSession() {
	t := &exampleT{}
	defer t.end()
	issuer := jottest.NewIssuer(t, jottest.Options{Audience: "petstore"})
	api := petstore.Handler(issuer.Verifier())

	token := issuer.Token(jottest.Claims{"scope": "pets:read"})
	issuer.FailRevocation()
	fmt.Println(get(api, "/pets/1", token))
	issuer.Recover()
	fmt.Println(get(api, "/pets/1", token))
	issuer.EndSession(token)
	fmt.Println(get(api, "/pets/1", token))
	// Output:
	// 503
	// 200
	// 401
}

// Claims of one's own in a policy of one's own.
func ExampleIssuer_VerifierOptions() {
	t := &exampleT{}
	defer t.end()
	issuer := jottest.NewIssuer(t, jottest.Options{Audience: "petstore"})
	options := issuer.VerifierOptions()
	options.MaxTTL = time.Hour
	verifier, err := jot.NewVerifier(issuer, options)
	if err != nil {
		t.Fatal(err)
	}
	api := petstore.Handler(verifier)

	licensed := jottest.Claims{"licensedFeatures": []string{"insights"}}
	fmt.Println(get(api, "/pets/insights", issuer.Token(licensed)))
	licensed["exp"] = issuer.Clock.Now().Add(24 * time.Hour)
	fmt.Println(get(api, "/pets/insights", issuer.Token(licensed)))
	// Output:
	// 200
	// 401
}

// The wiring of a program in production, against the issuer's address: discovery, the key set, and the revocation feed.
func ExampleIssuer_Await() {
	t := &exampleT{}
	defer t.end()
	issuer := jottest.NewIssuer(t, jottest.Options{Audience: "petstore"})

	uri, _ := jwks.Discover(t.Context(), issuer.URL, nil)
	keys, _ := jwks.NewSource(uri, jwks.Options{})
	defer keys.Close()
	reader, _ := revocation.NewReader(issuer.ReaderOptions())
	defer reader.Close()
	verifier, _ := jot.NewVerifier(keys, jot.VerifierOptions{
		Issuer: issuer.URL, Audience: "petstore", Type: "at+jwt", Revocation: reader,
	})
	api := petstore.Handler(verifier)

	token := issuer.Token(jottest.Claims{"scope": "pets:read"})
	issuer.Await(reader)
	fmt.Println(get(api, "/pets/1", token))
	issuer.RevokeToken(token)
	issuer.Await(reader)
	fmt.Println(get(api, "/pets/1", token))
	// Output:
	// 200
	// 401
}

// A key is rotated while the API goes on with the key set that it has: it fetches the set when the first token of the
// new key comes.
func ExampleIssuer_RotateKey() {
	t := &exampleT{}
	defer t.end()
	issuer := jottest.NewIssuer(t, jottest.Options{Audience: "petstore"})
	keys, err := jwks.NewSource(issuer.URL+"/.well-known/jwks.json", jwks.Options{Now: issuer.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	verifier, err := jot.NewVerifier(keys, issuer.VerifierOptions())
	if err != nil {
		t.Fatal(err)
	}

	before := issuer.Token(nil)
	fmt.Println(verifier.Check(t.Context(), before))
	issuer.RotateKey()
	issuer.Clock.Advance(10 * time.Second) // the cool-down between two fetches
	fmt.Println(verifier.Check(t.Context(), issuer.Token(nil)))
	fmt.Println(verifier.Check(t.Context(), before))

	issuer.RetireKeys()
	issuer.Clock.Advance(10 * time.Second)
	fmt.Println(verifier.Check(t.Context(), before))
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// jot: no key with this token's key ID and algorithm
}
