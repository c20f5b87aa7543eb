package admin

import (
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
)

// listConsents answers what a subject lets others' clients have.
func (a *API) listConsents(w http.ResponseWriter, r *http.Request) error {
	answer, err := web.ReadConsents(r.Context(), a.issuer, r.PathValue("sub"))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, answer)
	return nil
}

// withdrawConsent takes back what a subject lets a client have, and ends the client's sessions of it.
func (a *API) withdrawConsent(w http.ResponseWriter, r *http.Request) error {
	if err := a.issuer.WithdrawConsent(r.Context(), r.PathValue("sub"), r.PathValue("client")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
