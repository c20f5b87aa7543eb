package petstore

import (
	"net/http"

	"github.com/jot-auth/jot/revocation"
)

// health answers 200 while the feed is fresh, and 503 while requests with tokens are answered so, for a load balancer
// that knows another replica. An alarm goes by the numbers. Why the feed failed is for the log: it may name hosts.
type health struct{ feed *revocation.Reader }

func (h health) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	state, status := h.feed.State(), http.StatusOK
	if state.Lease == 0 {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	answer(w, status, map[string]any{
		"connection":   state.Connection, // stream, poll, or none
		"leaseSeconds": state.Lease.Seconds(),
		"lagSeconds":   state.Lag.Seconds(),
		"rules":        state.Rules,
	})
}
