// Package foreign takes other issuers' logout tokens (OpenID Connect Back-Channel Logout 1.0) and finds their keys.
// What a logout means is decided in package issuer.
package foreign

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Issuer is what this package needs of an *issuer.Issuer.
type Issuer interface {
	URL() string
	LogOutForeign(ctx context.Context, logoutToken string) error
}

// Server serves the endpoint that other issuers call.
type Server struct {
	issuer Issuer
	base   string // path of the issuer's URL
}

// New makes the endpoint. It fails when the issuer's URL can't be served.
func New(i Issuer) (*Server, error) {
	base, err := web.BasePath(i.URL())
	if err != nil {
		return nil, err
	}
	return &Server{issuer: i, base: base}, nil
}

// Register adds the route to mux, under the path of the issuer's URL.
func (s *Server) Register(mux *http.ServeMux) {
	web.Handle(mux, s.base, "POST /feed/backchannel-logout", http.HandlerFunc(s.logOut))
}

// logOut answers another issuer that says who logged out (§2.5). The answer comes after the rules are stored and
// published.
func (s *Server) logOut(w http.ResponseWriter, r *http.Request) {
	web.NoStore(w)
	form, err := web.DecodeForm(w, r)
	if err == nil {
		err = s.issuer.LogOutForeign(r.Context(), form.Get("logout_token"))
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// fail answers 400 to whatever is wrong with the request (§2.8), with an error of RFC 6749 §5.2, and 503 or 500 where
// the fault isn't the caller's, so that it comes again.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	answer := struct {
		Code        string `json:"error"`
		Description string `json:"error_description,omitempty"`
	}{Code: "server_error"}
	status := http.StatusInternalServerError
	var problem *web.Problem
	var input *issuer.InputError
	seconds, unavailable := web.Unavailable(err)
	switch {
	case errors.As(err, &problem):
		status, answer.Code, answer.Description = http.StatusBadRequest, "invalid_request", strings.ReplaceAll(problem.Detail, `\`, "") // RFC 6749 §5.2 has no backslash
	case errors.As(err, &input):
		status, answer.Code, answer.Description = http.StatusBadRequest, "invalid_request", input.Error()
	case unavailable:
		status, answer.Code, answer.Description = http.StatusServiceUnavailable, "temporarily_unavailable", "try again later"
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	web.LogFault(r, status, err)
	web.WriteJSON(w, status, answer)
}
