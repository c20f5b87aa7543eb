package issuer

import (
	"context"
	"encoding/json"
)

// DeleteSubject deletes a subject with its account: its sessions end, its access tokens are refused, its claims are
// gone. Its ID can be given again, to a subject that has nothing of the old one. It fails with ErrNotFound or
// ErrLastAdmin.
func (i *Issuer) DeleteSubject(ctx context.Context, sub string) error {
	// All is one commit: a login or refresh at the same time either made its session and token before, and both are
	// caught, or finds no subject; and no account is left that logs in to nothing.
	return i.commit(ctx, func(u *update) error {
		s, err := findSubject(u, sub)
		if err != nil {
			return err
		}
		if err := u.keepAdmin(s, Subject{}); err != nil {
			return err
		}
		if err := u.deleteSubject(s); err != nil {
			return err
		}
		return u.audit(EventSubjectDeleted, Event{Subject: sub})
	})
}

// deleteSubject keeps the subject's generation: were it to start anew, tokens of before would be taken for new ones,
// and new ones be refused by the rules of before.
func (u *update) deleteSubject(s Subject) error {
	s.Deleted, s.Claims, s.Scope, s.Disabled = u.now, json.RawMessage("{}"), nil, false
	if err := u.endSessions(s, EndedByDelete); err != nil {
		return err
	}
	if err := u.DeleteConsents(s.ID); err != nil {
		return err
	}
	return u.DeleteAccount(s.ID)
}
