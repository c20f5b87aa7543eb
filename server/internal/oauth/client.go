package oauth

import (
	"net/http"
	"net/url"

	"github.com/jot-auth/jot/server/issuer"
)

// client is how a request says who makes it. Every client is public: it states its ID in
// the body and proves nothing (RFC 6749 section 3.2.1).
type client struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

func (c *client) fromForm(form url.Values) {
	c.ID, c.Secret = form.Get("client_id"), form.Get("client_secret")
}

const isPublic = "all clients are public: send client_id and nothing to prove it"

// authenticate refuses a client that isn't known, and one that tries to prove itself: a
// public client has nothing to prove with.
func (s *Server) authenticate(r *http.Request, c client) error {
	switch attempts := len(r.Header.Values("Authorization")); {
	case attempts > 1:
		return &protocolError{code: "invalid_request", description: "two Authorization headers", status: http.StatusBadRequest}
	case attempts == 1: // RFC 6749 section 5.2 demands 401
		return &protocolError{code: "invalid_client", description: isPublic, status: http.StatusUnauthorized}
	case c.Secret != "":
		return &protocolError{code: "invalid_client", description: isPublic, status: http.StatusBadRequest}
	case c.ID != "" && !s.clients[c.ID]:
		return issuer.ErrInvalidClient
	case c.ID == "":
		return missing("client_id")
	}
	return nil
}
