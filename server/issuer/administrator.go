package issuer

import (
	"errors"
	"slices"
)

// ErrLastAdmin is a change that would leave nobody to administer the issuer.
var ErrLastAdmin = errors.New("issuer: this is the last administrator: make another one first")

// administers reports whether a subject may use the whole of the admin API.
func (s *Subject) administers() bool { return !s.Disabled && slices.Contains(s.Scope, ScopeAdmin) }

// keepAdmin refuses to take the last administrator out of office. Another one is looked for in the transaction that makes the
// change: of two administrators that disable each other at once, the second finds itself the last.
func (u *update) keepAdmin(before, after Subject) error {
	if !before.administers() || after.administers() {
		return nil
	}
	another, err := u.OtherWithScope(ScopeAdmin, before.ID)
	if err == nil && !another {
		err = ErrLastAdmin
	}
	return err
}
