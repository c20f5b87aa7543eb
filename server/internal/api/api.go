// Package api is the first-party JSON interface under /v1: sign up, log in, refresh, log
// out, and who am I. It translates between HTTP and the domain; the rules are in packages
// issuer and accounts.
//
// Tokens travel in JSON, or in cookies when the client asked for them at login. Cookies
// make forged cross-site requests possible, so the whole tree refuses those.
package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Issuer is what this package needs of an *issuer.Issuer.
type Issuer interface {
	URL() string
	Clients() []issuer.Client
	Client(ctx context.Context, id string) (issuer.Client, error)
	Subject(ctx context.Context, subject string) (issuer.Subject, error)
	CheckGrant(ctx context.Context, g issuer.Grant) error
	Issue(ctx context.Context, g issuer.Grant) (issuer.Tokens, error)
	Refresh(ctx context.Context, r issuer.RefreshRequest) (issuer.Tokens, error)
	Sessions
	web.Stored
	web.Consents
}

// Sessions is what it needs to list, replace and end sessions.
type Sessions interface {
	SessionOf(ctx context.Context, refreshToken, clientID string) (issuer.Session, error)
	SessionsOf(ctx context.Context, subject, after string, limit int) (live []issuer.Session, next string, err error)
	RenewSession(ctx context.Context, r issuer.Renewal) (issuer.Tokens, error)
	EndSession(ctx context.Context, subject, sid string) error
	EndSessions(ctx context.Context, subject string) error
}

// Accounts is what this package needs of an *accounts.Accounts.
type Accounts interface {
	SignUp(ctx context.Context, e issuer.Enrolment, from issuer.Device) (subject string, err error)
	LogIn(ctx context.Context, name, password string, from issuer.Device) (issuer.Proof, error)
	ChangePassword(ctx context.Context, subject, current, fresh string, demanded bool, from issuer.Device) (issuer.Proof, error)
	ChangeEmail(ctx context.Context, subject, password, email string, from issuer.Device) error
	VerifyEmail(ctx context.Context, code string) error
	RequestReset(ctx context.Context, email string, from issuer.Device) error
	CompleteReset(ctx context.Context, code, fresh string) error
	Person(ctx context.Context, subject string) (issuer.Person, error)
	SecondFactors
	Passkeys
	web.StoredAccounts
}

// Options are choices about the endpoints. The zero value is the strictest.
type Options struct {
	OpenSignUp   bool // anybody may sign up
	InviteSignUp bool // whoever has an invitation may; without both, nobody

	// TrustedOrigins are those whose pages may send requests with cookies; otherwise only pages of this very origin
	// may.
	TrustedOrigins []string
}

// API serves the /v1 tree.
type API struct {
	issuer   Issuer
	verifier *jot.Verifier
	accounts Accounts
	options  Options
	client   string // the default client, the first of the first-party ones
	base     string // path of the issuer's URL
	origins  *http.CrossOriginProtection
}

// New makes the API of an issuer. The verifier is the issuer's own, which knows what is
// revoked. New fails when the issuer has no public first-party client or a URL that can't be
// served.
func New(i Issuer, v *jot.Verifier, a Accounts, o Options) (*API, error) {
	base, err := web.BasePath(i.URL())
	if err != nil {
		return nil, err
	}
	origins, err := protectOrigins(o.TrustedOrigins)
	if err != nil {
		return nil, err
	}
	for _, client := range i.Clients() {
		if client.FirstParty && !client.Confidential() {
			return &API{issuer: i, verifier: v, accounts: a, options: o, client: client.ID, base: base, origins: origins}, nil
		}
	}
	return nil, errors.New("api: the issuer has no first-party client; configure one")
}

// firstParty returns the ID of a first-party client, declared or stored; "" stands for the default one. Tokens of all
// others are none of this package's business: they don't reach a person's account. Neither is a client that has a
// secret, for which nobody asks here.
func (a *API) firstParty(ctx context.Context, id string) (string, error) {
	if id == "" || id == a.client {
		return a.client, nil
	}
	client, err := a.issuer.Client(ctx, id)
	if err != nil && !errors.Is(err, issuer.ErrNotFound) {
		return "", err
	}
	if err != nil || !client.FirstParty || client.Confidential() {
		return "", errNotFirstParty
	}
	return client.ID, nil
}

var errNotFirstParty = &web.Problem{Type: web.TypeInvalidClient, Title: "The client is not a first-party client", Status: http.StatusBadRequest}

// Register adds the routes to mux, under the path of the issuer's URL.
func (a *API) Register(mux *http.ServeMux) {
	routes := map[string]http.HandlerFunc{
		"POST /v1/signup":                   a.signUp,
		"POST /v1/login":                    a.logIn,
		"POST /v1/login/factor":             a.completeLogIn,
		"POST /v1/login/passkey":            a.askPasskey,
		"POST /v1/login/passkey/confirm":    a.logInWithPasskey,
		"GET /v1/factors":                   a.listFactors,
		"POST /v1/factors/totp":             a.enrolTOTP,
		"POST /v1/factors/totp/confirm":     a.confirmTOTP,
		"DELETE /v1/factors/totp":           a.removeTOTP,
		"POST /v1/factors/recovery-codes":   a.renewRecoveryCodes,
		"POST /v1/factors/passkeys":         a.enrolPasskey,
		"POST /v1/factors/passkeys/confirm": a.confirmPasskey,
		"PATCH /v1/factors/passkeys/{id}":   a.renamePasskey,
		"DELETE /v1/factors/passkeys/{id}":  a.removePasskey,
		"POST /v1/refresh":                  a.refresh,
		"POST /v1/logout":                   a.logOut,
		"POST /v1/password":                 a.changePassword,
		"POST /v1/password/reset":           a.requestReset,
		"POST /v1/password/reset/confirm":   a.completeReset,
		"POST /v1/email":                    a.changeEmail,
		"POST /v1/email/confirm":            a.verifyEmail,
		"GET /v1/me/export":                 a.export,
		"GET /v1/me":                        a.me,
		"GET /v1/sessions":                  a.listSessions,
		"DELETE /v1/sessions/{sid}":         a.endSession,
		"GET /v1/consents":                  a.listConsents,
		"DELETE /v1/consents/{client}":      a.withdrawConsent,
	}
	for route, handler := range routes {
		web.Handle(mux, a.base, route, a.guard(handler))
	}
}

// protectOrigins refuses requests that a page of another origin made, unless it is trusted.
func protectOrigins(trusted []string) (*http.CrossOriginProtection, error) {
	origins := http.NewCrossOriginProtection()
	for _, origin := range trusted {
		if err := origins.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("api: trusted origin: %w", err)
		}
	}
	origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.WriteProblem(w, web.NewProblem(http.StatusForbidden, "cross-origin request"))
	}))
	return origins, nil
}

// guard keeps what is true of every endpoint here: no cross-site requests, nothing stored by
// caches.
func (a *API) guard(next http.Handler) http.Handler {
	return a.origins.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.NoStore(w)
		next.ServeHTTP(w, r)
	}))
}
