package oauth

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// protocolError is an error of RFC 6749 section 5.2. Its texts are fixed ones: none
// quotes the request.
type protocolError struct {
	code        string
	description string
	status      int
	retryAfter  int // seconds; 0 means no Retry-After
}

func (e *protocolError) Error() string { return e.code + ": " + e.description }

// missing is the answer to a request that lacks a parameter.
func missing(parameter string) error {
	return invalidRequest(parameter + " is missing")
}

// invalidRequest is the answer to a request that is malformed.
func invalidRequest(description string) error {
	return &protocolError{code: "invalid_request", description: description, status: http.StatusBadRequest}
}

// clientError is the answer to a client that isn't known or doesn't prove itself: 401 where it used the Authorization header, as RFC 6749
// section 5.2 demands, and else 400. Other errors stay as they are.
func clientError(err error, header bool) error {
	if header && errors.Is(err, issuer.ErrInvalidClient) {
		return &protocolError{code: "invalid_client", description: invalidClient, status: http.StatusUnauthorized}
	}
	return err
}

const invalidClient = "the client is unknown, or its secret or assertion is wrong, missing or not called for"

// Fail answers a request that never reached its endpoint, as the endpoint would.
func (s *Server) Fail(w http.ResponseWriter, r *http.Request, err error) { s.fail(w, r, err) }

// fail answers with an error, and logs it if it is a fault. One that is none of the
// protocol's or the domain's is answered with 500 and no description.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e := protocolErrorOf(err)
	web.LogFault(r, e.status, err)
	web.NoStore(w)
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.retryAfter))
	}
	if e.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="`+s.issuer.URL()+`"`)
	}
	web.WriteJSON(w, e.status, struct {
		Code        string `json:"error"`
		Description string `json:"error_description,omitempty"`
	}{e.code, e.description})
}

func protocolErrorOf(err error) *protocolError {
	var e *protocolError
	var problem *web.Problem
	var exchange *issuer.ExchangeError
	seconds, unavailable := web.Unavailable(err)
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &problem):
		detail := strings.ReplaceAll(problem.Detail, `\`, "") // RFC 6749 section 5.2 has no backslash
		return &protocolError{code: "invalid_request", description: detail, status: http.StatusBadRequest}
	case errors.As(err, &exchange): // RFC 8693 section 2.2.2
		return &protocolError{code: "invalid_request", description: exchange.Reason, status: http.StatusBadRequest}
	case unavailable:
		return &protocolError{code: "temporarily_unavailable", description: "try again later", status: http.StatusServiceUnavailable, retryAfter: seconds}
	case errors.Is(err, issuer.ErrInvalidClient):
		return &protocolError{code: "invalid_client", description: invalidClient, status: http.StatusBadRequest}
	case errors.Is(err, issuer.ErrUnauthorizedClient):
		return &protocolError{code: "unauthorized_client", description: "the client may not ask in this way: it is public, or its settings do not allow it", status: http.StatusBadRequest}
	case errors.Is(err, jothttp.ErrNonce):
		return &protocolError{code: "use_dpop_nonce", description: "make the DPoP proof again, with the nonce in the header DPoP-Nonce", status: http.StatusBadRequest}
	case errors.Is(err, jothttp.ErrProof):
		return &protocolError{code: "invalid_dpop_proof", description: "the DPoP proof is not good for this request", status: http.StatusBadRequest}
	case errors.Is(err, issuer.ErrProofRequired):
		return &protocolError{code: "invalid_dpop_proof", description: "the tokens of this client are bound to a key: send a DPoP proof", status: http.StatusBadRequest}
	case errors.Is(err, issuer.ErrAuthorizationPending): // RFC 8628 section 3.5, as the three below
		return &protocolError{code: "authorization_pending", description: "nobody has decided yet; ask again after the interval", status: http.StatusBadRequest}
	case errors.Is(err, issuer.ErrSlowDown):
		return &protocolError{code: "slow_down", description: "leave 5 seconds more between requests from now on", status: http.StatusBadRequest}
	case errors.Is(err, issuer.ErrAccessDenied):
		return &protocolError{code: "access_denied", description: "the request was denied", status: http.StatusBadRequest}
	case errors.Is(err, issuer.ErrExpiredCode):
		return &protocolError{code: "expired_token", description: "the device code has expired; begin anew", status: http.StatusBadRequest}
	case errors.Is(err, issuer.ErrInvalidGrant):
		return &protocolError{code: "invalid_grant", description: "the grant is not valid; log in again", status: http.StatusBadRequest}
	case errors.Is(err, issuer.ErrInvalidScope):
		return &protocolError{code: "invalid_scope", description: "the scope is malformed, or wider than what was granted", status: http.StatusBadRequest}
	case errors.Is(err, issuer.ErrInvalidTarget):
		return &protocolError{code: "invalid_target", description: "there is no such resource, or not for this client or session", status: http.StatusBadRequest}
	}
	return &protocolError{code: "server_error", status: http.StatusInternalServerError}
}
