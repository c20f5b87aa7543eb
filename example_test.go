package jot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/jot-auth/jot"
)

func Example() {
	ctx := context.Background()
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		log.Fatal(err)
	}

	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: "at+jwt"})
	if err != nil {
		log.Fatal(err)
	}
	raw, err := signer.Sign(ctx, jot.Claims{
		Issuer:   "https://auth.example.com",
		Subject:  "ada",
		Audience: jot.Audience{"petstore"},
		Expires:  jot.At(time.Now().Add(15 * time.Minute)),
	})
	if err != nil {
		log.Fatal(err)
	}

	verifier, err := jot.NewVerifier(jot.NewKeySet(key.Public()), jot.VerifierOptions{
		Issuer: "https://auth.example.com", Audience: "petstore", Type: "at+jwt",
	})
	if err != nil {
		log.Fatal(err)
	}
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.Subject())
	// Output: ada
}

// exampleToken is signed with a fresh key and accepted by the verifier beside it.
func exampleToken(claims any) (string, *jot.Verifier) {
	key, _ := jot.GenerateKey(jot.EdDSA)
	signer, _ := jot.NewSigner(key, jot.SignerOptions{})
	raw, err := signer.Sign(context.Background(), claims)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := jot.NewVerifier(jot.NewKeySet(key.Public()), jot.VerifierOptions{Issuer: "https://auth.example.com", Audience: "petstore"})
	if err != nil {
		log.Fatal(err)
	}
	return raw, verifier
}

func ExampleVerify() {
	type custom struct {
		jot.Claims
		Roles []string `json:"roles"`
	}
	raw, verifier := exampleToken(custom{
		Claims: jot.Claims{Issuer: "https://auth.example.com", Audience: jot.Audience{"petstore"}, Expires: jot.At(time.Now().Add(time.Minute))},
		Roles:  []string{"keeper"},
	})

	claims, token, err := jot.Verify[custom](context.Background(), verifier, raw)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(claims.Roles, token.Issuer())
	// Output: [keeper] https://auth.example.com
}

func ExampleVerifier_Verify_errors() {
	raw, verifier := exampleToken(jot.Claims{
		Issuer: "https://auth.example.com", Audience: jot.Audience{"petstore"}, Expires: jot.At(time.Now().Add(-time.Minute)),
	})

	_, err := verifier.Verify(context.Background(), raw)
	switch {
	case errors.Is(err, jot.ErrUnavailable):
		fmt.Println("503: try again soon")
	case errors.Is(err, jot.ErrExpired):
		fmt.Println("401: refresh the token")
	case errors.Is(err, jot.ErrInvalidToken):
		fmt.Println("401: log in")
	}
	// Output: 401: refresh the token
}

func ExampleVerifier_Check() {
	raw, verifier := exampleToken(jot.Claims{
		Issuer: "https://auth.example.com", Audience: jot.Audience{"petstore"}, Expires: jot.At(time.Now().Add(time.Minute)),
	})

	fmt.Println(verifier.Check(context.Background(), raw))
	// Output: <nil>
}

func ExampleToken_Decode() {
	raw, verifier := exampleToken(map[string]any{
		"iss": "https://auth.example.com", "aud": "petstore", "exp": time.Now().Unix() + 60, "licensedFeatures": []string{"insights"},
	})
	token, err := verifier.Verify(context.Background(), raw)
	if err != nil {
		log.Fatal(err)
	}

	var custom struct {
		LicensedFeatures []string `json:"licensedFeatures"`
	}
	if err := token.Decode(&custom); err != nil {
		log.Fatal(err)
	}
	fmt.Println(custom.LicensedFeatures)
	// Output: [insights]
}

func ExampleInspect() {
	raw, _ := exampleToken(map[string]any{"sub": "whoever the sender says"})

	unverified := jot.Inspect(raw)
	fmt.Printf("%s, %v\n", unverified.Payload.Decoded, unverified.Err())
	// Output: {"sub":"whoever the sender says"}, <nil>
}

func ExampleParseKeySet() {
	set, err := jot.ParseKeySet([]byte(`{"keys": [
		{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
		{"kty": "from the future"}
	]}`), jot.ParseOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Keys()[0].KeyID())
	fmt.Println("skipped:", len(set.Skipped()))
	// Output:
	// kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
	// skipped: 1
}

func ExampleNewKeySet() {
	key, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		log.Fatal(err)
	}
	document, err := json.Marshal(jot.NewKeySet(key.Public())) // what /.well-known/jwks.json serves
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.9s\n", document)
	// Output: {"keys":[
}

func ExampleNewSecretKeySet() {
	retiring, _ := jot.GenerateSecretKey(jot.HS256)
	active, _ := jot.GenerateSecretKey(jot.HS256)
	verifier, err := jot.NewVerifier(jot.NewSecretKeySet(active, retiring), jot.VerifierOptions{
		Issuer: "https://auth.example.com", Audience: "petstore",
	})
	if err != nil {
		log.Fatal(err)
	}
	signer, _ := jot.NewSigner(retiring, jot.SignerOptions{})
	raw, _ := signer.Sign(context.Background(), jot.Claims{
		Issuer: "https://auth.example.com", Audience: jot.Audience{"petstore"}, Expires: jot.At(time.Now().Add(time.Minute)),
	})
	fmt.Println(verifier.Check(context.Background(), raw))
	// Output: <nil>
}
