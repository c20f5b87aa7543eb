//go:build unix

package issuer_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// TestSessionsEndTogetherOnPostgres: where several write at once, on two servers, sessions that end together and others that are refreshed, or end with all of their subject, neither
// fail nor leave a gap in the log.
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
