//go:build unix

package issuer_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// TestTwoLogInInEachOthersBrowser: a browser's sign-in of one person gives way to that of another one, and elsewhere
// it's the other way round at the same time. Neither waits for the person of whom the other browser was, and so neither
// transaction has to start over.
func TestTwoLogInInEachOthersBrowser(t *testing.T) {
	// Nobody is impatient, however busy the machine is.
	store, err := sqlstore.OpenPostgres(t.Context(), pgtest.Database(t)+"?statement_timeout=60000&idle_in_transaction_session_timeout=60000", sqlstore.Options{BusyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p := &pausing{Store: store}
	i, err := issuer.New(t.Context(), p, config())
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

	var all, arrived sync.WaitGroup
	arrived.Add(len(people))
	for n, person := range people {
		all.Go(func() {
			arrive := sync.OnceFunc(arrived.Done)
			ctx := pauses{beforeSubject: func() { // until both are about to read one
				arrive()
				arrived.Wait()
			}}.with(t.Context())
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
	if again := p.again.Load(); again != 0 {
		t.Errorf("%d transactions started over", again)
	}
}
