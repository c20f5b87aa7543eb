package accounts

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

// TestGuessesAtUserCodes: wrong ones count for whoever enters them, wherever that is, apart from everybody else's;
// right ones and faults don't.
func TestGuessesAtUserCodes(t *testing.T) {
	a, _ := counted(t, newMemory(), Config{PerAccount: Schedule{Free: 3}})
	fault := errors.New("the disk is on fire")
	guess := func(subject string, n int, answer error) error {
		return a.GuessUserCode(t.Context(), subject, issuer.Device{Address: fmt.Sprintf("192.0.%d.1", n)}, func() error { return answer })
	}
	for n := range 9 {
		if err1, err2 := guess("ada", n, nil), guess("ada", n, fault); err1 != nil || !errors.Is(err2, fault) {
			t.Fatal(n, err1, err2)
		}
	}
	for n := range 3 {
		if err := guess("ada", n, issuer.ErrUserCode); !errors.Is(err, issuer.ErrUserCode) {
			t.Fatal(n, err)
		}
	}
	if err := guess("ada", 9, nil); retryAfter(err) == 0 {
		t.Errorf("after three wrong ones: %v", err)
	}
	if err := guess("bob", 9, nil); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}
