package oauth

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// grantMethod does what a grant type says.
type grantMethod func(*Server, *http.Request, *tokenRequest) (issuer.Tokens, error)

// grants are the grant types of the token endpoint, each in a file of its own. The client was authenticated before, but
// for those of settleClient.
var grants = map[string]grantMethod{
	grantCode:    (*Server).redeemCode,
	grantRefresh: (*Server).refresh,
	grantClient:  (*Server).issueToClient,

	grantExchange: (*Server).exchange,
	grantDevice:   (*Server).redeemDevice,
	grantPassword: (*Server).logIn,
}

// grantTypes are those that the token endpoint takes, as the metadata names them.
var grantTypes = slices.Sorted(maps.Keys(grants))

// tokenRequest is a request for tokens, with RFC 8707's resource. What one grant type alone takes is in the file of
// that grant.
type tokenRequest struct {
	client
	codeParameters
	refreshParameters
	deviceParameters
	exchangeParameters
	passwordParameters
	GrantType string `json:"grant_type"`
	Scope     string `json:"scope"`
	Resource  string `json:"resource"`

	settled       issuer.Client      // who asks, but for grantClient
	proof         issuer.ClientProof // of the client, for grantClient
	keyThumbprint string             // of the key that the request's DPoP proof has shown; "": there is no proof
}

func (t *tokenRequest) fromForm(form url.Values) {
	t.client.fromForm(form)
	t.codeParameters.fromForm(form)
	t.refreshParameters.fromForm(form)
	t.deviceParameters.fromForm(form)
	t.exchangeParameters.fromForm(form)
	t.passwordParameters.fromForm(form)
	t.GrantType, t.Scope, t.Resource = form.Get("grant_type"), form.Get("scope"), form.Get("resource")
}

// tokenAnswer is the answer of the token endpoint.
type tokenAnswer struct {
	web.TokenAnswer
	Issued string `json:"issued_token_type,omitempty"` // RFC 8693 §2.2.1
}

// token answers POST /oauth2/token.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	var req tokenRequest
	tokens, err := s.grant(w, r, &req)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	web.NoStore(w)
	answer := tokenAnswer{TokenAnswer: web.NewTokenAnswer(tokens)}
	if req.GrantType == grantExchange {
		answer.Issued = typeAccessToken
	}
	web.WriteJSON(w, http.StatusOK, answer)
}

// grant does what the request's grant type says.
func (s *Server) grant(w http.ResponseWriter, r *http.Request, req *tokenRequest) (issuer.Tokens, error) {
	if err := decode(w, r, req); err != nil {
		return issuer.Tokens{}, err
	}
	if err := s.settleClient(r, req); err != nil {
		return issuer.Tokens{}, err
	}
	if req.GrantType == "" {
		return issuer.Tokens{}, missing("grant_type")
	}
	grant, known := grants[req.GrantType]
	if !known {
		return issuer.Tokens{}, unsupportedGrant
	}
	return s.proving(w, r, req, grant)
}

// settleClient authenticates the client. One that acts for itself, or has a code, has its proof looked at where its
// tokens are made: what it asks for is little work, of which reading the client twice would be a large part.
func (s *Server) settleClient(r *http.Request, req *tokenRequest) (err error) {
	if req.GrantType == grantClient || req.GrantType == grantCode {
		req.proof, err = s.proof(r, &req.client)
	} else {
		req.settled, err = s.authenticate(r, &req.client)
	}
	return err
}

var unsupportedGrant = &protocolError{
	code: "unsupported_grant_type", description: "grant_type must be " + strings.Join(grantTypes, " or "), status: http.StatusBadRequest,
}
