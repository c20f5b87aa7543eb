package jothttp

import (
	"errors"
	"net/http"
)

var errClaims = errors.New("jothttp: the token's claims don't permit this")

// Require lets only requests through whose token's claims, decoded into a T as [jot.Token.Decode] does, satisfy ok: a role, a licensed feature. Others get
// 403, and so do claims that don't fit into a T. It stands inside [Protect]; without it every request is answered 500, as with [RequireScope].
func Require[T any](ok func(T) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			visit := visitFrom(r.Context())
			if visit == nil {
				problem(w, http.StatusInternalServerError)
				return
			}
			var claims T
			if visit.token.Decode(&claims) != nil || !ok(claims) {
				visit.guard.refuseClaims(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func (g *guard) refuseClaims(w http.ResponseWriter, r *http.Request) {
	if g.OnRefuse != nil {
		g.OnRefuse(r, errClaims)
	}
	problem(w, http.StatusForbidden)
}
