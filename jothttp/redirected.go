package jothttp

import (
	"context"
	"errors"
	"net/http"
)

var errRedirected = errors.New("jothttp: somebody else has logged in since the request that was redirected here: make it again")

// senderKey is where a request's context has the login in whose name a Transport sends it.
type senderKey struct{ transport *Transport }

// inNameOf returns a copy of a request whose context says for whom it's sent.
func (t *Transport) inNameOf(r *http.Request, pair TokenPair) *http.Request {
	return copyOf(context.WithValue(r.Context(), senderKey{t}, pair.login()), r)
}

// checkSender refuses a request to which a redirect led of one that was sent in another's name: by 307 and 308 it has
// that one's body.
func (t *Transport) checkSender(r *http.Request, pair TokenPair) error {
	for r.Response != nil && r.Response.Request != nil {
		r = r.Response.Request
		if login, sent := r.Context().Value(senderKey{t}).(string); sent && login != pair.login() {
			return errRedirected
		}
	}
	return nil
}
