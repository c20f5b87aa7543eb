package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/sqlite/*.sql
var migrations embed.FS

// migrationAttempts bounds how often a migration is tried when other processes migrate the same database at once.
const migrationAttempts = 10

// Options say how a database is opened. The zero value is a good default.
type Options struct {
	Readers     int              // connections that read; 0: as many as processors, at least 4
	Writers     int              // callers that write or wait for it; more get issuer.ErrBusy; 0: 1024
	BusyTimeout time.Duration    // how long to wait for another process that writes; 0: 2 s
	Now         func() time.Time // the database's clock; nil: time.Now
}

// Open opens the SQLite database in a file, and makes or upgrades it where needed. The file gets mode 0600, its directory
// is made with mode 0700 when it is missing. Open refuses a file that is a symbolic link or that others can read, and a directory
// that others can write to: they could put another database in its place. It refuses a database that a newer version of this program
// has upgraded.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if o.Readers == 0 {
		o.Readers = max(4, runtime.NumCPU())
	}
	if o.Writers == 0 {
		o.Writers = 1024
	}
	if o.BusyTimeout == 0 {
		o.BusyTimeout = 2 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := secureDirectory(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	if err := secureFile(path); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	writer, err := openWriter(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	reader, err := connect(ctx, dataSource(path, o, "_pragma", "query_only(1)"), o.Readers)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", path, err), writer.Close())
	}
	return &Store{writer: writer, queue: newQueue(o.Writers), reader: reader, now: o.Now}, nil
}

// secureDirectory makes the data directory, or checks that nobody else can write to it.
func secureDirectory(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("others can write to the directory %s (mode %04o): use a directory of its own, or run chmod 700 on it", path, mode)
	}
	return nil
}

// secureFile makes the database's file, or checks that it is one of its own. SQLite gives the files that it puts beside it the
// same mode.
func secureFile(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err == nil {
		return file.Close()
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: a database is never opened through a link", path)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("others can open %s (mode %04o), which holds password hashes: run chmod 600 on it", path, info.Mode().Perm())
	}
	return nil
}

// dataSource is the name that the driver opens, with settings for every connection.
func dataSource(path string, o Options, settings ...string) string {
	query := url.Values{
		"_pragma": {
			fmt.Sprintf("busy_timeout(%d)", o.BusyTimeout.Milliseconds()), // first, since the others may have to wait
			"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "trusted_schema(0)", "journal_size_limit(67108864)",
		},
		"_defensive": {"1"},
		"_dqs":       {"0"},
	}
	for n := 0; n < len(settings); n += 2 {
		query.Add(settings[n], settings[n+1])
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query.Encode()}).String()
}

// openWriter brings the schema up to date and prepares the statements.
func openWriter(ctx context.Context, path string, o Options) (*database, error) {
	pool, err := open(dataSource(path, o, "_txlock", "immediate"), 1)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, pool); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return prepare(ctx, pool)
}

func connect(ctx context.Context, source string, connections int) (*database, error) {
	pool, err := open(source, connections)
	if err != nil {
		return nil, err
	}
	return prepare(ctx, pool)
}

// open makes a pool that keeps its connections, since a new one costs more than a query.
func open(source string, connections int) (*sql.DB, error) {
	pool, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}

// migrate brings the schema up to date. Several processes may do so at once: each migration is one transaction together with
// its version, so one wins, and the others look again.
func migrate(ctx context.Context, pool *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, pool, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	for range migrationAttempts {
		if _, err = provider.Up(ctx); err == nil {
			return checkVersion(ctx, provider)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return fmt.Errorf("migrating: %w", explain(ctx, err))
}

// checkVersion refuses a schema that this version doesn't know.
func checkVersion(ctx context.Context, provider *goose.Provider) error {
	found, newest, err := provider.GetVersions(ctx)
	if err == nil && found > newest {
		err = fmt.Errorf("its schema has version %d, and this program knows versions up to %d: start a newer program, or restore a backup", found, newest)
	}
	return err
}

// statements are all that ever run after the migration.
var statements = []string{
	selectSubject, insertSubject, updateSubject,
	selectAccount, insertAccount, deleteAccount, selectAccountOf, updatePassword,
	selectSession, insertSession, updateSession, endSessions,
	selectPending, deleteSessions, deleteRules, deleteEvents, deleteKeys, deleteSubjects,
	selectClient, selectClients, insertClient, updateClient, deleteClient,
	selectResource, selectResources, insertResource, updateResource, deleteResource, selectAlgorithms,
	selectKeys, insertKey, updateKey,
	selectLogHead, upsertLogHead, selectLogEntries, insertRule, selectLiveRules,
	selectEvents, insertEvent,
	selectSetting, upsertSetting,
}

func prepare(ctx context.Context, pool *sql.DB) (*database, error) {
	db := &database{pool, make(map[string]*sql.Stmt, len(statements))}
	for _, text := range statements {
		statement, err := pool.PrepareContext(ctx, text)
		if err != nil {
			return nil, errors.Join(explain(ctx, err), pool.Close())
		}
		db.prepared[text] = statement
	}
	return db, nil
}
