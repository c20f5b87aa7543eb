package accounts

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

// TestSignUpsAreDelayed: accounts can't be made, or names be asked for, by the thousand from one address. What was
// refused for its form, and what the server had no time for, doesn't count.
func TestSignUpsAreDelayed(t *testing.T) {
	a, calls := counted(t, newMemory(), Config{})
	here, there := issuer.Device{Address: "192.0.2.1"}, issuer.Device{Address: "198.51.100.1"}
	for range 200 {
		if _, err := a.SignUp(t.Context(), issuer.Enrolment{Name: "x", Password: password}, here); retryAfter(err) != 0 {
			t.Fatal(err)
		}
	}
	for n := range defaultPerAddress.Free {
		name := fmt.Sprintf("user%d", n/2) // the second is taken
		if _, err := a.SignUp(t.Context(), issuer.Enrolment{Name: name, Password: password}, here); err != nil && !errors.Is(err, issuer.ErrTaken) {
			t.Fatalf("sign-up %d: %v", n, err)
		}
	}
	for _, name := range []string{"user0", "nobody"} {
		if _, err := a.SignUp(t.Context(), issuer.Enrolment{Name: name, Password: password}, here); retryAfter(err) == 0 {
			t.Errorf("one more for %s: %v", name, err)
		}
	}
	if _, err := a.SignUp(t.Context(), issuer.Enrolment{Name: "elsewhere", Password: password}, there); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	if _, err := a.Add(t.Context(), "the-program", password); err != nil {
		t.Errorf("by the program: %v", err)
	}
	if n, want := calls.Load(), int64(defaultPerAddress.Free)+2; n != want {
		t.Errorf("%d hashes, want %d", n, want)
	}
}

// TestSignUpThatCostAHashCounts: a caller who goes away once the hash was computed doesn't get its attempt back.
func TestSignUpThatCostAHashCounts(t *testing.T) {
	a, calls := counted(t, newMemory(), Config{})
	here := issuer.Device{Address: "192.0.2.1"}
	a.issuer = failing{a.issuer}
	for range defaultPerAddress.Free {
		if _, err := a.SignUp(t.Context(), issuer.Enrolment{Name: "ada", Password: password}, here); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if _, err := a.SignUp(t.Context(), issuer.Enrolment{Name: "ada", Password: password}, here); retryAfter(err) == 0 || calls.Load() != int64(defaultPerAddress.Free) {
		t.Errorf("after %d hashes: %v", calls.Load(), err)
	}
}

// failing is an Issuer whose caller has gone.
type failing struct{ Issuer }

func (failing) Enrol(context.Context, issuer.Subject, func(issuer.Tx) error) error {
	return context.Canceled
}

// writes counts the updates of a store.
type writes struct {
	*memory
	count atomic.Int64
}

func (w *writes) UpdateAccounts(ctx context.Context, f func(Tx) error) error {
	w.count.Add(1)
	return w.memory.UpdateAccounts(ctx, f)
}

// TestFloodWritesNothing: whoever is turned away at a full gate has cost the database no write.
func TestFloodWritesNothing(t *testing.T) {
	store := &writes{memory: newMemory()}
	a, _ := counted(t, store, Config{MaxConcurrent: 1, MaxWaiting: 1})
	sub, err := a.Add(t.Context(), "ada", password)
	if err != nil {
		t.Fatal(err)
	}
	a.gate.inside <- struct{}{}
	a.gate.strangers <- struct{}{}
	a.gate.known <- struct{}{}
	before := store.count.Load()
	_, logIn := a.LogIn(t.Context(), "ada", password, issuer.Device{})
	_, signUp := a.SignUp(t.Context(), issuer.Enrolment{Name: "bob", Password: password}, issuer.Device{})
	_, change := a.ChangePassword(t.Context(), sub, password, fresh, false, issuer.Device{})
	for _, err := range []error{logIn, signUp, change} {
		if !errors.Is(err, issuer.ErrBusy) {
			t.Errorf("%v, want issuer.ErrBusy", err)
		}
	}
	if wrote := store.count.Load() - before; wrote != 0 {
		t.Errorf("%d writes", wrote)
	}
}
