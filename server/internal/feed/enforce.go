package feed

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	// leaseMargin is how much longer a lease may hold than its MaxStaleness, on this server's clock: a verifier doesn't
	// notice when it is suspended for less than a second, nor when the issuer's clock gains less than that
	// (revocation/lease.go).
	leaseMargin = 2 * time.Second

	// askPatience is after which time those who haven't acknowledged no longer keep a newer question waiting.
	askPatience = 250 * time.Millisecond

	// Administrators always find room: whoever presents what is no token waits too, and must not keep a ban from being
	// made.
	maxWaiters = 1024
	maxOthers  = maxWaiters / 4 * 3 // who aren't administrators
)

var errUnknownEnforcement = fmt.Errorf("feed: the verifiers can't be read: %w", issuer.ErrUnavailable)

// waiter waits until every verifier enforces the rules up to a place of the log.
type waiter struct {
	at     revocation.Cursor
	since  time.Time  // after the commit: what is signed without those rules was signed before
	answer chan error // with room for it
}

// cohort is everybody who began to wait between two turns: they wait together, for the last of their rules.
type cohort struct {
	at      revocation.Cursor
	since   time.Time
	members []*waiter

	// pending are the verifiers that may not enforce the rules yet, and when their leases from before have run out;
	// nil: not known yet. Who isn't registered when it is made out, hears of the rules from the first frame on.
	pending map[string]time.Time
}

// Enforce makes a change, and waits until no verifier accepts what the change refuses: each of those that may have a
// lease from before has acknowledged the rules up to the place of the log that change returns, or the lease has run
// out. So it returns at the latest when the longest lease and two seconds are over. When change returns false there is
// nothing to wait for. admin is whether it's an administrator's change, as far as is known before it.
//
// It fails with issuer.ErrBusy, before the change, when too many wait already; and, after the change, with the
// context's error, and with one that wraps issuer.ErrUnavailable when the database can't be read for so long that
// nobody knows.
func (s *Server) Enforce(ctx context.Context, admin bool, change func() (at revocation.Cursor, wait bool)) error {
	room := int64(maxOthers)
	if admin {
		room = maxWaiters
	}
	if s.waiting.Add(1) > room {
		s.waiting.Add(-1)
		return issuer.ErrBusy
	}
	defer s.waiting.Add(-1)
	at, wait := change()
	if !wait {
		return nil
	}
	return s.registry.await(ctx, at)
}

// LongestWait is how long Enforce can take beside the change.
func (s *Server) LongestWait() time.Duration {
	return s.registry.maxStaleness + leaseMargin + turnTimeout
}

// await waits until all verifiers enforce the rules up to a place of the log.
func (r *registry) await(ctx context.Context, at revocation.Cursor) error {
	w := &waiter{at: at, since: time.Now(), answer: make(chan error, 1)}
	r.admit(w)
	defer r.dismiss(w)
	select {
	case err := <-w.answer:
		return err
	case <-r.done:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *registry) admit(w *waiter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiters[w] = true
	r.newcomers = append(r.newcomers, w)
	r.rouse()
}

func (r *registry) dismiss(w *waiter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiters, w)
}

// gather makes cohorts of those who have come, one for each log, drops those whose members have given up, and reports
// whether anybody listens, or may again.
func (r *registry) gather() (listeners bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fresh := make(map[string]*cohort)
	for _, w := range r.newcomers {
		if !r.waiters[w] {
			continue
		}
		c := fresh[w.at.LogID]
		if c == nil {
			c = &cohort{at: w.at}
			fresh[w.at.LogID] = c
			r.cohorts = append(r.cohorts, c)
		}
		c.members = append(c.members, w)
		c.at.Sequence = max(c.at.Sequence, w.at.Sequence)
		if w.since.After(c.since) {
			c.since = w.since
		}
	}
	r.newcomers = nil
	r.cohorts = slices.DeleteFunc(r.cohorts, func(c *cohort) bool {
		return !slices.ContainsFunc(c.members, func(w *waiter) bool { return r.waiters[w] })
	})
	return len(r.present) > 0 // those who poll among them, between two polls
}

// settle answers those whose wait is over, and asks for what is missing. Other servers ask their verifiers as well:
// what is asked is in the database, and so is what they said, whichever server they said it to.
func (r *registry) settle(ctx context.Context) error {
	listeners := r.gather() // before the database is read, which then holds every rule that they wait for
	if len(r.cohorts) == 0 && (!listeners || !r.stale && time.Since(r.looked) < recall) {
		return nil
	}
	r.looked, r.stale = time.Now(), false
	asked, err := r.issuer.Asked(ctx)
	if err == nil {
		r.learnAsked(asked)
	}
	if err == nil && len(r.cohorts) > 0 {
		var all []issuer.Verifier
		if all, err = r.issuer.Verifiers(ctx); err == nil {
			r.learn(all)
			for _, c := range r.cohorts {
				c.look(all)
			}
		}
	}
	r.cohorts = slices.DeleteFunc(r.cohorts, func(c *cohort) bool { return c.over(r.maxStaleness) })
	if err != nil {
		return err
	}
	return r.ask(ctx, asked)
}

// look notes which verifiers may still lack the rules.
func (c *cohort) look(all []issuer.Verifier) {
	lacking, knowing := make(map[string]time.Time), make(map[string]bool)
	for _, v := range all { // more than once, where one came to several servers
		end, pending := c.pending[v.ID]
		switch {
		case v.Acknowledged.Covers(c.at):
			knowing[v.ID] = true
		case c.pending == nil:
			end = c.since.Add(v.MaxStaleness + leaseMargin)
			if end.After(lacking[v.ID]) {
				lacking[v.ID] = end
			}
		case pending:
			lacking[v.ID] = end
		}
	}
	maps.DeleteFunc(lacking, func(id string, _ time.Time) bool { return knowing[id] })
	c.pending = lacking
}

// over answers a cohort for whom no verifier is left, and one that can't be told.
func (c *cohort) over(longest time.Duration) bool {
	now, answer := time.Now(), error(nil)
	maps.DeleteFunc(c.pending, func(_ string, end time.Time) bool { return !now.Before(end) })
	switch {
	case len(c.pending) > 0:
		return false
	case c.pending == nil && now.Before(c.since.Add(longest+leaseMargin+turnTimeout)):
		return false
	case c.pending == nil:
		answer = errUnknownEnforcement
	}
	for _, w := range c.members {
		w.answer <- answer
	}
	return true
}

// ask raises what all servers ask for to what somebody waits for. One question covers all rules before it, and the next
// one comes when it is answered: however many wait, a verifier says no more than it can.
func (r *registry) ask(ctx context.Context, asked revocation.Cursor) error {
	want, open := asked, false
	for _, c := range r.cohorts { // the earliest first, so that the newest log counts
		if asked.Covers(c.at) {
			open = true
		} else if !want.Covers(c.at) {
			want = c.at
		}
	}
	if want == asked || open && time.Since(r.asking) < askPatience {
		return nil
	}
	r.asking = time.Now()
	if err := r.issuer.AskVerifiers(ctx, want); err != nil {
		return err
	}
	r.learnAsked(want)
	return nil
}

// learnAsked notes what all servers ask for, and lets the hub ask.
func (r *registry) learnAsked(c revocation.Cursor) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asked != c {
		r.asked = c
		signal(r.asks)
	}
}

// learn notes what verifiers said to other servers.
func (r *registry) learn(all []issuer.Verifier) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range all {
		if p := r.present[v.ID]; p != nil && v.Acknowledged.Covers(p.acknowledged) {
			p.acknowledged = v.Acknowledged
		}
	}
}

// question returns up to where acknowledgements are asked for.
func (r *registry) question() revocation.Cursor {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// owes reports whether a verifier hasn't acknowledged yet what is asked for.
func (r *registry) owes(verifier string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.present[verifier]
	return r.asked.LogID != "" && (p == nil || !p.acknowledged.Covers(r.asked))
}

// take notes what a verifier says. It fails with issuer.ErrBusy when too many have spoken since the last turn at the
// database.
func (r *registry) take(verifier string, c revocation.Cursor) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, again := r.said[verifier]; !again && len(r.said) == maxRegistered {
		return issuer.ErrBusy
	}
	if !r.said[verifier].Covers(c) {
		r.said[verifier] = c
	}
	if p := r.present[verifier]; p != nil && !p.acknowledged.Covers(c) {
		p.acknowledged = c
	}
	r.rouse()
	return nil
}
