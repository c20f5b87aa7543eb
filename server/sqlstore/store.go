// Package sqlstore keeps everything that the token server must not forget in a database: SQLite or PostgreSQL.
//
// It stores and decides nothing: the rules are in issuer and accounts, whose Store interfaces it satisfies. What was
// committed is on the disk.
//
// On SQLite one connection writes, in immediate transactions that those share who wait (see group.go), and a pool of
// others reads beside it, each on the state of its first read. What reads runs to its end, as it is short. On
// PostgreSQL several write, and what a transaction reads it locks: see dialect.go for the order.
package sqlstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/issuer"
)

var (
	_ issuer.Store        = (*Store)(nil)
	_ issuer.Watcher      = (*Store)(nil)
	_ accounts.Store      = (*Store)(nil)
	_ accounts.AdminStore = (*Store)(nil)
)

// Two transactions of PostgreSQL that wait for each other are told so, and one of them runs again.
const (
	collisions    = 5
	collisionWait = 20 * time.Millisecond
)

// Store is an open database. It is safe for concurrent use.
type Store struct {
	dialect dialect
	schema  Schema // when it was opened
	writer  pool
	queue   queue  // of those who write
	group   *group // of SQLite's, to share a commit
	reader  pool
	brief   pool             // the reader's; where that saves a round trip, its transactions end when they have read what is foreseen
	now     func() time.Time // for tests; nil: the database's clock
	watch   watcher
}

// View implements issuer.Store. Who reads what wasn't foreseen begins again, so that all is of one state.
func (s *Store) View(ctx context.Context, f func(issuer.Reader) error) error {
	view := func(t *tx) error { return f(t) }
	err := s.transact(ctx, s.brief, view)
	if errors.Is(err, errUnforeseen) {
		err = s.transact(ctx, s.reader, view)
	}
	return err
}

// Update implements issuer.Store.
func (s *Store) Update(ctx context.Context, f func(issuer.Tx) error) error {
	return s.update(ctx, func(t *tx) error { return f(t) })
}

func (s *Store) update(ctx context.Context, f func(*tx) error) error {
	if s.group != nil {
		return s.updateTogether(ctx, f)
	}
	return s.updateAlone(ctx, f)
}

func (s *Store) updateAlone(ctx context.Context, f func(*tx) error) error {
	leave, err := s.queue.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for attempt := 1; ; attempt++ {
		err := s.transact(ctx, s.writer, func(t *tx) error {
			t.again = attempt > 1
			return t.update(f)
		})
		if attempt == collisions || !s.dialect.collided(err) {
			return err
		}
		select {
		case <-time.After(rand.N(time.Duration(attempt) * collisionWait)):
		case <-ctx.Done():
			return explain(ctx, ctx.Err())
		}
	}
}

// update runs f and writes its events.
func (t *tx) update(f func(*tx) error) error {
	t.updates = true
	if err := f(t); err != nil {
		return err
	}
	return t.writeEvents()
}

func (s *Store) transact(ctx context.Context, p pool, f func(*tx) error) error {
	begun, err := p.begin(ctx)
	if err != nil {
		return explain(ctx, err)
	}
	defer begun.end()
	t := &tx{session: begun, ctx: ctx, store: s}
	if err = f(t); err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = t.fault(begun.commit())
	}
	if t.failed != nil {
		return t.failed
	}
	return err
}

// Schema returns the state of the schema when the database was opened.
func (s *Store) Schema() Schema { return s.schema }

// Close implements issuer.Store. It waits for queries that are under way.
func (s *Store) Close() error {
	return errors.Join(s.reader.Close(), s.writer.Close())
}
