package issuer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jot-auth/jot/revocation"
)

const (
	leeway = 5 * time.Minute  // of verifiers, at most
	skew   = 10 * time.Minute // between clocks, and between times that one clock shows before and after it is set

	// ruleSlack is how much longer than the tokens that it matches a rule lives.
	ruleSlack = leeway + skew
)

// moment is the time of a transaction: the tokens that it drafts are issued then.
type moment struct {
	issuer *Issuer
	now    time.Time
}

// update is a transaction that may refuse tokens: it gathers rules beside what it writes itself.
type update struct {
	Tx
	moment
	actor      Actor
	acted      bool              // somebody other than the subject acts
	rules      []revocation.Rule // to be appended to the log
	known      []revocation.Rule // in the log already
	head       revocation.Head   // of the log after the rules, when they are appended
	notified   bool              // a client is to be told of a logout
	unfinished bool              // there is something for the sweep

	meaning outcome // of a refresh
}

// commitOnce runs f in one transaction together with the log entries for the rules that f gathers. When it returns nil the
// rules are durable, CheckRevocation knows them, and waiters on LogChanged are woken.
func (i *Issuer) commitOnce(ctx context.Context, f func(*update) error) error {
	var u *update
	var complete bool
	actor, acted := actorOf(ctx)
	// Head and entries are read and written in one transaction with the change that they are about: no change without
	// its rule, no gap and no fork in the log however many commit at once.
	err := i.store.Update(ctx, func(tx Tx) error {
		complete = false
		now, err := tx.Now()
		if err != nil {
			return err
		}
		u = &update{Tx: tx, moment: moment{i, now}, actor: actor, acted: acted}
		if err := f(u); err != nil {
			return err
		}
		if err := u.appendRules(); err != nil {
			return err
		}
		complete = true
		return nil
	})
	if err != nil && complete {
		i.wakeUp() // the commit itself failed, or only its answer was lost: then upkeep finds what it wrote
	}
	if err == nil && u.unfinished {
		i.sweepSoon.Store(true)
		defer i.wakeUp()
	}
	if err == nil && u.notified {
		defer i.notices.broadcast()
	}
	if err != nil || len(u.rules)+len(u.known) == 0 {
		return err
	}
	if len(u.rules) > 0 {
		note(ctx, u.head)
	}
	defer i.changed.broadcast()
	return i.rules.Apply(slices.Concat(u.rules, u.known)...)
}

// refuse gathers a rule, of this issuer.
func (u *update) refuse(r revocation.Rule) {
	r.Issuer = u.issuer.config.URL
	u.rules = append(u.rules, r)
}

// refuseAgain gathers a rule that was gathered before, in case the answer of its commit was lost: this server enforces it
// at once, and looks at the log.
func (u *update) refuseAgain(r revocation.Rule) {
	r.Issuer = u.issuer.config.URL
	u.known = append(u.known, r)
}

// outlive returns when a rule may be forgotten about a token that expires at a time: Rule.Expires.
func outlive(expires time.Time) int64 { return expires.Add(ruleSlack).Unix() + 1 }

// outliveAll returns when a rule may be forgotten about tokens of which the last was issued at a time.
func (u *update) outliveAll(issued time.Time) (int64, error) {
	maxTTL, err := readMaxTTL(u)
	return outlive(issued.Add(maxTTL)), err
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
	u.head = head
	return nil
}
