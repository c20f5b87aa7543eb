package issuer_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestExchangeOfIdentity: what a person let a client know of them opens nothing of an API that calls a scope of its own
// the same.
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

// TestExchangeAfterTheEnd: what another server has ended is over here, too, before its rule has come and while the
// token itself still passes.
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

// TestExchangeOfAClientsOwnToken: of one that another server has disabled or deleted there is nothing to be had,
// either.
func TestExchangeOfAClientsOwnToken(t *testing.T) {
	for name, end := range map[string]func(context.Context, *issuer.Issuer) error{
		"disabled": func(ctx context.Context, other *issuer.Issuer) error {
			return other.DisableSubject(ctx, "client_robot")
		},
		"deleted": func(ctx context.Context, other *issuer.Issuer) error { return other.DeleteClient(ctx, "client_robot") },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, config())
			_, hash := issuer.NewClientSecret()
			f.do(f.CreateClient(t.Context(), issuer.Client{ID: "client_gateway", SecretHash: hash, Scopes: []string{"pets:read"}, Resources: []string{"zoo"}, ExchangeFrom: []string{"petstore"}}))
			f.confidential("client_robot")
			exchange := issuer.Exchange{ClientID: "client_gateway", SubjectToken: f.issueToClient("client_robot").Access}
			_, err := f.ExchangeToken(t.Context(), exchange)
			f.do(err)
			other, err := f.open(f.config)
			f.do(errors.Join(err, end(t.Context(), other)))
			var over *issuer.ExchangeError
			if tokens, err := f.ExchangeToken(t.Context(), exchange); !errors.As(err, &over) {
				t.Errorf("%+v, %v", tokens, err)
			}
		})
	}
}

// TestExchangeScope: what a client asks for is what it gets, and no more than it may have itself, however much the
// token has.
func TestExchangeScope(t *testing.T) {
	const read, write = "pets:read", "pets:write"
	both := []string{read, write}
	for _, test := range []struct {
		name              string
		client, requested []string
		want              []string // nil: ErrInvalidScope
	}{
		{"everything", both, nil, both},
		{"everything of a client that may less", []string{read}, nil, []string{read}},
		{"some of it", both, []string{write}, []string{write}},
		{"all of it", both, []string{write, read}, []string{write, read}},
		{"none of it", both, []string{}, []string{}},
		{"more than the client may", []string{read}, []string{write}, nil},
		{"more than the client may, beside what it may", []string{read}, both, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config()
			_, hash := issuer.NewClientSecret()
			c.Resources[1].Scopes = both
			c.Clients = append(c.Clients, issuer.Client{ID: "client_gateway", SecretHash: hash, Scopes: test.client, Resources: []string{"zoo"}, ExchangeFrom: []string{"petstore"}})
			f := newFixture(t, c)
			exchange := issuer.Exchange{ClientID: "client_gateway", SubjectToken: f.login().Access, Scope: test.requested}
			tokens, err := f.ExchangeToken(t.Context(), exchange)
			if test.want == nil && !errors.Is(err, issuer.ErrInvalidScope) || test.want != nil && (err != nil || !slices.Equal(tokens.Scope, test.want)) {
				t.Fatalf("scope %v, %v", tokens.Scope, err)
			}
			f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Scope: []string{read}, Soft: true}))
			if tokens, err := f.ExchangeToken(t.Context(), exchange); slices.Contains(tokens.Scope, write) {
				t.Errorf("the subject has lost %s, and the token has %v, %v", write, tokens.Scope, err)
			}
		})
	}
}

// TestExchangeByPublicClient: who proves nothing exchanges nothing, also where its ExchangeFrom says so.
func TestExchangeByPublicClient(t *testing.T) {
	f := newFixture(t, config())
	f.do(f.CreateClient(t.Context(), issuer.Client{ID: "client_gateway", Scopes: []string{"pets:read"}, Resources: []string{"zoo"}, ExchangeFrom: []string{"petstore"}}))
	tokens, err := f.ExchangeToken(t.Context(), issuer.Exchange{ClientID: "client_gateway", SubjectToken: f.login().Access})
	if !errors.Is(err, issuer.ErrUnauthorizedClient) {
		t.Errorf("%+v, %v", tokens, err)
	}
}

// TestExchangeOfAnotherProgramsToken: what was signed elsewhere with a key that was imported may say who alone may act
// (RFC 8693 §4.4), and end within a second.
func TestExchangeOfAnotherProgramsToken(t *testing.T) {
	f := newFixture(t, config())
	_, hash := issuer.NewClientSecret()
	f.do(f.CreateClient(t.Context(), issuer.Client{ID: "client_gateway", SecretHash: hash, Scopes: []string{"pets:read"}, Resources: []string{"zoo"}, ExchangeFrom: []string{"petstore"}}))
	sign := f.importedKey()
	ends := f.clock.Now().Add(time.Minute).Truncate(time.Second)
	exchange := func(more map[string]any) (issuer.Tokens, error) {
		more["jti"] = "x"
		return f.ExchangeToken(t.Context(), issuer.Exchange{ClientID: "client_gateway", SubjectToken: sign(more)})
	}
	_, err := exchange(map[string]any{"may_act": map[string]any{"sub": "client_gateway"}})
	f.do(err)
	var refused *issuer.ExchangeError
	if tokens, err := exchange(map[string]any{"may_act": map[string]any{"sub": "client_web"}}); !errors.As(err, &refused) {
		t.Errorf("somebody else may act: %+v, %v", tokens, err)
	}
	if tokens, err := exchange(map[string]any{"act": "client_web"}); !errors.As(err, &refused) {
		t.Errorf("an actor that isn't one: %+v, %v", tokens, err)
	}
	f.clock.Advance(ends.Sub(f.clock.Now()) + 200*time.Millisecond)
	if tokens, err := exchange(map[string]any{"exp": float64(ends.Unix()) + 0.5}); !errors.As(err, &refused) {
		t.Errorf("in its last second: %+v, %v", tokens, err)
	}
}
