package issuer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

// ruleSlack is how much longer than the longest access token a rule lives: 5 min for the leeway of verifiers and 10 min
// for clocks that differ.
const ruleSlack = 15 * time.Minute

// followBatch is how many log entries are read at once.
const followBatch = 1000

// LogEntry is one rule in the hash-chained log. Sequences have no gaps, and their order is that of the commits.
type LogEntry struct {
	Sequence uint64
	Rule     revocation.Rule
	Hash     [32]byte // of the head after this entry
	Time     time.Time
}

// update is a transaction that may refuse tokens: it gathers rules and events beside what it writes itself.
type update struct {
	Tx
	now    time.Time
	issuer *Issuer
	rules  []revocation.Rule
}

// commit runs f in one transaction together with the log entries for the rules that f gathers. When it returns nil the
// rules are durable, CheckRevocation knows them, and waiters on LogChanged are woken.
func (i *Issuer) commit(ctx context.Context, f func(*update) error) error {
	var u *update
	// Head and entries are read and written in one transaction with the change that they are about: no change without
	// its rule, no gap and no fork in the log however many commit at once.
	err := i.store.Update(ctx, func(tx Tx) error {
		now, err := tx.Now()
		if err != nil {
			return err
		}
		u = &update{Tx: tx, now: now, issuer: i}
		if err := f(u); err != nil {
			return err
		}
		return u.appendRules()
	})
	if err != nil {
		return err
	}
	if len(u.rules) > 0 {
		i.rules.Apply(u.rules...)
		i.changed.broadcast()
	}
	return nil
}

// refuse gathers a rule, of this issuer. Rules on keys never expire; others do when no token that they match can be alive.
func (u *update) refuse(r revocation.Rule) {
	r.Issuer = u.issuer.config.URL
	if r.Kind != revocation.Key {
		r.Expires = u.now.Add(u.issuer.maxTTL+ruleSlack).Unix() + 1
	}
	u.rules = append(u.rules, r)
}

func (u *update) appendRules() error {
	if len(u.rules) == 0 {
		return nil
	}
	head, err := u.LogHead()
	if err != nil {
		return fmt.Errorf("head of the revocation log: %w", err)
	}
	for _, r := range u.rules {
		if err := r.Validate(); err != nil {
			return err
		}
		head = head.Append(r)
		if err := u.AppendRule(LogEntry{Sequence: head.Sequence, Rule: r, Hash: head.Hash, Time: u.now}); err != nil {
			return err
		}
	}
	return u.PutLogHead(head)
}

// startLog begins the log at the very first start.
func startLog(tx Tx) error {
	_, err := tx.LogHead()
	if errors.Is(err, ErrNotFound) {
		return tx.PutLogHead(revocation.NewLog(rand.Text()))
	}
	return err
}

// loadRules fills the in-memory set with the rules that are in force.
func (i *Issuer) loadRules(r Reader) error {
	now, err := r.Now()
	if err != nil {
		return err
	}
	rules, err := r.LiveRules(now)
	if err != nil {
		return err
	}
	head, err := r.LogHead()
	if err != nil {
		return err
	}
	i.rules.Apply(rules...)
	i.followed = head.Sequence
	return nil
}

// followLog applies rules that others wrote: another process over the same database, or a commit of ours whose answer
// was lost. Only the issuer's own goroutine calls it.
func (i *Issuer) followLog(r Reader) error {
	for {
		entries, err := r.LogEntries(i.followed, followBatch)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			i.rules.Apply(e.Rule)
			i.followed = e.Sequence
		}
		i.changed.broadcast()
	}
}

// CheckRevocation implements jot.RevocationChecker on the issuer's own log. It never fails.
func (i *Issuer) CheckRevocation(_ context.Context, facts *jot.RevocationFacts) (jot.Verdict, error) {
	return i.rules.Verdict(facts), nil
}

// LogHead returns the head of the revocation log.
func (i *Issuer) LogHead(ctx context.Context) (revocation.Head, error) {
	var head revocation.Head
	err := i.store.View(ctx, func(r Reader) (err error) {
		head, err = r.LogHead()
		return err
	})
	return head, err
}

// LogEntries returns up to limit rules that follow sequence after, in order, and the head that they lead to; without any,
// the head that after is. An after beyond the head fails with ErrNotFound: this log never had it.
func (i *Issuer) LogEntries(ctx context.Context, after uint64, limit int) ([]revocation.Rule, revocation.Head, error) {
	var entries []LogEntry
	var head revocation.Head
	err := i.store.View(ctx, func(r Reader) (err error) {
		if head, err = r.LogHead(); err != nil {
			return err
		}
		entries, err = r.LogEntries(after, limit)
		return err
	})
	if err == nil && after > head.Sequence {
		err = ErrNotFound
	}
	if err != nil {
		return nil, revocation.Head{}, err
	}
	rules := make([]revocation.Rule, len(entries))
	for n, e := range entries {
		rules[n] = e.Rule
		head.Sequence, head.Hash = e.Sequence, e.Hash
	}
	return rules, head, nil
}

// ActiveRules returns the rules in force and the head of the log that they were read at.
func (i *Issuer) ActiveRules(ctx context.Context) (revocation.Head, []revocation.Rule, error) {
	var head revocation.Head
	var rules []revocation.Rule
	err := i.store.View(ctx, func(r Reader) error {
		now, err := r.Now()
		if err != nil {
			return err
		}
		if head, err = r.LogHead(); err != nil {
			return err
		}
		rules, err = r.LiveRules(now)
		return err
	})
	return head, rules, err
}

// LogChanged returns a channel that is closed when the log has grown. Get it before reading the log, so that nothing is
// missed in between.
func (i *Issuer) LogChanged() <-chan struct{} { return i.changed.wait() }

// signal wakes everybody who waits. The zero value is ready.
type signal struct {
	mu sync.Mutex
	c  chan struct{}
}

func (b *signal) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		b.c = make(chan struct{})
	}
	return b.c
}

func (b *signal) broadcast() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c != nil {
		close(b.c)
		b.c = nil
	}
}
