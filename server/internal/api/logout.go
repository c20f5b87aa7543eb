package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/web"
)

type logOutRequest struct {
	Everywhere   bool   `json:"everywhere"`    // end all sessions of the subject
	RefreshToken string `json:"refresh_token"` // names the session when the access token expired
}

// logOut ends the session of the access token, or all of its subject's, and the session of the
// refresh token. It answers 204 after the rules that refuse the tokens are stored and
// published. Cookies are taken back where they came and are of no use any more.
func (a *API) logOut(w http.ResponseWriter, r *http.Request) {
	var req logOutRequest
	if err := web.DecodeOptionalJSON(w, r, &req); err != nil {
		web.Fail(w, r, err)
		return
	}
	err := a.endSessions(r, req)
	if hasCookies(r) && (err == nil || web.ProblemOf(err).Status == http.StatusUnauthorized) {
		a.clearCookies(w)
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// endSessions ends what the access token names, and what the refresh token names, which is
// enough by itself for its own session. An access token that isn't good any more then doesn't
// matter; a refresh token that isn't genuine does: it would pass for a session that has ended.
func (a *API) endSessions(r *http.Request, req logOutRequest) error {
	refresh, _, err := refreshToken(r, req.RefreshToken)
	if err != nil {
		return err
	}
	tok, err := a.authenticate(r)
	switch {
	case err == nil:
		err = a.endSessionOf(r.Context(), tok, req.Everywhere)
	case refresh != "" && !req.Everywhere && (err == errNoToken || errors.Is(err, jot.ErrInvalidToken)):
		err = nil
	}
	if err != nil || refresh == "" {
		return err
	}
	return a.issuer.EndSessionOf(r.Context(), refresh, a.client)
}

func (a *API) endSessionOf(ctx context.Context, tok *jot.Token, everywhere bool) error {
	if everywhere {
		return a.issuer.EndSessions(ctx, tok.Subject())
	}
	return a.issuer.EndSession(ctx, tok.Subject(), tok.SessionID())
}
