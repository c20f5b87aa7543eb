package sqlstore_test

import (
	"path/filepath"
	"testing"

	"github.com/jot-auth/jot/server/internal/accounts/storetest"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/sqlstore"
)

func TestSQLiteAccounts(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		return open(t, filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	})
}

func TestPostgresAccounts(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		store, err := sqlstore.OpenPostgres(t.Context(), pgtest.Database(t), sqlstore.Options{})
		return opened(t, store, err)
	})
}
