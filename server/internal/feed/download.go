package feed

import (
	"net/http"
	"strconv"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	downloadTimeout = time.Minute // for sending one snapshot or segment

	// forever lets every cache keep the answer. Caches that go by Vary give it only to who sends the same credential:
	// others are sent on to us.
	forever = "public, max-age=31536000, immutable"
)

// download sends what never changes.
func (s *Server) download(w http.ResponseWriter, r *http.Request, mediaType string, body []byte) {
	select {
	case s.downloads <- struct{}{}:
		defer func() { <-s.downloads }()
	default:
		web.Fail(w, r, issuer.ErrBusy)
		return
	}
	web.GiveTime(w, downloadTimeout)
	header := w.Header()
	header.Set("Content-Type", mediaType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", forever)
	header.Set("Vary", "Authorization")
	w.Write(body) // to a client that may be gone
}
