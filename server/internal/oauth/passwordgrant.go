package oauth

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

const grantPassword = "password" // RFC 6749 §4.3, which RFC 9700 §2.4 forbids for whoever isn't the operator

// passwordParameters are those of a log-in by a password alone.
type passwordParameters struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

func (p *passwordParameters) fromForm(form url.Values) {
	p.Username, p.Password = form.Get("username"), form.Get("password")
}

// logIn begins a session for a name and a password, for the operator's own apps alone: no other may see a person's password. A wrong password, an unknown name and a
// disabled subject are answered alike. A second factor has no place in this request.
func (s *Server) logIn(r *http.Request, req *tokenRequest) (issuer.Tokens, error) {
	switch {
	case !req.settled.FirstParty:
		return issuer.Tokens{}, issuer.ErrUnauthorizedClient
	case req.Username == "":
		return issuer.Tokens{}, missing("username")
	case req.Password == "":
		return issuer.Tokens{}, missing("password")
	}
	proof, err := s.people.LogIn(r.Context(), req.Username, req.Password, issuer.Device{Address: web.ClientAddress(r)})
	if err != nil {
		return issuer.Tokens{}, err
	}
	tokens, err := s.issuer.Issue(r.Context(), issuer.Grant{
		Subject:   proof.Subject,
		ClientID:  req.ID,
		Resource:  req.Resource,
		Scope:     web.ParseScope(req.Scope),
		AMR:       proof.AMR,
		UserAgent: r.UserAgent(),
		Address:   web.ClientAddress(r),
		Confirm:   proof.Confirm,

		KeyThumbprint: req.keyThumbprint,
	})
	if errors.Is(err, issuer.ErrInvalidGrant) || errors.Is(err, issuer.ErrNotFound) {
		err = issuer.ErrInvalidCredentials
	}
	return tokens, err
}
