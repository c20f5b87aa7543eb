package accounts

import (
	"errors"
	"slices"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

// TestWhatIsAsked names each kind of factor once, and no passkey where the issuer's URL has no host name, for which
// browsers have any.
func TestWhatIsAsked(t *testing.T) {
	for url, want := range map[string][]string{"https://auth.example.com": {kindTOTP, kindPasskey}, "https://192.0.2.1": {kindTOTP}} {
		a, store := newPasskeyAccounts(t, url)
		subject := demanding(t, a, store, "ada")
		for _, id := range []string{"phone", "key"} {
			store.passkeys[id] = issuer.Passkey{ID: id, Subject: subject, Credential: []byte(id)}
		}
		_, err := a.LogIn(t.Context(), "ada", password, issuer.Device{})
		half, ok := errors.AsType[*issuer.SecondFactorError](err)
		if !ok || !slices.Equal(half.Factors, want) || (half.Passkey != nil) != slices.Contains(want, kindPasskey) {
			t.Errorf("%s: %+v, %v", url, half, err)
		}
	}
}

// TestChallengeDiesWithPassword: whoever has half a login, or a whole one that isn't confirmed yet, has nothing once
// the password was changed.
func TestChallengeDiesWithPassword(t *testing.T) {
	h := newPasskeyHall(t, Config{})
	phone := h.addPasskey("ada")
	subject := h.store.accounts["ada"].Subject
	if _, _, err := h.EnrolTOTP(t.Context(), subject, password, issuer.Device{}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.ConfirmTOTP(t.Context(), subject, codeOf(t, h.Accounts, h.store, subject, 0), issuer.Device{}); err != nil {
		t.Fatal(err)
	}
	before, complete := h.store.accounts["ada"], map[string]func() (issuer.Proof, error){}
	_, err := h.LogIn(t.Context(), "ada", password, issuer.Device{})
	half, ok := errors.AsType[*issuer.SecondFactorError](err)
	if !ok {
		t.Fatal(err)
	}
	complete["a code"] = func() (issuer.Proof, error) {
		return h.CompleteLogIn(t.Context(), half.Challenge, codeOf(t, h.Accounts, h.store, subject, 1), issuer.Device{})
	}
	complete["a passkey"] = func() (issuer.Proof, error) {
		return h.CompleteWithPasskey(t.Context(), half.Challenge, h.device.Get(half.Passkey, phone), issuer.Device{})
	}
	changed := before
	changed.PasswordHash = h.store.accounts["bob"].PasswordHash
	for name, complete := range complete {
		h.store.accounts["ada"] = before
		proof, err := complete()
		if err != nil {
			t.Fatal(name, err)
		}
		h.store.accounts["ada"] = changed
		if err := h.store.confirm(proof); !errors.Is(err, issuer.ErrCode) {
			t.Errorf("%s, before the change: %v", name, err)
		}
		if _, err := complete(); !errors.Is(err, issuer.ErrCode) {
			t.Errorf("%s, after it: %v", name, err)
		}
	}
	if _, err := h.AskAgain(t.Context(), half.Challenge); !errors.Is(err, issuer.ErrCode) {
		t.Errorf("asked again: %v", err)
	}
}
