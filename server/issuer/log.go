package issuer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

// followBatch is how many log entries are read at once.
const followBatch = 1000

// LogEntry is one rule in the hash-chained log. Sequences have no gaps, and their order is that of the commits.
type LogEntry struct {
	Sequence uint64
	Rule     revocation.Rule
	Hash     [32]byte // of the head after this entry
	Time     time.Time
}

// startLog begins the log at the very first start.
func startLog(tx Tx) error {
	_, err := tx.LogHead()
	if errors.Is(err, ErrNotFound) {
		return tx.PutLogHead(revocation.NewLog(rand.Text()))
	}
	return err
}

// loadRules fills the in-memory set with the rules that are in force: at the start, when rules were dropped by a clock
// that was ahead, and when the log is another one.
func (i *Issuer) loadRules(r Reader) error {
	now, head, err := i.applyLiveRules(r)
	if err != nil {
		return err
	}
	i.log, i.followed, i.swept = head.LogID, head.Sequence, now
	i.changed.broadcast()
	return nil
}

// applyLiveRules returns when and up to where the log was read.
func (i *Issuer) applyLiveRules(r Reader) (now time.Time, head revocation.Head, err error) {
	if now, err = r.Now(); err != nil {
		return now, head, err
	}
	if head, err = r.LogHead(); err != nil {
		return now, head, err
	}
	var batch []revocation.Rule
	err = r.LiveRules(now, head.Sequence, func(rule revocation.Rule) error {
		if batch = append(batch, rule); len(batch) < followBatch {
			return nil
		}
		err := i.rules.Apply(batch...)
		batch = batch[:0]
		return err
	})
	return now, head, errors.Join(err, i.rules.Apply(batch...))
}

// followLog applies rules that others wrote: another process over the same database, or a commit of ours whose answer
// was lost. Only the issuer's own goroutine calls it. A rule that can't be applied is an error, and those after it are
// applied.
func (i *Issuer) followLog(r Reader) error {
	head, err := r.LogHead()
	if err != nil {
		return err
	}
	start, err := logStart(r)
	if err != nil {
		return err
	}
	if head.LogID != i.log || i.followed < start { // the database was recovered meanwhile, or we slept for long
		return i.loadRules(r)
	}
	var failed error
	for {
		entries, err := r.LogEntries(i.followed, followBatch)
		if err != nil || len(entries) == 0 {
			return errors.Join(failed, err)
		}
		for _, e := range entries {
			if err := i.rules.Apply(e.Rule); err != nil {
				failed = errors.Join(failed, fmt.Errorf("entry %d of the revocation log: %w", e.Sequence, err))
			}
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

// LogHeadNow returns the head of the revocation log and the database's time, of one state of the database.
func (i *Issuer) LogHeadNow(ctx context.Context) (head revocation.Head, now time.Time, err error) {
	err = i.store.View(ctx, func(r Reader) error {
		if now, err = r.Now(); err != nil {
			return err
		}
		head, err = r.LogHead()
		return err
	})
	return head, now, err
}

// LogEntries returns up to limit rules that follow sequence after, in order, and the head that they lead to; without
// any, the head that after is. An after beyond the head fails with ErrNotFound: this log never had it. One so old that
// rules after it have been forgotten fails with ErrSwept: begin with ActiveRules.
func (i *Issuer) LogEntries(ctx context.Context, after uint64, limit int) ([]revocation.Rule, revocation.Head, error) {
	var entries []LogEntry
	var head revocation.Head
	err := i.store.View(ctx, func(r Reader) (err error) {
		start, err := logStart(r)
		if err != nil {
			return err
		}
		if after < start {
			return ErrSwept
		}
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

// ActiveRules hands out, one at a time, the rules in force among the first entries of the log, up to sequence last, and
// returns the head that last is and the time at which they are in force. It fails with ErrNotFound when the log isn't
// as long, and with ErrSwept when it goes back less far.
func (i *Issuer) ActiveRules(ctx context.Context, last uint64, each func(revocation.Rule) error) (head revocation.Head, now time.Time, err error) {
	err = i.store.View(ctx, func(r Reader) error {
		if now, err = r.Now(); err != nil { // before the log is read: the time must not promise more than was read
			return err
		}
		if head, err = headAt(r, last); err != nil {
			return err
		}
		return r.LiveRules(now, last, each)
	})
	return head, now, err
}

// headAt returns the head that the log had when it was as long as that.
func headAt(r Reader, last uint64) (revocation.Head, error) {
	head, err := r.LogHead()
	switch {
	case err != nil:
		return revocation.Head{}, err
	case last > head.Sequence:
		return revocation.Head{}, ErrNotFound
	case last == 0:
		return revocation.NewLog(head.LogID), nil
	}
	entries, err := r.LogEntries(last-1, 1)
	if err != nil {
		return revocation.Head{}, err
	}
	if len(entries) == 0 || entries[0].Sequence != last {
		return revocation.Head{}, ErrSwept
	}
	return revocation.Head{LogID: head.LogID, Sequence: last, Hash: entries[0].Hash}, nil
}

// LogChanged returns a channel that is closed when the log has grown. Get it before reading the log, so that nothing is
// missed in between.
func (i *Issuer) LogChanged() <-chan struct{} { return i.changed.wait() }
