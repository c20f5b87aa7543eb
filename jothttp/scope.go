package jothttp

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/jot-auth/jot"
)

// RequireScope lets only requests through whose token has all of these scopes (RFC 6749 §3.3); others get 403. It
// stands inside [Protect]. Without Protect around it every request is answered 500, since letting it in would hide the
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
	names := slices.Clone(scopes)
	return demand{
		status: http.StatusForbidden, params: `, error="insufficient_scope", scope="` + strings.Join(names, " ") + `"`,
		lack: func(token *jot.Token) error {
			for _, name := range names {
				if !token.HasScope(name) {
					return fmt.Errorf("jothttp: the token lacks scope %s", name)
				}
			}
			return nil
		},
	}.middleware()
}
