//go:build unix

package accounts_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/passkeytest"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// pausing is a store in which the next transaction that forgets expired tickets pauses while it has their rows. It
// counts transactions that had to start over.
type pausing struct {
	*sqlstore.Store
	armed           atomic.Bool
	paused, resumed chan struct{}
	again           atomic.Int64
}

func (p *pausing) Update(ctx context.Context, f func(issuer.Tx) error) error {
	runs := 0
	return p.Store.Update(ctx, func(tx issuer.Tx) error {
		if runs++; runs > 1 {
			p.again.Add(1)
		}
		return f(tx)
	})
}

func (p *pausing) AccountsTx(t issuer.Tx) accounts.Tx { return pausingTx{p.Store.AccountsTx(t), p} }

type pausingTx struct {
	accounts.Tx
	at *pausing
}

func (t pausingTx) SweepTickets(now time.Time, limit int) error {
	err := t.Tx.SweepTickets(now, limit)
	if t.at.armed.CompareAndSwap(true, false) {
		close(t.at.paused)
		<-t.at.resumed
	}
	return err
}

// TestLogInsWaitInOneOrder: of two people at one address, one logs in with a passkey while the other is asked for a
// second factor. Both forget the same expired tickets and count by the same address, in one order: neither waits for
// the other in a circle, which PostgreSQL would break after a second.
func TestLogInsWaitInOneOrder(t *testing.T) {
	const origin, password = "https://auth.example.com", "correct horse battery staple"
	url := pgtest.Database(t)
	store, err := sqlstore.OpenPostgres(t.Context(), url+"?statement_timeout=60000&idle_in_transaction_session_timeout=60000", sqlstore.Options{BusyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p := &pausing{Store: store, paused: make(chan struct{}), resumed: make(chan struct{})}
	i, err := issuer.New(t.Context(), p, issuer.Config{
		URL: origin, KeyEncryptionKey: make([]byte, 32), Resources: []issuer.Resource{{Audience: "petstore"}}, Clients: []issuer.Client{{ID: "client_app", FirstParty: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	people, err := accounts.New(p, i, accounts.Config{})
	if err != nil {
		t.Fatal(err)
	}
	device, from := passkeytest.New(t, origin), issuer.Device{Address: "192.0.2.7"}
	enrol := func(name string) *passkeytest.Passkey {
		subject, err := people.Add(t.Context(), name, password)
		if err != nil {
			t.Fatal(err)
		}
		options, err := people.EnrolPasskey(t.Context(), subject, password, from)
		if err != nil {
			t.Fatal(err)
		}
		passkey, answer := device.Create(options)
		if _, _, err := people.ConfirmPasskey(t.Context(), subject, "Phone", answer, from); err != nil {
			t.Fatal(err)
		}
		return passkey
	}
	passkey := enrol("ada")
	enrol("bob")
	options, err := people.BeginPasskeyLogIn(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	proof, err := people.LogInWithPasskey(t.Context(), "", device.Get(options, passkey), from)
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, url, "INSERT INTO jot.tickets (hash, purpose, subject, detail, created, expires) VALUES ('\\x00', 'log_in', '', '', 1, 2)")

	p.armed.Store(true)
	var all sync.WaitGroup
	all.Go(func() {
		if err := i.Confirm(t.Context(), proof); err != nil {
			t.Errorf("with a passkey: %v", err)
		}
	})
	<-p.paused
	all.Go(func() {
		_, err := people.LogIn(t.Context(), "bob", password, from)
		if _, asked := errors.AsType[*issuer.SecondFactorError](err); !asked {
			t.Errorf("with a password: %v", err)
		}
	})
	for pgtest.Value(t, url, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") == "0" {
		time.Sleep(10 * time.Millisecond)
	}
	close(p.resumed)
	all.Wait()
	if again := p.again.Load(); again != 0 {
		t.Errorf("%d transactions started over", again)
	}
}
