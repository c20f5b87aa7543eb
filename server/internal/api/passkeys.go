package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Passkeys is what this package needs of an *accounts.Accounts about passkeys (WebAuthn).
type Passkeys interface {
	EnrolPasskey(ctx context.Context, subject, password string, from issuer.Device) (options json.RawMessage, err error)
	ConfirmPasskey(ctx context.Context, subject, name string, answer []byte, from issuer.Device) (made issuer.Passkey, codes []string, err error)
	RenamePasskey(ctx context.Context, subject, id, name string) error
	RemovePasskey(ctx context.Context, subject, id string) error
	BeginPasskeyLogIn(ctx context.Context, browser string) (options json.RawMessage, err error)
	LogInWithPasskey(ctx context.Context, browser string, answer []byte, from issuer.Device) (issuer.Proof, error)
	CompleteWithPasskey(ctx context.Context, challenge string, answer []byte, from issuer.Device) (issuer.Proof, error)
}

// anyBrowser is whoever answers a challenge of this tree: nothing tells browsers apart here.
const anyBrowser = ""

// askPasskey answers what the browser is to ask an authenticator for, whoever is there.
func (a *API) askPasskey(w http.ResponseWriter, r *http.Request) {
	if err := web.DecodeOptionalJSON(w, r, &struct{}{}); err != nil {
		web.Fail(w, r, err)
		return
	}
	options, err := a.accounts.BeginPasskeyLogIn(r.Context(), anyBrowser)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, options)
}

type passkeyRequest struct {
	Credential json.RawMessage `json:"credential"`
	session
}

// logInWithPasskey starts a session for an authenticator's answer alone.
func (a *API) logInWithPasskey(w http.ResponseWriter, r *http.Request) {
	var req passkeyRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		web.Fail(w, r, err)
		return
	}
	a.begin(w, r, req.session, issuer.ErrPasskey, func() (issuer.Proof, error) {
		return a.accounts.LogInWithPasskey(web.Acting(w, r), anyBrowser, req.Credential, device(r, req.DeviceToken))
	})
}

// enrolPasskey answers what the browser is to make a passkey of.
func (a *API) enrolPasskey(w http.ResponseWriter, r *http.Request) {
	var req enrolRequest
	tok, err := a.decodeFactored(w, r, &req)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	options, err := a.accounts.EnrolPasskey(r.Context(), tok.Subject(), req.Password, device(r, ""))
	if err != nil {
		web.Fail(w, r, enrolProblem(err, web.PasskeyTaken))
		return
	}
	web.WriteJSON(w, http.StatusOK, options)
}

type confirmPasskeyRequest struct {
	Name       string          `json:"name"`
	Credential json.RawMessage `json:"credential"`
}

type passkeyAnswer struct {
	ID string `json:"id"`
	confirmAnswer
}

// confirmPasskey adds what the authenticator made.
func (a *API) confirmPasskey(w http.ResponseWriter, r *http.Request) {
	var req confirmPasskeyRequest
	tok, err := a.decodeFactored(w, r, &req)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	made, codes, err := a.accounts.ConfirmPasskey(web.Acting(w, r), tok.Subject(), req.Name, req.Credential, device(r, ""))
	if err != nil {
		web.Fail(w, r, enrolProblem(err, web.PasskeyTaken))
		return
	}
	web.WriteJSON(w, http.StatusOK, passkeyAnswer{made.ID, confirmAnswer{append([]string{}, codes...)}})
}

type renameRequest struct {
	Name string `json:"name"`
}

// renamePasskey calls a passkey something else.
func (a *API) renamePasskey(w http.ResponseWriter, r *http.Request) {
	var req renameRequest
	tok, err := a.decodeFactored(w, r, &req)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	if err := a.accounts.RenamePasskey(web.Acting(w, r), tok.Subject(), r.PathValue("id"), req.Name); err != nil {
		web.Fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// removePasskey takes a passkey away, for who has just logged in with two factors.
func (a *API) removePasskey(w http.ResponseWriter, r *http.Request) {
	tok, err := a.factored(r)
	if err == nil {
		err = a.accounts.RemovePasskey(web.Acting(w, r), tok.Subject(), r.PathValue("id"))
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
