package accounts

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

const fresh = "staple of a better horse"

func TestChangePassword(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{})
	sub, err := a.Add(t.Context(), "ada", password)
	if err != nil {
		t.Fatal(err)
	}
	first, err1 := a.ChangePassword(t.Context(), sub, password, fresh, false, issuer.Device{})
	second, err2 := a.ChangePassword(t.Context(), sub, password, fresh+"!", false, issuer.Device{})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	before, err := a.LogIn(t.Context(), "ada", password, issuer.Device{})
	if err != nil {
		t.Fatalf("the password has changed before it was confirmed: %v", err)
	}
	if err := store.confirm(first); err != nil {
		t.Fatal(err)
	}
	if err := store.confirm(second); err != issuer.ErrInvalidCredentials {
		t.Errorf("a change of a password that has changed meanwhile: %v", err)
	}
	if err := store.confirm(before); err != issuer.ErrInvalidCredentials {
		t.Errorf("a login with a password that has changed meanwhile: %v", err)
	}
	if _, err := a.LogIn(t.Context(), "ada", password, issuer.Device{}); err != issuer.ErrInvalidCredentials {
		t.Errorf("the old password: %v", err)
	}
	if _, err := a.LogIn(t.Context(), "ada", fresh, issuer.Device{}); err != nil {
		t.Errorf("the new password: %v", err)
	}
}

// TestChangePasswordAsFactorComes: a second factor that was confirmed while the hashes were computed stands in the way
// of a change that has proved none; one that was demanded when the caller looked doesn't.
func TestChangePasswordAsFactorComes(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{})
	sub, err := a.Add(t.Context(), "ada", password)
	if err != nil {
		t.Fatal(err)
	}
	alone, err1 := a.ChangePassword(t.Context(), sub, password, fresh, false, issuer.Device{})
	both, err2 := a.ChangePassword(t.Context(), sub, password, fresh, true, issuer.Device{})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	store.totps[sub] = TOTP{Subject: sub, Confirmed: true}
	if err := store.confirm(alone); !errors.Is(err, issuer.ErrBusy) {
		t.Errorf("by the password alone: %v", err)
	}
	if err := store.confirm(both); err != nil {
		t.Errorf("by both: %v", err)
	}
}

func TestChangePasswordRefuses(t *testing.T) {
	store := newMemory()
	a, calls := counted(t, store, Config{})
	sub, err := a.Add(t.Context(), "ada.lovelace", password)
	if err != nil {
		t.Fatal(err)
	}
	before := calls.Load()
	var input *issuer.InputError
	for _, new := range []string{"", "short", "ada.lovelace", "Ada.Lovelace", password, "xxxxxxxxxxxxxx"} {
		if _, err := a.ChangePassword(t.Context(), sub, password, new, false, issuer.Device{}); !errors.As(err, &input) || input.Field != "new" {
			t.Errorf("%q: %v", new, err)
		}
	}
	if _, err := a.ChangePassword(t.Context(), "nobody", password, fresh, false, issuer.Device{}); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("a subject without a password: %v", err)
	}
	if n := calls.Load() - before; n != 0 {
		t.Errorf("%d hashes for what can't be", n)
	}
}

// TestChangePasswordThrottled: guesses at the current password are bounded as logins are, apart from them: neither
// delays the other.
func TestChangePasswordThrottled(t *testing.T) {
	store := newMemory()
	a, calls := counted(t, store, Config{})
	sub, err := a.Add(t.Context(), "ada", password)
	if err != nil {
		t.Fatal(err)
	}
	before := calls.Load()
	for range 5 {
		if _, err := a.ChangePassword(t.Context(), sub, "wrong horse battery", fresh, false, issuer.Device{}); err != issuer.ErrInvalidCredentials {
			t.Fatal(err)
		}
	}
	if _, err := a.ChangePassword(t.Context(), sub, password, fresh, false, issuer.Device{}); retryAfter(err) == 0 {
		t.Errorf("the sixth attempt: %v", err)
	}
	if n := calls.Load() - before; n != 5 {
		t.Errorf("%d hashes, want 5", n)
	}
	logIn(t, a, store, "ada", issuer.Device{})
}

// ending is an Issuer that notes whose sessions were ended.
type ending struct {
	testIssuer
	ended []string
}

func (i *ending) OutdateSubject(ctx context.Context, subject, keep string, with func(issuer.Tx) error) error {
	i.ended = append(i.ended, subject+" "+keep)
	return i.store.UpdateAccounts(ctx, func(Tx) error { return with(nil) })
}

func TestResetPassword(t *testing.T) {
	store := newMemory()
	subjects := &ending{testIssuer: testIssuer{store: store}}
	a, _ := counted(t, store, Config{})
	a.issuer = subjects
	sub, err := a.Add(t.Context(), "ada", password)
	if err != nil {
		t.Fatal(err)
	}
	var input *issuer.InputError
	if err := a.ResetPassword(t.Context(), sub, "short"); !errors.As(err, &input) {
		t.Errorf("a short password: %v", err)
	}
	if err := a.ResetPassword(t.Context(), "nobody", fresh); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("a subject without a password: %v", err)
	}
	if err := a.ResetPassword(t.Context(), sub, fresh); err != nil {
		t.Fatal(err)
	}
	if _, err := a.LogIn(t.Context(), "ada", password, issuer.Device{}); err != issuer.ErrInvalidCredentials {
		t.Errorf("the old password: %v", err)
	}
	if _, err := a.LogIn(t.Context(), "ada", fresh, issuer.Device{}); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if len(subjects.ended) != 1 || subjects.ended[0] != sub+" " {
		t.Errorf("sessions ended: %q", subjects.ended)
	}
}

// TestCurrentPasswordIsGuessed: whatever asks for the current password counts wrong ones together, apart from those of
// others, and right ones not at all. One that no account can have costs no hash.
func TestCurrentPasswordIsGuessed(t *testing.T) {
	doors := map[string]func(a *Accounts, subject, password string) error{
		"codes": func(a *Accounts, subject, password string) error {
			_, _, err := a.EnrolTOTP(t.Context(), subject, password, issuer.Device{})
			return err
		},
		"passkeys": func(a *Accounts, subject, password string) error {
			_, err := a.EnrolPasskey(t.Context(), subject, password, issuer.Device{})
			return err
		},
		"address": func(a *Accounts, subject, password string) error {
			return a.ChangeEmail(t.Context(), subject, password, subject+"@example.com", issuer.Device{})
		},
		"password": func(a *Accounts, subject, password string) error {
			proof, err := a.ChangePassword(t.Context(), subject, password, fresh, false, issuer.Device{})
			if err != nil {
				return err
			}
			return a.store.UpdateAccounts(t.Context(), func(tx Tx) error { return proof.Confirm(nil) })
		},
	}
	for name, open := range doors {
		store := newMemory()
		a, calls := counted(t, store, Config{Post: new(pile), PerAccount: Schedule{Free: 3}})
		ada, err1 := a.Add(t.Context(), "ada", password)
		bob, err2 := a.Add(t.Context(), "bob", password)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		for n := range 9 {
			if name == "password" || name == "address" && n == 3 { // of which there is one, and as many letters as that
				break
			}
			if err := open(a, ada, password); err != nil {
				t.Fatalf("%s: right password %d: %v", name, n, err)
			}
		}
		before := calls.Load()
		if err := open(a, ada, strings.Repeat("x", maxPassword+1)); !errors.Is(err, issuer.ErrInvalidCredentials) || calls.Load() != before {
			t.Errorf("%s: a password that can't be costs %d hashes: %v", name, calls.Load()-before, err)
		}
		for range 2 {
			if err := open(a, ada, "wrong "+password); !errors.Is(err, issuer.ErrInvalidCredentials) {
				t.Errorf("%s: a wrong password: %v", name, err)
			}
		}
		for other, open := range doors {
			if err := open(a, ada, password); retryAfter(err) == 0 {
				t.Errorf("%s, then %s: %v", name, other, err)
			}
		}
		if err := open(a, bob, password); err != nil {
			t.Errorf("%s: somebody else: %v", name, err)
		}
	}
}

// TestPlacesOfOneSubject: whoever is logged in and asks many times at once takes no more places at the gate than one
// may, and none of strangers.
func TestPlacesOfOneSubject(t *testing.T) {
	for name, ask := range map[string]func(ctx context.Context, a *Accounts, subject string) error{
		"change": func(ctx context.Context, a *Accounts, subject string) error {
			_, err := a.ChangePassword(ctx, subject, password, fresh, false, issuer.Device{})
			return err
		},
		"enrol": func(ctx context.Context, a *Accounts, subject string) error {
			_, _, err := a.EnrolTOTP(ctx, subject, password, issuer.Device{})
			return err
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			a, _ := counted(t, newMemory(), Config{NoThrottling: true, MaxConcurrent: 1, MaxWaiting: 16, MaxWait: time.Minute})
			subject, err := a.Add(t.Context(), "ada", password)
			if err != nil {
				t.Fatal(err)
			}
			if err := a.gate.enter(t.Context(), known); err != nil {
				t.Fatal(err)
			}
			var asked sync.WaitGroup
			for range 16 {
				asked.Go(func() { ask(t.Context(), a, subject) })
			}
			synctest.Wait()
			if a.gate.full(caller{known: true, from: "bob"}) || len(a.gate.strangers) != 0 {
				t.Errorf("%s: one takes %d places of those who are known, and %d of strangers", name, len(a.gate.known), len(a.gate.strangers))
			}
			a.gate.leave()
			asked.Wait()
		})
	}
}

// TestNewPasswordVoids: with the old password goes what was sent and begun while it counted, and nobody else's.
func TestNewPasswordVoids(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{})
	for _, name := range []string{"ada", "bob"} {
		subject, err := a.Add(t.Context(), name, password)
		if err != nil {
			t.Fatal(err)
		}
		store.totps[subject] = TOTP{Subject: subject}
		for _, sent := range []Purpose{ToVerify, ToReset} {
			k, _ := newTicket(sent, subject, "", store.now, time.Hour)
			store.tickets[k.Hash] = k
		}
	}
	ada, bob := store.accounts["ada"].Subject, store.accounts["bob"].Subject
	if err := a.ResetPassword(t.Context(), ada, fresh); err != nil {
		t.Fatal(err)
	}
	for _, k := range store.tickets {
		if k.Subject != bob {
			t.Errorf("a ticket to %s is left", k.Purpose)
		}
	}
	if _, enrolling := store.totps[ada]; enrolling || len(store.totps) != 1 || len(store.tickets) != 2 {
		t.Errorf("left are %v and %v", store.totps, store.tickets)
	}
}
