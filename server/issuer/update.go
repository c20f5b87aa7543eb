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

	// mostAhead is by how much the clock may have been ahead, before it was set back, where a subject's last token
	// isn't known. A deleted subject's generation is remembered for longer, so that no later one meets the rule.
	mostAhead = ruleRetention / 2
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
	lasting    []lasting         // rules that lack when they expire
	head       revocation.Head   // of the log after the rules, when they are appended
	notified   bool              // a client is to be told of a logout
	unfinished bool              // there is something for the sweep

	meaning outcome // of a refresh
}

// commit is commitOnce in time, with nothing foreseen.
func (i *Issuer) commit(ctx context.Context, f func(*update) error) error {
	return i.commitForeseen(ctx, Foresight{}, f)
}

// commitForeseen is commitOnce in time.
func (i *Issuer) commitForeseen(ctx context.Context, ahead Foresight, f func(*update) error) error {
	return inTime(ctx, func() (now time.Time, err error) {
		err = i.commitOnce(ctx, ahead, func(u *update) error {
			now = u.now
			return f(u)
		})
		return now, err
	})
}

// commitOnce runs f, which reads what is foreseen, in one transaction together with the log entries for the rules that
// f gathers. When it returns nil the rules are durable, CheckRevocation knows them, and waiters on LogChanged are
// woken.
func (i *Issuer) commitOnce(ctx context.Context, ahead Foresight, f func(*update) error) error {
	var u *update
	var complete bool
	// Head and entries are read and written in one transaction with the change that they are about: no change without
	// its rule, no gap and no fork in the log however many commit at once.
	err := i.store.Update(ctx, func(tx Tx) error {
		complete = false
		now, err := nowAnd(tx, ahead)
		if err != nil {
			return err
		}
		u = newUpdate(ctx, tx, moment{i, now})
		if err := f(u); err != nil {
			return err
		}
		if err := appendRules(tx, u); err != nil {
			return err
		}
		complete = true
		return nil
	})
	if err != nil && complete {
		i.wakeUp() // the commit itself failed, or only its answer was lost: then upkeep finds what it wrote
	}
	if err != nil {
		return err
	}
	return i.committed(ctx, u)
}

// newUpdate is for a change in the name of the context's actor.
func newUpdate(ctx context.Context, tx Tx, m moment) *update {
	actor, acted := actorOf(ctx)
	return &update{Tx: tx, moment: m, actor: actor, acted: acted}
}

// committed enforces and tells what is durable.
func (i *Issuer) committed(ctx context.Context, u *update) error {
	if u.unfinished {
		i.sweepSoon.Store(true)
		defer i.wakeUp()
	}
	if u.notified {
		defer i.notices.broadcast()
	}
	if len(u.rules)+len(u.known) == 0 {
		return nil
	}
	if len(u.rules) > 0 {
		noteReceipt(ctx, u.head)
	}
	defer i.changed.broadcast()
	return i.rules.Apply(slices.Concat(u.rules, u.known)...)
}

// refuse gathers a rule, of this issuer.
func (u *update) refuse(r revocation.Rule) {
	r.Issuer = u.issuer.config.URL
	u.rules = append(u.rules, r)
}

// lasting is a rule about tokens of any life.
type lasting struct {
	revocation.Rule
	issued time.Time // the last of the tokens, at the latest
	known  bool      // it's in the log already
}

// refuseIssued gathers a rule of this issuer about tokens of which the last was issued at a time. It outlives them.
func (u *update) refuseIssued(r revocation.Rule, issued time.Time) {
	u.lasting = append(u.lasting, lasting{r, issued, false})
}

// refuseAgain gathers a rule that was gathered before, in case the answer of its commit was lost: this server enforces
// it at once, and looks at the log.
func (u *update) refuseAgain(r revocation.Rule, issued time.Time) {
	u.lasting = append(u.lasting, lasting{r, issued, true})
}

// outlive returns when a rule may be forgotten about a token that expires at a time: Rule.Expires.
func outlive(expires time.Time) int64 { return expires.Add(ruleSlack).Unix() + 1 }

// completeRules lets lasting rules expire after the longest life of a token. That setting is read when nothing but the
// log is left to do: whoever reads it holds it until the commit, and mustn't wait for a subject or a client of somebody
// who waits for the setting.
func completeRules(tx Tx, all []*update) error {
	if !slices.ContainsFunc(all, func(u *update) bool { return len(u.lasting) > 0 }) {
		return nil
	}
	maxTTL, err := readMaxTTL(tx)
	if err != nil {
		return err
	}
	for _, u := range all {
		for _, l := range u.lasting {
			l.Issuer, l.Expires = u.issuer.config.URL, outlive(l.issued.Add(maxTTL))
			if l.known {
				u.known = append(u.known, l.Rule)
			} else {
				u.rules = append(u.rules, l.Rule)
			}
		}
		u.lasting = nil
	}
	return nil
}

// appendRules appends what updates of one transaction have gathered.
func appendRules(tx Tx, all ...*update) error {
	if err := completeRules(tx, all); err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(u *update) bool { return len(u.rules) > 0 }) {
		return nil
	}
	head, err := tx.LogHead()
	if err != nil {
		return fmt.Errorf("head of the revocation log: %w", err)
	}
	for _, u := range all {
		for _, r := range u.rules {
			if err := r.Validate(); err != nil {
				return err
			}
			head = head.Append(r)
			if err := tx.AppendRule(LogEntry{Sequence: head.Sequence, Rule: r, Hash: head.Hash, Time: u.now}); err != nil {
				return err
			}
		}
		u.head = head
	}
	return nil
}
