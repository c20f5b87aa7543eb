package sqlstore

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/jot-auth/jot/server/issuer"
)

// databaseClosed is the text of an error that database/sql doesn't export.
const databaseClosed = "sql: database is closed"

// explain translates a database error into what callers branch on.
func explain(ctx context.Context, err error) error {
	var ofSQLite *sqlite.Error
	var ofPostgres *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return issuer.ErrNotFound
	case impatience(ctx) != nil:
		return fmt.Errorf("database: %w", impatience(ctx))
	case errors.As(err, &ofSQLite):
		return explainSQLite(ofSQLite)
	case errors.As(err, &ofPostgres):
		return explainPostgres(ofPostgres)
	case disconnected(err):
		return fmt.Errorf("%w: database: %w", issuer.ErrUnavailable, err)
	}
	return fmt.Errorf("database: %w", err)
}

// impatience tells why the caller waits no longer, if so. A connection that was given the same deadline may notice a
// moment before the context does.
func impatience(ctx context.Context) error {
	if deadline, limited := ctx.Deadline(); limited && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// disconnected reports whether there is no connection to the database any more, or none in time.
func disconnected(err error) bool {
	var network net.Error
	var connecting *pgconn.ConnectError
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || err.Error() == databaseClosed ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &network) || errors.As(err, &connecting) || pgconn.SafeToRetry(err) || pgconn.Timeout(err)
}

// Unreachable reports whether PostgreSQL couldn't be opened only because it can't be reached, or isn't ready, so that
// waiting may help. Wrong names, passwords and certificates don't mend themselves.
func Unreachable(err error) bool {
	var failure *pgconn.PgError
	var certificate *tls.CertificateVerificationError
	var connection *net.OpError
	var name *net.DNSError
	switch {
	case !errors.Is(err, issuer.ErrUnavailable), errors.As(err, &certificate):
		return false
	case errors.As(err, &failure):
		return failure.Code == readOnly || len(failure.Code) == 5 && passingClasses[failure.Code[:2]]
	}
	return errors.As(err, &connection) || errors.As(err, &name) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, context.DeadlineExceeded)
}

func explainSQLite(failure *sqlite.Error) error {
	switch failure.Code() {
	case codes.SQLITE_CONSTRAINT_PRIMARYKEY, codes.SQLITE_CONSTRAINT_UNIQUE, codes.SQLITE_CONSTRAINT_ROWID:
		return issuer.ErrTaken
	case codes.SQLITE_CONSTRAINT_FOREIGNKEY:
		return issuer.ErrNotFound
	case codes.SQLITE_FULL:
		return fmt.Errorf("%w: database: %w", issuer.ErrFull, failure)
	}
	switch failure.Code() & 0xff { // the primary code; the rest is detail
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_NOMEM, codes.SQLITE_READONLY, codes.SQLITE_IOERR, codes.SQLITE_CORRUPT,
		codes.SQLITE_CANTOPEN, codes.SQLITE_PROTOCOL, codes.SQLITE_NOTADB, codes.SQLITE_PERM:
		return fmt.Errorf("%w: database: %w", issuer.ErrUnavailable, failure)
	}
	return fmt.Errorf("database: %w", failure)
}

// Codes and classes of errors (PostgreSQL's manual, appendix A).
const (
	uniqueViolation      = "23505"
	foreignKeyViolation  = "23503"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	lockNotAvailable     = "55P03"
	readOnly             = "25006" // a standby, or a server that is told so
	idleTooLong          = "25P03"
	undefinedTable       = "42P01"
	diskFull             = "53100"
)

var unavailableClasses = map[string]bool{
	"08": true, // connection
	"28": true, // authorization: another password, say
	"3D": true, // no such database
	"53": true, // memory or connections are full
	"57": true, // shutdown, or a statement that took too long
	"58": true, // input and output
	"XX": true, // corruption
}

// passingClasses are those of them that a database gets over by itself.
var passingClasses = map[string]bool{"08": true, "53": true, "57": true, "58": true}

func explainPostgres(failure *pgconn.PgError) error {
	switch failure.Code {
	case uniqueViolation:
		return issuer.ErrTaken
	case foreignKeyViolation:
		return issuer.ErrNotFound
	case serializationFailure, deadlockDetected:
		return fmt.Errorf("%w: database: %w", issuer.ErrBusy, failure)
	case diskFull:
		return fmt.Errorf("%w: database: %w", issuer.ErrFull, failure)
	case lockNotAvailable, readOnly, idleTooLong:
		return fmt.Errorf("%w: database: %w", issuer.ErrUnavailable, failure)
	}
	if len(failure.Code) == 5 && unavailableClasses[failure.Code[:2]] {
		return fmt.Errorf("%w: database: %w", issuer.ErrUnavailable, failure)
	}
	return fmt.Errorf("database: %w", failure)
}
