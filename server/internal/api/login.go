package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

type logInRequest struct {
	Username string `json:"username"`
	Password string `json:"password"`
	Resource string `json:"resource"` // audience of the access token; "" means the default
	Scope    string `json:"scope"`    // "" means all that is granted
	Cookies  bool   `json:"cookies"`  // tokens go into cookies rather than the body
}

// logIn starts a session for a name and a password.
func (a *API) logIn(w http.ResponseWriter, r *http.Request) {
	var req logInRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		web.Fail(w, r, err)
		return
	}
	subject, err := a.accounts.LogIn(r.Context(), req.Username, req.Password)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	tokens, err := a.issue(r.Context(), issuer.Grant{
		Subject:   subject,
		ClientID:  a.client,
		Resource:  req.Resource,
		Scope:     web.ParseScope(req.Scope),
		AMR:       []string{"pwd"}, // RFC 8176 section 2
		UserAgent: r.UserAgent(),
		Address:   web.ClientAddress(r),
	})
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	a.writeTokens(w, tokens, req.Cookies)
}

// issue starts a session. A subject that is disabled or gone gets the answer that a wrong
// password gets, so that no answer confirms the password.
func (a *API) issue(ctx context.Context, g issuer.Grant) (issuer.Tokens, error) {
	tokens, err := a.issuer.Issue(ctx, g)
	if errors.Is(err, issuer.ErrInvalidGrant) || errors.Is(err, issuer.ErrNotFound) {
		err = issuer.ErrInvalidCredentials
	}
	return tokens, err
}
