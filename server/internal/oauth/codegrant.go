package oauth

import (
	"net/http"
	"net/url"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

const grantCode = "authorization_code" // RFC 6749 §4.1.3

// codeParameters are those of an authorization code alone.
type codeParameters struct {
	Code        string `json:"code"`
	RedirectURI string `json:"redirect_uri"`
	Verifier    string `json:"code_verifier"` // RFC 7636 §4.5
}

func (p *codeParameters) fromForm(form url.Values) {
	p.Code, p.RedirectURI, p.Verifier = form.Get("code"), form.Get("redirect_uri"), form.Get("code_verifier")
}

// redeemCode trades an authorization code. Its scope was settled when the person allowed it, so that a scope has no
// place here.
func (s *Server) redeemCode(r *http.Request, req *tokenRequest) (issuer.Tokens, error) {
	switch {
	case req.Code == "":
		return issuer.Tokens{}, missing("code")
	case req.RedirectURI == "":
		return issuer.Tokens{}, missing("redirect_uri")
	case req.Verifier == "":
		return issuer.Tokens{}, missing("code_verifier")
	}
	tokens, err := s.issuer.RedeemCode(r.Context(), issuer.CodeGrant{
		Code:        req.Code,
		Client:      req.proof,
		RedirectURI: req.RedirectURI,
		Verifier:    req.Verifier,
		Resource:    req.Resource,
		UserAgent:   r.UserAgent(),
		Address:     web.ClientAddress(r),

		KeyThumbprint: req.keyThumbprint,
	})
	return tokens, clientError(err, inHeader(r))
}
