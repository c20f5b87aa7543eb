package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
)

// Schema is the state of a database's schema. Opening the database brings it up to date.
type Schema struct {
	Version int64    // of the database; 0 before the first migration
	Newest  int64    // that this program knows; a higher Version is that of a newer program
	Pending []string // the migrations that are to come, in order
}

// ReadSchema reads the state of the SQLite database in a file, or of a PostgreSQL database, and changes nothing.
func ReadSchema(ctx context.Context, database string) (Schema, error) {
	if !IsPostgres(database) {
		return readSQLiteSchema(ctx, database)
	}
	config, err := parsePostgres(database, Options{}.complete(1, 1))
	if err != nil {
		return Schema{}, fmt.Errorf("database: %w", err)
	}
	if err := config.notice(ctx); err != nil {
		return Schema{}, explain(ctx, err)
	}
	db := connections(config, 1)
	defer db.Close()
	return readSchema(ctx, db, postgresDialect{}, config.versions())
}

func readSQLiteSchema(ctx context.Context, path string) (Schema, error) {
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return Schema{}, fmt.Errorf("database: %w", err)
	}
	db, err := connect(dataSource(path, Options{}.complete(1, 1), "_pragma", "query_only(1)"), 1)
	if err != nil {
		return Schema{}, fmt.Errorf("database: %w", err)
	}
	defer db.Close()
	return readSchema(ctx, db, sqliteDialect{}, goose.DefaultTablename)
}

func readSchema(ctx context.Context, db *sql.DB, d dialect, versions string) (Schema, error) {
	provider, err := newProvider(db, d, versions)
	if err != nil {
		return Schema{}, err
	}
	var s Schema
	err = db.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+versions).Scan(&s.Version)
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
