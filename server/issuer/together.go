package issuer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jot-auth/jot/server/internal/together"
)

const (
	maxWaiting      = 1024 // changes that wait to share a transaction
	togetherTimeout = 10 * time.Second
)

// part is a change of one session that waits. It comes in two steps: the first finds the session, and with it locks the
// subject and the session; the second writes. Of several parts all find before any writes, which may lock what comes
// after sessions, such as settings. So nobody waits for a session while it holds what those who hold the session wait
// for.
type part struct {
	ctx  context.Context
	sid  string // of the session; "" is none
	find func(*update) (write func() error, err error)
}

// newLine is of changes that come at once and share a transaction. Rules are numbered in the order of commits: each by
// itself, a change with a rule would begin to write when the one before it is on the disk. Of one session only one
// change is in a transaction: the next has to find what that has written.
func (i *Issuer) newLine() *together.Line[*part] {
	return &together.Line[*part]{
		Turn: make(chan struct{}, 1), Room: maxWaiting,
		Key: func(p *part) string { return p.sid }, Run: i.commitParts,
	}
}

// commitTogether is commit for a change of one session. Whose turn it is keeps it until the change is made, also where
// that is made apart.
func (i *Issuer) commitTogether(ctx context.Context, sid string, find func(*update) (write func() error, err error)) error {
	leave, err := i.line.Join(ctx, &part{ctx, sid, find})
	defer leave()
	if errors.Is(err, together.ErrFull) {
		return fmt.Errorf("%w: %d changes wait for the revocation log", ErrBusy, maxWaiting)
	}
	if err != together.ErrApart {
		return err
	}
	return i.commit(ctx, func(u *update) error {
		write, err := find(u)
		if err != nil {
			return err
		}
		return write()
	})
}

// commitParts leaves a part apart that nobody shares with: its transaction ends with its own context.
func (i *Issuer) commitParts(parts []*part, outcomes []error) error {
	if len(parts) == 1 {
		return together.ErrApart
	}
	return i.commitAll(parts, outcomes)
}

// commitAll makes the changes in one transaction, which is nobody's own: nobody's context ends it for the others. It
// fails with together.ErrApart when nothing was written.
func (i *Issuer) commitAll(parts []*part, outcomes []error) error {
	ctx, cancel := context.WithTimeout(context.Background(), togetherTimeout)
	defer cancel()
	var updates []*update
	var complete bool
	// One transaction for the reason that commitOnce has. Another one waits for a part's session until all parts are
	// committed, as for the log.
	err := i.store.Update(ctx, func(tx Tx) (err error) {
		complete = false
		if updates, err = i.makeAll(tx, parts, outcomes); err == nil {
			err = appendRules(tx, updates...)
		}
		complete = err == nil
		return err
	})
	switch {
	case err == nil:
	case complete:
		i.wakeUp() // as in commitOnce
		return err
	case errors.Is(err, ErrBusy):
		return err
	default:
		return together.ErrApart
	}
	for n, u := range updates {
		if outcomes[n] == nil {
			outcomes[n] = i.committed(parts[n].ctx, u)
		}
	}
	return nil
}

// makeAll finds everything, and then writes. Who doesn't find its session has its outcome already; any other failure is
// that of all.
func (i *Issuer) makeAll(tx Tx, parts []*part, outcomes []error) ([]*update, error) {
	now, err := tx.Now()
	if err != nil {
		return nil, err
	}
	sids := make([]string, len(parts))
	for n, p := range parts {
		sids[n] = p.sid
	}
	if err := tx.HoldSessions(sids); err != nil {
		return nil, err
	}
	updates, writes := make([]*update, len(parts)), make([]func() error, len(parts))
	for n, p := range parts {
		updates[n] = newUpdate(p.ctx, tx, moment{i, now})
		if outcomes[n] = p.ctx.Err(); outcomes[n] != nil {
			continue
		}
		if writes[n], outcomes[n] = p.find(updates[n]); outcomes[n] != nil && !errors.Is(outcomes[n], ErrNotFound) {
			return nil, outcomes[n]
		}
	}
	for n, write := range writes {
		if outcomes[n] != nil {
			continue
		}
		if err := write(); err != nil {
			return nil, err
		}
	}
	return updates, nil
}
