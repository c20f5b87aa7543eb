package sqlstore

import (
	"context"
	"database/sql"
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

// sqliteDialect is that of SQLite. Its one writer has the database to itself, so that nothing else needs a lock.
type sqliteDialect struct{}

func (sqliteDialect) migrations() (goose.Dialect, string) { return goose.DialectSQLite3, "sqlite" }

// now is the process's clock, which is SQLite's.
func (sqliteDialect) now(*tx) (time.Time, error) {
	return time.Now().UTC().Truncate(time.Millisecond), nil
}

func (sqliteDialect) nowAhead(*tx) {}

func (sqliteDialect) holding(query string) string { return query }

func (sqliteDialect) movingHead(insert string) (string, bool) { return insert, false }

func (sqliteDialect) lock(*tx, lock, bool) error { return nil }

func (sqliteDialect) lockSlot(*tx, int64) error { return nil }

func (sqliteDialect) collided(error) bool { return false }

func (sqliteDialect) takeTime(*tx) error { return nil }

func (sqliteDialect) continueIdentities(*tx) error { return nil } // AUTOINCREMENT does

// Open opens the SQLite database in a file, and makes or upgrades it where needed. The file gets mode 0600, its
// directory is made with mode 0700 when it is missing. Open refuses a file that is a symbolic link or that others can
// read, and a directory that others can write to: they could put another database in its place. It refuses a database
// that a newer version of this program has upgraded, unless Options.OverNewer allows it.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	o = o.complete(max(4, runtime.NumCPU()), 1)
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := secureDirectory(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	if err := secureFile(path); err != nil {
		return nil, fmt.Errorf("database: %w", notOurs(path, err))
	}
	s := &Store{dialect: sqliteDialect{}, queue: newQueue(1, o.Queue), now: o.Now}
	s.group = s.newGroup()
	writer, err := connect(dataSource(path, o), 1)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	reader, err := connect(dataSource(path, o, "_pragma", "query_only(1)"), o.Readers)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", path, err), writer.Close())
	}
	if s.schema, err = migrateSQLite(ctx, writer, o); err != nil {
		closed := errors.Join(writer.Close(), reader.Close())
		return nil, errors.Join(fmt.Errorf("database %s: %w", path, inTheWay(path, err)), closed)
	}
	s.writer, s.reader = newSQLitePool(writer, 1, "BEGIN IMMEDIATE"), newSQLitePool(reader, o.Readers, "BEGIN")
	s.brief = s.reader
	return s, nil
}

// migrateSQLite brings the schema up to date on the one connection that writes, without waiting for the disk at each of
// many commits: nobody is told of any, and the first one that somebody is told of has all before it on the disk, in the
// same log.
func migrateSQLite(ctx context.Context, writer *sql.DB, o Options) (s Schema, _ error) {
	// This opens the connection, and so makes the log of a new file: of several who do, SQLite lets some fail rather
	// than wait.
	err := amongOthers(ctx, func() error {
		_, err := writer.ExecContext(ctx, "PRAGMA synchronous = NORMAL")
		return err
	})
	if err == nil {
		s, err = sqliteMigrator(writer, o).up(ctx)
	}
	if err != nil {
		return s, err
	}
	_, err = writer.ExecContext(ctx, "PRAGMA synchronous = FULL")
	return s, err
}

// sqliteMigrator tries again where others migrate the same file at once: one of them wins, and the others look again.
func sqliteMigrator(db *sql.DB, o Options) migrator {
	return migrator{db, sqliteDialect{}, goose.DefaultTablename, o.migrations, o.OverNewer, o.Logger, amongOthers}
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

// secureFile makes the database's file, or checks that it is one of its own. SQLite gives the files that it puts beside
// it the same mode.
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
	case info.Mode().Perm()&0o600 != 0o600: // SQLite would open it, and say with the first change that it's read-only
		return fmt.Errorf("not even its owner can change %s (mode %04o): run chmod 600 on it", path, info.Mode().Perm())
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

// connect makes a pool that keeps its connections, since a new one costs more than a query.
func connect(source string, connections int) (*sql.DB, error) {
	pool, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}
