package cli

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jot-auth/jot"
)

// TestRefusal holds the names and exit codes that scripts rely on, those included that no flag of the command leads to.
func TestRefusal(t *testing.T) {
	for _, test := range []struct {
		err  error
		name string
		code int
	}{
		{jot.ErrMalformed, "malformed", 3},
		{jot.ErrAlgorithm, "algorithm", 3},
		{jot.ErrUnknownKey, "unknown_key", 3},
		{jot.ErrSignature, "signature", 3},
		{jot.ErrExpired, "expired", 5},
		{jot.ErrNotYetValid, "not_yet_valid", 3},
		{&jot.ClaimError{Claim: "iss"}, "issuer", 3},
		{&jot.ClaimError{Claim: "aud"}, "audience", 3},
		{&jot.ClaimError{Claim: "exp"}, "claim", 3},
		{jot.ErrType, "type", 3},
		{jot.ErrRevoked, "revoked", 3},
		{jot.ErrStaleClaims, "stale_claims", 3},
		{jot.ErrTooLarge, "too_large", 3},
	} {
		v, ok := rejection(fmt.Errorf("wrapped: %w", test.err))
		if !ok || v.Valid || v.Error != test.name || v.exitCode() != test.code || v.Detail == "" {
			t.Errorf("%v gives %+v with exit code %d, not %s with %d", test.err, v, v.exitCode(), test.name, test.code)
		}
	}
}

func TestRefusalSaysNothingOfOtherErrors(t *testing.T) {
	for _, err := range []error{jot.ErrUnavailable, errors.New("no such file")} {
		if v, ok := rejection(err); ok {
			t.Errorf("%v is taken for a refusal: %+v", err, v)
		}
	}
}
