package issuer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	maxTogether     = 32   // changes that share a transaction, and so for how long the first of them waits for the others
	maxWaiting      = 1024 // changes that wait for that
	togetherTimeout = 10 * time.Second
)

// errApart tells those who share a transaction that each has to make its change by itself, since one of them can't.
var errApart = errors.New("issuer: a shared transaction was rolled back")

// together lets changes share a transaction that come at once. Rules are numbered in the order of commits: each by itself, a change with a rule would begin to write when the one
// before it is on the disk. Whoever's turn it is commits for all who wait then.
type together struct {
	turn    chan struct{} // holds an element while somebody commits
	mu      sync.Mutex
	waiting []*part
}

// part is a change of one session that waits. It comes in two steps: the first finds the session, and with it locks the subject and the session; the second writes.
// Of several parts all find before any writes, which may lock what comes after sessions, such as settings. So nobody waits for a session while it holds what those who
// hold the session wait for.
type part struct {
	ctx  context.Context
	sid  string // of the session; "" is none
	find func(*update) (write func() error, err error)
	done chan error // its outcome, for its caller; with room for it
}

func newTogether() *together { return &together{turn: make(chan struct{}, 1)} }

// commitTogether is commit for a change of one session.
func (i *Issuer) commitTogether(ctx context.Context, sid string, find func(*update) (write func() error, err error)) error {
	leave, err := i.join(&part{ctx, sid, find, make(chan error, 1)})
	defer leave()
	if err != errApart {
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

// join commits when it is the part's turn, which lasts until it leaves, unless somebody else has done that meanwhile.
func (i *Issuer) join(p *part) (leave func(), err error) {
	t := i.together
	if !t.add(p) {
		return func() {}, fmt.Errorf("%w: %d changes wait for the revocation log", ErrBusy, maxWaiting)
	}
	select {
	case t.turn <- struct{}{}:
		for len(p.done) == 0 {
			i.commitParts(t.take())
		}
		return func() { <-t.turn }, <-p.done
	case err = <-p.done:
		return func() {}, err
	case <-p.ctx.Done():
		if t.remove(p) {
			return func() {}, fmt.Errorf("issuer: %w", p.ctx.Err())
		}
		return func() {}, <-p.done
	}
}

func (t *together) add(p *part) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == maxWaiting {
		return false
	}
	t.waiting = append(t.waiting, p)
	return true
}

// take returns those who wait, in the order in which they came, but of one session only the first: the second has to find what that has written.
func (t *together) take() []*part {
	t.mu.Lock()
	defer t.mu.Unlock()
	var taken []*part
	sessions := make(map[string]bool)
	t.waiting = slices.DeleteFunc(t.waiting, func(p *part) bool {
		if len(taken) == maxTogether || p.sid != "" && sessions[p.sid] {
			return false
		}
		sessions[p.sid] = true
		taken = append(taken, p)
		return true
	})
	return taken
}

// remove reports whether nobody had taken the part yet.
func (t *together) remove(p *part) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	place := slices.Index(t.waiting, p)
	if place >= 0 {
		t.waiting = slices.Delete(t.waiting, place, place+1)
	}
	return place >= 0
}

// commitParts tells each part its outcome. One that nobody shares with has a transaction that ends with its own context.
func (i *Issuer) commitParts(parts []*part) {
	outcomes := make([]error, len(parts))
	err := errApart // of a panic, which is for its own caller to see
	defer func() {
		recover()
		for n, p := range parts {
			if err != nil {
				outcomes[n] = err
			}
			p.done <- outcomes[n]
		}
	}()
	if len(parts) > 1 {
		err = i.commitAll(parts, outcomes)
	}
}

// commitAll makes the changes in one transaction, which is nobody's own: nobody's context ends it for the others. It fails with errApart when nothing was written.
func (i *Issuer) commitAll(parts []*part, outcomes []error) error {
	ctx, cancel := context.WithTimeout(context.Background(), togetherTimeout)
	defer cancel()
	var updates []*update
	var complete bool
	// One transaction for the reason that commitOnce has. Another one waits for a part's session until all parts are committed, as for the log.
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
		return errApart
	}
	for n, u := range updates {
		if outcomes[n] == nil {
			outcomes[n] = i.committed(parts[n].ctx, u)
		}
	}
	return nil
}

// findingOrder returns the places of the parts in the order of their subjects and sessions. So of two servers that find the same ones at once, neither waits for what the other
// has while it has what the other waits for.
func findingOrder(tx Tx, parts []*part) ([]int, error) {
	sids, order := make([]string, len(parts)), make([]int, len(parts))
	for n, p := range parts {
		sids[n], order[n] = p.sid, n
	}
	owners, err := tx.OwnersOf(sids)
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(strings.Compare(owners[sids[a]], owners[sids[b]]), strings.Compare(sids[a], sids[b]))
	})
	return order, err
}

// makeAll finds everything, and then writes. Who doesn't find its session has its outcome already; any other failure is that of all.
func (i *Issuer) makeAll(tx Tx, parts []*part, outcomes []error) ([]*update, error) {
	now, err := tx.Now()
	if err != nil {
		return nil, err
	}
	order, err := findingOrder(tx, parts)
	if err != nil {
		return nil, err
	}
	updates, writes := make([]*update, len(parts)), make([]func() error, len(parts))
	for _, n := range order {
		p := parts[n]
		updates[n] = newUpdate(p.ctx, tx, moment{i, now})
		if outcomes[n] = p.ctx.Err(); outcomes[n] != nil {
			continue
		}
		if writes[n], outcomes[n] = p.find(updates[n]); outcomes[n] != nil && !errors.Is(outcomes[n], ErrNotFound) {
			return nil, outcomes[n]
		}
	}
	var maxTTL time.Duration // which nobody changes before the commit
	for n, u := range updates {
		if outcomes[n] != nil {
			continue
		}
		u.maxTTL = maxTTL
		if err := writes[n](); err != nil {
			return nil, err
		}
		maxTTL = u.maxTTL
	}
	return updates, nil
}
