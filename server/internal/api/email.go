package api

import (
	"errors"
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

type emailRequest struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// changeEmail sends a code to an address, with which it becomes the account's. It takes the second factor that the
// account has: whoever knows the password alone, and has a login of before, would take the letters away from whom they
// are to warn.
func (a *API) changeEmail(w http.ResponseWriter, r *http.Request) {
	tok, err := a.authenticate(r)
	if err == nil {
		_, err = a.checkFactors(r, tok)
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	var req emailRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		web.Fail(w, r, err)
		return
	}
	err = a.accounts.ChangeEmail(web.Acting(w, r), tok.Subject(), req.Password, req.Email, device(r, ""))
	if errors.Is(err, issuer.ErrInvalidCredentials) {
		err = errWrongPassword
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

var addressTaken = &web.Problem{Type: web.TypeTaken, Title: "Another account has this address", Status: http.StatusConflict}

type codeRequest struct {
	Code string `json:"code"`
}

// verifyEmail takes the code that was sent to an address. Whoever has it needs no access token.
func (a *API) verifyEmail(w http.ResponseWriter, r *http.Request) {
	var req codeRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		web.Fail(w, r, err)
		return
	}
	err := a.accounts.VerifyEmail(web.Acting(w, r), req.Code)
	if err != nil {
		web.Fail(w, r, web.Taken(err, addressTaken))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
