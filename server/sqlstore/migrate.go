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

//go:embed migrations
var migrations embed.FS

// migrationAttempts bounds how often something is tried when other processes make or migrate the same database at once.
const migrationAttempts = 25

// migrate brings the schema up to date. Several processes may do so at once: each migration is one transaction together with
// its version, so one wins, and the others look again.
func migrate(ctx context.Context, pool *sql.DB, d dialect, versions string) error {
	provider, err := newProvider(pool, d, versions)
	if err != nil {
		return err
	}
	err = amongOthers(ctx, func() error {
		_, err := provider.Up(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	return checkVersion(ctx, provider)
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

// newProvider takes the name of the table in which goose keeps the versions.
func newProvider(pool *sql.DB, d dialect, versions string) (*goose.Provider, error) {
	language, folder := d.migrations()
	files, err := fs.Sub(migrations, "migrations/"+folder)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(language, pool, files, goose.WithDisableGlobalRegistry(true), goose.WithTableName(versions))
}

// checkVersion refuses a schema that this version doesn't know.
func checkVersion(ctx context.Context, provider *goose.Provider) error {
	found, newest, err := provider.GetVersions(ctx)
	if err == nil && found > newest {
		err = fmt.Errorf("its schema has version %d, and this program knows versions up to %d: start a newer program, or restore a backup", found, newest)
	}
	return err
}
