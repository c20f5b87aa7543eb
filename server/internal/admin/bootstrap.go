package admin

import (
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
)

type bootstrapRequest struct {
	Code     string `json:"code"`
	Username string `json:"username"`
	Password string `json:"password"`
}

type bootstrapAnswer struct {
	Subject string `json:"sub"`
}

// bootstrap makes an administrator for whoever has the operator's code.
func (a *API) bootstrap(w http.ResponseWriter, r *http.Request) error {
	var req bootstrapRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		return err
	}
	sub, err := a.makeAdmin(w, r, req)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusCreated, bootstrapAnswer{Subject: sub})
	return nil
}

func (a *API) makeAdmin(w http.ResponseWriter, r *http.Request, req bootstrapRequest) (sub string, err error) {
	ctx := web.Acting(w, r)
	return a.accounts.Bootstrap(ctx, req.Code, req.Username, req.Password)
}
