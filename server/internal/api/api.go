// Package api is the first-party JSON interface under /v1: sign up, log in, refresh, log
// out, and who am I. It translates between HTTP and the domain; the rules are in packages
// issuer and accounts.
//
// Tokens travel in JSON, or in cookies when the client asked for them at log-in. Cookies
// make forged cross-site requests possible, so the whole tree refuses those.
package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Issuer is what this package needs of an *issuer.Issuer.
type Issuer interface {
	URL() string
	Clients() []issuer.Client
	Issue(ctx context.Context, g issuer.Grant) (issuer.Tokens, error)
	Refresh(ctx context.Context, r issuer.RefreshRequest) (issuer.Tokens, error)
	EndSession(ctx context.Context, subject, sid string) error
	SessionOf(ctx context.Context, refreshToken, clientID string) (issuer.Session, error)
	EndSessions(ctx context.Context, subject string) error
	Subject(ctx context.Context, subject string) (issuer.Subject, error)
}

// Accounts is what this package needs of an *accounts.Accounts.
type Accounts interface {
	SignUp(ctx context.Context, name, password string) (subject string, err error)
	LogIn(ctx context.Context, name, password string) (subject string, err error)
}

// Options are choices about the endpoints. The zero value is the strictest.
type Options struct {
	OpenSignUp bool // anybody may sign up; otherwise nobody
}

// API serves the /v1 tree.
type API struct {
	issuer   Issuer
	verifier *jot.Verifier
	accounts Accounts
	options  Options
	client   string // the first-party client: all tokens here are its own
	base     string // path of the issuer's URL
}

// New makes the API of an issuer. The verifier is the issuer's own, which knows what is
// revoked. New fails when the issuer has no first-party client or a URL that can't be
// served.
func New(i Issuer, v *jot.Verifier, a Accounts, o Options) (*API, error) {
	base, err := web.BasePath(i.URL())
	if err != nil {
		return nil, err
	}
	for _, client := range i.Clients() {
		if client.FirstParty {
			return &API{issuer: i, verifier: v, accounts: a, options: o, client: client.ID, base: base}, nil
		}
	}
	return nil, errors.New("api: the issuer has no first-party client; configure one")
}

// Register adds the routes to mux, under the path of the issuer's URL.
func (a *API) Register(mux *http.ServeMux) {
	routes := map[string]http.HandlerFunc{
		"POST /v1/signup":  a.signUp,
		"POST /v1/login":   a.logIn,
		"POST /v1/refresh": a.refresh,
		"POST /v1/logout":  a.logOut,
		"GET /v1/me":       a.me,
	}
	for route, handler := range routes {
		web.Handle(mux, a.base, route, guard(handler))
	}
}

// guard keeps what is true of every endpoint here: no cross-site requests, nothing stored by
// caches.
func guard(next http.Handler) http.Handler {
	csrf := http.NewCrossOriginProtection()
	csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.WriteProblem(w, web.NewProblem(http.StatusForbidden, "cross-origin request"))
	}))
	return csrf.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.NoStore(w)
		next.ServeHTTP(w, r)
	}))
}
