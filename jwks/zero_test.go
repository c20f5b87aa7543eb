package jwks_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwks"
)

// The zero value of a source has no keys, and says why: whoever asks it lets nobody in, and doesn't panic.
func TestZeroSource(t *testing.T) {
	var source jwks.Source
	for _, kid := range []string{"", "a"} {
		keys, err := source.VerificationKeys(t.Context(), jot.ES256, kid)
		if len(keys) != 0 || !errors.Is(err, jot.ErrUnavailable) || !strings.Contains(err.Error(), "NewSource") {
			t.Errorf("%q: %v, %v", kid, keys, err)
		}
	}
	if state := source.State(); len(state.Keys) != 0 || source.Close() != nil {
		t.Errorf("%+v", state)
	}
}
