package api

import (
	"errors"
	"net/http"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

type passwordRequest struct {
	Current string `json:"current"`
	New     string `json:"new"`
}

// changePassword replaces the password, ends every session, and answers with the tokens of a new one, in the way in
// which the access token came.
func (a *API) changePassword(w http.ResponseWriter, r *http.Request) {
	tok, err := a.authenticate(r)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	var req passwordRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		web.Fail(w, r, err)
		return
	}
	tokens, err := a.renew(r, tok, req)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	a.writeTokens(w, tokens, len(r.CookiesNamed(AccessCookie)) > 0)
}

// errWrongPassword isn't a 401: the access token is good, and a client that refreshes it and tries again would spend a
// second attempt.
var errWrongPassword = &web.Problem{Type: web.TypeInvalidCredentials, Title: "Wrong password", Status: http.StatusForbidden}

func (a *API) renew(r *http.Request, tok *jot.Token, req passwordRequest) (issuer.Tokens, error) {
	demanded, err := a.checkFactors(r, tok)
	if err != nil {
		return issuer.Tokens{}, err
	}
	proof, err := a.accounts.ChangePassword(r.Context(), tok.Subject(), req.Current, req.New, demanded, device(r, ""))
	var tokens issuer.Tokens
	if err == nil {
		tokens, err = a.issuer.RenewSession(r.Context(), issuer.Renewal{
			Subject:   proof.Subject,
			SessionID: tok.SessionID(),
			AMR:       renewedAMR(tok, proof, demanded),
			UserAgent: r.UserAgent(),
			Address:   web.ClientAddress(r),
			Confirm:   proof.Confirm,
			Committed: proof.Committed,
		})
	}
	switch {
	case errors.Is(err, issuer.ErrInvalidCredentials):
		err = errWrongPassword
	case errors.Is(err, issuer.ErrInvalidGrant):
		err = web.InvalidToken("the session is over")
	}
	return tokens, err
}

// checkFactors reports whether the account demands a second factor, and refuses a login that lacks the account's second
// factor, or is too long ago for it to count: the new session would be as strong as one that has just begun.
func (a *API) checkFactors(r *http.Request, tok *jot.Token) (demanded bool, err error) {
	found, err := a.accounts.Factors(r.Context(), tok.Subject())
	if err != nil || len(found) == 0 {
		return false, err
	}
	if !byTwoFactors(tok) {
		return true, web.LoginTooWeak(issuer.ACRTwoFactors)
	}
	return true, a.checkRecent(r, tok)
}

// renewedAMR is how somebody proved who it is that gave the password anew. A second factor that checkFactors demanded
// counts on.
func renewedAMR(tok *jot.Token, p issuer.Proof, demanded bool) []string {
	if demanded && byTwoFactors(tok) {
		return methods(tok)
	}
	return p.AMR
}
