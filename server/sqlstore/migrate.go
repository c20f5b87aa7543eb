package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// migrationAttempts bounds how often something is tried when other processes make or migrate the same database at once.
const migrationAttempts = 25

// migrator brings the schema of one database up to date. migrations/README.md says what a migration may do.
type migrator struct {
	db        *sql.DB
	dialect   dialect
	versions  string // the table in which goose keeps the versions
	files     fs.FS  // Options.migrations
	overNewer bool   // Options.OverNewer
	insist    func(ctx context.Context, try func() error) error
}

// up runs the migrations that are to come, each in a transaction together with its version.
func (m migrator) up(ctx context.Context) (Schema, error) {
	provider, err := m.provider()
	if err != nil {
		return Schema{}, err
	}
	err = m.insist(ctx, func() error {
		_, err := provider.Up(ctx)
		return err
	})
	if err != nil {
		return Schema{}, fmt.Errorf("migrating: %w", err)
	}
	return m.look(ctx)
}

// amongOthers tries something again that fails because others do the same.
func amongOthers(ctx context.Context, try func() error) (err error) {
	for range migrationAttempts {
		if err = try(); err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return explain(ctx, err)
}

func (m migrator) provider() (*goose.Provider, error) {
	language, folder := m.dialect.migrations()
	files, err := fs.Sub(m.files, "migrations/"+folder)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(language, m.db, files, goose.WithDisableGlobalRegistry(true), goose.WithTableName(m.versions))
}

// look reads the state of the schema, and refuses one over which this program may not run.
func (m migrator) look(ctx context.Context) (Schema, error) {
	s, err := m.schema(ctx)
	if err == nil && (!s.Serves() || s.Newer() && !m.overNewer) {
		err = fmt.Errorf("its schema has version %d, and this program knows versions up to %d: start a newer program, or restore a backup", s.Version, s.Newest)
	}
	return s, err
}
