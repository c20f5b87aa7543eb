package forward

import (
	"errors"
	"net/http"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/web"
)

// The reasons of refusals that the log has. Proxies drop the bodies of answers, and no client is told which check
// failed: whoever wires a proxy finds it here. They are codes, since the text of an error may quote what was sent, and
// those of `jot verify` where that has one.
const (
	reasonQuery    = "bad_query" // of the proxy's configuration
	reasonAudience = "audience"
	reasonScope    = "insufficient_scope"
	reasonOther    = "other"
)

// reasons are those of requests that jothttp refuses, the more exact ones first.
var reasons = []struct {
	err  error
	code string
}{
	{jothttp.ErrNoToken, "no_token"},
	{jothttp.ErrBadRequest, "bad_credentials"},
	{jothttp.ErrCrossOrigin, "cross_origin"},
	{jothttp.ErrProof, "dpop_proof"},
	{jot.ErrUnavailable, "unavailable"},
	{jot.ErrExpired, "expired"},
	{jot.ErrNotYetValid, "not_yet_valid"},
	{jot.ErrRevoked, "revoked"},
	{jot.ErrStaleClaims, "stale_claims"},
	{jot.ErrUnknownKey, "unknown_key"},
	{jot.ErrAlgorithm, "algorithm"},
	{jot.ErrSignature, "signature"},
	{jot.ErrType, "type"},
	{jot.ErrTooLarge, "too_large"},
	{jot.ErrMalformed, "malformed"},
	{jot.ErrInvalidToken, "invalid_token"},
}

// logRefusal writes down why jothttp refuses a request. What it asks of a token that it has verified is a scope.
func logRefusal(r *http.Request, reason error) {
	code := reasonScope
	if jothttp.From(r.Context()) == nil {
		code = reasonOf(reason)
	}
	web.LogReason(r, code)
}

func reasonOf(refusal error) string {
	for _, known := range reasons {
		if errors.Is(refusal, known.err) {
			return known.code
		}
	}
	return reasonOther
}
