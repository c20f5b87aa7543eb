package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

type logOutRequest struct {
	Everywhere   bool   `json:"everywhere"`    // end all sessions of the subject
	RefreshToken string `json:"refresh_token"` // names the session when the access token expired
	ClientID     string `json:"client_id"`     // of the refresh token, as at login
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
// enough by itself. An access token that isn't good any more then doesn't matter; a refresh
// token that isn't genuine does: it would pass for a session that has ended.
func (a *API) endSessions(r *http.Request, req logOutRequest) error {
	refresh, _, err := refreshToken(r, req.RefreshToken)
	if err != nil {
		return err
	}
	client, err := a.firstParty(r.Context(), req.ClientID)
	if err != nil {
		return err
	}
	tok, err := a.authenticate(r)
	switch {
	case err == nil:
		err = a.end(r.Context(), tok.Subject(), tok.SessionID(), req.Everywhere)
	case refresh != "" && (err == errNoToken || errors.Is(err, jot.ErrInvalidToken)):
		err = nil
	}
	if err != nil || refresh == "" {
		return err
	}
	session, err := a.issuer.SessionOf(r.Context(), refresh, client)
	if errors.Is(err, issuer.ErrNotFound) {
		return nil // it's over already
	}
	if err != nil {
		return err
	}
	return a.end(r.Context(), session.Subject, session.ID, req.Everywhere)
}

func (a *API) end(ctx context.Context, subject, sid string, everywhere bool) error {
	if everywhere {
		return a.issuer.EndSessions(ctx, subject)
	}
	return a.issuer.EndSession(ctx, subject, sid)
}
