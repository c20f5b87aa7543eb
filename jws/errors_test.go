package jws

import (
	"errors"
	"testing"

	"github.com/jot-auth/jot"
)

// Of two refusals one is left, of whatever kinds they are: none at all would be a message that holds.
func TestFurther(t *testing.T) {
	foreign := errors.New("of a kind that nobody ranked")
	kinds := append([]error{foreign, jot.ErrTooLarge, jot.ErrInvalidToken}, progress...)
	for _, a := range kinds {
		if got := further(nil, a); got != a {
			t.Errorf("%v became %v", a, got)
		}
		for _, b := range kinds {
			want := a
			if progressOf(b) > progressOf(a) {
				want = b
			}
			if got := further(a, b); got != want {
				t.Errorf("of %v and %v: %v", a, b, got)
			}
		}
	}
	if further(foreign, jot.ErrMalformed) != jot.ErrMalformed || further(jot.ErrUnavailable, foreign) != jot.ErrUnavailable {
		t.Error("an unknown kind came further than a known one")
	}
}
