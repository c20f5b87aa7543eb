package sqlstore

import (
	"context"
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"
)

// LimitPages lets a SQLite database grow to so many pages, as a full disk does.
func (s *Store) LimitPages(ctx context.Context, pages int) error {
	return s.transact(ctx, s.writer, func(t *tx) error {
		return t.row(fmt.Sprintf("PRAGMA max_page_count = %d", pages)).Scan(new(int))
	})
}

// Tables are those that Copy copies.
var Tables = tables

// WithMigrations are the options of a newer program, which has these migrations too: their texts by their names, for
// one dialect.
func (o Options) WithMigrations(t testing.TB, dialect string, newer map[string]string) Options {
	t.Helper()
	files := make(fstest.MapFS)
	err := fs.WalkDir(migrations, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(migrations, name)
		files[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range newer {
		files["migrations/"+dialect+"/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	o.migrations = files
	return o
}

// WhileMigrating calls f while it holds the lock of migrations, as a server does that migrates.
func WhileMigrating(ctx context.Context, connection string, f func() error) error {
	config, err := parsePostgres(connection, Options{}.complete(1, 1))
	if err != nil {
		return err
	}
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	db := connections(config, 1)
	defer db.Close()
	holder, err := holdMigrations(ctx, db)
	if err != nil {
		return err
	}
	defer holder.Rollback()
	return f()
}
