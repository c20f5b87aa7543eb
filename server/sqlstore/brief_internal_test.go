package sqlstore

import (
	"errors"
	"testing"

	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
)

// openTransactions counts those of the store's database that wait for their next statement.
const openTransactions = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`

// TestBriefView: a View that reads what it foresaw holds no transaction open meanwhile. One that reads on runs again,
// and sees one state of the database: that of now, not what it had foreseen before somebody changed it.
func TestBriefView(t *testing.T) {
	store, err := OpenPostgres(t.Context(), pgtest.Database(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	put := func(generation uint64) error {
		return store.Update(t.Context(), func(tx issuer.Tx) error {
			subject := issuer.Subject{ID: "ada", Generation: generation}
			if err := tx.UpdateSubject(subject); !errors.Is(err, issuer.ErrNotFound) {
				return err
			}
			return tx.InsertSubject(subject)
		})
	}
	if err := put(1); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		readOn     func(issuer.Reader) error
		runs, open int
		generation uint64
	}{
		"foreseen": {func(issuer.Reader) error { return nil }, 1, 0, 1},
		"read on":  {func(r issuer.Reader) error { return ignoreNotFound(r.Client("client_a")) }, 2, 1, 2},
		"foreseen twice": {func(r issuer.Reader) error {
			return errors.Join(r.Foresee(issuer.Foresight{Client: "client_a"}), ignoreNotFound(r.Client("client_a")))
		}, 2, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			if err := put(1); err != nil {
				t.Fatal(err)
			}
			var runs, open int
			var seen issuer.Subject
			err := store.View(t.Context(), func(r issuer.Reader) error {
				runs++
				if err := r.Foresee(issuer.Foresight{Subject: "ada"}); err != nil {
					return err
				}
				subject, err := r.Subject("ada")
				if err != nil {
					return err
				}
				other := store.writer.(*postgresPool)
				if err := errors.Join(other.QueryRowContext(t.Context(), openTransactions).Scan(&open), put(2)); err != nil {
					return err
				}
				seen = subject
				return c.readOn(r)
			})
			if err != nil || runs != c.runs || open != c.open || seen.Generation != c.generation {
				t.Errorf("%d runs, %d transactions open, generation %d, error %v; want %d, %d, %d", runs, open, seen.Generation, err, c.runs, c.open, c.generation)
			}
		})
	}
}

func ignoreNotFound[T any](_ T, err error) error {
	if errors.Is(err, issuer.ErrNotFound) {
		return nil
	}
	return err
}
