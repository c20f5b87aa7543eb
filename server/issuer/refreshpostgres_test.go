//go:build unix

package issuer_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// TestRefreshMachineOnPostgres is TestRefreshMachine on PostgreSQL.
func TestRefreshMachineOnPostgres(t *testing.T) { checkRefreshMachine(t, postgresDatabases(t)) }

// postgresDatabases gives each check a schema of its own in one database.
func postgresDatabases(t *testing.T) func(*testing.T, func() time.Time) database {
	connection := pgtest.Database(t)
	var schemas atomic.Int64
	return func(_ *testing.T, now func() time.Time) database {
		schema := fmt.Sprintf("%s?search_path=check%d", connection, schemas.Add(1))
		return database{
			open: func(ctx context.Context) (issuer.Store, error) {
				return sqlstore.OpenPostgres(ctx, schema, sqlstore.Options{Now: now, Readers: 2, Writers: 4})
			},
			crash: func() error { return nil }, // PostgreSQL has what was committed, and takes back the rest by itself
		}
	}
}
