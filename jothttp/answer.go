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

// misplaced answers for what asks something of a token outside of [Protect]. The detail is for whoever wires the API,
// and says nothing of the request.
func misplaced(w http.ResponseWriter) {
	document(w, http.StatusInternalServerError, `,"detail":"jothttp: RequireScope, Require and StepUp stand inside Protect"`)
}

// problem writes a problem document without a detail.
func problem(w http.ResponseWriter, status int) { document(w, status, "") }

// document writes a problem document (RFC 9457) with further members, which no cache keeps.
func document(w http.ResponseWriter, status int, more string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/problem+json")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"type":"about:blank","title":%q,"status":%d%s}`+"\n", http.StatusText(status), status, more)
}
