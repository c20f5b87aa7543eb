package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/jot-auth/jot/server/issuer"
)

// databaseClosed is the text of an error that database/sql doesn't export.
const databaseClosed = "sql: database is closed"

// explain translates a database error into what callers branch on.
func explain(ctx context.Context, err error) error {
	var failure *sqlite.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return issuer.ErrNotFound
	case ctx.Err() != nil:
		return fmt.Errorf("database: %w", ctx.Err())
	case errors.As(err, &failure):
		return explainCode(failure)
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), err.Error() == databaseClosed:
		return fmt.Errorf("%w: database: %w", issuer.ErrUnavailable, err)
	}
	return fmt.Errorf("database: %w", err)
}

func explainCode(failure *sqlite.Error) error {
	switch failure.Code() {
	case codes.SQLITE_CONSTRAINT_PRIMARYKEY, codes.SQLITE_CONSTRAINT_UNIQUE, codes.SQLITE_CONSTRAINT_ROWID:
		return issuer.ErrTaken
	case codes.SQLITE_CONSTRAINT_FOREIGNKEY:
		return issuer.ErrNotFound
	}
	switch failure.Code() & 0xff { // the primary code; the rest is detail
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_NOMEM, codes.SQLITE_READONLY, codes.SQLITE_IOERR, codes.SQLITE_CORRUPT,
		codes.SQLITE_FULL, codes.SQLITE_CANTOPEN, codes.SQLITE_PROTOCOL, codes.SQLITE_NOTADB, codes.SQLITE_PERM:
		return fmt.Errorf("%w: database: %w", issuer.ErrUnavailable, failure)
	}
	return fmt.Errorf("database: %w", failure)
}
