// Package refusal names why a token isn't good, for scripts and logs: the names stay, and quote nothing, where the text
// of an error may change and name what was sent.
package refusal

import (
	"errors"

	"github.com/jot-auth/jot"
)

var names = []struct {
	err  error
	name string
}{
	{jot.ErrTooLarge, "too_large"},
	{jot.ErrMalformed, "malformed"},
	{jot.ErrAlgorithm, "algorithm"},
	{jot.ErrUnknownKey, "unknown_key"},
	{jot.ErrSignature, "signature"},
	{jot.ErrType, "type"},
	{jot.ErrExpired, "expired"},
	{jot.ErrNotYetValid, "not_yet_valid"},
	{jot.ErrRevoked, "revoked"},
	{jot.ErrStaleClaims, "stale_claims"},
}

// Name returns the name of the reason that an error of package jot gives, or "" where it gives none: it may say nothing
// about the token.
func Name(err error) string {
	for _, known := range names {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	claim, ok := errors.AsType[*jot.ClaimError](err)
	switch {
	case !ok:
		return ""
	case claim.Claim == "iss":
		return "issuer"
	case claim.Claim == "aud":
		return "audience"
	}
	return "claim"
}
