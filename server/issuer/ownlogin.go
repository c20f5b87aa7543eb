package issuer

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/jot-auth/jot/revocation"
)

// checkSubject says what is wrong with the subject of a grant, and with the claims that it brings along, which it makes
// compact. A client that acts for itself has a subject too, and no session: whoever brings a login would pass for it.
func (g *Grant) checkSubject() error {
	if strings.HasPrefix(g.Subject, ClientPrefix) {
		return &InputError{"subject", "must not begin with " + ClientPrefix}
	}
	if g.Claims == nil {
		return nil
	}
	claims, err := checkClaims(g.Claims)
	g.Claims = claims
	return errors.Join(checkName("subject", g.Subject), err, checkScope(g.Scope))
}

// grantee finds the subject of a grant. Where the grant brings claims, the subject becomes what it says, and the scope
// is used up.
func (u *update) grantee(g *Grant) (Subject, error) {
	s, err := findSubject(u, g.Subject)
	if err := g.checkNoAdmin(s); err != nil {
		return Subject{}, err
	}
	if g.Claims == nil {
		return s, err
	}
	scope := g.Scope
	g.Scope = nil
	if errors.Is(err, ErrNotFound) {
		return u.makeSubject(Subject{ID: g.Subject, Claims: g.Claims, Scope: scope})
	}
	if err != nil || s.Disabled {
		return s, err
	}
	if scope == nil {
		scope = s.Scope
	}
	if bytes.Equal(s.Claims, g.Claims) && sameWords(s.Scope, scope) {
		return s, nil
	}
	before := s
	s.Claims, s.Scope = g.Claims, scope
	if err := u.keepAdmin(before, s); err != nil {
		return Subject{}, err
	}
	if err := u.auditChange(before, s, true); err != nil {
		return Subject{}, err
	}
	if err := u.outdate(s, revocation.SubjectGeneration); err != nil {
		return Subject{}, err
	}
	s.Generation++ // as outdate stored it
	return s, nil
}

// sameWords compares two lists as sets.
func sameWords(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
