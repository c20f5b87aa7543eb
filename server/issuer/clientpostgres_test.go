//go:build unix

package issuer_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// TestClientIsDeletedWhileOthersReadIt: whoever refuses tokens and reads a client that is deleted at the same time
// waits for that, and neither transaction has to start over.
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
			p, begun := &pausing{Store: store}, make(chan struct{})
			i, err := issuer.New(t.Context(), p, config())
			if err != nil {
				t.Fatal(err)
			}
			defer i.Close()
			prepareClient(t, i, store)

			ctx := pauses{afterClient: sync.OnceFunc(func() { // now nobody else can read it
				close(begun)
				for pgtest.Value(t, url, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") == "0" {
					time.Sleep(10 * time.Millisecond)
				}
			})}.with(t.Context())
			deleted := make(chan error, 1)
			go func() { deleted <- i.DeleteClient(ctx, "client_app") }()
			<-begun
			if err := test.meanwhile(t.Context(), i); !errors.Is(err, test.want) {
				t.Errorf("meanwhile: %v, want %v", err, test.want)
			}
			if err := <-deleted; err != nil {
				t.Errorf("the deletion: %v", err)
			}
			if again := p.again.Load(); again != 0 {
				t.Errorf("%d transactions started over", again)
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
