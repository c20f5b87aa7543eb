// Package oauth serves the OAuth 2.1 endpoints that programs ask: tokens (RFC 6749), revocation (RFC 7009),
// introspection (RFC 7662), what is known of a person (OpenID Connect Core), the key set (RFC 7517) and the metadata
// (RFC 8414, OpenID Connect Discovery). It translates between HTTP and the domain; the rules are in package issuer.
package oauth

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Issuer is what this package needs of an *issuer.Issuer.
type Issuer interface {
	Published
	Grants
	Devices
	Tokens
}

// Published is what everybody may know.
type Published interface {
	jothttp.Nonces
	URL() string
	Resources() []issuer.Resource
	KeySet() *jot.KeySet
	KeySetMaxAge() time.Duration
}

// Grants are the ways to get tokens, for clients that prove who they are.
type Grants interface {
	AuthenticateClient(ctx context.Context, p issuer.ClientProof) (issuer.Client, error)
	AuthenticateAssertion(ctx context.Context, id, assertion string) (issuer.Client, error)
	CheckGrant(ctx context.Context, g issuer.Grant) error
	Issue(ctx context.Context, g issuer.Grant) (issuer.Tokens, error)
	IssueToClient(ctx context.Context, g issuer.ClientGrant) (issuer.Tokens, error)
	ExchangeToken(ctx context.Context, e issuer.Exchange) (issuer.Tokens, error)
	Refresh(ctx context.Context, r issuer.RefreshRequest) (issuer.Tokens, error)
	RedeemCode(ctx context.Context, g issuer.CodeGrant) (issuer.Tokens, error)
}

// Devices get tokens without a browser of their own.
type Devices interface {
	StartDevice(ctx context.Context, r issuer.DeviceRequest) (issuer.DeviceStart, error)
	RedeemDevice(ctx context.Context, g issuer.DeviceGrant) (issuer.Tokens, error)
}

// Tokens are about tokens that were issued.
type Tokens interface {
	RevokeToken(ctx context.Context, token, clientID string) error
	Introspect(ctx context.Context, token string, by issuer.Client) (issuer.Introspection, error)
	UserInfo(ctx context.Context, token *jot.Token) (map[string]json.RawMessage, error)
	Verifier() *jot.Verifier
}

// People proves who somebody is by a name and a password.
type People interface {
	LogIn(ctx context.Context, name, password string, from issuer.Device) (issuer.Proof, error)
}

// Server serves the OAuth endpoints.
type Server struct {
	issuer Issuer
	people People
	proofs *jothttp.ProofVerifier
	base   string // path of the issuer's URL
}

// New makes the endpoints of an issuer, for the people who log in there. It fails when the issuer's URL can't be
// served.
func New(i Issuer, people People) (*Server, error) {
	base, err := web.BasePath(i.URL())
	if err != nil {
		return nil, err
	}
	proofs, err := jothttp.NewProofVerifier(jothttp.ProofOptions{Nonces: i})
	if err != nil {
		return nil, err
	}
	return &Server{issuer: i, people: people, proofs: proofs, base: base}, nil
}

// Register adds the routes to mux, under the path of the issuer's URL. The metadata of
// RFC 8414 stands where its §3.1 puts it, before that path, as well.
func (s *Server) Register(mux *http.ServeMux) {
	keySet := s.publish(&document{contentType: "application/jwk-set+json", content: keySet})
	metadata := s.publish(&document{contentType: "application/json", content: s.metadata})
	userInfo := s.userInfo()
	routes := map[string]http.HandlerFunc{
		"POST /oauth2/token":                          s.token,
		"POST /oauth2/device_authorization":           s.startDevice,
		"POST /oauth2/revoke":                         s.revoke,
		"GET /userinfo":                               userInfo,
		"POST /userinfo":                              userInfo,
		"POST /oauth2/introspect":                     s.introspect,
		"GET /.well-known/jwks.json":                  keySet,
		"GET /.well-known/openid-configuration":       metadata,
		"GET /.well-known/oauth-authorization-server": metadata,
	}
	for route, handler := range routes {
		web.Handle(mux, s.base, route, handler)
	}
	if s.base != "" {
		route := "GET /.well-known/oauth-authorization-server" + s.base
		web.Handle(mux, "", route, metadata)
	}
}

// decode reads a request from a form, whose unknown parameters don't count (RFC 6749
// §3.2), or from JSON.
func decode(w http.ResponseWriter, r *http.Request, req interface{ fromForm(url.Values) }) error {
	if web.IsJSON(r) {
		return web.DecodeJSON(w, r, req)
	}
	form, err := web.DecodeForm(w, r)
	if err != nil {
		return err
	}
	req.fromForm(form)
	return nil
}
