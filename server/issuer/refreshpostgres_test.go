//go:build unix

package issuer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
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

// issuerOnPostgres is one over an empty database.
func issuerOnPostgres(t *testing.T) *issuer.Issuer {
	t.Helper()
	store, err := sqlstore.OpenPostgres(t.Context(), pgtest.Database(t), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	i, err := issuer.New(t.Context(), store, config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i
}

// TestFirstTokensRace: of many that are the first to ask for tokens of one subject or one client, on PostgreSQL, where
// they don't wait for each other, all get theirs.
func TestFirstTokensRace(t *testing.T) {
	i := issuerOnPostgres(t)
	_, hash := issuer.NewClientSecret()
	for round := range 5 {
		name := fmt.Sprint(issuer.ClientPrefix, round)
		if err := i.CreateClient(t.Context(), issuer.Client{ID: name, SecretHash: hash}); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				if _, err := i.Issue(t.Context(), issuer.Grant{Subject: fmt.Sprint("sub", round), Claims: json.RawMessage("{}")}); err != nil {
					t.Errorf("a subject: %v", err)
				}
			})
			wait.Go(func() {
				if _, err := i.IssueToClient(t.Context(), issuer.ClientGrant{Client: issuer.KnownClient(issuer.Client{ID: name})}); err != nil {
					t.Errorf("a client: %v", err)
				}
			})
		}
		wait.Wait()
	}
}
