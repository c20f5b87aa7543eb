//go:build unix

package issuer_test

import (
	"sync"
	"testing"

	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// TestFirstClientGrantRaceOnPostgres: where several write at once, none of the first requests of a client fails.
func TestFirstClientGrantRaceOnPostgres(t *testing.T) {
	store, err := sqlstore.OpenPostgres(t.Context(), pgtest.Database(t), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	i, err := issuer.New(t.Context(), store, config())
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	_, hash := issuer.NewClientSecret()
	if err := i.CreateClient(t.Context(), issuer.Client{ID: "client_robot", Scopes: []string{"pets:read"}, SecretHash: hash}); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := i.IssueToClient(t.Context(), issuer.ClientGrant{Client: issuer.KnownClient(issuer.Client{ID: "client_robot"})}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}
