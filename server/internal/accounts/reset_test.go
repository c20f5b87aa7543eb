package accounts

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// overtaken is a memory in which something else is committed before the next update.
type overtaken struct {
	*memory
	by func()
}

func (o *overtaken) UpdateAccounts(ctx context.Context, f func(Tx) error) error {
	if by := o.by; by != nil {
		o.by = nil
		by()
	}
	return o.memory.UpdateAccounts(ctx, f)
}

// TestResetOvertaken: whoever reads the mail of the address of before gets no code of a reset whose letter is written
// while the account gets another address, or another password.
func TestResetOvertaken(t *testing.T) {
	const old, fresh = "old@example.com", "new@example.com"
	for name, change := range map[string]func(store *memory, a *Accounts, verify string) error{
		"by another address": func(_ *memory, a *Accounts, verify string) error { return a.VerifyEmail(t.Context(), verify) },
		"by another password": func(store *memory, a *Accounts, _ string) error {
			return a.ResetPassword(t.Context(), store.accounts["ada"].Subject, "four words of another kind")
		},
		"by nothing": nil,
	} {
		t.Run(name, func(t *testing.T) {
			letters, store := new(pile), &overtaken{memory: newMemory()}
			a, _ := counted(t, store, Config{Post: letters, NoThrottling: true})
			if _, err := a.Add(t.Context(), "ada", password); err != nil {
				t.Fatal(err)
			}
			ada := store.accounts["ada"]
			ada.Email = Email{Address: old, Key: old, Verified: true}
			store.accounts["ada"] = ada
			if err := a.ChangeEmail(t.Context(), ada.Subject, password, fresh, issuer.Device{}); err != nil {
				t.Fatal(err)
			}
			verify := written(t, (*letters)[0])
			if err := a.RequestReset(t.Context(), old, issuer.Device{}); err != nil {
				t.Fatal(err)
			}
			if change != nil {
				store.by = func() {
					if err := change(store.memory, a, verify); err != nil {
						t.Error(err)
					}
				}
			}
			letter, err := (*letters)[1](t.Context())
			if err != nil || (letter == Letter{}) != (change != nil) {
				t.Errorf("the letter to %q, %v", letter.To, err)
			}
		})
	}
}

// TestResetsOfOneCode: whoever sends one code of a reset many times at once takes no more places at the gate than
// somebody who is logged in may.
func TestResetsOfOneCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		letters, store := new(pile), newMemory()
		a, _ := counted(t, store, Config{Post: letters, NoThrottling: true, MaxConcurrent: 1, MaxWaiting: 16, MaxWait: time.Minute})
		if _, err := a.Add(t.Context(), "ada", password); err != nil {
			t.Fatal(err)
		}
		code, err := a.issueReset(t.Context(), store.accounts["ada"])
		if err != nil {
			t.Fatal(err)
		}
		if err := a.gate.enter(t.Context(), known); err != nil {
			t.Fatal(err)
		}
		answers := make(chan error, 16)
		for range cap(answers) {
			go func() { answers <- a.CompleteReset(t.Context(), code, "four words of another kind") }()
		}
		synctest.Wait()
		if a.gate.full(caller{known: true, from: "bob"}) {
			t.Error("there is no place left for others")
		}
		if len(a.gate.strangers) != 0 {
			t.Error("a code that is good takes the place of strangers")
		}
		a.gate.leave()
		set := 0
		for range cap(answers) {
			if err := <-answers; err == nil {
				set++
			}
		}
		if set != 1 {
			t.Errorf("one code set %d passwords", set)
		}
	})
}

// TestResetEndsDelays: whoever has forgotten the password and guessed logs in with the new one at once.
func TestResetEndsDelays(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{Post: new(pile)})
	for _, name := range []string{"ada", "bob"} {
		if _, err := a.Add(t.Context(), name, password); err != nil {
			t.Fatal(err)
		}
		for range defaultPerAccount.Free {
			guess(t, a, name, issuer.Device{})
		}
	}
	code, err := a.issueReset(t.Context(), store.accounts["ada"])
	if err != nil {
		t.Fatal(err)
	}
	if err := a.CompleteReset(t.Context(), code, fresh); err != nil {
		t.Fatal(err)
	}
	if _, err := a.LogIn(t.Context(), "ada", fresh, issuer.Device{}); err != nil {
		t.Errorf("with the new password: %v", err)
	}
	if _, err := a.LogIn(t.Context(), "bob", password, issuer.Device{}); retryAfter(err) == 0 {
		t.Errorf("somebody else: %v", err)
	}
}
