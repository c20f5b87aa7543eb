package forward

import (
	"errors"
	"fmt"
	"testing"
)

// No reason hides a more exact one that comes after it, and what has no code doesn't get another's.
func TestReasonsAreInOrder(t *testing.T) {
	for _, known := range reasons {
		if got := reasonOf(fmt.Errorf("as it comes: %w", known.err)); got != known.code {
			t.Errorf("%v is %q, want %q", known.err, got, known.code)
		}
	}
	if got := reasonOf(errors.New("of no kind")); got != reasonOther {
		t.Errorf("an unknown refusal is %q", got)
	}
}
