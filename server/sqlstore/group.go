package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/jot-auth/jot/server/issuer"
)

// maxGroup bounds how many updates share a commit, and so for how long the first of them waits for the others.
const maxGroup = 32

// errAlone tells a member of a group to run again by itself: one of the group failed after it had written, or panicked.
var errAlone = errors.New("the group was rolled back")

// group is the updates that wait for the one connection that writes. Whoever gets it runs them one after the other in one transaction, so that
// the disk is waited for once for all of them. They are as serial as in transactions of their own, and none is told that it succeeded before
// the commit.
type group struct {
	mutex   sync.Mutex
	waiting []*member
}

// member is an update that waits.
type member struct {
	ctx  context.Context
	f    func(*tx) error
	done chan error // its outcome, for its caller
}

// updateTogether runs f in a group. Where that is rolled back, f runs again, in a transaction of its own.
func (s *Store) updateTogether(ctx context.Context, f func(*tx) error) error {
	err := s.join(&member{ctx: ctx, f: f, done: make(chan error, 1)})
	if err == errAlone {
		return s.updateAlone(ctx, f)
	}
	return err
}

// join runs the group when it is the member's turn, unless another one ran the member meanwhile.
func (s *Store) join(m *member) error {
	if err := s.queue.takePlace(); err != nil {
		return err
	}
	defer func() { <-s.queue.places }()
	s.group.add(m)
	select {
	case s.queue.turn <- struct{}{}:
		defer func() { <-s.queue.turn }()
		for len(m.done) == 0 {
			s.runGroup(s.group.take())
		}
	case err := <-m.done:
		return err
	case <-m.ctx.Done():
		if s.group.remove(m) {
			return fmt.Errorf("database: %w", m.ctx.Err())
		}
	}
	return <-m.done
}

// take returns those who wait, in the order in which they came.
func (g *group) take() []*member {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	members := slices.Clone(g.waiting[:min(maxGroup, len(g.waiting))])
	g.waiting = slices.Delete(g.waiting, 0, len(members))
	return members
}

func (g *group) add(m *member) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.waiting = append(g.waiting, m)
}

// remove reports whether nobody had taken the member yet.
func (g *group) remove(m *member) bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	place := slices.Index(g.waiting, m)
	if place >= 0 {
		g.waiting = slices.Delete(g.waiting, place, place+1)
	}
	return place >= 0
}

// runGroup tells each member its own error, or that of the commit: what one found may be what another wrote, and that isn't there then.
func (s *Store) runGroup(members []*member) {
	failed := make([]error, len(members))
	err := errAlone // of a panic, which is for its own caller to see
	defer func() {
		recover()
		for n, m := range members {
			if err != nil {
				failed[n] = err
			}
			m.done <- failed[n]
		}
	}()
	// The transaction is nobody's own, so that nobody's context ends it for the others, and statements aren't interrupted: SQLite would roll back all
	// that came before. What members read and write between begin and commit, no other writer sees or changes.
	err = s.transact(context.Background(), s.writer, func(t *tx) error {
		for n, m := range members {
			own := &tx{session: t.session, ctx: context.WithoutCancel(m.ctx), store: s}
			failed[n] = m.run(own)
			// Of an error of the disk, though it only read, SQLite has rolled back all, and what came next would be committed by itself.
			if failed[n] != nil && (own.wrote || errors.Is(failed[n], issuer.ErrUnavailable)) {
				return errAlone
			}
		}
		return nil
	})
}

// run fails when the member's context has ended, as a transaction of its own would.
func (m *member) run(t *tx) error {
	if err := m.ctx.Err(); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	err := t.update(m.f)
	if err == nil && m.ctx.Err() != nil {
		err = fmt.Errorf("database: %w", m.ctx.Err())
	}
	return err
}
