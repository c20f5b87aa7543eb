package server

import (
	"fmt"
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// registerHealth adds the probes. /healthz says that the process answers; /readyz that it can issue tokens.
func registerHealth(mux *http.ServeMux, i *issuer.Issuer) error {
	base, err := web.BasePath(i.URL())
	if err != nil {
		return err
	}
	web.Handle(mux, base, "GET /healthz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeStatus(w, "alive")
	}))
	web.Handle(mux, base, "GET /readyz", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := i.Ready(r.Context()); err != nil { // bounds its own time
			web.Fail(w, r, fmt.Errorf("%w: %w", issuer.ErrUnavailable, err))
			return
		}
		writeStatus(w, "ready")
	}))
	return nil
}

func writeStatus(w http.ResponseWriter, status string) {
	web.NoStore(w)
	web.WriteJSON(w, http.StatusOK, map[string]string{"status": status})
}
