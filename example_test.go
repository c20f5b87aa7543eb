package jot_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"strings"
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

// examplePolicy is what the examples' API demands of a token.
var examplePolicy = jot.VerifierOptions{Issuer: "https://auth.example.com", Audience: "petstore"}

// exampleClaims are those of a token that the petstore accepts for a minute.
func exampleClaims(subject string) jot.Claims {
	return jot.Claims{
		Issuer: "https://auth.example.com", Subject: subject, Audience: jot.Audience{"petstore"}, Expires: jot.At(time.Now().Add(time.Minute)),
	}
}

// exampleSign makes a token with a key.
func exampleSign(key jot.SigningKey, claims any) string {
	signer, err := jot.NewSigner(key, jot.SignerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	raw, err := signer.Sign(context.Background(), claims)
	if err != nil {
		log.Fatal(err)
	}
	return raw
}

// exampleToken is signed with a fresh key and accepted by the verifier beside it.
func exampleToken(claims any) (string, *jot.Verifier) {
	key, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := jot.NewVerifier(jot.NewKeySet(key.Public()), examplePolicy)
	if err != nil {
		log.Fatal(err)
	}
	return exampleSign(key, claims), verifier
}

// Claims of one's own stand beside the registered ones.
func ExampleSigner_Sign() {
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: "at+jwt"})
	if err != nil {
		log.Fatal(err)
	}
	raw, err := signer.Sign(context.Background(), struct {
		jot.Claims
		Scope string `json:"scope"`
	}{jot.Claims{Subject: "ada", Audience: jot.Audience{"petstore"}}, "pets:read pets:write"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", jot.Inspect(raw).Payload.Decoded)
	// Output: {"sub":"ada","aud":"petstore","scope":"pets:read pets:write"}
}

// A verifier says whose tokens it accepts, and for whom.
func ExampleNewVerifier() {
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		log.Fatal(err)
	}
	_, err = jot.NewVerifier(jot.NewKeySet(key.Public()), jot.VerifierOptions{Issuer: "https://auth.example.com"})
	fmt.Println(err)
	// Output: jot: a verifier states exactly one of Audience, AnyAudience and NoAudience
}

func ExampleVerifier_Verify() {
	raw, verifier := exampleToken(map[string]any{
		"iss": "https://auth.example.com", "sub": "ada", "aud": []string{"petstore", "shop"}, "exp": time.Now().Unix() + 60, "scope": "pets:read",
	})

	token, err := verifier.Verify(context.Background(), raw)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.Subject(), token.Audience(), token.HasScope("pets:read"), token.HasScope("pets:write"))
	// Output: ada [petstore shop] true false
}

// What to answer when a token is refused.
func ExampleVerifier_Verify_errors() {
	expired := exampleClaims("ada")
	expired.Expires = jot.At(time.Now().Add(-time.Minute))
	raw, verifier := exampleToken(expired)

	_, err := verifier.Verify(context.Background(), raw)
	switch {
	case err == nil:
		fmt.Println("200")
	case errors.Is(err, jot.ErrUnavailable):
		fmt.Println("503: try again soon")
	case errors.Is(err, jot.ErrExpired), errors.Is(err, jot.ErrStaleClaims):
		fmt.Println("401: refresh the token")
	case errors.Is(err, jot.ErrInvalidToken):
		fmt.Println("401: log in")
	}
	// Output: 401: refresh the token
}

// Which claim was wrong is for logs. The claim's value, which may be about a person, is not told.
func ExampleClaimError() {
	elsewhere := exampleClaims("ada")
	elsewhere.Audience = jot.Audience{"shop"}
	raw, verifier := exampleToken(elsewhere)

	_, err := verifier.Verify(context.Background(), raw)
	if refusal, ok := errors.AsType[*jot.ClaimError](err); ok {
		fmt.Println(refusal.Claim, refusal.Reason)
	}
	// Output: aud does not name this verifier's audience
}

// Check is for where nobody needs the claims, such as a proxy.
// A verifier that remembers the tokens of clients that come again and again.
func ExampleVerifierOptions_cacheSize() {
	ctx := context.Background()
	key, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		log.Fatal(err)
	}
	raw := exampleSign(key, exampleClaims("ada"))
	options := examplePolicy
	options.CacheSize = 10_000
	verifier, err := jot.NewVerifier(jot.NewKeySet(key.Public()), options)
	if err != nil {
		log.Fatal(err)
	}
	first, err := verifier.Verify(ctx, raw)
	if err != nil {
		log.Fatal(err)
	}
	again, err := verifier.Verify(ctx, raw) // expiry, revocation and the key are asked about anew, the signature isn't
	fmt.Println("remembered:", first == again, err)
	// Output: remembered: true <nil>
}

func ExampleVerifier_Check() {
	raw, verifier := exampleToken(exampleClaims("ada"))

	fmt.Println(verifier.Check(context.Background(), raw))
	fmt.Println(verifier.Check(context.Background(), raw+"AAAA"))
	// Output:
	// <nil>
	// jot: signature does not verify
}

// Verification and one's own claims in one call.
func ExampleVerify() {
	type custom struct {
		jot.Claims
		Roles []string `json:"roles"`
	}
	raw, verifier := exampleToken(custom{exampleClaims("ada"), []string{"keeper"}})

	claims, token, err := jot.Verify[custom](context.Background(), verifier, raw)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(claims.Roles, token.Issuer())
	// Output: [keeper] https://auth.example.com
}

func ExampleToken_Decode() {
	raw, verifier := exampleToken(struct {
		jot.Claims
		Features []string `json:"licensedFeatures"`
	}{exampleClaims("ada"), []string{"insights"}})
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

	var other struct {
		LicensedFeatures string `json:"licensedFeatures"`
	}
	fmt.Println(token.Decode(&other))
	// Output:
	// [insights]
	// jot: claim licensedFeatures doesn't fit into string
}

// denyList refuses tokens by their ID. Package revocation has a checker that follows an issuer's feed.
type denyList map[string]bool

func (l denyList) CheckRevocation(_ context.Context, facts *jot.RevocationFacts) (jot.Verdict, error) {
	if l[string(facts.ID)] {
		return jot.Revoked, nil
	}
	return jot.Current, nil
}

func ExampleRevocationChecker() {
	key, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		log.Fatal(err)
	}
	options := examplePolicy
	options.Revocation = denyList{"stolen": true}
	verifier, err := jot.NewVerifier(jot.NewKeySet(key.Public()), options)
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range []string{"stolen", "kept"} {
		claims := exampleClaims("ada")
		claims.ID = id
		fmt.Println(id, verifier.Check(context.Background(), exampleSign(key, claims)))
	}
	// Output:
	// stolen jot: token was revoked
	// kept <nil>
}

// tenants finds the keys of one of several customers: those whose name the key ID begins with.
type tenants map[string]*jot.KeySet

func (t tenants) VerificationKeys(ctx context.Context, alg jot.Algorithm, kid string) ([]jot.VerificationKey, error) {
	name, _, _ := strings.Cut(kid, "/")
	if set := t[name]; set != nil {
		return set.VerificationKeys(ctx, alg, kid)
	}
	return nil, nil // no such key: the token is refused with ErrUnknownKey
}

func ExampleKeySource() {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	key, err := jot.NewPrivateKey(jot.ES256, private, jot.KeyOptions{KeyID: "acme/1"})
	if err != nil {
		log.Fatal(err)
	}
	raw := exampleSign(key, exampleClaims("ada"))

	for _, name := range []string{"acme", "umbrella"} {
		verifier, err := jot.NewVerifier(tenants{name: jot.NewKeySet(key.Public())}, examplePolicy)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(name, verifier.Check(context.Background(), raw))
	}
	// Output:
	// acme <nil>
	// umbrella jot: no key with this token's key ID and algorithm
}

// Inspect is for tools that show a token to a person. Nothing of what it says has been checked.
func ExampleInspect() {
	raw, _ := exampleToken(map[string]any{"sub": "whoever the sender says"})

	unverified := jot.Inspect(raw)
	fmt.Printf("%s, %v\n", unverified.Payload.Decoded, unverified.Err())
	// Output: {"sub":"whoever the sender says"}, <nil>
}
