//go:build unix

package issuer_test

import (
	"testing"

	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/sqlstore"
)

// TestCodesWhileClientIsRevokedOnPostgres: where nobody waits for the one writer.
func TestCodesWhileClientIsRevokedOnPostgres(t *testing.T) {
	store, err := sqlstore.OpenPostgres(t.Context(), pgtest.Database(t), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	tradeWhileRevoked(t, store)
}
