package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jot-auth/jot/server/issuer"
)

// tx is one transaction: an issuer.Tx, of which a reading one only shows the issuer.Reader.
type tx struct {
	session
	ctx       context.Context // of the caller
	store     *Store
	wrote     bool                    // something, or tried to
	updates   bool                    // what it reads can't be changed by others before the commit
	again     bool                    // it ran before, and collided with another
	held      []string                // IDs of rows that were read in an Update
	readAhead map[string]ownedSession // by ID: locked, and nobody has asked for it yet, nor written anything
	shares    bool                    // the configuration's lock
	events    []issuer.Event          // to be written when it commits
	failed    error                   // a statement that nobody waited for
}

// Now implements issuer.Clock.
func (t *tx) Now() (time.Time, error) {
	if t.store.now != nil {
		return t.store.now().UTC().Truncate(time.Millisecond), nil
	}
	return t.store.dialect.now(t)
}

// lock takes a lock that isn't of a row, in an Update. See lock for the order.
func (t *tx) lock(l lock) error {
	if !t.updates {
		return nil
	}
	return t.store.dialect.lock(t, l, false)
}

// shareConfiguration takes the lock of clients and resources, which many read and few change, beside others who share
// it. Two who share it and then want to change wait for each other; the one that has to run again takes it alone.
func (t *tx) shareConfiguration() error {
	if !t.updates || t.shares {
		return nil
	}
	t.shares = true
	return t.store.dialect.lock(t, lockConfiguration, !t.again)
}

// errFailed is what methods return after a statement has failed that nobody waited for. It's none of the errors that
// callers branch on: the Store's own method returns what went wrong.
var errFailed = errors.New("the transaction has failed")

// fault translates an error of the session.
func (t *tx) fault(err error) error {
	var late *lateError
	if errors.As(err, &late) {
		t.failed = explain(t.ctx, late.cause)
		return errFailed
	}
	if errors.Is(err, errUnforeseen) {
		t.failed = err
		return errFailed
	}
	return explain(t.ctx, err)
}

// writes is said before each statement that writes or locks something: what was read ahead may be so no longer.
func (t *tx) writes() {
	t.wrote, t.readAhead = true, nil
	t.session.forget()
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	t.writes()
	changed, err := t.session.exec(query, args)
	return changed, t.fault(err)
}

// later runs a statement that only a fault can make fail. It may fail later than this method, and then nothing is
// committed.
func (t *tx) later(query string, args ...any) error {
	t.writes()
	return t.fault(t.session.later(query, args))
}

// query runs a statement that returns rows.
func (t *tx) query(query string, args ...any) (rows, error) {
	found, err := t.session.query(query, args)
	return found, t.fault(err)
}

// row runs a query for one row.
func (t *tx) row(query string, args ...any) row {
	found, err := t.session.query(query, args)
	return first{found, err}
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

// hold notes the ID of a row that was read: in an Update nobody else can delete it before the commit.
func (t *tx) hold(id string) {
	if t.updates {
		t.held = append(t.held, id)
	}
}

// changeHeld is change, and needn't wait to learn whether the row is there where this transaction has read it.
func (t *tx) changeHeld(id, query string, args ...any) error {
	if slices.Contains(t.held, id) {
		return t.later(query, args...)
	}
	return t.change(query, args...)
}

// find reads the one row of a query. In an Update nobody else can change that row before the commit.
func (t *tx) find(query string, arg any, fields ...any) error {
	if !storable(arg) {
		return issuer.ErrNotFound
	}
	return t.fault(t.row(t.holding(query), arg).Scan(fields...))
}

// holding is the dialect's, in an Update.
func (t *tx) holding(query string) string {
	if t.updates {
		query = t.store.dialect.holding(query)
	}
	return query
}

// one is find with a function that scans.
func one[T any](t *tx, scan func(row) (T, error), query string, arg any) (T, error) {
	return peek(t, scan, t.holding(query), arg)
}

// peek is one for a row that a lock protects already.
func peek[T any](t *tx, scan func(row) (T, error), query string, arg any) (T, error) {
	var none T
	if !storable(arg) {
		return none, issuer.ErrNotFound
	}
	found, err := scan(t.row(query, arg))
	if err != nil {
		return none, t.fault(err)
	}
	return found, nil
}

// storable reports whether every text among the arguments is one that a row can hold: PostgreSQL fails for any other,
// and ends the transaction, where the answer is that there is no such row.
func storable(args ...any) bool {
	return !slices.ContainsFunc(args, func(arg any) bool {
		text, ok := arg.(string)
		return ok && (strings.Contains(text, "\x00") || !utf8.ValidString(text))
	})
}

// findOrLock is find for a row that this transaction makes where it is missing. Of two that find it missing at once,
// the lock lets one go on, and the other finds what that one made.
func (t *tx) findOrLock(l lock, query string, arg any, fields ...any) error {
	err := t.find(query, arg, fields...)
	if !errors.Is(err, issuer.ErrNotFound) || !t.updates {
		return err
	}
	if err := t.lock(l); err != nil {
		return err
	}
	return t.find(query, arg, fields...)
}

// countRows returns the one number of a query.
func (t *tx) countRows(query string, args ...any) (int, error) {
	counts, err := list(t, func(r row) (n int, err error) {
		err = r.Scan(&n)
		return n, err
	}, query, args...)
	if err != nil || len(counts) == 0 { // none where the text is one that can't be stored
		return 0, err
	}
	return counts[0], nil
}

// changeOrLock replaces a row, or makes it where it is missing. The two statements take the same arguments.
func (t *tx) changeOrLock(l lock, update, upsert string, args ...any) error {
	err := t.change(update, args...)
	if !errors.Is(err, issuer.ErrNotFound) {
		return err
	}
	if err := t.lock(l); err != nil {
		return err
	}
	return t.insert(upsert, args...)
}

// list reads all rows of a query.
func list[T any](t *tx, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	if !storable(args...) {
		return nil, nil
	}
	rows, err := t.query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, t.fault(err)
		}
		all = append(all, one)
	}
	return all, t.fault(rows.Err())
}

// listChanged reads the rows that a statement changes and returns.
func listChanged[T any](t *tx, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	t.writes()
	return list(t, scan, query, args...)
}

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

// flagField scans a truth value, which is 0 or 1 in a column, and in PostgreSQL's expressions a value of its own.
type flagField struct{ flag *bool }

func (f flagField) Scan(value any) error {
	number, _ := value.(int64)
	truth, _ := value.(bool)
	*f.flag = truth || number != 0
	return nil
}

// durationField scans milliseconds.
type durationField struct{ duration *time.Duration }

func (f durationField) Scan(value any) error {
	ms, _ := value.(int64)
	*f.duration = time.Duration(ms) * time.Millisecond
	return nil
}
