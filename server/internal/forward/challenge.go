package forward

import (
	"net/http"
	"strings"
)

// oneChallenge writes the challenges of a refusal as a list in one header (RFC 9110 §11.6.1): nginx before 1.23 hands
// on the first header alone, and a client that has to prove its key would learn nothing.
type oneChallenge struct{ http.ResponseWriter }

func (w oneChallenge) WriteHeader(status int) {
	if challenges := w.Header().Values("WWW-Authenticate"); len(challenges) > 1 {
		w.Header().Set("WWW-Authenticate", strings.Join(challenges, ", "))
	}
	w.ResponseWriter.WriteHeader(status)
}
