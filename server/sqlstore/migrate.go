package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
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
	logger    *slog.Logger
	insist    func(ctx context.Context, try func() error) error
}

// up runs the migrations that are to come, each in a transaction together with its version.
func (m migrator) up(ctx context.Context) (Schema, error) {
	provider, err := m.provider()
	if err != nil {
		return Schema{}, err
	}
	var before Schema
	err = m.insist(ctx, func() (err error) {
		before, err = m.schema(ctx)
		return err
	})
	upgraded := m.announce(before)
	if err == nil {
		err = m.insist(ctx, func() error {
			_, err := provider.Up(ctx)
			return err
		})
	}
	if err != nil {
		return Schema{}, fmt.Errorf("migrating: %w", err)
	}
	upgraded()
	after, err := m.look(ctx)
	after.Ran = before.Pending
	return after, err
}

// announce logs that an upgrade begins, and returns what logs its end. The tables of an empty database are made in a
// moment, and aren't worth a line.
func (m migrator) announce(before Schema) (upgraded func()) {
	if before.Version == 0 || len(before.Pending) == 0 {
		return func() {}
	}
	begun := time.Now()
	versions := slog.Group("schema", slog.Int64("from", before.Version), slog.Int64("to", before.Newest))
	m.logger.Info("the database is being upgraded: that may take long, and the server isn't ready before", versions)
	return func() {
		m.logger.Info("the database is upgraded", versions, slog.String("took", time.Since(begun).Round(time.Millisecond).String()))
	}
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
