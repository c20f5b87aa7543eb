package issuer_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

// crossing is a Store that holds an Update up, counts those that follow, and lets them go wrong.
type crossing struct {
	issuer.Store
	open    chan struct{}
	updates atomic.Int64
	append  func(calls int) error // of each AppendRule of one transaction, but for the first
	lost    bool                  // is the answer to the commit of a transaction with several rules
}

func (c *crossing) Update(ctx context.Context, f func(issuer.Tx) error) error {
	<-c.open
	c.updates.Add(1)
	crossed := &crossingTx{store: c}
	err := c.Store.Update(ctx, func(tx issuer.Tx) error {
		crossed.Tx, crossed.calls = tx, 0
		return f(crossed)
	})
	if err == nil && c.lost && crossed.calls > 1 {
		return issuer.ErrUnavailable
	}
	return err
}

type crossingTx struct {
	issuer.Tx
	store *crossing
	calls int
}

func (t *crossingTx) AppendRule(e issuer.LogEntry) error {
	if t.calls++; t.calls > 1 && t.store.append != nil {
		if err := t.store.append(t.calls); err != nil {
			return err
		}
	}
	return t.Tx.AppendRule(e)
}

// Sessions that end while a transaction is under way end together in the next one. Each has the outcome that it would
// have by itself, and a rule once, whatever becomes of that transaction.
func TestSessionsEndTogether(t *testing.T) {
	for name, test := range map[string]struct {
		append  func(calls int) error
		lost    bool
		updates int64 // the first by itself, the next ones together, and the one that ends a session for the second time
		want    error // of those who end together
	}{
		"in good order":      {updates: 3},
		"one of them fails":  {append: func(int) error { return errors.New("this rule can't be written") }, updates: 3 + 3},
		"one of them panics": {append: func(int) error { panic("this rule can't be written") }, updates: 3 + 3},
		"the answer is lost": {lost: true, updates: 3, want: issuer.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newBubbleFixture(t, config())
				defer f.Close()
				var tokens [3]issuer.Tokens
				for n := range tokens {
					tokens[n] = f.login()
				}
				store := &crossing{Store: f.store, open: make(chan struct{}), append: test.append, lost: test.lost}
				close(store.open)
				i, err := issuer.New(t.Context(), store, f.config)
				f.do(err)
				defer i.Close()
				synctest.Wait() // for what it does at the start
				store.open = make(chan struct{})
				before := store.updates.Load()

				gone, leave := context.WithCancel(t.Context())
				end := func(ctx context.Context, sid string) <-chan error {
					ended := make(chan error, 1)
					go func() { ended <- i.EndSession(ctx, "ann", sid) }()
					synctest.Wait() // until it waits
					return ended
				}
				first := end(t.Context(), tokens[0].SessionID)
				outcomes := map[string]<-chan error{
					"second": end(t.Context(), tokens[1].SessionID), "third": end(t.Context(), tokens[2].SessionID),
					"nobody's": end(t.Context(), "no such session"), "second again": end(t.Context(), tokens[1].SessionID), "of one who leaves": end(gone, tokens[2].SessionID),
				}
				leave()
				synctest.Wait()
				close(store.open)
				f.do(<-first)
				for who, want := range map[string]error{"second": test.want, "third": test.want, "second again": nil, "of one who leaves": context.Canceled} {
					if err := <-outcomes[who]; !errors.Is(err, want) {
						t.Errorf("%s: %v, want %v", who, err, want)
					}
				}
				if err := <-outcomes["nobody's"]; !errors.Is(err, issuer.ErrNotFound) && !errors.Is(err, test.want) {
					t.Errorf("nobody's: %v", err)
				}
				if updates := store.updates.Load() - before; updates != test.updates {
					t.Errorf("%d transactions, want %d", updates, test.updates)
				}
				time.Sleep(2 * time.Minute) // in which a lost answer is noticed
				if rules, _, err := i.LogEntries(t.Context(), 0, 100); err != nil || len(rules) != len(tokens) {
					t.Errorf("%d rules in the log, %v", len(rules), err)
				}
				for n := range tokens {
					if err := i.Verifier().Check(t.Context(), tokens[n].Access); !errors.Is(err, jot.ErrRevoked) {
						t.Errorf("token %d: %v, want ErrRevoked", n, err)
					}
				}
			})
		})
	}
}
