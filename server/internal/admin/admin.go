// Package admin is the admin API under /admin/v1: subjects, sessions, clients, resources, keys, revocations and events,
// and the page on which the first administrator is made. It translates between HTTP and the domain; the rules are in
// packages issuer and accounts.
//
// Whoever calls it shows a bearer token for the issuer's own resource. Cookies count for nothing here, so no other site
// can make a browser call it.
package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Issuer is what this package needs of an *issuer.Issuer, noun by noun.
type Issuer interface {
	Self
	Subjects
	Sessions
	Clients
	Resources
	Keys
	Revocations
	Events
	web.Consents
}

// Self is what an issuer says of itself.
type Self interface {
	URL() string
	AdminAudience() string
	Verifier() *jot.Verifier
	Now(ctx context.Context) (time.Time, error)
}

// API serves the admin API.
type API struct {
	issuer   Issuer
	accounts Accounts
	base     string // path of the issuer's URL
}

// New makes the admin API of an issuer. It fails when the issuer's URL can't be served.
func New(i Issuer, a Accounts) (*API, error) {
	base, err := web.BasePath(i.URL())
	if err != nil {
		return nil, err
	}
	return &API{issuer: i, accounts: a, base: base}, nil
}

// handler answers a request, or fails with the error that is to be answered.
type handler func(w http.ResponseWriter, r *http.Request) error

// Register adds the routes to mux, under the path of the issuer's URL.
func (a *API) Register(mux *http.ServeMux) {
	for route, h := range map[string]handler{
		"GET /admin/v1/subjects":                  a.listSubjects,
		"POST /admin/v1/subjects":                 a.createSubject,
		"GET /admin/v1/subjects/{sub}":            a.showSubject,
		"PATCH /admin/v1/subjects/{sub}":          a.changeSubject,
		"DELETE /admin/v1/subjects/{sub}":         a.deleteSubject,
		"POST /admin/v1/subjects/{sub}/logout":    a.logOutSubject,
		"PUT /admin/v1/subjects/{sub}/password":   a.setPassword,
		"DELETE /admin/v1/subjects/{sub}/factors": a.removeFactors,
		"GET /admin/v1/subjects/{sub}/export":     a.exportSubject,
		"GET /admin/v1/invitations":               a.listInvitations,
		"POST /admin/v1/invitations":              a.invite,
		"DELETE /admin/v1/invitations/{id}":       a.withdrawInvitation,
		"GET /admin/v1/sessions":                  a.listSessions,
		"GET /admin/v1/sessions/{sid}":            a.showSession,
		"DELETE /admin/v1/sessions/{sid}":         a.endSession,
		"GET /admin/v1/clients":                   a.listClients,
		"POST /admin/v1/clients":                  a.createClient,
		"GET /admin/v1/clients/{id}":              a.showClient,
		"PATCH /admin/v1/clients/{id}":            a.changeClient,
		"DELETE /admin/v1/clients/{id}":           a.deleteClient,
		"POST /admin/v1/clients/{id}/secret":      a.replaceSecret,
		"GET /admin/v1/resources":                 a.listResources,
		"POST /admin/v1/resources":                a.createResource,
		"GET /admin/v1/resources/{audience}":      a.showResource,
		"PATCH /admin/v1/resources/{audience}":    a.changeResource,
		"DELETE /admin/v1/resources/{audience}":   a.deleteResource,
		"GET /admin/v1/keys":                      a.listKeys,
		"POST /admin/v1/keys":                     a.importKey,
		"POST /admin/v1/keys/rotate":              a.rotateKey,
		"POST /admin/v1/revocations":              a.revoke,
		"DELETE /admin/v1/keys/{kid}":             a.revokeKey,
		"GET /admin/v1/events":                    a.listEvents,

		"PUT /admin/v1/subjects/{sub}/factors/totp":         a.importTOTP,
		"POST /admin/v1/subjects/{sub}/factors/passkeys":    a.importPasskey,
		"GET /admin/v1/subjects/{sub}/consents":             a.listConsents,
		"DELETE /admin/v1/subjects/{sub}/consents/{client}": a.withdrawConsent,
	} {
		web.Handle(mux, a.base, route, a.guard(h, issuer.ScopeAdmin))
	}
	web.Handle(mux, a.base, "POST /admin/v1/sessions", a.guard(a.issueSession, issuer.ScopeAdmin, issuer.ScopeSessions))
	web.Handle(mux, a.base, "POST /admin/v1/bootstrap", answering(a.bootstrap))
	web.Handle(mux, a.base, "GET /admin/bootstrap", http.HandlerFunc(a.bootstrapForm))
	web.Handle(mux, a.base, "POST /admin/bootstrap", sameOrigin(http.HandlerFunc(a.submitBootstrap)))
}
