package issuer

import "context"

// Enrol is CreateSubject for a subject whose credentials, such as a name and a password, are kept beside it: with
// stores them in the same transaction. It fails as CreateSubject does, and with the error of with, which may run more
// than once.
func (i *Issuer) Enrol(ctx context.Context, s Subject, with func(Tx) error) error {
	s, err := s.checked()
	if err != nil {
		return err
	}
	// Subject and credentials are one commit: of two that take one name, the second leaves no subject behind.
	return i.commit(ctx, func(u *update) error { return u.enrol(s, with) })
}

// Amend runs with in a transaction, for what is kept beside a subject, and writes an event about it; sub may be ""
// where it's about nobody yet. It fails with ErrNotFound where there is no such subject, and with the error of with,
// which may run more than once.
func (i *Issuer) Amend(ctx context.Context, sub string, kind EventKind, with func(Tx) error) error {
	return i.AmendNoting(ctx, sub, kind, "", with)
}

// AmendNoting is Amend, and the event has a detail.
func (i *Issuer) AmendNoting(ctx context.Context, sub string, kind EventKind, detail string, with func(Tx) error) error {
	// What with changes and the event are one commit: nothing changes unseen. The subject is read first, so that its
	// deletion comes before or after.
	return i.commit(ctx, func(u *update) error {
		if sub != "" {
			if _, err := findSubject(u, sub); err != nil {
				return err
			}
		}
		if err := with(u.Tx); err != nil {
			return err
		}
		return u.audit(kind, Event{Subject: sub, Detail: detail})
	})
}

// Confirm runs what a proof confirms where no session begins yet: the subject has to prove more. It fails as SignIn
// does.
func (i *Issuer) Confirm(ctx context.Context, p Proof) error {
	// The subject's state and what is confirmed are one commit: a ban at the same time comes before, and nothing is
	// confirmed, or after.
	return i.commit(ctx, func(u *update) error {
		subject, err := findSubject(u, p.Subject)
		if err != nil {
			return err
		}
		if subject.Disabled {
			return ErrInvalidGrant
		}
		return p.Confirm(u.Tx)
	})
}

func (u *update) enrol(s Subject, with func(Tx) error) error {
	if _, err := u.createSubject(s); err != nil {
		return err
	}
	if err := with(u.Tx); err != nil {
		return err
	}
	return u.audit(EventAccountCreated, Event{Subject: s.ID})
}
