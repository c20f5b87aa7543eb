package feed

import (
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
)

// keySet answers with the public keys of the feed, a JWK Set (RFC 7517 §5). Caches may keep it for as long as a new key
// is shown before it signs.
func (s *Server) keySet(w http.ResponseWriter, r *http.Request) {
	body, err := s.issuer.FeedKeySet().MarshalJSON()
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	web.NewDocument("application/jwk-set+json", body, s.issuer.KeySetMaxAge()).ServeHTTP(w, r)
}
