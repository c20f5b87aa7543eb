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
	_, tokens := f.authorized(callback, "openid", "email", "pets:read")
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
