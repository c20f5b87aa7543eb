package admin

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// guard lets a request through that bears a token with one of the scopes, and says to the domain who acts.
func (a *API) guard(next handler, scopes ...string) http.Handler {
	return answering(func(w http.ResponseWriter, r *http.Request) error {
		token, err := a.authorize(r, scopes)
		if err != nil {
			return err
		}
		actor := web.ActorOf(w, r)
		actor.Subject, actor.ClientID = token.Subject(), token.ClientID()
		return next(w, r.WithContext(issuer.WithActor(r.Context(), actor)))
	})
}

// answering lets net/http serve a handler: it answers with the handler's error, and keeps all answers out of caches.
func answering(next handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.NoStore(w)
		if err := next(w, r); err != nil {
			web.Fail(w, r, err)
		}
	})
}

// authorize verifies the bearer token of a request: it's the issuer's own, for the admin API, not revoked, and has one
// of the scopes.
func (a *API) authorize(r *http.Request, scopes []string) (*jot.Token, error) {
	raw, err := jothttp.Credential(r, "", 0)
	if err != nil {
		return nil, err
	}
	if raw == "" {
		return nil, web.NewProblem(http.StatusUnauthorized, "the request has no access token")
	}
	token, err := a.issuer.Verifier().Verify(r.Context(), raw)
	if err != nil {
		return nil, err
	}
	if err := web.RefuseBound(token); err != nil {
		return nil, err
	}
	if audience := token.Audience(); len(audience) != 1 || audience[0] != a.issuer.AdminAudience() {
		return nil, web.InvalidToken("the access token is for another API: ask for one with resource " + a.issuer.AdminAudience())
	}
	if !slices.ContainsFunc(strings.Fields(token.Scope()), func(s string) bool { return slices.Contains(scopes, s) }) {
		return nil, web.InsufficientScope(scopes[0], fmt.Sprintf("this needs the scope %s", strings.Join(scopes, " or ")))
	}
	return token, nil
}
