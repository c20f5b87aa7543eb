package admin

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// issueRequest asks for tokens for a user whom the caller has authenticated by itself.
type issueRequest struct {
	Subject   string          `json:"sub"`
	Claims    json.RawMessage `json:"claims"` // makes or changes the subject; absent: it must exist
	Scope     string          `json:"scope"`
	ClientID  string          `json:"client_id"`
	Resource  string          `json:"resource"`
	AMR       []string        `json:"amr"`        // how the caller authenticated the user (RFC 8176)
	UserAgent string          `json:"user_agent"` // of the user's device
	Address   string          `json:"address"`    // of the user's device
}

type issueAnswer struct {
	web.TokenAnswer
	Subject   string `json:"sub"`
	SessionID string `json:"sid"`
}

// issueSession begins a session: the caller brings the login. What it may not reach is an administrator, so that the
// scope that is only for this leads to no other, and a backend that is taken over ends there.
func (a *API) issueSession(w http.ResponseWriter, r *http.Request) error {
	var req issueRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		return err
	}
	if req.Subject == "" || req.ClientID == "" {
		return web.NewProblem(http.StatusBadRequest, "sub or client_id is missing")
	}
	tokens, err := a.issuer.Issue(r.Context(), issuer.Grant{
		Subject: req.Subject, Claims: req.Claims, NoAdmin: true, ClientID: req.ClientID, Resource: req.Resource, Scope: web.ParseScope(req.Scope),
		AMR: req.AMR, UserAgent: req.UserAgent, Address: req.Address,
	})
	if err != nil {
		return issueError(err)
	}
	web.WriteJSON(w, http.StatusCreated, issueAnswer{web.NewTokenAnswer(tokens), tokens.Subject, tokens.SessionID})
	return nil
}

// issueError is what a caller is told who begins a session for somebody else: an error that is about this user mustn't
// read like one about the caller's own token, or like a fault of the server.
func issueError(err error) error {
	var size *issuer.TokenSizeError
	switch {
	case errors.Is(err, issuer.ErrInvalidGrant):
		return web.NewProblem(http.StatusConflict, "the subject is disabled")
	case errors.As(err, &size):
		return &issuer.InputError{Field: "claims", Reason: "and scope make the access token too large for a cookie"}
	}
	return err
}
