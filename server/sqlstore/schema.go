package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Schema is the state of a database's schema. Opening the database brings it up to date.
type Schema struct {
	Version int64    // of the database; 0 before the first migration
	Newest  int64    // that this program knows; a higher Version is that of a newer program
	Pending []string // the migrations that are to come, in order
	Ran     []string // those that were to come when the database was opened, and have run since, in order
}

// schemaAge is how many versions of a schema an age has. Within one, migrations only add, and take nothing away that
// programs of before use: the migration that does begins the next age, and its version is a multiple of this.
const schemaAge = 1000

// Serves reports whether servers of this program may run over the schema once it's up to date. They may over that of a
// newer program, too, where that has only added to it (Options.OverNewer): so one of several that are being upgraded
// can start again, and an upgrade be taken back.
func (s Schema) Serves() bool { return s.Version/schemaAge <= s.Newest/schemaAge }

// Newer reports whether a newer program has upgraded the schema.
func (s Schema) Newer() bool { return s.Version > s.Newest }

// ReadSchema reads the state of the SQLite database in a file, or of a PostgreSQL database, and changes nothing.
func ReadSchema(ctx context.Context, database string) (Schema, error) {
	if !IsPostgres(database) {
		return readSQLiteSchema(ctx, database)
	}
	o := Options{}.complete(1, 1)
	config, err := parsePostgres(database, o)
	if err != nil {
		return Schema{}, fmt.Errorf("database: %w", err)
	}
	if err := config.notice(ctx); err != nil {
		return Schema{}, explain(ctx, err)
	}
	db := connections(config, 1)
	defer db.Close()
	return config.migrator(db, o).schema(ctx)
}

func readSQLiteSchema(ctx context.Context, path string) (Schema, error) {
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return Schema{}, fmt.Errorf("database: %w", err)
	}
	o := Options{}.complete(1, 1)
	db, err := connect(dataSource(path, o, "_pragma", "query_only(1)"), 1)
	if err != nil {
		return Schema{}, fmt.Errorf("database: %w", err)
	}
	defer db.Close()
	schema, err := sqliteMigrator(db, o).schema(ctx)
	return schema, inTheWay(path, err)
}

// schema reads the state, and changes nothing.
func (m migrator) schema(ctx context.Context) (Schema, error) {
	provider, err := m.provider()
	if err != nil {
		return Schema{}, err
	}
	var s Schema
	err = m.db.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+m.versions).Scan(&s.Version)
	if err != nil && !noTable(err) {
		return Schema{}, explain(ctx, err)
	}
	for _, source := range provider.ListSources() {
		s.Newest = max(s.Newest, source.Version)
		if source.Version > s.Version {
			s.Pending = append(s.Pending, source.Path)
		}
	}
	return s, nil
}

// noTable reports whether a query failed because no migration has run yet.
func noTable(err error) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && failure.Code == undefinedTable || strings.Contains(err.Error(), "no such table")
}
