//go:build unix

package issuer_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// The load under which a sequence and our log are read by a cursor.
const (
	sequenceWriters = 16
	sequenceRounds  = 60
)

// serial is a table that numbers events by a sequence, as most outboxes do, and a reader with a cursor.
type serial struct {
	*testing.T
	db     *sql.DB
	cursor int64
	seen   []int64
}

func newSerial(t *testing.T) *serial {
	t.Helper()
	db, err := sql.Open("pgx", pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(sequenceWriters + 2)
	db.SetMaxIdleConns(sequenceWriters + 2)
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE outbox (id bigserial PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	return &serial{T: t, db: db}
}

// insert begins a transaction that writes one event, and leaves it open.
func (s *serial) insert() (*sql.Tx, int64) {
	tx, err := s.db.BeginTx(s.Context(), nil)
	if err != nil {
		s.Error(err)
		return nil, 0
	}
	var id int64
	if err := tx.QueryRowContext(s.Context(), "INSERT INTO outbox DEFAULT VALUES RETURNING id").Scan(&id); err != nil {
		s.Error(err)
	}
	return tx, id
}

// read takes what is beyond the cursor, and moves it there.
func (s *serial) read() {
	s.Helper()
	rows, err := s.db.QueryContext(s.Context(), "SELECT id FROM outbox WHERE id > $1 ORDER BY id", s.cursor)
	if err != nil {
		s.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&s.cursor); err != nil {
			s.Fatal(err)
		}
		s.seen = append(s.seen, s.cursor)
	}
	if err := rows.Err(); err != nil {
		s.Fatal(err)
	}
}

// A sequence numbers events when they are written, and a cursor reads them when they are committed: what was numbered
// earlier and committed later is never read. That's why our log is numbered in the order of commits.
func TestSequenceAndCursorLoseEvents(t *testing.T) {
	s := newSerial(t)
	slow, first := s.insert()
	quick, second := s.insert()
	if err := quick.Commit(); err != nil {
		t.Fatal(err)
	}
	s.read()
	if err := slow.Commit(); err != nil {
		t.Fatal(err)
	}
	s.read()
	if !slices.Equal(s.seen, []int64{second}) || first >= second {
		t.Errorf("the cursor has read %v of %d and %d: this test has to show that it loses the first", s.seen, first, second)
	}
	s.underLoad()
}

// underLoad tells how many are lost of many, which depends on the machine and so proves nothing.
func (s *serial) underLoad() {
	s.seen = nil
	underLoad(s.T, s.read, func(int) error {
		tx, _ := s.insert()
		if tx == nil {
			return errors.New("no transaction")
		}
		return tx.Commit()
	})
	const written = sequenceWriters * sequenceRounds
	s.Logf("a sequence and a cursor lost %d of %d events, %.1f %%", written-len(s.seen), written, 100*float64(written-len(s.seen))/written)
}

// underLoad lets the writers write, beside a reader that reads all the time and once more at the end.
func underLoad(t *testing.T, read func(), write func(writer int) error) {
	t.Helper()
	var writers sync.WaitGroup
	defer writers.Wait()
	for n := range sequenceWriters {
		writers.Go(func() {
			for range sequenceRounds {
				if err := write(n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { // ends with the writers
		writers.Wait()
		close(written)
	}()
	for {
		select {
		case <-written:
			read()
			return
		default:
			read()
		}
	}
}

// The same load against our log: a cursor reads every rule, once, without a gap, and each writer's in the order of its
// commits.
func TestLogAndCursorLoseNothing(t *testing.T) {
	for name, open := range map[string]func(*testing.T) (*sqlstore.Store, error){
		"SQLite": func(t *testing.T) (*sqlstore.Store, error) {
			return sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "data", "jot.db"), sqlstore.Options{})
		},
		"PostgreSQL": func(t *testing.T) (*sqlstore.Store, error) {
			return sqlstore.OpenPostgres(t.Context(), pgtest.Database(t), sqlstore.Options{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			i, err := issuer.New(t.Context(), store, config())
			if err != nil {
				t.Fatal(err)
			}
			defer i.Close()
			checkLogUnderLoad(t, i)
		})
	}
}

func checkLogUnderLoad(t *testing.T, i *issuer.Issuer) {
	t.Helper()
	subject := func(writer int) string { return fmt.Sprint("subject", writer) }
	for n := range sequenceWriters {
		if err := i.CreateSubject(t.Context(), issuer.Subject{ID: subject(n)}); err != nil {
			t.Fatal(err)
		}
	}
	at, err := i.LogHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	generations := make(map[string]int64) // that each writer has reached, by its subject
	read := func() {
		rules, head, err := i.LogEntries(context.Background(), at.Sequence, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rules {
			if at = at.Append(r); r.Kind != revocation.SubjectGeneration || generations[r.Value] != 0 && r.Minimum != generations[r.Value]+1 {
				t.Fatalf("after generation %d: %+v", generations[r.Value], r)
			}
			generations[r.Value] = r.Minimum
		}
		if at != head {
			t.Fatalf("the rules lead to %v, the log says %v", at, head)
		}
	}
	underLoad(t, read, func(writer int) error { return i.EndSessions(t.Context(), subject(writer)) })
	for before := at.Sequence - 1; before != at.Sequence; {
		before = at.Sequence
		read()
	}
	if at.Sequence != sequenceWriters*sequenceRounds {
		t.Errorf("%d rules were read, of %d", at.Sequence, sequenceWriters*sequenceRounds)
	}
	for n := range sequenceWriters {
		if reached := generations[subject(n)]; reached != sequenceRounds+1 {
			t.Errorf("%s: the last rule is of generation %d, want %d", subject(n), reached, sequenceRounds+1)
		}
	}
}
