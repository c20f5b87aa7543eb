package api

import (
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
)

// listConsents answers what the person lets others' clients have.
func (a *API) listConsents(w http.ResponseWriter, r *http.Request) {
	tok, err := a.authenticate(r)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	answer, err := web.ReadConsents(r.Context(), a.issuer, tok.Subject())
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, answer)
}

// withdrawConsent takes back what a client was let have, and ends its sessions.
func (a *API) withdrawConsent(w http.ResponseWriter, r *http.Request) {
	tok, err := a.authenticate(r)
	if err == nil {
		err = a.issuer.WithdrawConsent(web.Acting(w, r), tok.Subject(), r.PathValue("client"))
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
