package sqlstore

import (
	"context"
	"database/sql"
	"errors"
)

// pool lends connections to one database, each to one transaction at a time.
type pool interface {
	// begin waits for a connection no longer than the caller does, and begins a transaction on it.
	begin(ctx context.Context) (session, error)
	// stats are the numbers of the pool, but for its name.
	stats() PoolStats
	// Close waits for what is under way.
	Close() error
}

// session is a transaction on a connection. It's used by one goroutine.
type session interface {
	// exec runs a statement and returns how many rows it changed.
	exec(query string, args []any) (changed int64, err error)
	// later runs a statement whose outcome nobody waits for, but for whether it fails: now, or together with the next
	// one or the commit, where that saves a round trip. One that failed late is the *lateError of the method that
	// noticed, and nothing is committed.
	later(query string, args []any) error
	// ahead is query for rows that somebody will ask for. They come with the next fetch, and are kept for the one who
	// does.
	ahead(query string, args []any)
	// fetch sends what waits, if there is anything to be fetched ahead.
	fetch() error
	// forget throws away what is kept: something is written or locked.
	forget()
	// query runs a statement that returns rows. They are closed before the next statement.
	query(query string, args []any) (rows, error)
	// commit makes what was written durable.
	commit() error
	// end gives the connection back; what wasn't committed is rolled back.
	end()
}

// lateError is the failure of a statement of before.
type lateError struct{ cause error }

func (e *lateError) Error() string { return e.cause.Error() }

// errUnforeseen is that a transaction ended with what was read ahead, and something else is wanted of it.
var errUnforeseen = errors.New("the transaction ended with what was foreseen")

// rows are what a query found.
type rows interface {
	row
	Next() bool
	Err() error
	Close() error
	Columns() ([]string, error)
}

// row is one of them.
type row interface{ Scan(fields ...any) error }

// first is the first row of a query; without one, scanning it fails with sql.ErrNoRows.
type first struct {
	rows rows
	err  error // of the query
}

func (f first) Scan(fields ...any) error {
	if f.err != nil {
		return f.err
	}
	defer f.rows.Close()
	if !f.rows.Next() {
		if err := f.rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := f.rows.Scan(fields...); err != nil {
		return err
	}
	return f.rows.Close()
}
