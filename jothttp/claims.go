package jothttp

import (
	"errors"
	"net/http"

	"github.com/jot-auth/jot"
)

var errClaims = errors.New("jothttp: the token's claims don't permit this")

// Require lets only requests through whose token's claims, decoded into a T as [jot.Token.Decode] does, satisfy ok: a
// role, a licensed feature. Others get 403, and so do claims that don't fit into a T. It stands inside [Protect];
// without it every request is answered 500, as with [RequireScope].
func Require[T any](ok func(T) bool) func(http.Handler) http.Handler {
	return demand{
		status: http.StatusForbidden,
		lack: func(token *jot.Token) error {
			var claims T
			if token.Decode(&claims) != nil || !ok(claims) {
				return errClaims
			}
			return nil
		},
	}.middleware()
}
