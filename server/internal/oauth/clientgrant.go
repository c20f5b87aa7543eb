package oauth

import (
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

const grantClient = "client_credentials" // RFC 6749 §4.4

// issueToClient answers a client that acts for itself.
func (s *Server) issueToClient(r *http.Request, req *tokenRequest) (issuer.Tokens, error) {
	tokens, err := s.issuer.IssueToClient(r.Context(), issuer.ClientGrant{
		Client: req.proof, Resource: req.Resource, Scope: web.ParseScope(req.Scope), KeyThumbprint: req.keyThumbprint,
	})
	return tokens, clientError(err, inHeader(r))
}
