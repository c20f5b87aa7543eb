package issuer_test

import (
	"context"
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

// TestExchangeAfterTheEnd: what another server has ended is over here, too, before its rule has come and while the token itself still passes.
func TestExchangeAfterTheEnd(t *testing.T) {
	for name, end := range map[string]func(context.Context, *issuer.Issuer, issuer.Tokens) error{
		"session ended": func(ctx context.Context, other *issuer.Issuer, tokens issuer.Tokens) error {
			return other.EndSession(ctx, tokens.Subject, tokens.SessionID)
		},
		"logged out everywhere": func(ctx context.Context, other *issuer.Issuer, tokens issuer.Tokens) error {
			return other.EndSessions(ctx, tokens.Subject)
		},
		"subject disabled": func(ctx context.Context, other *issuer.Issuer, tokens issuer.Tokens) error {
			return other.DisableSubject(ctx, tokens.Subject)
		},
		"subject deleted": func(ctx context.Context, other *issuer.Issuer, tokens issuer.Tokens) error {
			return other.DeleteSubject(ctx, tokens.Subject)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, config())
			_, hash := issuer.NewClientSecret()
			f.do(f.CreateClient(t.Context(), issuer.Client{ID: "client_gateway", SecretHash: hash, Scopes: []string{"pets:read"}, Resources: []string{"zoo"}, ExchangeFrom: []string{"petstore"}}))
			given := f.login()
			exchange := issuer.Exchange{ClientID: "client_gateway", SubjectToken: given.Access}
			_, err := f.ExchangeToken(t.Context(), exchange)
			f.do(err)
			other, err := f.open(f.config)
			f.do(errors.Join(err, end(t.Context(), other, given)))
			var over *issuer.ExchangeError
			if tokens, err := f.ExchangeToken(t.Context(), exchange); !errors.As(err, &over) {
				t.Errorf("%+v, %v", tokens, err)
			}
		})
	}
}

// TestExchangeOfAClientsOwnToken: of one that another server has disabled there is nothing to be had, either.
func TestExchangeOfAClientsOwnToken(t *testing.T) {
	f := newFixture(t, config())
	_, hash := issuer.NewClientSecret()
	f.do(f.CreateClient(t.Context(), issuer.Client{ID: "client_gateway", SecretHash: hash, Scopes: []string{"pets:read"}, Resources: []string{"zoo"}, ExchangeFrom: []string{"petstore"}}))
	f.confidential("client_robot")
	exchange := issuer.Exchange{ClientID: "client_gateway", SubjectToken: f.issueToClient("client_robot").Access}
	_, err := f.ExchangeToken(t.Context(), exchange)
	f.do(err)
	other, err := f.open(f.config)
	f.do(errors.Join(err, other.DisableSubject(t.Context(), "client_robot")))
	var over *issuer.ExchangeError
	if tokens, err := f.ExchangeToken(t.Context(), exchange); !errors.As(err, &over) {
		t.Errorf("%+v, %v", tokens, err)
	}
}
