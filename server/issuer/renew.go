package issuer

import (
	"context"
	"errors"
	"slices"
)

// Renewal is the one session of a subject that remains, on the device that asked.
type Renewal struct {
	Subject   string
	SessionID string // of the present session, which is replaced by the new one
	AMR       []string
	UserAgent string
	Address   string
	Confirm   func(Tx) error // as in Proof; this is where a new password is stored
	Committed func()         // as in Proof
}

// RenewSession ends every session of a subject, makes every access token that it has stale, and begins one new session
// like the present one: what a changed password is worth. Nobody who holds a token of before, the present session's
// refresh token included, gets any further with it. It fails with ErrInvalidGrant when the present session is over or
// the subject is disabled, with ErrNotFound when the subject has no such session, and with what Confirm says. Where
// signing fails, with jot.ErrUnavailable, all else has happened: then the subject logs in anew, as after an answer that
// was lost.
func (i *Issuer) RenewSession(ctx context.Context, r Renewal) (Tokens, error) {
	if err := checkAMR(r.AMR); err != nil {
		return Tokens{}, err
	}
	var d *draft
	// What Confirm stores, the end of all sessions, the rule and the new session are one commit. A login that has
	// checked the old password either began its session before, which ends here, or finds in its own Confirm that the
	// password has changed. Of two renewals at once the second finds its session ended.
	err := i.commit(ctx, func(u *update) (err error) {
		d, err = u.renew(r)
		return err
	})
	if err != nil {
		return Tokens{}, err
	}
	if r.Committed != nil {
		r.Committed()
	}
	return i.sign(ctx, d)
}

func (u *update) renew(r Renewal) (*draft, error) {
	present, err := findSession(u, r.SessionID)
	if err != nil {
		return nil, err
	}
	if present.Subject != r.Subject {
		return nil, ErrNotFound
	}
	if !present.live(u.now) {
		return nil, ErrInvalidGrant
	}
	subject, err := findSubject(u, r.Subject)
	if err != nil {
		return nil, err
	}
	if subject.Disabled {
		return nil, ErrInvalidGrant
	}
	if err := u.endSessions(subject, EndedByPassword); err != nil {
		return nil, err
	}
	subject.Generation++ // as endSessions stored it
	if r.Confirm != nil {
		if err := r.Confirm(u.Tx); err != nil {
			return nil, err
		}
	}
	return u.beginLike(&present, &subject, r)
}

// beginLike begins a session with what is left of another one's scope: what client, resource or subject have lost since
// its login is left out. A client or resource that is gone is ErrInvalidGrant, as it is for a refresh.
func (u *update) beginLike(present *Session, subject *Subject, r Renewal) (*draft, error) {
	client, resource, err := u.partiesOf(u, present.ClientID, present.Resource, present.Created)
	if errors.Is(err, ErrInvalidClient) {
		err = ErrInvalidGrant
	}
	if err != nil {
		return nil, err
	}
	scope, err := narrowScope(nil, present, client, resource, subject)
	if err != nil {
		return nil, err
	}
	session := u.newSession(subject, client, resource, scope)
	session.AMR = slices.Clone(r.AMR)
	d, err := u.beginSettled(session, subject, client, resource, present.KeyThumbprint, r.UserAgent, r.Address)
	if err != nil {
		return nil, err
	}
	return d, u.auditActor(EventSessionIssued, Event{Subject: subject.ID, Session: session.ID, ClientID: client.ID})
}

// OutdateSubject is for a new password: it makes the subject's tokens stale and ends its sessions, all but the one from
// which the password was changed; keep is its ID, "" keeps none. with, if there is one, runs in the same transaction,
// for what else must change with it; it may run more than once. OutdateSubject fails with ErrNotFound, and with the
// error of with.
func (i *Issuer) OutdateSubject(ctx context.Context, sub, keep string, with func(Tx) error) error {
	// The new password, the sessions' end and the rule are one commit: whoever logged in with the old password either
	// did so before, and is caught, or finds the new one.
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
