// Package forward answers proxies that ask whether a request may go on to the API behind them (nginx's auth_request,
// Caddy's forward_auth, Traefik's ForwardAuth). It judges with the issuer's own verifier and its live rules, so a
// revocation counts at once.
package forward

import (
	"net/http"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/web"
)

// Issuer is what this package needs of an *issuer.Issuer.
type Issuer interface {
	URL() string
	Verifier() *jot.Verifier
}

// Server serves /verify.
type Server struct {
	verifier *jot.Verifier
	proxies  web.Proxies
	proofs   *jothttp.ProofVerifier
	base     string // path of the issuer's URL
}

// New makes the endpoint of an issuer. Only these proxies are believed what they say of the request that they ask
// about.
func New(i Issuer, proxies web.Proxies) (*Server, error) {
	base, err := web.BasePath(i.URL())
	if err != nil {
		return nil, err
	}
	proofs, err := jothttp.NewProofVerifier(jothttp.ProofOptions{})
	if err != nil {
		return nil, err
	}
	return &Server{i.Verifier(), proxies, proofs, base}, nil
}

// Register adds the route to mux, under the path of the issuer's URL.
func (s *Server) Register(mux *http.ServeMux) {
	web.Handle(mux, s.base, "GET /verify", http.HandlerFunc(s.verify))
}

// verify answers GET /verify: 200 lets the request go on, 401 and 403 are for its client, with the challenge.
// Everything that the verifier demands of a request is demanded of the one that the proxy asks about.
func (s *Server) verify(w http.ResponseWriter, r *http.Request) {
	web.NoStore(w)
	caller{}.write(w.Header())
	asked := s.original(r)
	options := jothttp.Options{Verifier: s.verifier, Realm: "jot", Cookie: jothttp.CookieName, DPoP: asked.dpop(s.proofs), OnRefuse: logRefusal}
	options.Protect()(http.HandlerFunc(s.judge)).ServeHTTP(oneChallenge{w}, asked.request)
}

// judge holds a verified token against what the proxy's configuration asks for.
func (s *Server) judge(w http.ResponseWriter, r *http.Request) {
	wanted, err := readDemand(r)
	if err != nil {
		web.LogReason(r, reasonQuery)
		web.Fail(w, r, err)
		return
	}
	token := jothttp.From(r.Context())
	if !token.HasAudience(wanted.audience) {
		web.LogReason(r, reasonAudience)
		web.Fail(w, r, web.InvalidToken("the access token is for another API"))
		return
	}
	var allowed http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		callerOf(token).write(w.Header())
		w.WriteHeader(http.StatusOK)
	})
	if len(wanted.scopes) > 0 {
		allowed = jothttp.RequireScope(wanted.scopes...)(allowed)
	}
	allowed.ServeHTTP(w, r)
}
