package forward

import (
	"errors"
	"net/http"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/refusal"
	"github.com/jot-auth/jot/server/internal/web"
)

// The reasons of refusals that the log has, beside those of package refusal. Proxies drop the bodies of answers, and no
// client is told which check failed: whoever wires a proxy finds it here.
const (
	reasonQuery    = "bad_query" // of the proxy's configuration
	reasonAudience = "audience"
	reasonScope    = "insufficient_scope"
	reasonToken    = "invalid_token"
	reasonOther    = "other"
)

// reasons are those that say nothing about a token's own faults.
var reasons = []struct {
	err  error
	code string
}{
	{jothttp.ErrNoToken, "no_token"},
	{jothttp.ErrBadRequest, "bad_credentials"},
	{jothttp.ErrCrossOrigin, "cross_origin"},
	{jothttp.ErrProof, "dpop_proof"},
	{jot.ErrUnavailable, "unavailable"},
}

// logRefusal writes down why jothttp refuses a request. What it asks of a token that it has verified is a scope.
func logRefusal(r *http.Request, reason error) {
	code := reasonScope
	if jothttp.From(r.Context()) == nil {
		code = reasonOf(reason)
	}
	web.LogReason(r, code)
}

func reasonOf(err error) string {
	for _, known := range reasons {
		if errors.Is(err, known.err) {
			return known.code
		}
	}
	if name := refusal.Name(err); name != "" {
		return name
	}
	if errors.Is(err, jot.ErrInvalidToken) {
		return reasonToken
	}
	return reasonOther
}
