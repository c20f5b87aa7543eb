package jot_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
)

// A text that no verifier would look at isn't looked at here either.
func TestInspectIsBounded(t *testing.T) {
	for size, want := range map[int]error{16 << 10: nil, 16<<10 + 1: jot.ErrTooLarge} {
		inspected := jot.Inspect(".e30." + strings.Repeat("A", size-len(".e30.")))
		if got := inspected.Payload.Decoded != nil; got != (want == nil) || errors.Is(inspected.Err(), jot.ErrTooLarge) != (want != nil) {
			t.Errorf("%d bytes: read is %t, %v", size, got, inspected.Err())
		}
	}
}
