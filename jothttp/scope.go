package jothttp

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// RequireScope lets only requests through whose token has all of these scopes (RFC 6749 §3.3); others get 403.
// It stands inside [Protect]. Without Protect around it every request is answered 500, since letting it in would hide the
// mistake. It panics without a scope, and for one that can't be written in a header.
func RequireScope(scopes ...string) func(http.Handler) http.Handler {
	if len(scopes) == 0 {
		panic("jothttp: RequireScope needs at least one scope")
	}
	for _, scope := range scopes {
		if scope == "" || strings.Contains(scope, " ") || !quotable(scope) {
			panic(fmt.Sprintf("jothttp: %q is not a scope: give each as an argument of its own", scope))
		}
	}
	required := &scopeSet{names: slices.Clone(scopes), refusal: `, error="insufficient_scope", scope="` + strings.Join(scopes, " ") + `"`}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if required.admit(w, r) {
				next.ServeHTTP(w, r)
			}
		})
	}
}

// scopeSet is what a token must have, and the end of the challenge when it has not.
type scopeSet struct {
	names   []string
	refusal string
}

// admit checks a request's token, or answers the request and returns false.
func (s *scopeSet) admit(w http.ResponseWriter, r *http.Request) bool {
	visit := visitFrom(r.Context())
	if visit == nil {
		problem(w, http.StatusInternalServerError)
		return false
	}
	for _, name := range s.names {
		if !visit.token.HasScope(name) {
			visit.guard.refuseScope(w, r, visit.scheme, name, s.refusal)
			return false
		}
	}
	return true
}

func (g *guard) refuseScope(w http.ResponseWriter, r *http.Request, scheme, missing, refusal string) {
	if g.OnRefuse != nil {
		g.OnRefuse(r, fmt.Errorf("jothttp: the token lacks scope %s", missing))
	}
	g.challenge(w, http.StatusForbidden, scheme, refusal)
}
