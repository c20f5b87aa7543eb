package oauth

import (
	"net/http"
	"net/url"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

const grantRefresh = "refresh_token" // RFC 6749 §6

// refreshParameters are those of a refresh alone.
type refreshParameters struct {
	RefreshToken string `json:"refresh_token"`
}

func (p *refreshParameters) fromForm(form url.Values) { p.RefreshToken = form.Get("refresh_token") }

// refresh trades a refresh token.
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

		KeyThumbprint: req.keyThumbprint,
	})
}
