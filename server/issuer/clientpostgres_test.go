//go:build unix

package issuer_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// deleting is a Store in which who deletes a client waits, as soon as nobody else can read one, until somebody waits for a lock. It counts the transactions of those who are counted.
type deleting struct {
	issuer.Store
	attempts atomic.Int64
	begun    chan struct{} // closed when nobody else can read a client
	once     sync.Once
	locked   func() bool // somebody waits for a lock
}

// counted is in the contexts of those whose transactions are counted.
type counted struct{}

func (d *deleting) Update(ctx context.Context, f func(issuer.Tx) error) error {
	return d.Store.Update(ctx, func(tx issuer.Tx) error {
		if ctx.Value(counted{}) != nil {
			d.attempts.Add(1)
		}
		return f(&deletingTx{tx, d})
	})
}

type deletingTx struct {
	issuer.Tx
	at *deleting
}

func (t *deletingTx) DeleteClient(id string) error {
	if err := t.Tx.DeleteClient(id); err != nil {
		return err
	}
	t.at.once.Do(func() { close(t.at.begun) })
	for !t.at.locked() {
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// TestClientIsDeletedWhileOthersReadIt: whoever refuses tokens and reads a client that is deleted at the same time waits for that, and neither transaction has to start over.
func TestClientIsDeletedWhileOthersReadIt(t *testing.T) {
	for name, test := range map[string]struct {
		meanwhile func(ctx context.Context, i *issuer.Issuer) error
		want      error
	}{
		"a session ends of which the client may be told": {
			func(ctx context.Context, i *issuer.Issuer) error { return i.EndSession(ctx, "ann", "a session") }, nil,
		},
		"somebody with other claims logs in": {
			func(ctx context.Context, i *issuer.Issuer) error {
				_, err := i.Issue(ctx, issuer.Grant{Subject: "ann", ClientID: "client_app", Claims: json.RawMessage(`{"role":"vet"}`)})
				return err
			},
			issuer.ErrInvalidClient,
		},
	} {
		t.Run(name, func(t *testing.T) {
			url := pgtest.Database(t)
			// Nobody is impatient, however busy the machine is.
			store, err := sqlstore.OpenPostgres(t.Context(), url+"?statement_timeout=60000&idle_in_transaction_session_timeout=60000", sqlstore.Options{BusyTimeout: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			d := &deleting{Store: store, begun: make(chan struct{}), locked: func() bool {
				return pgtest.Value(t, url, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") != "0"
			}}
			i, err := issuer.New(t.Context(), d, config())
			if err != nil {
				t.Fatal(err)
			}
			defer i.Close()
			prepareClient(t, i, store)

			ctx := context.WithValue(t.Context(), counted{}, true)
			deleted := make(chan error, 1)
			go func() { deleted <- i.DeleteClient(ctx, "client_app") }()
			<-d.begun
			if err := test.meanwhile(ctx, i); !errors.Is(err, test.want) {
				t.Errorf("meanwhile: %v, want %v", err, test.want)
			}
			if err := <-deleted; err != nil {
				t.Errorf("the deletion: %v", err)
			}
			if attempts := d.attempts.Load(); attempts != 3 {
				t.Errorf("%d transactions, want 3, of which the deletion has two", attempts)
			}
		})
	}
}

// prepareClient makes client_app, and a session that ann began with it in a browser.
func prepareClient(t *testing.T, i *issuer.Issuer, store issuer.Store) {
	t.Helper()
	err := errors.Join(
		i.CreateClient(t.Context(), issuer.Client{ID: "client_app", Scopes: []string{"pets:read"}}),
		i.CreateSubject(t.Context(), issuer.Subject{ID: "ann"}),
		store.Update(t.Context(), func(tx issuer.Tx) error {
			now, err := tx.Now()
			return errors.Join(err, tx.InsertSession(issuer.Session{
				ID: "a session", Subject: "ann", ClientID: "client_app", Resource: "petstore", Scope: []string{"openid"},
				AuthTime: now, Created: now, IdleExpires: now.Add(time.Hour), Expires: now.Add(time.Hour),
			}))
		}),
	)
	if err != nil {
		t.Fatal(err)
	}
}
