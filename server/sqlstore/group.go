package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jot-auth/jot/server/internal/together"
	"github.com/jot-auth/jot/server/issuer"
)

// group is the updates that wait for the one connection that writes. Whoever gets it runs them one after the other in
// one transaction, so that the disk is waited for once for all of them. They are as serial as in transactions of their
// own, and none is told that it succeeded before the commit.
type group = together.Line[member]

// member is an update that waits.
type member struct {
	ctx context.Context
	f   func(*tx) error
}

// newGroup shares the turn with those who update alone.
func (s *Store) newGroup() *group { return &group{Turn: s.queue.turn, Run: s.runGroup} }

// updateTogether runs f in a group. Where that is rolled back, f runs again, in a transaction of its own.
func (s *Store) updateTogether(ctx context.Context, f func(*tx) error) error {
	err := s.join(member{ctx, f})
	if err == together.ErrApart {
		return s.updateAlone(ctx, f)
	}
	return err
}

// join gives the turn and the place back before the update waits for others, if it has to run again.
func (s *Store) join(m member) error {
	if err := s.queue.takePlace(); err != nil {
		return err
	}
	defer func() { <-s.queue.places }()
	leave, err := s.group.Join(m.ctx, m)
	leave()
	return err
}

// runGroup fails with together.ErrApart when one of the group failed after it had written, and all that it did is
// rolled back. Else each member has its own outcome, or that of the commit: what one found may be what another wrote,
// and that isn't there then.
func (s *Store) runGroup(members []member, outcomes []error) error {
	// The transaction is nobody's own, so that nobody's context ends it for the others, and statements aren't
	// interrupted: SQLite would roll back all that came before. What members read and write between begin and commit,
	// no other writer sees or changes.
	return s.transact(context.Background(), s.writer, func(t *tx) error {
		for n, m := range members {
			own := &tx{session: t.session, ctx: context.WithoutCancel(m.ctx), store: s}
			outcomes[n] = m.run(own)
			// Of an error of the disk, though it only read, SQLite has rolled back all, and what came next would be
			// committed by itself.
			if outcomes[n] != nil && (own.wrote || errors.Is(outcomes[n], issuer.ErrUnavailable)) {
				return together.ErrApart
			}
		}
		return nil
	})
}

// run fails when the member's context has ended, as a transaction of its own would.
func (m member) run(t *tx) error {
	if err := m.ctx.Err(); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	err := t.update(m.f)
	if err == nil && m.ctx.Err() != nil {
		err = fmt.Errorf("database: %w", m.ctx.Err())
	}
	return err
}
