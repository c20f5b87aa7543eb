package issuer

import (
	"context"
	"errors"
	"time"

	"github.com/jot-auth/jot/revocation"
)

const (
	sweepBatch    = 500              // rows that one transaction changes, so that nobody waits long for it
	sweepBatches  = 20               // transactions of one round
	sweepInterval = 10 * time.Minute // between rounds, when nothing is left to do
	sweepPause    = time.Second      // between rounds, when there is

	// ruleRetention is how long expired rules stay in the log: a clock that was set wrong for a while must not make
	// anybody forget what was revoked, and a reader of the log who was away goes on where it stopped.
	ruleRetention = 7 * 24 * time.Hour
	// ruleTail is how many entries stay whatever their age, so that whoever begins to follow the log finds its end
	// whole.
	ruleTail = 2 * revocation.MaxFrameRules

	// settingLogStart holds the sequence up to which the log may lack entries.
	settingLogStart = "log_start"
)

// sweep forgets what is over, in small transactions, and reports whether there is more. Several servers may sweep one
// database at once: each transaction takes what it finds.
func (i *Issuer) sweep(ctx context.Context) (more bool, err error) {
	steps := []func(*update) (bool, error){
		(*update).finishEnding, (*update).sweepSessions, (*update).sweepRules, (*update).sweepEvents, (*update).sweepLogoutTokens, (*update).sweepKeys, (*update).sweepSubjects,
		(*update).sweepSignIns, (*update).sweepCodes, (*update).sweepDeviceCodes, (*update).sweepAssertions,
	}
	for batch := 0; batch < sweepBatches && len(steps) > 0; batch++ {
		// What is over is decided in the transaction that forgets it: a session that is ended or a log that grows
		// meanwhile is before or after, and of two servers that find the same rows, one forgets them.
		err := i.commit(ctx, func(u *update) (err error) {
			more, err = steps[0](u)
			return err
		})
		if err != nil {
			return false, err
		}
		if !more {
			steps = steps[1:]
		}
	}
	return len(steps) > 0, nil
}

// finishEnding writes the end of sessions into their rows where there were too many for one transaction.
func (u *update) finishEnding() (more bool, err error) {
	pending, err := u.PendingSubjects(1)
	if err != nil || len(pending) == 0 {
		return false, err
	}
	s, err := u.Subject(pending[0])
	if err != nil {
		return false, err
	}
	if more, err := u.carryOut(s); err != nil || more {
		return true, err
	}
	s.Ending.Pending = false
	return true, u.UpdateSubject(s)
}

func (u *update) sweepSessions() (more bool, err error) {
	count, err := u.DeleteSessions(u.now.Add(-u.issuer.config.SessionRetention), sweepBatch)
	return count > 0, err
}

// sweepRules shortens the log. What is gone from it is remembered, so that who is too far behind learns it.
func (u *update) sweepRules() (more bool, err error) {
	head, err := u.LogHead()
	if err != nil || head.Sequence <= ruleTail {
		return false, err
	}
	last, err := u.DeleteRules(u.now.Add(-ruleRetention), head.Sequence-ruleTail, sweepBatch)
	if err != nil || last == 0 {
		return false, err
	}
	start, err := logStart(u)
	if err != nil || last <= start {
		return true, err
	}
	return true, u.PutSetting(settingLogStart, int64(last))
}

// logStart is the sequence up to which the log may lack entries.
func logStart(r SettingReader) (uint64, error) {
	start, err := r.Setting(settingLogStart)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	return uint64(start), err
}

func (u *update) sweepEvents() (more bool, err error) {
	count, err := u.DeleteEvents(u.now.Add(-u.issuer.config.EventRetention), sweepBatch)
	return count > 0, err
}

// sweepLogoutTokens forgets those that wouldn't be taken again anyway.
func (u *update) sweepLogoutTokens() (more bool, err error) {
	count, err := u.DeleteLogoutTokens(u.now.Add(-skew), sweepBatch)
	return count > 0, err
}

func (u *update) sweepKeys() (more bool, err error) {
	all, err := u.Keys()
	if err != nil {
		return false, err
	}
	if err := u.retireRootKeys(all); err != nil {
		return false, err
	}
	return false, u.DeleteKeys(u.now.Add(-u.issuer.config.EventRetention))
}

// sweepSubjects forgets deleted subjects when no rule and no session knows of them any more. The longest life of a
// token is the one that this server has read: in the transaction the setting would be held before the subjects, and one
// that was raised in the meantime is that of tokens which none of these subjects has.
func (u *update) sweepSubjects() (more bool, err error) {
	count, err := u.DeleteSubjects(u.now.Add(-u.issuer.MaxTTL()-ruleSlack-ruleRetention), sweepBatch)
	return count > 0, err
}
