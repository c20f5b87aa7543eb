package jothttp_test

import (
	"context"
	"crypto/subtle"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
)

// exampleIssuer answers a verifier and a token for alice that it accepts, with scope pets:read.
func exampleIssuer() (verifier *jot.Verifier, raw string) {
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err = jot.NewVerifier(jot.NewKeySet(key.Public()), jot.VerifierOptions{Issuer: "https://auth.example.com", Audience: "petstore"})
	if err != nil {
		log.Fatal(err)
	}
	signer, err := jot.NewSigner(key, jot.SignerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	raw, err = signer.Sign(context.Background(), map[string]any{
		"iss": "https://auth.example.com", "sub": "alice", "aud": "petstore", "scope": "pets:read", "exp": time.Now().Add(time.Minute).Unix(),
	})
	if err != nil {
		log.Fatal(err)
	}
	return verifier, raw
}

// call sends a request and prints the status with the challenge, or with the body when there is none.
func call(h http.Handler, method, token string) {
	r := httptest.NewRequest(method, "/pets", nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if challenge := w.Header().Get("WWW-Authenticate"); challenge != "" {
		fmt.Println(w.Code, challenge)
		return
	}
	fmt.Println(w.Code, w.Body)
}

var greet = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "hello, %s", jothttp.From(r.Context()).Subject())
})

// One line protects a handler.
func ExampleProtect() {
	verifier, token := exampleIssuer()
	h := jothttp.Protect(verifier)(greet)

	call(h, "GET", token)
	call(h, "GET", "")
	call(h, "GET", token+"AAAA")
	// Output:
	// 200 hello, alice
	// 401 Bearer realm="api"
	// 401 Bearer realm="api", error="invalid_token"
}

// A scope for each method.
func ExampleRequireScope() {
	verifier, token := exampleIssuer()
	protect := jothttp.Protect(verifier)
	mux := http.NewServeMux()
	mux.Handle("GET /pets", protect(jothttp.RequireScope("pets:read")(greet)))
	mux.Handle("POST /pets", protect(jothttp.RequireScope("pets:write")(greet)))

	call(mux, "GET", token)
	call(mux, "POST", token)
	// Output:
	// 200 hello, alice
	// 403 Bearer realm="api", error="insufficient_scope", scope="pets:write"
}

// A role, from the claims.
func ExampleRequire() {
	type claims struct {
		Roles []string `json:"roles"`
	}
	isAdmin := func(c claims) bool { return slices.Contains(c.Roles, "admin") }
	verifier, token := exampleIssuer()
	h := jothttp.Protect(verifier)(jothttp.Require(isAdmin)(greet))

	call(h, "GET", token) // alice has no roles
	// Output:
	// 403 {"type":"about:blank","title":"Forbidden","status":403}
}

// What moves money wants a second factor, within the last five minutes (RFC 9470).
func ExampleStepUp_Require() {
	verifier, token := exampleIssuer()
	stepUp := jothttp.StepUp{ACR: []string{"urn:jot:acr:2fa"}, MaxAge: 5 * time.Minute}
	h := jothttp.Protect(verifier)(stepUp.Require()(greet))

	call(h, "POST", token) // alice has only shown a password
	// Output:
	// 401 Bearer realm="api", error="insufficient_user_authentication", acr_values="urn:jot:acr:2fa", max_age="300"
}

// A browser application: the token comes in a cookie, and refusals are logged.
func ExampleOptions_Protect() {
	verifier, token := exampleIssuer()
	h := jothttp.Options{
		Verifier: verifier,
		Realm:    "petstore",
		Cookie:   jothttp.CookieName,
		OnRefuse: func(r *http.Request, reason error) { fmt.Println("refused:", reason) },
	}.Protect()(greet)

	for _, site := range []string{"same-origin", "cross-site"} {
		r := httptest.NewRequest("POST", "https://pets.example/pets", nil)
		r.AddCookie(&http.Cookie{Name: jothttp.CookieName, Value: token})
		r.Header.Set("Sec-Fetch-Site", site)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(site, w.Code)
	}
	// Output:
	// same-origin 200
	// refused: jothttp: cross-origin request with a cookie: cross-origin request detected from Sec-Fetch-Site header
	// cross-site 403
}

// A CORS handler stands outside of Protect: the preflights that it answers bear no token.
func ExampleProtect_crossOrigin() {
	verifier, token := exampleIssuer()
	cors := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Origin")
			if r.Header.Get("Origin") == "https://shop.example" {
				w.Header().Set("Access-Control-Allow-Origin", "https://shop.example")
				w.Header().Set("Access-Control-Allow-Headers", "Authorization")
				w.Header().Set("Access-Control-Expose-Headers", jothttp.RefreshHeader)
			}
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	h := cors(jothttp.Protect(verifier)(greet))

	preflight := httptest.NewRequest("OPTIONS", "/pets", nil)
	preflight.Header.Set("Origin", "https://shop.example")
	preflight.Header.Set("Access-Control-Request-Method", "GET")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, preflight)
	fmt.Println(w.Code, w.Header().Get("Access-Control-Allow-Origin"))
	call(h, "GET", token)
	// Output:
	// 204 https://shop.example
	// 200 hello, alice
}

// The token inside a handler, with claims of one's own.
func ExampleFrom() {
	verifier, token := exampleIssuer()
	h := jothttp.Protect(verifier)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var claims struct {
			Scope string `json:"scope"`
		}
		if err := jothttp.From(r.Context()).Decode(&claims); err != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, "scope %s", claims.Scope)
	}))
	call(h, "GET", token)
	// Output: 200 scope pets:read
}

// A credential that is no token, such as the one that opens a feed. It's compared in a time that tells nothing.
func ExampleCredential() {
	known := []byte("8wZKuTmXJd3bR1nF6qYcVh0sLgPe5AxM")
	open := func(w http.ResponseWriter, r *http.Request) {
		credential, err := jothttp.Credential(r, "", 0)
		switch {
		case err != nil:
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, err)
		case subtle.ConstantTimeCompare([]byte(credential), known) == 0:
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, "unknown")
		default:
			fmt.Fprint(w, "welcome")
		}
	}
	call(http.HandlerFunc(open), "GET", string(known))
	call(http.HandlerFunc(open), "GET", "guessed")
	call(http.HandlerFunc(open), "GET", "two words")
	// Output:
	// 200 welcome
	// 401 unknown
	// 400 jothttp: malformed credentials: what follows Bearer is not one token
}
