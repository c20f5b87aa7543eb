package jothttp_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
)

// A client proves that it holds a key (RFC 9449), and a server takes each proof once.
func ExampleNewProofVerifier() {
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := jothttp.NewProofSigner(key, nil)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := jothttp.NewProofVerifier(jothttp.ProofOptions{Algorithms: jothttp.ProofAlgorithms()})
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	const url = "https://auth.example.com/oauth2/token"
	raw, err := signer.Sign(ctx, jothttp.ProofTarget{Method: "POST", URL: url})
	if err != nil {
		log.Fatal(err)
	}
	proof, err := verifier.Verify(ctx, jothttp.ProofRequest{Fields: []string{raw}, Method: "POST", URL: url})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(proof.Thumbprint == signer.Thumbprint())

	_, err = verifier.Verify(ctx, jothttp.ProofRequest{Fields: []string{raw}, Method: "POST", URL: url})
	fmt.Println(errors.Is(err, jothttp.ErrProof))
	// Output:
	// true
	// true
}
