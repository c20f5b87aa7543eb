package issuer

import (
	"errors"
	"slices"
)

// ErrLastAdmin is a change that would leave nobody to administer the issuer.
var ErrLastAdmin = errors.New("issuer: this is the last administrator: make another one first")

// ErrAdminOnly is a grant with NoAdmin that is for the admin API, gives one of its scopes, or is for a subject that has
// one.
var ErrAdminOnly = errors.New("issuer: administrators log in at the issuer itself")

// checkNoAdmin refuses what a grant with NoAdmin mustn't reach. The subject, empty where there is none, is as it was
// read by the transaction that changes it and begins its session: one that becomes an administrator at the same time is
// one before or after.
func (g *Grant) checkNoAdmin(s Subject) error {
	if g.NoAdmin && (reachesAdmin(g.Scope) || reachesAdmin(s.Scope)) {
		return ErrAdminOnly
	}
	return nil
}

// reachesAdmin reports whether a scope opens any of the admin API.
func reachesAdmin(scope []string) bool {
	return slices.Contains(scope, ScopeAdmin) || slices.Contains(scope, ScopeSessions)
}

// administers reports whether a subject may use the whole of the admin API.
func (s *Subject) administers() bool { return !s.Disabled && slices.Contains(s.Scope, ScopeAdmin) }

// keepAdmin refuses to take the last administrator out of office. Another one is looked for in the transaction that
// makes the change: of two administrators that disable each other at once, the second finds itself the last.
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
