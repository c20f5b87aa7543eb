package forward

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jot-auth/jot"
)

// No reason hides a more exact one that comes after it, and what has no code doesn't get another's.
func TestReasonsAreInOrder(t *testing.T) {
	for _, known := range reasons {
		if got := reasonOf(fmt.Errorf("as it comes: %w", known.err)); got != known.code {
			t.Errorf("%v is %q, want %q", known.err, got, known.code)
		}
	}
	for err, want := range map[error]string{
		jot.ErrRevoked: "revoked", &jot.ClaimError{Claim: "exp"}: "claim",
		jot.ErrInvalidToken: reasonToken, errors.New("of no kind"): reasonOther,
	} {
		if got := reasonOf(err); got != want {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
}
