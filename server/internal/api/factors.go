package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// SecondFactors is what this package needs of an *accounts.Accounts about second factors.
type SecondFactors interface {
	CompleteLogIn(ctx context.Context, challenge, code string, from issuer.Device) (issuer.Proof, error)
	Factors(ctx context.Context, subject string) ([]issuer.Factor, error)
	EnrolTOTP(ctx context.Context, subject, password string, from issuer.Device) (secret, uri string, err error)
	ConfirmTOTP(ctx context.Context, subject, code string, from issuer.Device) (codes []string, err error)
	RemoveTOTP(ctx context.Context, subject string) error
	RenewRecoveryCodes(ctx context.Context, subject, password string, from issuer.Device) (codes []string, err error)
}

type factorsAnswer struct {
	Factors []web.FactorRecord `json:"factors"`
}

// listFactors answers what the account demands beside its password.
func (a *API) listFactors(w http.ResponseWriter, r *http.Request) {
	tok, err := a.authenticate(r)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	found, err := a.accounts.Factors(r.Context(), tok.Subject())
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, factorsAnswer{web.NewFactorRecords(found)})
}

type enrolRequest struct {
	Password string `json:"password"`
}

type enrolAnswer struct {
	Secret string `json:"secret"` // base32
	URI    string `json:"uri"`    // of a QR code
}

// enrolTOTP begins to give an account one-time codes.
func (a *API) enrolTOTP(w http.ResponseWriter, r *http.Request) {
	var req enrolRequest
	tok, err := a.decodeFactored(w, r, &req)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	secret, uri, err := a.accounts.EnrolTOTP(web.Acting(w, r), tok.Subject(), req.Password, device(r, ""))
	if err != nil {
		web.Fail(w, r, enrolProblem(err, web.CodesTaken))
		return
	}
	web.WriteJSON(w, http.StatusOK, enrolAnswer{secret, uri})
}

type confirmAnswer struct {
	RecoveryCodes []string `json:"recovery_codes"` // none where the account had a second factor before
}

// confirmTOTP takes the first code, and answers the recovery codes.
func (a *API) confirmTOTP(w http.ResponseWriter, r *http.Request) {
	var req codeRequest
	tok, err := a.decodeFactored(w, r, &req)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	codes, err := a.accounts.ConfirmTOTP(web.Acting(w, r), tok.Subject(), req.Code, device(r, ""))
	if err != nil {
		web.Fail(w, r, enrolProblem(err, web.CodesTaken))
		return
	}
	web.WriteJSON(w, http.StatusOK, confirmAnswer{append([]string{}, codes...)})
}

// removeTOTP takes one-time codes away, for who has just logged in with two factors.
func (a *API) removeTOTP(w http.ResponseWriter, r *http.Request) {
	tok, err := a.factored(r)
	if err == nil {
		err = a.accounts.RemoveTOTP(web.Acting(w, r), tok.Subject())
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// renewRecoveryCodes answers new ones, for who has just logged in with two factors and gives the password.
func (a *API) renewRecoveryCodes(w http.ResponseWriter, r *http.Request) {
	var req enrolRequest
	tok, err := a.decodeFactored(w, r, &req)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	codes, err := a.accounts.RenewRecoveryCodes(web.Acting(w, r), tok.Subject(), req.Password, device(r, ""))
	if errors.Is(err, issuer.ErrInvalidCredentials) {
		err = errWrongPassword
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, confirmAnswer{codes})
}

// enrolProblem says what went wrong where somebody enrols who is logged in.
func enrolProblem(err error, taken *web.Problem) error {
	if errors.Is(err, issuer.ErrInvalidCredentials) {
		return errWrongPassword
	}
	return web.Taken(err, taken)
}

// recentLogin is how long ago somebody may have logged in who gets all that is stored, or changes how to log in:
// whoever finds an open browser doesn't.
const recentLogin = 10 * time.Minute

// recent authenticates a request whose login isn't long ago.
func (a *API) recent(r *http.Request) (*jot.Token, error) {
	tok, err := a.authenticate(r)
	if err != nil {
		return nil, err
	}
	return tok, a.checkRecent(r, tok)
}

// factored is recent for who changes the account's factors: where there is one already, the login was with one. Else
// whoever knows the password and has a login of before would add their own.
func (a *API) factored(r *http.Request) (*jot.Token, error) {
	tok, err := a.recent(r)
	if err == nil {
		_, err = a.checkFactors(r, tok)
	}
	return tok, err
}

// decodeFactored is factored, and then reads the request's body.
func (a *API) decodeFactored(w http.ResponseWriter, r *http.Request, body any) (*jot.Token, error) {
	tok, err := a.factored(r)
	if err == nil {
		err = web.DecodeJSON(w, r, body)
	}
	return tok, err
}

func (a *API) checkRecent(r *http.Request, tok *jot.Token) error {
	now, err := a.issuer.Now(r.Context())
	if err == nil && now.Sub(tok.AuthTime()) > recentLogin {
		err = web.LoginTooOld(recentLogin)
	}
	return err
}

// methods are how the subject of a token logged in (RFC 8176).
func methods(tok *jot.Token) []string {
	var claims struct {
		AMR []string `json:"amr"`
	}
	if tok.Decode(&claims) != nil {
		return nil
	}
	return claims.AMR
}

func byTwoFactors(tok *jot.Token) bool { return slices.Contains(methods(tok), "mfa") }
