package issuer

import (
	"context"
	"errors"
	"time"

	"github.com/jot-auth/jot/revocation"
)

// Ending ends all sessions of a subject at once, however many they are: those of the generations before it are over from its commit on,
// whatever their rows say. The rows follow in small batches.
type Ending struct {
	Before  uint64 // generation: a session that began in an earlier one has ended; 0: none has
	At      time.Time
	Why     EndReason
	Pending bool // there may be rows that don't say so yet
}

// applyTo lets a session know of it.
func (e Ending) applyTo(s *Session) {
	if s.Ended.IsZero() && s.Generation < e.Before {
		s.Ended, s.EndReason = e.At, e.Why
	}
}

// findSession finds a session as it is, also where its row doesn't say yet that it has ended.
func findSession(r Reader, sid string) (Session, error) {
	session, subject, err := r.Session(sid)
	if err != nil {
		return Session{}, err
	}
	subject.Ending.applyTo(&session)
	return session, nil
}

// endSessions makes every token of a subject stale and ends its sessions: it stores the subject as its next generation, before which all
// are over. A first batch of rows is written at once, which is all of them but for the busiest subjects.
func (u *update) endSessions(s Subject, why EndReason) error {
	if err := u.notifyAll(s); err != nil {
		return err
	}
	s.Ending = Ending{Before: s.Generation + 1, At: u.now, Why: why}
	ended, err := u.EndSessions(s.ID, s.Ending, sweepBatch)
	if err != nil {
		return err
	}
	s.Ending.Pending = ended == sweepBatch
	u.unfinished = u.unfinished || s.Ending.Pending
	return u.outdate(s, revocation.SubjectGeneration)
}

// EndSessions ends every session of a subject and makes every access token that it has stale: a logout everywhere. It fails
// with ErrNotFound.
func (i *Issuer) EndSessions(ctx context.Context, subject string) error {
	// The sessions' end and the rule are one commit: a login at the same time either made its session and token before, and both are
	// caught, or comes after, and its token and session are of the new generation.
	return i.commit(ctx, func(u *update) error {
		s, err := findSubject(u, subject)
		if err != nil {
			return err
		}
		if err := u.endSessions(s, EndedEverywhere); err != nil {
			return err
		}
		return u.auditActor(EventSubjectLoggedOut, Event{Subject: subject})
	})
}

// OutdateSubject is for a new password: it makes the subject's tokens stale and ends its sessions, all but the one from which the password
// was changed; keep is its ID, "" keeps none. with, if there is one, runs in the same transaction, for what else must change with it; it
// may run more than once. OutdateSubject fails with ErrNotFound, and with the error of with.
func (i *Issuer) OutdateSubject(ctx context.Context, sub, keep string, with func(Tx) error) error {
	// The new password, the sessions' end and the rule are one commit: whoever logged in with the old password either did so before,
	// and is caught, or finds the new one.
	return i.commit(ctx, func(u *update) error {
		s, err := findSubject(u, sub)
		if err != nil {
			return err
		}
		if err := u.keepSession(s, keep); err != nil {
			return err
		}
		if err := u.endSessions(s, EndedByPassword); err != nil {
			return err
		}
		if err := u.audit(EventPasswordSet, Event{Subject: sub}); err != nil || with == nil {
			return err
		}
		return with(u.Tx)
	})
}

// keepSession moves a live session of a subject into its next generation.
func (u *update) keepSession(s Subject, sid string) error {
	if sid == "" {
		return nil
	}
	session, err := findSession(u, sid)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil || session.Subject != s.ID || !session.live(u.now) {
		return err
	}
	session.Generation = s.Generation + 1
	return u.UpdateSession(session)
}
