package issuer_test

import (
	"context"
	"slices"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

// foretelling is a Store that notes what is read of it without having been foreseen.
type foretelling struct {
	issuer.Store
	missed []string
}

func (s *foretelling) View(ctx context.Context, f func(issuer.Reader) error) error {
	return s.Store.View(ctx, func(r issuer.Reader) error { return f(&foretold{Reader: r, at: s}) })
}

type foretold struct {
	issuer.Reader
	at    *foretelling
	ahead issuer.Foresight
}

func (r *foretold) Foresee(f issuer.Foresight) error {
	r.ahead = f
	return r.Reader.Foresee(f)
}

func (r *foretold) look(what, id, foreseen string) {
	if id != foreseen {
		r.at.missed = append(r.at.missed, what+" "+id)
	}
}

func (r *foretold) Subject(id string) (issuer.Subject, error) {
	r.look("subject", id, r.ahead.Subject)
	return r.Reader.Subject(id)
}

func (r *foretold) Session(id string) (issuer.Session, issuer.Subject, error) {
	r.look("session", id, r.ahead.Session)
	return r.Reader.Session(id)
}

func (r *foretold) Client(id string) (issuer.Client, error) {
	r.look("client", id, r.ahead.Client)
	return r.Reader.Client(id)
}

func (r *foretold) Resource(audience string) (issuer.Resource, error) {
	r.look("resource", audience, r.ahead.Resource)
	return r.Reader.Resource(audience)
}

// TestForeseen: what an exchange and an introspection read in any case is foreseen, where client and resource are
// stored, too: it comes from PostgreSQL in one round trip. The resource of a session is known when that has been read.
func TestForeseen(t *testing.T) {
	f := newFixture(t, config())
	ctx := t.Context()
	secret, hash := issuer.NewClientSecret()
	f.do(f.CreateResource(ctx, issuer.Resource{Audience: "aviary", Scopes: []string{"pets:read"}}))
	f.do(f.CreateClient(ctx, issuer.Client{ID: "client_gateway", Scopes: []string{"pets:read"}, SecretHash: hash, ExchangeFrom: []string{"aviary"}, Resources: []string{"aviary"}}))
	f.do(f.CreateSubject(ctx, issuer.Subject{ID: "bea", Scope: []string{"pets:read"}}))
	store := &foretelling{Store: f.store}
	i, err := issuer.New(ctx, store, f.config)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	tokens, err := i.Issue(ctx, issuer.Grant{Subject: "bea", ClientID: "client_gateway", Resource: "aviary"})
	if err != nil {
		t.Fatal(err)
	}
	own, err := i.IssueToClient(ctx, issuer.ClientGrant{Client: issuer.ClientProof{ID: "client_gateway", Secret: secret}, Resource: "aviary"})
	if err != nil {
		t.Fatal(err)
	}
	gateway, err := i.Client(ctx, "client_gateway")
	if err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct {
		do     func() error
		missed []string
	}{
		"a session's token is exchanged": {do: func() error {
			_, err := i.ExchangeToken(ctx, issuer.Exchange{ClientID: "client_gateway", SubjectToken: tokens.Access, Resource: "aviary"})
			return err
		}},
		"a client's token is exchanged": {do: func() error {
			_, err := i.ExchangeToken(ctx, issuer.Exchange{ClientID: "client_gateway", SubjectToken: own.Access, Resource: "aviary"})
			return err
		}},
		"a refresh token is looked at": {do: func() error {
			_, err := i.Introspect(ctx, tokens.Refresh, gateway)
			return err
		}, missed: []string{"resource aviary"}},
	} {
		store.missed = nil
		if err := test.do(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if !slices.Equal(store.missed, test.missed) {
			t.Errorf("%s: %q weren't foreseen, want %q", what, store.missed, test.missed)
		}
	}
}
