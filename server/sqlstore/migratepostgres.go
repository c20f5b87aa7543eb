package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// migrationWait is how long a migration waits for a table that is in use. Whoever wants that table next waits
	// behind it: so it's shorter than servers wait for a lock (Options.BusyTimeout), and longer than the second
	// (deadlock_timeout) after which PostgreSQL gives up a vacuum that is in the way.
	migrationWait = 1200 * time.Millisecond
	// migrationRest is when it tries again: meanwhile those go on who waited behind it.
	migrationRest = 2 * time.Second
	// migrationPatience is for how long it tries: whoever uses a table for longer doesn't notice, so somebody has to be
	// told.
	migrationPatience = 30 * time.Second
	// migrationPause is between looks whether another server still migrates.
	migrationPause = 100 * time.Millisecond
)

// migrator of a PostgreSQL database.
func (c postgresConfig) migrator(db *sql.DB, o Options) migrator {
	return migrator{db, postgresDialect{}, c.versions(), o.migrations, o.OverNewer, o.Logger, amongTransactions}
}

// migratePostgres brings the schema up to date, one server after the other, without the limits of time for everyday
// work.
func migratePostgres(ctx context.Context, config postgresConfig, o Options) (none Schema, _ error) {
	config = config.Copy()
	config.RuntimeParams["statement_timeout"], config.RuntimeParams["idle_in_transaction_session_timeout"] = "0", "0"
	config.RuntimeParams["lock_timeout"] = milliseconds(migrationWait)
	db := connections(config, 2) // one holds the lock, the other migrates
	defer db.Close()
	if err := checkPostgres(ctx, db); err != nil {
		return none, err
	}
	m := config.migrator(db, o)
	if s, err := m.look(ctx); err != nil || len(s.Pending) == 0 { // without the lock: a server may start while a newer one migrates, for an hour maybe
		return s, err
	}
	// The lock is that of a transaction in which nothing else happens, since a pooler keeps no session: the schema and
	// each migration are transactions of their own. Of several servers that start at once, one migrates, and the others
	// find it done.
	holder, err := holdMigrations(ctx, db)
	if err != nil {
		return none, err
	}
	defer holder.Rollback()
	if config.pooler {
		if err := errors.Join(m.fitPooler(ctx), anotherConnection(ctx, db, poolerWait)); err != nil {
			return none, err
		}
	}
	if err := makeSchema(ctx, db, config.schema()); err != nil {
		return none, err
	}
	return m.up(ctx)
}

// lockMigrations has no arguments: those of the simple protocol need types that this program leaves out (the tag
// nopgxregisterdefaulttypes).
var lockMigrations = fmt.Sprintf(`SELECT pg_try_advisory_xact_lock(%d, 0)`, lockSpace)

// holdMigrations returns the transaction that has the lock. Who waits for it has no connection meanwhile: a pooler may
// have few, and who migrates needs two of them. Nor has anybody a snapshot meanwhile, for which an index that is made
// concurrently would wait: of the extended protocol, the last statement keeps its own.
func holdMigrations(ctx context.Context, db *sql.DB) (*sql.Tx, error) {
	for {
		holder, err := db.BeginTx(ctx, nil)
		if err != nil {
			return nil, err
		}
		locked := false
		err = holder.QueryRowContext(ctx, lockMigrations, pgx.QueryExecModeSimpleProtocol).Scan(&locked)
		if locked {
			return holder, nil
		}
		if err := errors.Join(err, holder.Rollback()); err != nil {
			return nil, err
		}
		select {
		case <-time.After(migrationPause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// makeSchema makes the schema where it's missing, so that a role that may not make one can be given one.
func makeSchema(ctx context.Context, db *sql.DB, schema string) error {
	var exists bool
	err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)`, schema).Scan(&exists)
	if err != nil || exists {
		return err
	}
	_, err = db.ExecContext(ctx, `CREATE SCHEMA `+schema)
	return err
}

// amongTransactions tries to migrate again where that failed because others use the tables.
func amongTransactions(ctx context.Context, try func() error) error {
	for begun := time.Now(); ; {
		err := try()
		if err == nil || !inUse(err) {
			return explain(ctx, err)
		}
		if time.Since(begun) > migrationPatience {
			return fmt.Errorf("a table was in use for %v, by a long transaction such as a dump: end it, or try again when it has ended (%w)", migrationPatience, explain(ctx, err))
		}
		select {
		case <-time.After(migrationRest + rand.N(migrationRest/2)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// inUse reports whether a migration failed because of transactions beside it.
func inUse(err error) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && (failure.Code == lockNotAvailable || failure.Code == deadlockDetected)
}

// withoutTransaction is the line of a migration that runs outside of any: one that makes an index while others write.
const withoutTransaction = "-- +goose NO TRANSACTION"

// fitPooler refuses migrations outside of transactions behind a pooler, where only transactions know our schema: others
// in the database may have tables of the same names.
func (m migrator) fitPooler(ctx context.Context) error {
	s, err := m.schema(ctx)
	if err != nil {
		return err
	}
	_, folder := m.dialect.migrations()
	for _, name := range s.Pending {
		text, err := fs.ReadFile(m.files, "migrations/"+folder+"/"+name)
		if err == nil && strings.Contains(string(text), withoutTransaction) {
			err = fmt.Errorf("the migration %s doesn't get through a pooler: run 'jot migrate up' with the URL of PostgreSQL itself first", name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
