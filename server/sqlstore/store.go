// Package sqlstore keeps everything that the token server must not forget in a SQLite database.
//
// It stores and decides nothing: the rules are in issuer and accounts, whose Store interfaces it satisfies. One connection
// writes, in immediate transactions, and a pool of others reads beside it, each on the state of its first read. What was
// committed is on the disk (WAL, synchronous=FULL).
package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/issuer"
)

var (
	_ issuer.Store   = (*Store)(nil)
	_ accounts.Store = (*Store)(nil)
)

// Store is an open database. It is safe for concurrent use.
type Store struct {
	writer *database // one connection
	queue  queue     // of those who write
	reader *database // several
	now    func() time.Time
}

// database is a pool of connections with its prepared statements.
type database struct {
	*sql.DB
	prepared map[string]*sql.Stmt
}

// View implements issuer.Store.
func (s *Store) View(ctx context.Context, f func(issuer.Reader) error) error {
	return s.transact(ctx, s.reader, &sql.TxOptions{ReadOnly: true}, func(t *tx) error { return f(t) })
}

// Update implements issuer.Store.
func (s *Store) Update(ctx context.Context, f func(issuer.Tx) error) error {
	return s.update(ctx, func(t *tx) error { return f(t) })
}

func (s *Store) update(ctx context.Context, f func(*tx) error) error {
	leave, err := s.queue.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return s.transact(ctx, s.writer, nil, f)
}

func (s *Store) transact(ctx context.Context, db *database, o *sql.TxOptions, f func(*tx) error) error {
	begun, err := db.BeginTx(ctx, o)
	if err != nil {
		return explain(ctx, err)
	}
	defer begun.Rollback() // after a commit it does nothing
	if err := f(&tx{ctx: ctx, Tx: begun, prepared: db.prepared, now: s.now}); err != nil {
		return err
	}
	return explain(ctx, begun.Commit())
}

// Close implements issuer.Store. It waits for queries that are under way.
func (s *Store) Close() error {
	return errors.Join(s.reader.Close(), s.writer.Close())
}

// tx is one transaction: an issuer.Tx, of which a reading one only shows the issuer.Reader.
type tx struct {
	*sql.Tx
	ctx      context.Context // the transaction's own: it ends with it
	prepared map[string]*sql.Stmt
	now      func() time.Time
}

// Now implements issuer.Clock: SQLite's clock is that of the process.
func (t *tx) Now() (time.Time, error) {
	return t.now().UTC().Truncate(time.Millisecond), nil
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	result, err := t.StmtContext(t.ctx, t.prepared[query]).ExecContext(t.ctx, args...)
	if err != nil {
		return 0, explain(t.ctx, err)
	}
	return result.RowsAffected()
}

// insert runs a statement that adds a row.
func (t *tx) insert(query string, args ...any) error {
	_, err := t.exec(query, args...)
	return err
}

// change runs a statement that must find its row.
func (t *tx) change(query string, args ...any) error {
	changed, err := t.exec(query, args...)
	if err == nil && changed == 0 {
		return issuer.ErrNotFound
	}
	return err
}

// find reads the one row of a query.
func (t *tx) find(query string, arg any, fields ...any) error {
	return explain(t.ctx, t.StmtContext(t.ctx, t.prepared[query]).QueryRowContext(t.ctx, arg).Scan(fields...))
}

// one reads the one row of a query.
func one[T any](t *tx, scan func(row) (T, error), query string, arg any) (T, error) {
	found, err := scan(t.StmtContext(t.ctx, t.prepared[query]).QueryRowContext(t.ctx, arg))
	if err != nil {
		var none T
		return none, explain(t.ctx, err)
	}
	return found, nil
}

// list reads all rows of a query.
func list[T any](t *tx, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := t.StmtContext(t.ctx, t.prepared[query]).QueryContext(t.ctx, args...)
	if err != nil {
		return nil, explain(t.ctx, err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, explain(t.ctx, err)
		}
		all = append(all, one)
	}
	return all, explain(t.ctx, rows.Err())
}

// row is what a query found.
type row interface{ Scan(fields ...any) error }

// millis and the types below translate what the database doesn't have.

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// timeField scans milliseconds.
type timeField struct{ time *time.Time }

func (f timeField) Scan(value any) error {
	*f.time = time.Time{}
	if ms, ok := value.(int64); ok && ms != 0 {
		*f.time = time.UnixMilli(ms).UTC()
	}
	return nil
}

func words(list []string) string { return strings.Join(list, " ") }

// wordsField scans a list of words.
type wordsField struct{ list *[]string }

func (f wordsField) Scan(value any) error {
	text, _ := value.(string)
	*f.list = strings.Fields(text)
	return nil
}

// texts is a list of any texts as JSON; nil is empty.
func texts(list []string) string {
	if list == nil {
		return ""
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // it never fails on strings
	}
	return string(text)
}

// textsField scans a list of any texts.
type textsField struct{ list *[]string }

func (f textsField) Scan(value any) error {
	*f.list = nil
	if text, _ := value.(string); text != "" {
		return json.Unmarshal([]byte(text), f.list)
	}
	return nil
}

// durationField scans milliseconds.
type durationField struct{ duration *time.Duration }

func (f durationField) Scan(value any) error {
	ms, _ := value.(int64)
	*f.duration = time.Duration(ms) * time.Millisecond
	return nil
}
