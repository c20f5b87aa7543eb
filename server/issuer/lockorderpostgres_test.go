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

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// TestNobodyWaitsInACircle: transactions that lock what others lock, too, do so in one order. So while one holds what
// the others are about to wait for, none of them holds what that one asks for next: all succeed, none starts over, and
// none waits for PostgreSQL to find out.
func TestNobodyWaitsInACircle(t *testing.T) {
	disabled := true
	for name, test := range map[string]circle{
		"a client is made while a server starts": {
			first: func(ctx context.Context, i *issuer.Issuer, _ issuer.Store) error {
				return i.CreateClient(ctx, issuer.Client{ID: "client_new", Scopes: []string{"pets:read"}, Algorithm: jot.ES256})
			},
			others: []deed{func(ctx context.Context, _ *issuer.Issuer, store issuer.Store) error {
				other, err := issuer.New(ctx, store, config())
				if err == nil {
					err = other.Close()
				}
				return err
			}},
		},
		"two administrators leave office, one with a login, while a client changes": {
			prepare: func(ctx context.Context, i *issuer.Issuer, store issuer.Store) error {
				office := []string{issuer.ScopeAdmin}
				return errors.Join(
					i.CreateSubject(ctx, issuer.Subject{ID: "bea", Scope: office}), i.CreateSubject(ctx, issuer.Subject{ID: "cleo", Scope: office}),
					i.ChangeSubject(ctx, "ann", issuer.Change{Scope: office}),
					store.Update(ctx, func(tx issuer.Tx) error {
						now, err := tx.Now()
						return errors.Join(err, tx.InsertSession(issuer.Session{
							ID: "by a browser", Subject: "ann", Generation: 2, ClientID: "client_app", Resource: "petstore", Scope: []string{"openid"}, SignIn: "ann's",
							AuthTime: now, Created: now, IdleExpires: now.Add(time.Hour), Expires: now.Add(time.Hour),
						}))
					}),
				)
			},
			first: func(ctx context.Context, i *issuer.Issuer, _ issuer.Store) error {
				return i.ChangeSubject(ctx, "ann", issuer.Change{Disabled: &disabled}) // and a client may have to be told
			},
			others: []deed{
				func(ctx context.Context, i *issuer.Issuer, _ issuer.Store) error {
					_, err := i.Issue(ctx, issuer.Grant{Subject: "bea", ClientID: "client_app", Claims: json.RawMessage(`{}`), Scope: []string{"pets:read"}})
					return err
				},
				func(ctx context.Context, i *issuer.Issuer, _ issuer.Store) error {
					_, err := i.ChangeClient(ctx, "client_app", func(c *issuer.Client) error { c.Name = "The app"; return nil })
					return err
				},
			},
		},
		"a subject that was deleted long ago is forgotten while it comes back": {
			prepare: func(ctx context.Context, i *issuer.Issuer, store issuer.Store) error {
				return errors.Join(
					i.CreateClient(ctx, issuer.Client{ID: gone, Scopes: []string{"pets:read"}}),
					store.Update(ctx, func(tx issuer.Tx) error {
						return tx.InsertSubject(issuer.Subject{ID: gone, Generation: 7, Claims: json.RawMessage(`{}`), Deleted: time.Now().Add(-400 * 24 * time.Hour)})
					}),
				)
			},
			first: func(ctx context.Context, i *issuer.Issuer, _ issuer.Store) error { return i.DeleteClient(ctx, gone) },
			others: []deed{func(ctx context.Context, i *issuer.Issuer, _ issuer.Store) error {
				return i.Sweep(ctx)
			}},
		},
		"everything is revoked while a client is deleted": {
			prepare: func(ctx context.Context, _ *issuer.Issuer, store issuer.Store) error {
				return store.Update(ctx, func(tx issuer.Tx) error {
					one := issuer.Subject{ID: "client_also", Generation: 1, Claims: json.RawMessage(`{}`)}
					other := one
					other.ID = "client_app"
					return errors.Join(tx.InsertSubject(one), tx.InsertSubject(other))
				})
			},
			first: func(ctx context.Context, i *issuer.Issuer, _ issuer.Store) error {
				return i.DeleteClient(ctx, "client_app")
			},
			others: []deed{func(ctx context.Context, i *issuer.Issuer, _ issuer.Store) error {
				return i.RevokeEverything(ctx)
			}},
		},
	} {
		t.Run(name, test.wantNone)
	}
}

// gone is a client that is deleted while its subject comes back.
const gone = "client_gone"

// deed is what one of several does at once.
type deed func(context.Context, *issuer.Issuer, issuer.Store) error

// circle is in which order some might wait for each other.
type circle struct {
	prepare, first deed
	others         []deed // each begins when those before it wait, or are done
}

// wantNone lets the first pause while it holds a client, and the others begin.
func (c circle) wantNone(t *testing.T) {
	url := pgtest.Database(t)
	// Nobody is impatient, however busy the machine is, and PostgreSQL finds no circle before somebody is.
	patient := "?statement_timeout=60000&idle_in_transaction_session_timeout=60000&deadlock_timeout=120000"
	store, err := sqlstore.OpenPostgres(t.Context(), url+patient, sqlstore.Options{BusyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p, paused, resumed := &pausing{Store: store}, make(chan struct{}), make(chan struct{})
	i, err := issuer.New(t.Context(), p, config())
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	prepareClient(t, i, store)
	if c.prepare != nil {
		if err := c.prepare(t.Context(), i, store); err != nil {
			t.Fatal(err)
		}
	}

	var all sync.WaitGroup
	all.Go(func() {
		ctx := pauses{afterClient: sync.OnceFunc(func() {
			close(paused)
			<-resumed
		})}.with(t.Context())
		if err := c.first(ctx, i, p); err != nil {
			t.Errorf("the first: %v", err)
		}
	})
	<-paused
	var done atomic.Int64
	for n, other := range c.others {
		all.Go(func() {
			defer done.Add(1)
			if err := other(t.Context(), i, p); err != nil {
				t.Errorf("number %d: %v", n+2, err)
			}
		})
		for waiting := 0; waiting+int(done.Load()) <= n; time.Sleep(10 * time.Millisecond) {
			waiting = len(pgtest.Value(t, url, "SELECT repeat('x', count(*)::int) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"))
		}
	}
	close(resumed)
	all.Wait()
	if again := p.again.Load(); again != 0 {
		t.Errorf("%d transactions started over", again)
	}
	if left := pgtest.Value(t, url, "SELECT count(*) FROM jot.subjects WHERE id = '"+gone+"' AND generation < 8"); left != "0" {
		t.Error("a subject that came back is forgotten, or its generation is")
	}
}
