package sqlstore_test

import (
	"net/url"
	"path/filepath"
	"testing"

	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/issuer/storetest"
	"github.com/jot-auth/jot/server/sqlstore"
)

// opened is a store whose every test has a database of its own.
func opened(t *testing.T, store *sqlstore.Store, err error) *sqlstore.Store {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestSQLite(t *testing.T) {
	directory := t.TempDir()
	storetest.Run(t, func(t *testing.T) issuer.Store {
		store, err := sqlstore.Open(t.Context(), filepath.Join(directory, filepath.Base(t.Name()), "jot.db"), sqlstore.Options{})
		return opened(t, store, err)
	})
}

func TestPostgres(t *testing.T) {
	databases := make(map[string]string)
	storetest.Run(t, func(t *testing.T) issuer.Store {
		if databases[t.Name()] == "" {
			databases[t.Name()] = pgtest.Database(t)
		}
		store, err := sqlstore.OpenPostgres(t.Context(), databases[t.Name()], sqlstore.Options{})
		return opened(t, store, err)
	})
}

// TestPgBouncer: the contract holds through a pooler that gives each transaction another connection.
func TestPgBouncer(t *testing.T) {
	databases := make(map[string]string)
	through, err := url.Parse(pgtest.Bouncer(t, pgtest.Database(t), "transaction"))
	if err != nil {
		t.Fatal(err)
	}
	storetest.Run(t, func(t *testing.T) issuer.Store {
		if databases[t.Name()] == "" {
			direct, err := url.Parse(pgtest.Database(t))
			if err != nil {
				t.Fatal(err)
			}
			direct.Host = through.Host
			databases[t.Name()] = direct.String()
		}
		store, err := sqlstore.OpenPostgres(t.Context(), databases[t.Name()], sqlstore.Options{})
		return opened(t, store, err)
	})
}
