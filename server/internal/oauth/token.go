package oauth

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// tokenRequest is RFC 6749 section 6's.
type tokenRequest struct {
	client
	GrantType    string `json:"grant_type"`
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
}

func (t *tokenRequest) fromForm(form url.Values) {
	t.client.fromForm(form)
	t.GrantType, t.RefreshToken, t.Scope = form.Get("grant_type"), form.Get("refresh_token"), form.Get("scope")
}

// tokenAnswer is RFC 6749 section 5.1's.
type tokenAnswer struct {
	Access    string `json:"access_token"`
	Type      string `json:"token_type"`
	ExpiresIn int64  `json:"expires_in"` // seconds
	Refresh   string `json:"refresh_token"`
	Scope     string `json:"scope"`
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
	web.WriteJSON(w, http.StatusOK, tokenAnswer{
		Access:    tokens.Access,
		Type:      "Bearer",
		ExpiresIn: int64(tokens.ExpiresIn / time.Second),
		Refresh:   tokens.Refresh,
		Scope:     strings.Join(tokens.Scope, " "),
	})
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
	return issuer.Tokens{}, &protocolError{code: "unsupported_grant_type", status: http.StatusBadRequest}
}

func (s *Server) refresh(r *http.Request, req *tokenRequest) (issuer.Tokens, error) {
	if req.RefreshToken == "" {
		return issuer.Tokens{}, missing("refresh_token")
	}
	scope, err := web.ParseScope(req.Scope)
	if err != nil {
		return issuer.Tokens{}, err
	}
	return s.issuer.Refresh(r.Context(), issuer.RefreshRequest{
		Token:     req.RefreshToken,
		ClientID:  req.ID,
		Scope:     scope,
		UserAgent: r.UserAgent(),
		Address:   web.ClientAddress(r),
	})
}
