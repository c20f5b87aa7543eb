package issuer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// A program with its own table of users gives them tokens: it logs them in as it always did, and then asks for a pair.
func Example() {
	ctx := context.Background()
	directory, err := os.MkdirTemp("", "jot")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(directory)

	store, err := sqlstore.Open(ctx, filepath.Join(directory, "data", "jot.db"), sqlstore.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	tokens, err := issuer.New(ctx, store, issuer.Config{
		URL:              "https://auth.example.com",
		Resources:        []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read", "pets:write"}}},
		Clients:          []issuer.Client{{ID: "client_web", Scopes: []string{"pets:read", "pets:write"}, FirstParty: true}},
		KeyEncryptionKey: bytes.Repeat([]byte{42}, 32), // 32 random bytes from a file or the environment
	})
	if err != nil {
		log.Fatal(err)
	}
	defer tokens.Close()

	// When user 42 signs up: the subject, with what its tokens shall say.
	user := issuer.Subject{ID: "42", Claims: json.RawMessage(`{"plan":"pro"}`), Scope: []string{"pets:read"}}
	if err := tokens.CreateSubject(ctx, user); err != nil {
		log.Fatal(err)
	}
	// When user 42 has logged in.
	pair, err := tokens.Issue(ctx, issuer.Grant{Subject: "42", AMR: []string{"pwd"}})
	if err != nil {
		log.Fatal(err)
	}

	// Any API verifies the access token offline, with the published keys.
	verifier, err := jot.NewVerifier(tokens.KeySet(), jot.VerifierOptions{
		Issuer: "https://auth.example.com", Audience: "petstore", Type: "at+jwt", Revocation: tokens})
	if err != nil {
		log.Fatal(err)
	}
	claims, token, err := jot.Verify[struct {
		Plan string `json:"plan"`
	}](ctx, verifier, pair.Access)
	fmt.Println(token.Subject(), token.Scope(), claims.Plan, err)

	// When it is about to expire.
	pair, err = tokens.Refresh(ctx, issuer.RefreshRequest{Token: pair.Refresh})
	fmt.Println(pair.ExpiresIn, err)

	// When user 42 logs out.
	if err := tokens.EndSession(ctx, "42", pair.SessionID); err != nil {
		log.Fatal(err)
	}
	fmt.Println(errors.Is(verifier.Check(ctx, pair.Access), jot.ErrRevoked))
	// Output:
	// 42 pets:read pro <nil>
	// 15m0s <nil>
	// true
}
