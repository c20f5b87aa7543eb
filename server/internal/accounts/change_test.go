package accounts

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

// outdated notes whose sessions were ended.
type outdated struct {
	mu    sync.Mutex
	calls []string
}

func (o *outdated) OutdateSubject(_ context.Context, subject, keep string, with func(issuer.Tx) error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := with(nil); err != nil {
		return err
	}
	o.calls = append(o.calls, subject+" "+keep)
	return nil
}

func TestChangePassword(t *testing.T) {
	ended := new(outdated)
	a, _ := counted(t, newMemory(), Config{Subjects: ended})
	subject, err := a.SignUp(t.Context(), "ann", password)
	if err != nil {
		t.Fatal(err)
	}
	const fresh = "a new password of ann"
	var input *issuer.InputError
	if err := a.ChangePassword(t.Context(), subject, "wrong"+password, fresh, "sid"); !errors.Is(err, issuer.ErrInvalidCredentials) {
		t.Errorf("error %v, want ErrInvalidCredentials", err)
	}
	if err := a.ChangePassword(t.Context(), subject, password, "short", "sid"); !errors.As(err, &input) {
		t.Errorf("error %v, want an InputError", err)
	}
	if err := a.ChangePassword(t.Context(), "nobody", password, fresh, "sid"); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
	if len(ended.calls) != 0 {
		t.Errorf("sessions ended without a change: %v", ended.calls)
	}
	if err := a.ChangePassword(t.Context(), subject, password, fresh, "sid"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.LogIn(t.Context(), "ann", password); !errors.Is(err, issuer.ErrInvalidCredentials) {
		t.Errorf("the old password: error %v", err)
	}
	if _, err := a.LogIn(t.Context(), "ann", fresh); err != nil {
		t.Error(err)
	}
	if err := a.ResetPassword(t.Context(), subject, password); err != nil {
		t.Fatal(err)
	}
	if _, err := a.LogIn(t.Context(), "ann", password); err != nil {
		t.Error(err)
	}
	if len(ended.calls) != 2 || ended.calls[0] != subject+" sid" || ended.calls[1] != subject+" " {
		t.Errorf("sessions ended: %q", ended.calls)
	}
}

// TestChangePasswordRace: of many changes with one current password, one is made.
func TestChangePasswordRace(t *testing.T) {
	a, _ := counted(t, newMemory(), Config{Subjects: new(outdated)})
	subject, err := a.SignUp(t.Context(), "ann", password)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 8)
	for range cap(done) {
		go func() { done <- a.ChangePassword(t.Context(), subject, password, "a new password of ann", "") }()
	}
	changed := 0
	for range cap(done) {
		if err := <-done; err == nil {
			changed++
		} else if !errors.Is(err, issuer.ErrInvalidCredentials) {
			t.Error(err)
		}
	}
	if changed != 1 {
		t.Errorf("%d changes were made", changed)
	}
}
