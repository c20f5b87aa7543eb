package accounts

import (
	"context"
	"testing"

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

// TestResetOvertaken: whoever reads the mail of the address of before gets no code of a reset whose letter is written while the account gets another address, or another password.
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
