package jothttp

import (
	"fmt"
	"net/http"
)

// retryAfter is the Retry-After of a 503, in seconds: about what a feed needs to connect again.
const retryAfter = "2"

// unavailable answers that the token could not be judged now. It has no challenge, so that clients keep their tokens.
func unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", retryAfter)
	problem(w, http.StatusServiceUnavailable)
}

// problem writes a problem document without a detail (RFC 9457), which no cache keeps.
func problem(w http.ResponseWriter, status int) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/problem+json")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"type":"about:blank","title":%q,"status":%d}`+"\n", http.StatusText(status), status)
}
