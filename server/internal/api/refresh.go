package api

import (
	"errors"
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

type refreshRequest struct {
	RefreshToken string `json:"refresh_token"` // absent when the cookie bears it
}

// refresh answers with new tokens, in the way in which the refresh token came.
func (a *API) refresh(w http.ResponseWriter, r *http.Request) {
	var req refreshRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		web.Fail(w, r, err)
		return
	}
	token, fromCookie, err := refreshToken(r, req.RefreshToken)
	if err == nil && token == "" {
		err = issuer.ErrInvalidGrant
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	tokens, err := a.issuer.Refresh(r.Context(), issuer.RefreshRequest{
		Token:     token,
		ClientID:  a.client,
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

// refreshToken answers the refresh token of a request, from its body or its cookie. Both
// at once are a problem of status 400, neither is "".
func refreshToken(r *http.Request, fromBody string) (token string, fromCookie bool, err error) {
	cookie, err := web.Cookie(r, RefreshCookie)
	if err != nil {
		return "", false, err
	}
	if cookie != "" && fromBody != "" {
		return "", false, web.NewProblem(http.StatusBadRequest, "use a refresh token in the body or in the cookie, not both")
	}
	return cookie + fromBody, cookie != "", nil
}
