package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// session is what a login asks for.
type session struct {
	ClientID    string `json:"client_id"`    // of a first-party client; "" means the default
	Resource    string `json:"resource"`     // audience of the access token; "" means the default
	Scope       string `json:"scope"`        // "" means all that is granted
	Cookies     bool   `json:"cookies"`      // tokens go into cookies rather than the body
	DeviceToken string `json:"device_token"` // of the last login from this device, where no cookie bears it
}

type logInRequest struct {
	Username string `json:"username"`
	Password string `json:"password"`
	session
}

// logIn starts a session for a name and a password, or answers a challenge where the account demands more.
func (a *API) logIn(w http.ResponseWriter, r *http.Request) {
	var req logInRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		web.Fail(w, r, err)
		return
	}
	a.begin(w, r, req.session, issuer.ErrInvalidCredentials, func() (issuer.Proof, error) {
		return a.accounts.LogIn(r.Context(), req.Username, req.Password, device(r, req.DeviceToken))
	})
}

type factorRequest struct {
	Challenge  string          `json:"challenge"`
	Code       string          `json:"code"`
	Credential json.RawMessage `json:"credential"` // a passkey's answer, instead of a code
	session
}

// completeLogIn starts a session for a challenge and a second factor.
func (a *API) completeLogIn(w http.ResponseWriter, r *http.Request) {
	var req factorRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		web.Fail(w, r, err)
		return
	}
	if req.Code != "" && req.Credential != nil {
		web.Fail(w, r, web.NewProblem(http.StatusBadRequest, "send a code or a credential, not both"))
		return
	}
	if req.Credential != nil {
		a.begin(w, r, req.session, issuer.ErrPasskey, func() (issuer.Proof, error) {
			return a.accounts.CompleteWithPasskey(web.Acting(w, r), req.Challenge, req.Credential, device(r, req.DeviceToken))
		})
		return
	}
	a.begin(w, r, req.session, issuer.ErrFactor, func() (issuer.Proof, error) {
		return a.accounts.CompleteLogIn(r.Context(), req.Challenge, req.Code, device(r, req.DeviceToken))
	})
}

// begin starts the session that a login asks for, if its proof is good. What nobody could be granted is refused before
// the proof is looked at: it costs no hash, and is no guess. A subject that is disabled or gone gets the answer that a
// wrong proof of this kind gets, so that no answer confirms one.
func (a *API) begin(w http.ResponseWriter, r *http.Request, s session, wrong error, prove func() (issuer.Proof, error)) {
	client, err := a.firstParty(r.Context(), s.ClientID)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	grant := issuer.Grant{
		ClientID:  client,
		Resource:  s.Resource,
		Scope:     web.ParseScope(s.Scope),
		UserAgent: r.UserAgent(),
		Address:   web.ClientAddress(r),
	}
	if err := a.issuer.CheckGrant(r.Context(), grant); err != nil {
		web.Fail(w, r, err)
		return
	}
	proof, err := prove()
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	grant.Subject, grant.AMR, grant.Confirm = proof.Subject, proof.AMR, proof.Confirm
	tokens, err := a.issuer.Issue(r.Context(), grant)
	if errors.Is(err, issuer.ErrInvalidGrant) || errors.Is(err, issuer.ErrNotFound) {
		err = wrong
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	a.writeLogIn(w, tokens, proof.DeviceToken, s.Cookies)
}

// device is where a request comes from. A device token that is no good is none, so there is nothing to refuse here.
func device(r *http.Request, fromBody string) issuer.Device {
	from := issuer.Device{Address: web.ClientAddress(r), Token: fromBody}
	if cookie, err := r.Cookie(DeviceCookie); err == nil && fromBody == "" {
		from.Token = cookie.Value
	}
	return from
}
