package oauth

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	grantRefresh = "refresh_token"      // RFC 6749 section 6
	grantClient  = "client_credentials" // section 4.4
)

// grantTypes are those that the token endpoint takes, as the metadata names them.
var grantTypes = []string{grantRefresh, grantClient}

// tokenRequest is RFC 6749's of sections 4.4.2 and 6, with RFC 8707's resource.
type tokenRequest struct {
	client
	GrantType    string `json:"grant_type"`
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
	Resource     string `json:"resource"`
}

func (t *tokenRequest) fromForm(form url.Values) {
	t.client.fromForm(form)
	t.GrantType, t.RefreshToken = form.Get("grant_type"), form.Get("refresh_token")
	t.Scope, t.Resource = form.Get("scope"), form.Get("resource")
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
	web.WriteJSON(w, http.StatusOK, web.NewTokenAnswer(tokens))
}

// grant does what the request's grant type says.
func (s *Server) grant(w http.ResponseWriter, r *http.Request, req *tokenRequest) (issuer.Tokens, error) {
	if err := decode(w, r, req); err != nil {
		return issuer.Tokens{}, err
	}
	if err := s.authenticate(r, &req.client); err != nil {
		return issuer.Tokens{}, err
	}
	switch req.GrantType {
	case grantRefresh:
		return s.refresh(r, req)
	case grantClient:
		return s.issueToClient(r, req)
	case "":
		return issuer.Tokens{}, missing("grant_type")
	}
	return issuer.Tokens{}, &protocolError{code: "unsupported_grant_type", description: "grant_type must be " + strings.Join(grantTypes, " or "), status: http.StatusBadRequest}
}

func (s *Server) refresh(r *http.Request, req *tokenRequest) (issuer.Tokens, error) {
	if req.RefreshToken == "" {
		return issuer.Tokens{}, missing("refresh_token")
	}
	return s.issuer.Refresh(r.Context(), issuer.RefreshRequest{
		Token:     req.RefreshToken,
		ClientID:  req.ID,
		Resource:  req.Resource,
		Scope:     web.ParseScope(req.Scope),
		UserAgent: r.UserAgent(),
		Address:   web.ClientAddress(r),
	})
}

// issueToClient answers a client that acts for itself.
func (s *Server) issueToClient(r *http.Request, req *tokenRequest) (issuer.Tokens, error) {
	return s.issuer.IssueToClient(r.Context(), issuer.ClientGrant{ClientID: req.ID, Resource: req.Resource, Scope: web.ParseScope(req.Scope)})
}
