package issuer_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

// TestRevokeRemovedClient: what a client has left that the configuration doesn't name any more, and what others got in exchange for it, can be refused.
func TestRevokeRemovedClient(t *testing.T) {
	f := newFixture(t, config())
	_, hash := issuer.NewClientSecret()
	if err := f.CreateClient(t.Context(), issuer.Client{ID: "client_gateway", SecretHash: hash, Scopes: []string{"pets:read"}, Resources: []string{"zoo"}, ExchangeFrom: []string{"petstore"}}); err != nil {
		t.Fatal(err)
	}
	tokens, err := f.Issue(t.Context(), issuer.Grant{Subject: "ann", ClientID: "client_web", Resource: "petstore"})
	if err != nil {
		t.Fatal(err)
	}
	exchanged, err := f.ExchangeToken(t.Context(), issuer.Exchange{ClientID: "client_gateway", SubjectToken: tokens.Access})
	if err != nil {
		t.Fatal(err)
	}
	f.config.Clients = slices.DeleteFunc(f.config.Clients, func(c issuer.Client) bool { return c.ID == "client_web" })
	f.restart()
	for name, raw := range map[string]string{"its own": tokens.Access, "the exchanged one": exchanged.Access} {
		if _, err := f.Verifier().Verify(t.Context(), raw); err != nil {
			t.Errorf("%s, before: %v", name, err)
		}
	}
	for _, id := range []string{"client_nobody", "ann", ""} {
		if err := f.RevokeClient(t.Context(), id); !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if err := f.RevokeClient(t.Context(), "client_web"); err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string]string{"its own": tokens.Access, "the exchanged one": exchanged.Access} {
		if _, err := f.Verifier().Verify(t.Context(), raw); err == nil {
			t.Errorf("%s is good still", name)
		}
	}
}
