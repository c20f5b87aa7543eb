package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// tables are all that hold rows, each after those that its rows refer to.
var tables = []string{"subjects", "accounts", "tickets", "totps", "recovery_codes", "passkeys", "sessions", "clients", "resources", "keys", "rules", "log_head", "replaced_logs", "logout_tokens", "events", "settings", "issuer_url", "throttles", "bootstrap",
	"verifiers", "asked", "sign_ins", "codes", "consents", "notices", "used_assertions", "device_codes"}

// copyBatch is how many rows one statement writes.
const copyBatch = 250

// Progress tells how far Copy is: Rows of Total in one table. A table is done when the two are the same.
type Progress struct {
	Table string
	Rows  int64
	Total int64
}

// ErrNotEmpty is a database that something is to be copied into and that holds rows already.
var ErrNotEmpty = errors.New("the database isn't empty: name a new one")

// Copy copies every row of one database into another, which must be empty: it fails with ErrNotEmpty otherwise. It
// reads one state of the source, and writes one transaction: after an error the target is as empty as before. No server
// may write to the source meanwhile, since what it writes stays behind. Progress is told after each batch; nil tells
// nobody.
func Copy(ctx context.Context, from, to *Store, tell func(Progress)) error {
	if tell == nil {
		tell = func(Progress) {}
	}
	return from.transact(ctx, from.reader, func(source *tx) error {
		// The lock of the keys keeps a server from starting on the target before it is complete: it would make keys of
		// its own.
		return to.updateAlone(ctx, func(target *tx) error { // nobody else's failure makes it begin again
			if err := errors.Join(from.dialect.takeTime(source), to.dialect.takeTime(target), target.lock(lockKeys)); err != nil {
				return err
			}
			for _, table := range tables {
				if err := copyTable(source, target, table, tell); err != nil {
					return fmt.Errorf("table %s: %w", table, err)
				}
			}
			return to.dialect.continueIdentities(target)
		})
	})
}

func copyTable(source, target *tx, table string, tell func(Progress)) error {
	there, err := target.count(table)
	if err != nil {
		return err
	}
	if there > 0 {
		return ErrNotEmpty
	}
	total, err := source.count(table)
	if err != nil {
		return err
	}
	rows, err := source.query("SELECT * FROM " + table)
	if err != nil {
		return err
	}
	defer rows.Close()
	copied, err := copyRows(rows, target, table, func(n int64) { tell(Progress{table, n, total}) })
	if err != nil {
		return err
	}
	if there, err = target.count(table); err == nil && (copied != total || there != total) {
		err = fmt.Errorf("%d rows were read and %d written, of %d", copied, there, total)
	}
	return err
}

func (t *tx) count(table string) (n int64, err error) {
	err = t.fault(t.row("SELECT count(*) FROM " + table).Scan(&n))
	return n, err
}

// copyRows inserts what a query finds, by the names of its columns.
func copyRows(rows rows, target *tx, table string, tell func(int64)) (copied int64, err error) {
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	tell(0)
	var batch []any
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := target.insert(insertMany(table, columns, len(batch)/len(columns)), batch...); err != nil {
			return err
		}
		copied += int64(len(batch) / len(columns))
		batch = batch[:0]
		tell(copied)
		return nil
	}
	for rows.Next() {
		values, fields := make([]any, len(columns)), make([]any, len(columns))
		for n := range values {
			fields[n] = &values[n]
		}
		if err := rows.Scan(fields...); err != nil {
			return copied, err
		}
		for n, value := range values {
			if bytes, ok := value.([]byte); ok && bytes == nil { // SQLite's driver reads bytes of no length as this, which PostgreSQL's would write as NULL
				values[n] = []byte{}
			}
		}
		if batch = append(batch, values...); len(batch) == copyBatch*len(columns) {
			if err := flush(); err != nil {
				return copied, err
			}
		}
	}
	return copied, errors.Join(explain(target.ctx, rows.Err()), flush())
}

// insertMany is the statement that inserts so many rows. The names come from the schema.
func insertMany(table string, columns []string, rows int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", table, strings.Join(columns, ", "))
	for n := range rows * len(columns) {
		switch {
		case n == 0:
			b.WriteString("(")
		case n%len(columns) == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", n+1)
	}
	b.WriteString(")")
	return b.String()
}
