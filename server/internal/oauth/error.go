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

// protocolError is an error of RFC 6749 §5.2. Its texts are fixed ones: none
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
func invalidRequest(description string) *protocolError {
	return badRequest("invalid_request", description)
}

func badRequest(code, description string) *protocolError {
	return &protocolError{code: code, description: description, status: http.StatusBadRequest}
}

// clientError is the answer to a client that isn't known or doesn't prove itself: 401 where it used the Authorization
// header, as RFC 6749 §5.2 demands, and else 400. Other errors stay as they are.
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

// refusals are the answers of status 400: that of the first cause that an error has.
var refusals = []struct {
	cause             error
	code, description string
}{
	{issuer.ErrInvalidClient, "invalid_client", invalidClient},
	{issuer.ErrUnauthorizedClient, "unauthorized_client", "the client may not ask in this way: it is public, or its settings do not allow it"},
	{jothttp.ErrNonce, "use_dpop_nonce", "make the DPoP proof again, with the nonce in the header DPoP-Nonce"},
	{jothttp.ErrProof, "invalid_dpop_proof", "the DPoP proof is not good for this request"},
	{issuer.ErrProofRequired, "invalid_dpop_proof", "the tokens of this client are bound to a key: send a DPoP proof"},
	{issuer.ErrAuthorizationPending, "authorization_pending", "nobody has decided yet; ask again after the interval"}, // RFC 8628 §3.5, as the three below
	{issuer.ErrSlowDown, "slow_down", "leave 5 seconds more between requests from now on"},
	{issuer.ErrAccessDenied, "access_denied", "the request was denied"},
	{issuer.ErrExpiredCode, "expired_token", "the device code has expired; begin anew"},
	{issuer.ErrInvalidGrant, "invalid_grant", "the grant is not valid; log in again"},
	{issuer.ErrInvalidCredentials, "invalid_grant", "wrong username or password"},
	{issuer.ErrInvalidScope, "invalid_scope", "the scope is malformed, or wider than what was granted"},
	{issuer.ErrInvalidTarget, "invalid_target", "there is no such resource, or not for this client or session"},
}

func protocolErrorOf(err error) *protocolError {
	var e *protocolError
	var problem *web.Problem
	var exchange *issuer.ExchangeError
	var half *issuer.SecondFactorError
	var throttled *issuer.ThrottledError
	seconds, unavailable := web.Unavailable(err)
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &problem):
		detail := strings.ReplaceAll(problem.Detail, `\`, "") // RFC 6749 §5.2 has no backslash
		return invalidRequest(detail)
	case errors.As(err, &exchange): // RFC 8693 §2.2.2
		return invalidRequest(exchange.Reason)
	case errors.As(err, &half):
		return badRequest("invalid_grant", "the account has a second factor: send the person to the authorization endpoint, or ask for it at /v1/login")
	case errors.As(err, &throttled):
		return &protocolError{
			code: "temporarily_unavailable", description: "too many attempts; wait for as long as Retry-After says",
			status: http.StatusTooManyRequests, retryAfter: web.WholeSeconds(throttled.RetryAfter),
		}
	case unavailable:
		return &protocolError{code: "temporarily_unavailable", description: "try again later", status: http.StatusServiceUnavailable, retryAfter: seconds}
	}
	for _, refusal := range refusals {
		if errors.Is(err, refusal.cause) {
			return badRequest(refusal.code, refusal.description)
		}
	}
	return &protocolError{code: "server_error", status: http.StatusInternalServerError}
}
