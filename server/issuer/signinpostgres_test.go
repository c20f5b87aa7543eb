//go:build unix

package issuer_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// browsers is a Store in which nobody who logs in reads a subject before both are about to. It counts their transactions.
type browsers struct {
	issuer.Store
	attempts atomic.Int64
	arrived  sync.WaitGroup // of the two
}

// arrival is in the contexts of those who log in, with a function that is called once.
type arrival struct{}

func (b *browsers) Update(ctx context.Context, f func(issuer.Tx) error) error {
	arrive, ok := ctx.Value(arrival{}).(func())
	if !ok {
		return b.Store.Update(ctx, f)
	}
	return b.Store.Update(ctx, func(tx issuer.Tx) error {
		b.attempts.Add(1)
		return f(&browserTx{tx, b, arrive})
	})
}

type browserTx struct {
	issuer.Tx
	at     *browsers
	arrive func()
}

func (t *browserTx) Subject(id string) (issuer.Subject, error) {
	t.arrive()
	t.at.arrived.Wait()
	return t.Tx.Subject(id)
}

// TestTwoLogInInEachOthersBrowser: a browser's sign-in of one person gives way to that of another one, and elsewhere it's the other way round at the same time. Neither
// waits for the person of whom the other browser was, and so neither transaction has to start over.
func TestTwoLogInInEachOthersBrowser(t *testing.T) {
	// Nobody is impatient, however busy the machine is.
	store, err := sqlstore.OpenPostgres(t.Context(), pgtest.Database(t)+"?statement_timeout=60000&idle_in_transaction_session_timeout=60000", sqlstore.Options{BusyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	meeting := &browsers{Store: store}
	meeting.arrived.Add(2)
	i, err := issuer.New(t.Context(), meeting, config())
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	people := [2]string{"ann", "bob"}
	var present [2]string
	for n, person := range people {
		if err := i.CreateSubject(t.Context(), issuer.Subject{ID: person}); err != nil {
			t.Fatal(err)
		}
		if present[n], _, err = i.SignIn(t.Context(), issuer.Proof{Subject: person}, ""); err != nil {
			t.Fatal(err)
		}
	}

	var all sync.WaitGroup
	for n, person := range people {
		all.Go(func() {
			ctx := context.WithValue(t.Context(), arrival{}, sync.OnceFunc(meeting.arrived.Done))
			secret, _, err := i.SignIn(ctx, issuer.Proof{Subject: person}, present[1-n])
			if err != nil {
				t.Errorf("%s: %v", person, err)
				return
			}
			if s, err := i.SignedIn(t.Context(), secret); err != nil || s.Subject != person {
				t.Errorf("%s is signed in as %q: %v", person, s.Subject, err)
			}
		})
	}
	all.Wait()
	for n, person := range people {
		if _, err := i.SignedIn(t.Context(), present[n]); !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("the sign-in of %s before: %v, want ErrNotFound", person, err)
		}
	}
	if attempts := meeting.attempts.Load(); attempts != 4 { // each login, and the end of who was signed in before
		t.Errorf("%d transactions, want 4", attempts)
	}
}
