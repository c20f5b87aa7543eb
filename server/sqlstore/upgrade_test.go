package sqlstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// What a newer version may bring: a column of a table that is in use, a table, and an index that is made while others
// write, as migrations/README.md has it.
const (
	newColumn = `-- +goose Up
ALTER TABLE sessions ADD COLUMN device TEXT;
ALTER TABLE sessions ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subjects ADD COLUMN note TEXT NOT NULL DEFAULT '';
CREATE TABLE devices (id TEXT NOT NULL PRIMARY KEY, subject TEXT NOT NULL);
`
	newIndex = `-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS sessions_by_use;
CREATE INDEX CONCURRENTLY sessions_by_use ON sessions (last_used);
RESET lock_timeout;
`
	newAge = `-- +goose Up
DROP TABLE devices;
`
)

// newer are the options of a program that has more migrations than this one.
func newer(t *testing.T, more map[string]string) sqlstore.Options {
	return sqlstore.Options{}.WithMigrations(t, "postgres", more)
}

// older are the options of this program's servers, which are the older ones here. Nobody waits in vain for a busy
// machine.
var older = sqlstore.Options{OverNewer: true, BusyTimeout: time.Minute}

func startIssuer(t *testing.T, store *sqlstore.Store) *issuer.Issuer {
	t.Helper()
	i, err := issuer.New(t.Context(), store, issuer.Config{
		URL: "https://auth.example.com", KeyEncryptionKey: make([]byte, 32), Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Resources: []issuer.Resource{{Audience: "petstore"}}, Clients: []issuer.Client{{ID: "client_app", FirstParty: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i
}

// useSession logs a subject in at one server, refreshes at another, logs out and sees that it did.
func useSession(ctx context.Context, here, there *issuer.Issuer, subject string) error {
	tokens, err := here.Issue(ctx, issuer.Grant{Subject: subject, Claims: json.RawMessage("{}")})
	if err != nil {
		return fmt.Errorf("issuing: %w", err)
	}
	next, err := there.Refresh(ctx, issuer.RefreshRequest{Token: tokens.Refresh})
	if err != nil {
		return fmt.Errorf("refreshing: %w", err)
	}
	if err := here.EndSessions(ctx, subject); err != nil {
		return fmt.Errorf("logging out: %w", err)
	}
	if _, err := there.Refresh(ctx, issuer.RefreshRequest{Token: next.Refresh}); !errors.Is(err, issuer.ErrInvalidGrant) {
		return fmt.Errorf("refreshing what was logged out: %w", err)
	}
	return nil
}

// crowd uses sessions until it's told to stop, and has counted the rounds of everybody in it.
type crowd struct {
	rounds chan int // the number of somebody who has done one
	stop   context.CancelFunc
	wait   sync.WaitGroup
	size   int
}

func newCrowd(t *testing.T, size int, servers ...*issuer.Issuer) *crowd {
	ctx, stop := context.WithCancel(t.Context())
	c := &crowd{make(chan int), stop, sync.WaitGroup{}, size}
	for n := range size {
		c.wait.Go(func() {
			for ctx.Err() == nil {
				if err := useSession(t.Context(), servers[n%len(servers)], servers[(n+1)%len(servers)], fmt.Sprint("sub", n)); err != nil {
					t.Error(err)
				}
				select {
				case c.rounds <- n:
				case <-ctx.Done():
				}
			}
		})
	}
	t.Cleanup(c.end)
	return c
}

// keepOn lets everybody go on until something is over.
func (c *crowd) keepOn(over <-chan struct{}) {
	for {
		select {
		case <-c.rounds:
		case <-over:
			return
		}
	}
}

// goOn waits until everybody has done two rounds more, of which at least one began after the call.
func (c *crowd) goOn() {
	done := make(map[int]int)
	for finished := 0; finished < c.size; {
		n := <-c.rounds
		if done[n]++; done[n] == 2 {
			finished++
		}
	}
}

func (c *crowd) end() {
	c.stop()
	c.wait.Wait()
}

// TestUpgradeBesideServers: while two newer replicas start at once and upgrade the schema, the servers of before serve
// everybody, and go on over the new one; one of them that starts again does so too, until a new age of the schema
// begins.
func TestUpgradeBesideServers(t *testing.T) {
	for name, test := range map[string]struct {
		through func(t *testing.T, database string) string
		brings  map[string]string
	}{
		"directly":          {func(_ *testing.T, database string) string { return database }, map[string]string{"00998_column.sql": newColumn, "00999_index.sql": newIndex}},
		"through PgBouncer": {func(t *testing.T, database string) string { return pgtest.Bouncer(t, database, "transaction") }, map[string]string{"00999_column.sql": newColumn}},
	} {
		t.Run(name, func(t *testing.T) {
			database := test.through(t, pgtest.Database(t))
			servers := []*issuer.Issuer{startIssuer(t, openPostgres(t, database, older)), startIssuer(t, openPostgres(t, database, older))}
			all := newCrowd(t, 4, servers...)
			all.goOn()
			var upgrades sync.WaitGroup
			for range 2 {
				upgrades.Go(func() {
					store, err := sqlstore.OpenPostgres(t.Context(), database, newer(t, test.brings))
					if err != nil {
						t.Error(err)
						return
					}
					store.Close()
				})
			}
			upgraded := make(chan struct{})
			go func() { // ends with the upgrades
				upgrades.Wait()
				close(upgraded)
			}()
			all.keepOn(upgraded)
			all.goOn()
			again := openPostgres(t, database, older)
			if s := again.Schema(); s.Version != 999 || !s.Newer() {
				t.Errorf("the schema is %+v, want version 999, which is newer", s)
			}
			if err := useSession(t.Context(), startIssuer(t, again), servers[0], "sub of one that started again"); err != nil {
				t.Error(err)
			}
			openPostgres(t, database, newer(t, map[string]string{"00999_column.sql": newColumn, "01000_age.sql": newAge}))
			all.goOn()
			all.end()
			if _, err := sqlstore.OpenPostgres(t.Context(), database, older); err == nil || !strings.Contains(err.Error(), "start a newer program") {
				t.Errorf("over a new age: error %v, want one that says what to do", err)
			}
		})
	}
}

// TestUpgradeWaitsItsTurn: a long transaction, such as a dump, holds up the upgrade, and nobody who comes after the
// two.
func TestUpgradeWaitsItsTurn(t *testing.T) {
	database := pgtest.Database(t)
	server := openPostgres(t, database, older)
	i := startIssuer(t, server)
	upgraded := make(chan error, 1)
	dump := openPostgres(t, database+"?idle_in_transaction_session_timeout=0", older)
	err := dump.View(t.Context(), func(r issuer.Reader) error {
		if _, _, err := r.Session("of nobody"); !errors.Is(err, issuer.ErrNotFound) {
			return err
		}
		go func() { // ends with the test, which waits for it
			brings := newer(t, map[string]string{"00999_column.sql": newColumn})
			store, err := sqlstore.OpenPostgres(t.Context(), database, brings)
			for err != nil && strings.Contains(err.Error(), "a table was in use") { // on a slow machine the rest takes longer than its patience
				store, err = sqlstore.OpenPostgres(t.Context(), database, brings)
			}
			if err == nil {
				err = store.Close()
			}
			upgraded <- err
		}()
		for pgtest.Value(t, database, "SELECT count(*) FROM pg_locks WHERE relation = 'jot.sessions'::regclass AND NOT granted") == "0" {
			time.Sleep(10 * time.Millisecond)
		}
		return useSession(t.Context(), i, i, "sub")
	})
	if err != nil {
		t.Error(err)
	}
	if err := <-upgraded; err != nil {
		t.Error(err)
	}
}

// TestStartBesideUpgrade: a server starts while another holds the lock of migrations, as it may for long, where it has
// nothing to migrate itself.
func TestStartBesideUpgrade(t *testing.T) {
	database := pgtest.Database(t)
	openPostgres(t, database, older).Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := sqlstore.WhileMigrating(ctx, database, func() error {
		store, err := sqlstore.OpenPostgres(ctx, database, older)
		if err == nil {
			err = store.Close()
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestConcurrentIndexBehindPooler: what only works without a transaction is refused where only transactions know which
// tables are ours.
func TestConcurrentIndexBehindPooler(t *testing.T) {
	direct := pgtest.Database(t)
	openPostgres(t, direct, older).Close()
	brings := newer(t, map[string]string{"00999_index.sql": newIndex})
	if _, err := sqlstore.OpenPostgres(t.Context(), pgtest.Bouncer(t, direct, "transaction"), brings); err == nil || !strings.Contains(err.Error(), "'jot migrate up' with the URL of PostgreSQL itself") {
		t.Errorf("error %v, want one that says what to do", err)
	}
	openPostgres(t, direct, brings)
}

// TestNewerSchema: a database that a newer program has upgraded is refused, and by servers only where it has done more
// than add to it.
func TestNewerSchema(t *testing.T) {
	path, database := filepath.Join(t.TempDir(), "jot.db"), pgtest.Database(t)
	for dialect, try := range map[string]func(sqlstore.Options) (*sqlstore.Store, error){
		"sqlite": func(o sqlstore.Options) (*sqlstore.Store, error) { return sqlstore.Open(t.Context(), path, o) },
		"postgres": func(o sqlstore.Options) (*sqlstore.Store, error) {
			return sqlstore.OpenPostgres(t.Context(), database, o)
		},
	} {
		t.Run(dialect, func(t *testing.T) {
			brings := make(map[string]string)
			for _, step := range []struct {
				file, text      string
				commands, serve bool
			}{{"", "", true, true}, {"00999_next.sql", newColumn, false, true}, {"01000_age.sql", newAge, false, false}} {
				if step.file != "" {
					brings[step.file] = step.text
				}
				store, err := try(sqlstore.Options{}.WithMigrations(t, dialect, brings))
				if err != nil {
					t.Fatal(err)
				}
				store.Close()
				for _, overNewer := range []bool{false, true} {
					store, err := try(sqlstore.Options{OverNewer: overNewer})
					if err == nil {
						store.Close()
					}
					if accepted := err == nil; accepted != (step.commands || step.serve && overNewer) || err != nil && !strings.Contains(err.Error(), "start a newer program") {
						t.Errorf("%q, OverNewer %v: %v", step.file, overNewer, err)
					}
				}
			}
		})
	}
}

// TestServersRole: servers whose role may read and write rows, and nothing else, run over what another role has made
// and upgraded, as docs/operations.md has it.
func TestServersRole(t *testing.T) {
	cluster := pgtest.Start(t)
	database := cluster.Database(t)
	openPostgres(t, database, older).Close()
	for _, statement := range []string{
		"CREATE ROLE servers LOGIN PASSWORD 'of-a-test'",
		"GRANT USAGE ON SCHEMA jot TO servers",
		"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jot TO servers",
		"ALTER DEFAULT PRIVILEGES IN SCHEMA jot GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO servers",
	} {
		pgtest.Exec(t, database, statement)
	}
	limited, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	limited.User = url.UserPassword("servers", "of-a-test")
	i := startIssuer(t, openPostgres(t, limited.String(), older))
	if err := useSession(t.Context(), i, i, "sub"); err != nil {
		t.Error(err)
	}
	brings := newer(t, map[string]string{"00999_column.sql": newColumn})
	if _, err := sqlstore.OpenPostgres(t.Context(), limited.String(), brings); err == nil || !strings.Contains(err.Error(), "42501") {
		t.Errorf("servers upgrade the schema: %v", err)
	}
	openPostgres(t, database, brings).Close()
	openPostgres(t, limited.String(), brings)
	if err := useSession(t.Context(), i, i, "sub"); err != nil {
		t.Error(err)
	}
	pgtest.Exec(t, limited.String(), "INSERT INTO jot.devices (id, subject) VALUES ('a', 'sub')")
}
