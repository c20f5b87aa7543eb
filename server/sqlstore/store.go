// Package sqlstore keeps everything that the token server must not forget in a database: SQLite or PostgreSQL.
//
// It stores and decides nothing: the rules are in issuer and accounts, whose Store interfaces it satisfies. What was committed is on the disk.
//
// On SQLite one connection writes, in immediate transactions that those share who wait (see group.go), and a pool of others reads beside it, each on the state of its first
// read. What reads runs to its end, as it is short. On PostgreSQL several write, and what a transaction reads it locks: see dialect.go for the order.
package sqlstore

import (
	"context"
	"database/sql"
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
	writer  *database
	queue   queue  // of those who write
	group   *group // of SQLite's, to share a commit
	reader  *database
	now     func() time.Time // for tests; nil: the database's clock
	watch   watcher
}

// database is a pool of connections, with its prepared statements where the driver doesn't remember them itself.
type database struct {
	*sql.DB
	prepared map[string]*sql.Stmt
	patient  bool // statements that have begun run to their end, whatever becomes of the caller
}

// begin begins a transaction, and returns the context of its statements. A patient one waits for a connection no longer than its caller.
func (d *database) begin(ctx context.Context, o *sql.TxOptions) (begun *sql.Tx, own context.Context, release func() error, err error) {
	if !d.patient {
		begun, err = d.BeginTx(ctx, o)
		return begun, ctx, func() error { return nil }, err
	}
	connection, err := d.Conn(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	own = context.WithoutCancel(ctx)
	if begun, err = connection.BeginTx(own, o); err != nil {
		connection.Close()
	}
	return begun, own, connection.Close, err
}

// View implements issuer.Store.
func (s *Store) View(ctx context.Context, f func(issuer.Reader) error) error {
	view, _ := s.dialect.isolation()
	return s.transact(ctx, s.reader, view, func(t *tx) error { return f(t) })
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
	_, update := s.dialect.isolation()
	for attempt := 1; ; attempt++ {
		err := s.transact(ctx, s.writer, update, func(t *tx) error {
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

func (s *Store) transact(ctx context.Context, db *database, o *sql.TxOptions, f func(*tx) error) error {
	begun, own, release, err := db.begin(ctx, o)
	if err != nil {
		return explain(ctx, err)
	}
	defer release()
	defer begun.Rollback() // after a commit it does nothing
	if err := f(&tx{ctx: own, Tx: begun, store: s, prepared: db.prepared}); err != nil {
		return err
	}
	return explain(ctx, begun.Commit())
}

// Close implements issuer.Store. It waits for queries that are under way.
func (s *Store) Close() error {
	return errors.Join(s.reader.Close(), s.writer.Close())
}
