package api

import (
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

type signUpRequest struct {
	Username   string `json:"username"`
	Password   string `json:"password"`
	Email      string `json:"email"`      // "" is none
	Invitation string `json:"invitation"` // where only the invited may sign up
}

type signUpAnswer struct {
	Subject string `json:"sub"`
}

// signUp makes an account and answers its subject. Logging in is a call of its own.
func (a *API) signUp(w http.ResponseWriter, r *http.Request) {
	if !a.options.OpenSignUp && !a.options.InviteSignUp {
		web.WriteProblem(w, &web.Problem{Type: web.TypeSignUpOff, Title: "Nobody can sign up here", Status: http.StatusForbidden})
		return
	}
	var req signUpRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		web.Fail(w, r, err)
		return
	}
	subject, err := a.accounts.SignUp(web.Acting(w, r), issuer.Enrolment{
		Name: req.Username, Password: req.Password, Email: req.Email, Invitation: req.Invitation,
	}, device(r, ""))
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusCreated, signUpAnswer{Subject: subject})
}
