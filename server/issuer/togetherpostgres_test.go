//go:build unix

package issuer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// TestSessionsEndTogetherOnPostgres: where several write at once, on two servers, sessions that end together and others
// that are refreshed, or end with all of their subject, neither fail nor leave a gap in the log.
func TestSessionsEndTogetherOnPostgres(t *testing.T) {
	const workers, rounds, subjects = 12, 12, 3
	url := pgtest.Database(t)
	var servers [2]*issuer.Issuer
	for n := range servers {
		store, err := sqlstore.OpenPostgres(t.Context(), url, sqlstore.Options{BusyTimeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		if servers[n], err = issuer.New(t.Context(), store, config()); err != nil {
			t.Fatal(err)
		}
		defer servers[n].Close()
	}
	for n := range subjects {
		if err := servers[0].CreateSubject(t.Context(), issuer.Subject{ID: fmt.Sprint("subject", n)}); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for w := range workers {
		i, subject := servers[w%len(servers)], fmt.Sprint("subject", w%subjects)
		all.Go(func() {
			for round := range rounds {
				tokens, err := i.Issue(t.Context(), issuer.Grant{Subject: subject})
				if err == nil && round%3 == 0 {
					_, err = i.Refresh(t.Context(), issuer.RefreshRequest{Token: tokens.Refresh})
				}
				if err == nil || errors.Is(err, issuer.ErrInvalidGrant) { // somebody has ended it already
					err = endSomehow(t, i, tokens, round)
				}
				if err != nil {
					t.Errorf("worker %d, round %d: %v", w, round, err)
					return
				}
				if err := i.Verifier().Check(t.Context(), tokens.Access); !errors.Is(err, jot.ErrRevoked) && !errors.Is(err, jot.ErrStaleClaims) {
					t.Errorf("after the end: %v", err)
				}
			}
		})
	}
	all.Wait()
	rules, head, err := servers[0].LogEntries(t.Context(), 0, 10*workers*rounds)
	if err != nil {
		t.Fatal(err)
	}
	chain := revocation.NewLog(head.LogID)
	for _, r := range rules {
		chain = chain.Append(r)
	}
	if chain != head || len(rules) < rounds {
		t.Errorf("%d rules lead to %+v, the head is %+v", len(rules), chain, head)
	}
}

// endSomehow ends a session by itself, with all of its subject, or by revoking its token.
func endSomehow(t *testing.T, i *issuer.Issuer, tokens issuer.Tokens, round int) error {
	switch round % 4 {
	case 0:
		return i.EndSessions(t.Context(), tokens.Subject)
	case 1:
		return i.RevokeToken(t.Context(), tokens.Access, "")
	case 2:
		return i.RevokeToken(t.Context(), tokens.Refresh, "")
	default:
		return i.EndSession(t.Context(), tokens.Subject, tokens.SessionID)
	}
}

// meeting is the Store of one of two servers, which share transactions at the same time: neither holds its sessions
// before the other one is about to.
type meeting struct {
	issuer.Store
	gate     sync.RWMutex // for who looks for a session
	attempts atomic.Int64 // transactions that look for sessions
	meet     sync.Once
	met      chan struct{} // closed when this server is about to hold several
	other    chan struct{} // likewise
}

func (m *meeting) Update(ctx context.Context, f func(issuer.Tx) error) error {
	return m.Store.Update(ctx, func(tx issuer.Tx) error { return f(&meetingTx{Tx: tx, at: m}) })
}

type meetingTx struct {
	issuer.Tx
	at   *meeting
	held bool
}

func (t *meetingTx) Session(id string) (issuer.Session, issuer.Subject, error) {
	if !t.held {
		t.at.attempts.Add(1)
		t.at.gate.RLock()
		defer t.at.gate.RUnlock()
	}
	return t.Tx.Session(id)
}

func (t *meetingTx) HoldSessions(ids []string) error {
	t.held = true
	t.at.attempts.Add(1)
	t.at.meet.Do(func() { close(t.at.met) })
	<-t.at.other
	return t.Tx.HoldSessions(ids)
}

// TestTwoServersShareTransactionsAtOnce: sessions of the same subjects end together at two servers, in opposite order,
// and neither transaction has to start over.
func TestTwoServersShareTransactionsAtOnce(t *testing.T) {
	url := pgtest.Database(t)
	here, there := make(chan struct{}), make(chan struct{})
	stores := [2]*meeting{{met: here, other: there}, {met: there, other: here}}
	var all sync.WaitGroup
	for n, m := range stores {
		// Nobody is impatient, however busy the machine is.
		store, err := sqlstore.OpenPostgres(t.Context(), url+"?statement_timeout=60000&idle_in_transaction_session_timeout=60000", sqlstore.Options{BusyTimeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		m.Store = store
		i, err := issuer.New(t.Context(), m, config())
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		ending := []string{fmt.Sprint("first", n), "ann", "bob"} // the first by itself, the others together
		if n > 0 {
			slices.Reverse(ending[1:])
		}
		m.gate.Lock()
		for before, subject := range ending {
			tokens, err := i.Issue(t.Context(), issuer.Grant{Subject: subject, Claims: json.RawMessage(`{}`)})
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				if err := i.EndSession(t.Context(), subject, tokens.SessionID); err != nil {
					t.Errorf("server %d, %s: %v", n, subject, err)
				}
			})
			for m.attempts.Load() != 1 || i.WaitingTogether() != before {
				time.Sleep(time.Millisecond)
			}
		}
	}
	for _, m := range stores {
		m.gate.Unlock()
	}
	all.Wait()
	for n, m := range stores {
		if attempts := m.attempts.Load(); attempts != 2 {
			t.Errorf("server %d: %d transactions, want 2", n, attempts)
		}
	}
}
