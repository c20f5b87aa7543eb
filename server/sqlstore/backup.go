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

	"modernc.org/sqlite"
)

// backupPages is how many pages are copied before it's looked whether to go on: 4 MiB.
const backupPages = 1024

// Backup copies the SQLite database in a file, which a server may be writing to, into a new file of mode 0600: its
// state of one moment, in one file without others beside it, checked. It never overwrites: what exists already is an
// error that wraps fs.ErrExist. Progress, where it isn't nil, is told how many pages are copied, of how many.
func Backup(ctx context.Context, from, to string, progress func(done, total int)) error {
	if info, err := os.Stat(from); err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("there is no database %s", from)
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, &fs.PathError{Op: "backup", Path: to, Err: fs.ErrExist})
	}
	file, err := os.CreateTemp(filepath.Dir(to), ".jot-backup-*") // mode 0600
	if err != nil {
		return err
	}
	unfinished := file.Name()
	defer os.Remove(unfinished)
	err = file.Close()
	if err == nil {
		err = copyDatabase(ctx, from, unfinished, progress)
	}
	if err == nil {
		err = finishBackup(ctx, unfinished)
	}
	if err != nil {
		return fmt.Errorf("copying the database %s: %w", from, err)
	}
	return os.Link(unfinished, to) // unlike a rename, never over a file that appeared meanwhile
}

// plainSource names a database that is opened as it is: nothing about it is changed, and it isn't made when it's
// missing.
func plainSource(path string, pragmas ...string) (string, error) {
	path, err := filepath.Abs(path)
	query := url.Values{"mode": {"rw"}, "_pragma": append([]string{"busy_timeout(5000)", "trusted_schema(0)"}, pragmas...), "_defensive": {"1"}}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query.Encode()}).String(), err
}

// copyDatabase copies page by page inside one reading transaction, so that whoever writes meanwhile neither waits nor
// makes it begin again.
func copyDatabase(ctx context.Context, from, to string, progress func(done, total int)) error {
	source, err := plainSource(from, "query_only(1)")
	if err != nil {
		return err
	}
	pool, err := connect(source, 1)
	if err != nil {
		return err
	}
	defer pool.Close()
	connection, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer connection.Close()
	var tables int
	if _, err := connection.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	if err := connection.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	if tables == 0 {
		return errors.New("it is empty")
	}
	return connection.Raw(func(driver any) error {
		maker, ok := driver.(interface {
			NewBackup(string) (*sqlite.Backup, error)
		})
		if !ok {
			return errors.New("the SQLite driver can't make backups")
		}
		backup, err := maker.NewBackup(to)
		if err != nil {
			return err
		}
		return errors.Join(stepThrough(ctx, backup, progress), backup.Finish())
	})
}

func stepThrough(ctx context.Context, backup *sqlite.Backup, progress func(done, total int)) error {
	for {
		more, err := backup.Step(backupPages)
		if err != nil {
			return err
		}
		if progress != nil {
			progress(backup.PageCount()-backup.Remaining(), backup.PageCount())
		}
		if !more {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// finishBackup checks a copy, makes it a single file, and has it on the disk.
func finishBackup(ctx context.Context, path string) error {
	source, err := plainSource(path)
	if err != nil {
		return err
	}
	pool, err := connect(source, 1)
	if err != nil {
		return err
	}
	err = checkIntegrity(ctx, pool)
	if err == nil {
		_, err = pool.ExecContext(ctx, "PRAGMA journal_mode = DELETE")
	}
	if err = errors.Join(err, pool.Close()); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

func checkIntegrity(ctx context.Context, pool *sql.DB) error {
	var verdict string
	if err := pool.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("it is damaged: %s", verdict)
	}
	switch err := pool.QueryRowContext(ctx, "PRAGMA foreign_key_check").Scan(new(any), new(any), new(any), new(any)); {
	case err == nil:
		return errors.New("it is damaged: a row names another one that doesn't exist")
	case errors.Is(err, sql.ErrNoRows):
		return nil
	default:
		return err
	}
}
