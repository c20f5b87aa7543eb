package issuer

import (
	"context"
	"time"

	"github.com/jot-auth/jot/revocation"
)

// Ending ends all sessions of a subject at once, however many they are: those of the generations before it are over
// from its commit on, whatever their rows say. The rows follow in small batches.
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

// endSessions makes every token of a subject stale and ends its sessions: it stores the subject as its next generation,
// before which all are over. A first batch of rows is written at once, which is all of them but for the busiest
// subjects.
func (u *update) endSessions(s Subject, why EndReason) error {
	if err := u.notifyAll(s); err != nil {
		return err
	}
	issued, err := u.lastIssued(s.ID) // as long as their rows don't say that they have ended
	if err != nil {
		return err
	}
	s.Ending = Ending{Before: s.Generation + 1, At: u.now, Why: why}
	more, err := u.carryOut(s)
	if err != nil {
		return err
	}
	s.Ending.Pending = more
	u.unfinished = u.unfinished || more
	return u.outdateIssued(s, revocation.SubjectGeneration, issued)
}

// carryOut writes a subject's Ending into a batch of rows.
func (u *update) carryOut(s Subject) (more bool, err error) {
	ended, err := u.EndSessions(s.ID, s.Ending, sweepBatch)
	return len(ended) == sweepBatch, err
}

// EndSessions ends every session of a subject and makes every access token that it has stale: a logout everywhere. It
// fails with ErrNotFound.
func (i *Issuer) EndSessions(ctx context.Context, subject string) error {
	// The sessions' end and the rule are one commit: a login at the same time either made its session and token before,
	// and both are caught, or comes after, and its token and session are of the new generation.
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
