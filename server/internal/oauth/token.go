package oauth

import (
	"net/http"
	"net/url"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// tokenRequest is RFC 6749 section 6's, with RFC 8707's resource.
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
	if err := s.authenticate(r, req.client); err != nil {
		return issuer.Tokens{}, err
	}
	switch req.GrantType {
	case "refresh_token":
		return s.refresh(r, req)
	case "":
		return issuer.Tokens{}, missing("grant_type")
	}
	return issuer.Tokens{}, &protocolError{code: "unsupported_grant_type", description: "grant_type must be refresh_token", status: http.StatusBadRequest}
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
