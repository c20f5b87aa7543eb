//go:build unix

package issuer_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"sync"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

// TestCodeAmongOthers: beside its own client, which presents a code once, or twice at once, another client and some
// with a wrong secret present it too. They get nothing and keep the client from nothing: it gets tokens, whose session
// the second use ends. A secret that was replaced before is good for no code.
func TestCodeAmongOthers(t *testing.T) {
	const app, other, redirect = "client_app", "client_other", "https://app.example/done"
	i := issuerOnPostgres(t)
	secret, hash := issuer.NewClientSecret()
	for _, id := range []string{app, other} {
		c := issuer.Client{ID: id, Scopes: []string{"pets:read"}, FirstParty: true, SecretHash: hash, RedirectURIs: []string{redirect}}
		if err := i.CreateClient(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if err := i.CreateSubject(t.Context(), issuer.Subject{ID: "ann"}); err != nil {
		t.Fatal(err)
	}
	cookie, _, err := i.SignIn(t.Context(), issuer.Proof{Subject: "ann"}, "")
	if err != nil {
		t.Fatal(err)
	}
	verifier := rand.Text() + rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	request := issuer.Authorization{
		ClientID: app, RedirectURI: redirect, ResponseType: "code", Challenge: base64.RawURLEncoding.EncodeToString(challenge[:]), ChallengeMethod: "S256",
	}
	redeem := func(code, id, secret string) (issuer.Tokens, error) {
		proof := issuer.ClientProof{ID: id, Secret: secret}
		return i.RedeemCode(t.Context(), issuer.CodeGrant{Code: code, Client: proof, RedirectURI: redirect, Verifier: verifier})
	}
	for round := range 6 {
		uses, worth := 1+round%2, error(nil)
		if uses > 1 {
			worth = jot.ErrRevoked
		}
		decision, err := i.Authorize(t.Context(), request, cookie, issuer.Shown{})
		if err != nil || decision.Step != issuer.StepAnswer {
			t.Fatalf("step %v: %v", decision.Step, err)
		}
		got := make(chan issuer.Tokens, uses)
		var all sync.WaitGroup
		for range uses {
			all.Go(func() {
				if tokens, err := redeem(decision.Code, app, secret); err == nil {
					got <- tokens
				} else if !errors.Is(err, issuer.ErrInvalidGrant) {
					t.Errorf("its client: %v", err)
				}
			})
		}
		for range 2 {
			for proof, want := range map[issuer.ClientProof]error{
				{ID: other, Secret: secret}:    issuer.ErrInvalidGrant,
				{ID: app, Secret: "jcs_wrong"}: issuer.ErrInvalidClient,
				{ID: app}:                      issuer.ErrInvalidClient,
			} {
				all.Go(func() {
					if _, err := redeem(decision.Code, proof.ID, proof.Secret); !errors.Is(err, want) {
						t.Errorf("%s with the secret %q: %v, want %v", proof.ID, proof.Secret, err, want)
					}
				})
			}
		}
		all.Wait()
		if len(got) != 1 {
			t.Fatalf("%d got tokens, want 1", len(got))
		}
		if err := i.Verifier().Check(t.Context(), (<-got).Access); !errors.Is(err, worth) {
			t.Errorf("the tokens of a code that was used %d times: %v, want %v", uses, err, worth)
		}
	}
	decision, err := i.Authorize(t.Context(), request, cookie, issuer.Shown{})
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := i.ReplaceClientSecret(t.Context(), app)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := redeem(decision.Code, app, secret); !errors.Is(err, issuer.ErrInvalidClient) {
		t.Errorf("with the secret of before: %v", err)
	}
	if _, err := redeem(decision.Code, app, fresh); err != nil {
		t.Errorf("with the new secret: %v", err)
	}
}
