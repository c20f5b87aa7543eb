package api

import (
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
)

type resetRequest struct {
	Email string `json:"email"`
}

// requestReset sends the code of a reset to an address that an account has verified. The answer is the same where there
// is none.
func (a *API) requestReset(w http.ResponseWriter, r *http.Request) {
	var req resetRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		web.Fail(w, r, err)
		return
	}
	if err := a.accounts.RequestReset(r.Context(), req.Email, device(r, "")); err != nil {
		web.Fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

type completeResetRequest struct {
	Code string `json:"code"`
	New  string `json:"new"`
}

// completeReset sets a new password for whoever has the code, and ends all sessions.
func (a *API) completeReset(w http.ResponseWriter, r *http.Request) {
	var req completeResetRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		web.Fail(w, r, err)
		return
	}
	if err := a.accounts.CompleteReset(web.Acting(w, r), req.Code, req.New); err != nil {
		web.Fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
