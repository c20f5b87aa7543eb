package api

import (
	"encoding/json"
	"net/http"

	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/web"
)

type meAnswer struct {
	Subject  string          `json:"sub"`
	Session  string          `json:"sid"`
	ClientID string          `json:"client_id"`
	Audience []string        `json:"aud"`
	Scope    string          `json:"scope"`
	Expires  int64           `json:"exp"`       // of the access token, Unix seconds
	AuthTime int64           `json:"auth_time"` // when the password was given
	Claims   json.RawMessage `json:"claims"`    // as they are now; the token may be older
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
	if tok.RefreshAdvised() {
		w.Header().Set(jothttp.RefreshHeader, "advised")
	}
	web.WriteJSON(w, http.StatusOK, meAnswer{
		Subject:  subject.ID,
		Session:  tok.SessionID(),
		ClientID: tok.ClientID(),
		Audience: tok.Audience(),
		Scope:    tok.Scope(),
		Expires:  tok.Expires().Unix(),
		AuthTime: tok.AuthTime().Unix(),
		Claims:   subject.Claims,
	})
}
