package feed

import (
	"net/http"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// snapshotTimeout bounds how long one snapshot is written.
const snapshotTimeout = time.Minute

// snapshot answers with the rules in force, signed.
func (s *Server) snapshot(w http.ResponseWriter, r *http.Request) {
	select {
	case s.snapshots <- struct{}{}:
		defer func() { <-s.snapshots }()
	default:
		web.Fail(w, r, issuer.ErrBusy)
		return
	}
	now, err := s.issuer.Now(r.Context()) // before the log is read: the time must not promise more than was read
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	head, rules, err := s.issuer.ActiveRules(r.Context())
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	s.writeSnapshot(w, r, revocation.Statement{Head: head, Time: now, MaxTTL: s.issuer.MaxTTL()}, rules)
}

func (s *Server) writeSnapshot(w http.ResponseWriter, r *http.Request, statement revocation.Statement, rules []revocation.Rule) {
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(snapshotTimeout)); err != nil {
		web.Fail(w, r, err)
		return
	}
	web.NoStore(w)
	w.Header().Set("Content-Type", revocation.SnapshotType)
	body := &counter{w: w}
	err := revocation.WriteSnapshot(r.Context(), body, s.issuer.FeedSigner(), s.issuer.URL(), statement, rules)
	switch {
	case err == nil:
	case body.n == 0:
		web.Fail(w, r, err)
	default:
		panic(http.ErrAbortHandler) // the answer must not look whole
	}
}

// counter knows whether anything was written.
type counter struct {
	w http.ResponseWriter
	n int
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += len(p)
	return c.w.Write(p)
}

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
