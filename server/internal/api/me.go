package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

type meAnswer struct {
	Subject       string          `json:"sub"`
	Session       string          `json:"sid"`
	ClientID      string          `json:"client_id"`
	Audience      []string        `json:"aud"`
	Scope         string          `json:"scope"`
	Expires       int64           `json:"exp"`                // of the access token, Unix seconds
	AuthTime      int64           `json:"auth_time"`          // when the password was given
	Username      string          `json:"username,omitempty"` // of the account, if there is one, as its owner writes it
	Email         string          `json:"email,omitempty"`
	EmailVerified *bool           `json:"email_verified,omitempty"` // where there is an address
	Claims        json.RawMessage `json:"claims"`                   // as they are now; the token may be older
}

// me answers who the access token is for.
func (a *API) me(w http.ResponseWriter, r *http.Request) {
	tok, err := a.authenticate(r)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	subject, err := a.issuer.Subject(r.Context(), tok.Subject())
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	person, err := a.accounts.Person(r.Context(), subject.ID)
	if err != nil && !errors.Is(err, issuer.ErrNotFound) {
		web.Fail(w, r, err)
		return
	}
	if tok.RefreshAdvised() {
		w.Header().Set(jothttp.RefreshHeader, "advised")
	}
	answer := meAnswer{
		Subject:  subject.ID,
		Session:  tok.SessionID(),
		ClientID: tok.ClientID(),
		Audience: tok.Audience(),
		Scope:    tok.Scope(),
		Expires:  tok.Expires().Unix(),
		AuthTime: tok.AuthTime().Unix(),
		Claims:   subject.Claims,
		Username: person.Name,
		Email:    person.Email,
	}
	if person.Email != "" {
		answer.EmailVerified = &person.EmailVerified
	}
	web.WriteJSON(w, http.StatusOK, answer)
}
