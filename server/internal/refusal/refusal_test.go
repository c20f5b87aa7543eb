package refusal

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jot-auth/jot"
)

// No reason has the name of another, however it is wrapped.
func TestName(t *testing.T) {
	for err, want := range map[error]string{
		&jot.ClaimError{Claim: "iss"}: "issuer", &jot.ClaimError{Claim: "aud"}: "audience", &jot.ClaimError{Claim: "sub"}: "claim",
		jot.ErrInvalidToken: "", jot.ErrUnavailable: "", errors.New("a file is missing"): "", nil: "",
	} {
		if got := Name(err); got != want {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
	for _, known := range names {
		if got := Name(fmt.Errorf("wrapped: %w", known.err)); got != known.name {
			t.Errorf("%v is %q, want %q", known.err, got, known.name)
		}
	}
}
