package server

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// registerHealth adds the probes. /healthz says that the process answers; /readyz that it can issue tokens, and will go
// on doing so.
func (s *Server) registerHealth(mux *http.ServeMux, base string) {
	web.Handle(mux, base, "GET /healthz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeStatus(w, "alive")
	}))
	web.Handle(mux, base, "GET /readyz", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			ending := web.ProblemOf(issuer.ErrUnavailable)
			ending.Detail = "the server is about to end"
			web.WriteProblem(w, ending)
			return
		}
		if err := errors.Join(s.witness.check(), s.issuer.Ready(r.Context())); err != nil { // bounds its own time
			web.Fail(w, r, fmt.Errorf("%w: %w", issuer.ErrUnavailable, err))
			return
		}
		writeStatus(w, "ready")
	}))
}

func writeStatus(w http.ResponseWriter, status string) {
	web.NoStore(w)
	web.WriteJSON(w, http.StatusOK, map[string]string{"status": status})
}
