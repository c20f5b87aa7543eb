package issuer_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// again is a Store that runs every transaction twice, as one does that finds a conflict: what the first run did is
// rolled back.
type again struct{ issuer.Store }

var errRolledBack = errors.New("rolled back on purpose")

func (s again) Update(ctx context.Context, f func(issuer.Tx) error) error {
	err := s.Store.Update(ctx, func(tx issuer.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		return errRolledBack
	})
	if !errors.Is(err, errRolledBack) {
		return err
	}
	return s.Store.Update(ctx, f)
}

// insertSessions stores live sessions of ann's.
func (f *fixture) insertSessions(count int) {
	f.Helper()
	f.do(f.store.Update(f.Context(), func(tx issuer.Tx) error {
		for n := range count {
			now := time.Now()
			s := issuer.Session{
				ID: fmt.Sprintf("s%025d", n), Subject: "ann", Generation: 1, ClientID: "client_web", Resource: "petstore", AuthTime: now, Created: now,
				LastUsed: now, IdleExpires: now.Add(time.Hour), Expires: now.Add(time.Hour), Counters: issuer.Counters{Current: 1},
			}
			if err := tx.InsertSession(s); err != nil {
				return err
			}
		}
		return nil
	}))
}

// live counts ann's live sessions.
func (f *fixture) live() (count int) {
	f.Helper()
	for after := ""; ; {
		page, next, err := f.SessionsOf(f.Context(), "ann", after, 200)
		f.do(err)
		if count += len(page); next == "" {
			return count
		}
		after = next
	}
}

// TestEverySessionEndsWhenTransactionsRunAgain: a batch that was rolled back is done again, and not skipped.
func TestEverySessionEndsWhenTransactionsRunAgain(t *testing.T) {
	const sessions = 2100
	for name, end := range map[string]func(*fixture, issuer.Store) error{
		"everything": func(f *fixture, store issuer.Store) error {
			i, err := issuer.New(f.Context(), store, f.config)
			if err != nil {
				return err
			}
			return errors.Join(i.RevokeEverything(f.Context()), i.Close())
		},
		"a client": func(f *fixture, store issuer.Store) error {
			i, err := issuer.New(f.Context(), store, f.config)
			if err != nil {
				return err
			}
			return errors.Join(i.RevokeClient(f.Context(), "client_web"), i.Close())
		},
		"recovery": func(f *fixture, store issuer.Store) error {
			_, err := issuer.Recover(f.Context(), store, issuer.RecoverOptions{URL: f.config.URL, KeyEncryptionKey: f.config.KeyEncryptionKey})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newBubbleFixture(t, config())
				defer f.Close()
				f.insertSessions(sessions)
				if live := f.live(); live != sessions {
					t.Fatalf("%d sessions live, want %d", live, sessions)
				}
				f.do(end(f, again{f.store}))
				if live := f.live(); live != 0 {
					t.Errorf("%d of %d sessions live on", live, sessions)
				}
			})
		})
	}
}
