package feed

import (
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
)

// keySet answers with the public keys of the feed, a JWK Set (RFC 7517 section 5).
func (s *Server) keySet(w http.ResponseWriter, r *http.Request) {
	body, err := s.issuer.FeedKeySet().MarshalJSON()
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Write(body)
}
