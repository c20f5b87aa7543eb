package api

import (
	"errors"
	"net/http"

	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

type refreshRequest struct {
	RefreshToken string `json:"refresh_token"` // absent when the cookie bears it
	ClientID     string `json:"client_id"`     // as at login
}

// refresh answers with new tokens, in the way in which the refresh token came.
func (a *API) refresh(w http.ResponseWriter, r *http.Request) {
	var req refreshRequest
	if err := web.DecodeOptionalJSON(w, r, &req); err != nil {
		web.Fail(w, r, err)
		return
	}
	token, fromCookie, err := refreshToken(r, req.RefreshToken)
	if err == nil && token == "" {
		err = web.NewProblem(http.StatusBadRequest, "the refresh token is missing: send it in the body or in the cookie")
	}
	var client string
	if err == nil {
		client, err = a.firstParty(r.Context(), req.ClientID)
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	tokens, err := a.issuer.Refresh(r.Context(), issuer.RefreshRequest{
		Token:     token,
		ClientID:  client,
		UserAgent: r.UserAgent(),
		Address:   web.ClientAddress(r),
	})
	if fromCookie && errors.Is(err, issuer.ErrInvalidGrant) {
		a.clearCookies(w)
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	a.writeTokens(w, tokens, fromCookie)
}

// refreshToken returns the refresh token of a request, from its body or its cookie. Neither is
// ""; more than one, or the cookie beside a bearer token, is an error.
func refreshToken(r *http.Request, fromBody string) (token string, fromCookie bool, err error) {
	if _, err := jothttp.Credential(r, RefreshCookie, 0); err != nil {
		return "", false, err
	}
	cookie, err := r.Cookie(RefreshCookie)
	if err != nil || cookie.Value == "" {
		return fromBody, false, nil
	}
	if fromBody != "" {
		return "", false, web.NewProblem(http.StatusBadRequest, "use a refresh token in the body or in the cookie, not both")
	}
	return cookie.Value, true, nil
}
