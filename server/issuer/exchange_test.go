package issuer_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

// TestExchangeOfIdentity: what a person let a client know of them opens nothing of an API that calls a scope of its own the same.
func TestExchangeOfIdentity(t *testing.T) {
	const callback = "https://app.example.com/callback"
	_, hash := issuer.NewClientSecret()
	c := config()
	c.Resources = []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read"}}, {Audience: "mailbox", Scopes: []string{"email", "pets:read"}}}
	c.Clients = []issuer.Client{
		{ID: "client_app", Scopes: []string{"pets:read"}, Resources: []string{"petstore"}, FirstParty: true, RedirectURIs: []string{callback}},
		{ID: "client_gateway", Scopes: []string{"email", "pets:read"}, Resources: []string{"mailbox"}, ExchangeFrom: []string{"petstore"}, SecretHash: hash},
	}
	f := newFixture(t, c)
	f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Scope: []string{"email", "pets:read"}}))
	signIn, _, err := f.SignIn(t.Context(), issuer.Proof{Subject: "ann"}, "")
	f.do(err)
	d, err := f.Authorize(t.Context(), issuer.Authorization{
		ClientID: "client_app", RedirectURI: callback, ResponseType: "code", Scope: []string{"openid", "email", "pets:read"},
		Challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", ChallengeMethod: "S256",
	}, signIn, issuer.Shown{})
	f.do(err)
	tokens, err := f.RedeemCode(t.Context(), issuer.CodeGrant{
		Code: d.Code, Client: issuer.ClientProof{ID: "client_app"}, RedirectURI: callback, Verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
	})
	f.do(err)
	exchange := issuer.Exchange{ClientID: "client_gateway", SubjectToken: tokens.Access}
	exchanged, err := f.ExchangeToken(t.Context(), exchange)
	f.do(err)
	if !slices.Equal(exchanged.Scope, []string{"pets:read"}) {
		t.Errorf("the mailbox takes %q for a token of %q", exchanged.Scope, tokens.Scope)
	}
	exchange.Scope = []string{"email"}
	if _, err := f.ExchangeToken(t.Context(), exchange); !errors.Is(err, issuer.ErrInvalidScope) {
		t.Errorf("asked for it: %v", err)
	}
}
