package oauth

import (
	"net/http"
	"net/url"

	"github.com/jot-auth/jot/server/internal/web"
)

// tokenQuery is a request about one token, as RFC 7009 §2.1 and RFC 7662 §2.1 have it.
type tokenQuery struct {
	client
	Token         string `json:"token"`
	TokenTypeHint string `json:"token_type_hint"` // not needed: the two kinds look different
}

func (q *tokenQuery) fromForm(form url.Values) {
	q.client.fromForm(form)
	q.Token, q.TokenTypeHint = form.Get("token"), form.Get("token_type_hint")
}

// revoke answers POST /oauth2/revoke: an access token is refused from now on, a refresh
// token's session ends. A token that is unknown or dead is a success too (RFC 7009
// §2.2). The answer comes after the rule is stored and published.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	if err := s.revokeToken(w, r); err != nil {
		s.fail(w, r, err)
		return
	}
	web.NoStore(w)
	w.WriteHeader(http.StatusOK)
}

func (s *Server) revokeToken(w http.ResponseWriter, r *http.Request) error {
	var req tokenQuery
	if err := decode(w, r, &req); err != nil {
		return err
	}
	if _, err := s.authenticate(r, &req.client); err != nil {
		return err
	}
	if req.Token == "" {
		return missing("token")
	}
	return s.issuer.RevokeToken(r.Context(), req.Token, req.ID)
}
