package issuer_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

// slow is a Store whose disk takes long over the next commit of whose context says so: what happens meanwhile happens
// before it.
type slow struct {
	issuer.Store
	meanwhile func()
}

// slowly is in the context of who commits slowly.
type slowly struct{}

func (s *slow) Update(ctx context.Context, f func(issuer.Tx) error) error {
	return s.Store.Update(ctx, func(tx issuer.Tx) error {
		err := f(tx)
		if err == nil && ctx.Value(slowly{}) != nil && s.meanwhile != nil {
			s.meanwhile()
			s.meanwhile = nil
		}
		return err
	})
}

// TestExchangeWhileClientIsDeleted: who exchanges a token waits for nobody, so that it may be issued after the time
// that the rule about a deleted client names, and before that is on the disk. It's refused afterwards all the same.
func TestExchangeWhileClientIsDeleted(t *testing.T) {
	for _, deleted := range []string{"client_gateway", "client_app"} {
		t.Run(deleted, func(t *testing.T) {
			f := newFixture(t, config())
			s := &slow{Store: f.store}
			i, err := issuer.New(t.Context(), s, f.config)
			if err != nil {
				t.Fatal(err)
			}
			defer i.Close()
			_, hash := issuer.NewClientSecret()
			f.do(errors.Join(
				i.CreateClient(t.Context(), issuer.Client{ID: "client_app", Scopes: []string{"pets:read"}}),
				i.CreateClient(t.Context(), issuer.Client{ID: "client_gateway", SecretHash: hash, Scopes: []string{"pets:read"}, Resources: []string{"zoo"}, ExchangeFrom: []string{"petstore"}}),
			))
			given, err := i.Issue(t.Context(), issuer.Grant{Subject: "ann", ClientID: "client_app", Resource: "petstore"})
			f.do(err)
			var exchanged issuer.Tokens
			s.meanwhile = func() {
				f.clock.Advance(5 * time.Second)
				exchanged, err = i.ExchangeToken(t.Context(), issuer.Exchange{ClientID: "client_gateway", SubjectToken: given.Access})
			}
			f.do(errors.Join(i.DeleteClient(context.WithValue(t.Context(), slowly{}, true), deleted), err))
			if err := i.Verifier().Check(t.Context(), exchanged.Access); !errors.Is(err, jot.ErrRevoked) {
				t.Errorf("the exchanged token: %v", err)
			}
		})
	}
}
