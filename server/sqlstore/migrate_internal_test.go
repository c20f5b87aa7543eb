package sqlstore

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/jot-auth/jot/server/internal/pgtest"
)

// firstRows are rows as the first version of the schema had them.
var firstRows = []string{
	`INSERT INTO subjects (id, generation, claims, scope, disabled, created) VALUES ('sub', 3, '{}', 'a b', 0, 1)`,
	`INSERT INTO sessions (id, subject, client_id, resource, scope, amr, auth_time, user_agent, address, created, last_used, idle_expires, expires,
		current, previous, rotated_at, ended, end_reason, revoked_tokens, reported) VALUES ('sid', 'sub', 'client_a', 'r', '', '', 1, '', '', 1, 1, 9, 9, 2, 1, 1, 0, '', 0, '')`,
	`INSERT INTO events (written, kind, subject, session, client_id, user_agent, address, detail) VALUES (1, 'k', 'sub', 'sid', '', '', '', '')`,
}

// TestMigrations goes from the first version with rows in it to the newest, all the way back, and up again.
func TestMigrations(t *testing.T) {
	ctx := t.Context()
	file, err := connect(dataSource(filepath.Join(t.TempDir(), "jot.db"), Options{}.complete(1, 1)), 2) // one migrates, one reads
	if err != nil {
		t.Fatal(err)
	}
	config, err := parsePostgres(pgtest.Database(t), Options{}.complete(1, 1))
	if err != nil {
		t.Fatal(err)
	}
	server := connections(config, 2)
	if _, err := server.ExecContext(ctx, "CREATE SCHEMA jot"); err != nil {
		t.Fatal(err)
	}
	found := make(map[string][]string)
	for name, test := range map[string]struct {
		db      *sql.DB
		reader  pool
		dialect dialect
		indexes string
	}{
		"SQLite":     {file, newSQLitePool(file, 1, "BEGIN"), sqliteDialect{}, `SELECT name FROM sqlite_schema WHERE type = 'index' AND name NOT LIKE 'sqlite_%'`},
		"PostgreSQL": {server, &postgresPool{DB: server, opening: "BEGIN"}, postgresDialect{}, `SELECT indexname FROM pg_indexes WHERE schemaname = 'jot'`},
	} {
		t.Run(name, func(t *testing.T) {
			defer test.db.Close()
			checkMigrations(ctx, t, test.db, test.reader, test.dialect)
			found[name] = indexes(ctx, t, test.db, test.indexes)
		})
	}
	if !slices.Equal(found["SQLite"], found["PostgreSQL"]) {
		t.Errorf("the indexes differ: %v", found)
	}
}

func checkMigrations(ctx context.Context, t *testing.T, db *sql.DB, reader pool, d dialect) {
	provider, err := migrator{db: db, dialect: d, versions: goose.DefaultTablename, files: migrations}.provider()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(ctx, 1); err != nil {
		t.Fatal(err)
	}
	for _, row := range firstRows {
		if _, err := db.ExecContext(ctx, row); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := provider.Up(ctx); err != nil {
		t.Fatal(err)
	}
	store := &Store{dialect: d}
	err = store.transact(ctx, reader, func(t *tx) error {
		if _, err := t.Subject("sub"); err != nil {
			return err
		}
		_, _, err := t.Session("sid")
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := provider.DownTo(ctx, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Up(ctx); err != nil {
		t.Error(err)
	}
}

// indexes are those that the schema names; PostgreSQL names those of keys and unique columns by itself.
func indexes(ctx context.Context, t *testing.T, db *sql.DB, query string) []string {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "_pkey") && !strings.HasSuffix(name, "_key") {
			names = append(names, name)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}
