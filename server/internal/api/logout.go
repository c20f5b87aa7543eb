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

// logOut ends the session of the access token, or all of its subject's; without a valid
// access token, the session of the refresh token. It answers 204 after the rule that
// refuses the tokens is stored and published.
func (a *API) logOut(w http.ResponseWriter, r *http.Request) {
	var req logOutRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		web.Fail(w, r, err)
		return
	}
	refresh, _, err := refreshToken(r, req.RefreshToken)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	if err := a.endSession(r, refresh, req.Everywhere); err != nil {
		web.Fail(w, r, err)
		return
	}
	a.clearCookies(w)
	w.WriteHeader(http.StatusNoContent)
}

// endSession ends what the access token names. A refresh token that came along is revoked
// too, and is enough by itself to end its own session.
func (a *API) endSession(r *http.Request, refresh string, everywhere bool) error {
	tok, err := a.authenticate(r)
	switch {
	case err == nil:
		err = a.endSessionOf(r.Context(), tok, everywhere)
	case refresh != "" && !everywhere && (err == errNoToken || errors.Is(err, jot.ErrInvalidToken)):
		err = nil
	}
	if err != nil || refresh == "" {
		return err
	}
	return a.issuer.RevokeToken(r.Context(), refresh, a.client)
}

func (a *API) endSessionOf(ctx context.Context, tok *jot.Token, everywhere bool) error {
	if everywhere {
		return a.issuer.EndSessions(ctx, tok.Subject())
	}
	return a.issuer.EndSession(ctx, tok.Subject(), tok.SessionID())
}
