package oauth

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

const grantPassword = "password" // RFC 6749 §4.3, which RFC 9700 §2.4 forbids for whoever isn't the operator

// passwordParameters are those of a login by a password alone.
type passwordParameters struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

func (p *passwordParameters) fromForm(form url.Values) {
	p.Username, p.Password = form.Get("username"), form.Get("password")
}

// logIn begins a session for a name and a password, for the operator's own apps alone: no other may see a person's
// password. A wrong password, an unknown name and a disabled subject are answered alike. What nobody could be granted
// is refused before anybody is looked for: it costs no hash, and is no guess. A second factor has no place in this
// request.
func (s *Server) logIn(r *http.Request, req *tokenRequest) (issuer.Tokens, error) {
	switch {
	case !req.settled.FirstParty:
		return issuer.Tokens{}, issuer.ErrUnauthorizedClient
	case req.Username == "":
		return issuer.Tokens{}, missing("username")
	case req.Password == "":
		return issuer.Tokens{}, missing("password")
	}
	grant := issuer.Grant{
		ClientID:  req.ID,
		Resource:  req.Resource,
		Scope:     web.ParseScope(req.Scope),
		UserAgent: r.UserAgent(),
		Address:   web.ClientAddress(r),

		KeyThumbprint: req.keyThumbprint,
	}
	if err := s.issuer.CheckGrant(r.Context(), grant); err != nil {
		return issuer.Tokens{}, err
	}
	proof, err := s.people.LogIn(r.Context(), req.Username, req.Password, issuer.Device{Address: grant.Address})
	if err != nil {
		return issuer.Tokens{}, err
	}
	grant.Subject, grant.AMR, grant.Confirm = proof.Subject, proof.AMR, proof.Confirm
	tokens, err := s.issuer.Issue(r.Context(), grant)
	if errors.Is(err, issuer.ErrInvalidGrant) || errors.Is(err, issuer.ErrNotFound) {
		err = issuer.ErrInvalidCredentials
	}
	return tokens, err
}
