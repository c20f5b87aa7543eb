package accounts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// codeOf is the code of a subject's secret, so many steps from now.
func codeOf(t *testing.T, a *Accounts, store *memory, subject string, ahead int64) string {
	t.Helper()
	secret, _, err := a.issuer.OpenSecret(TOTPSecret, subject, store.totps[subject].Sealed)
	if err != nil {
		t.Fatal(err)
	}
	return totpCode(secret, store.now.Unix()/totpPeriod+ahead)
}

// demanding adds an account that demands one-time codes.
func demanding(t *testing.T, a *Accounts, store *memory, name string) (subject string) {
	t.Helper()
	subject, err := a.Add(t.Context(), name, password)
	if err != nil {
		t.Fatal(err)
	}
	secret, uri, err := a.EnrolTOTP(t.Context(), subject, password, issuer.Device{})
	if err != nil || len(secret) != 32 || !strings.HasPrefix(uri, "otpauth://totp/"+strings.TrimPrefix(a.issuer.URL(), "https://")+":"+name+"?") || !strings.Contains(uri, secret) {
		t.Fatalf("secret %q in %q, %v", secret, uri, err)
	}
	if codes, err := a.ConfirmTOTP(t.Context(), subject, codeOf(t, a, store, subject, -1), issuer.Device{}); err != nil || len(codes) != recoveryCodes {
		t.Fatalf("%d recovery codes, %v", len(codes), err)
	}
	return subject
}

// halfway logs in with the password alone, and answers the challenge.
func halfway(t *testing.T, a *Accounts, name string) string {
	t.Helper()
	_, err := a.LogIn(t.Context(), name, password, issuer.Device{})
	half, ok := errors.AsType[*issuer.SecondFactorError](err)
	if !ok {
		t.Fatal(err)
	}
	return half.Challenge
}

// TestGuessesAtCodes: wrong codes count for their account, wherever they come from, apart from everybody else's and
// from what else is counted for it; right ones don't.
func TestGuessesAtCodes(t *testing.T) {
	const wrong = "not a code"
	doors := map[string]func(t *testing.T, a *Accounts, store *memory, name string) func(code string, from issuer.Device) error{
		"to log in": func(t *testing.T, a *Accounts, store *memory, name string) func(string, issuer.Device) error {
			demanding(t, a, store, name)
			return func(code string, from issuer.Device) error {
				proof, err := a.CompleteLogIn(t.Context(), halfway(t, a, name), code, from)
				if err != nil {
					return err
				}
				return store.confirm(proof)
			}
		},
		"to confirm": func(t *testing.T, a *Accounts, store *memory, name string) func(string, issuer.Device) error {
			subject, err := a.Add(t.Context(), name, password)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := a.EnrolTOTP(t.Context(), subject, password, issuer.Device{}); err != nil {
				t.Fatal(err)
			}
			return func(code string, from issuer.Device) error {
				_, err := a.ConfirmTOTP(t.Context(), subject, code, from)
				return err
			}
		},
	}
	for door, open := range doors {
		t.Run(door, func(t *testing.T) {
			store := newMemory()
			a, _ := counted(t, store, Config{PerAccount: Schedule{Free: 3}})
			ada, bob := open(t, a, store, "ada"), open(t, a, store, "bob")
			subject := store.accounts["ada"].Subject
			for range 3 {
				if err := a.GuessUserCode(t.Context(), subject, issuer.Device{}, func() error { return issuer.ErrUserCode }); !errors.Is(err, issuer.ErrUserCode) {
					t.Fatal(err)
				}
			}
			for n := range 3 {
				if err := ada(wrong, issuer.Device{Address: fmt.Sprintf("192.0.%d.1", n)}); !errors.Is(err, issuer.ErrFactor) {
					t.Fatalf("guess %d: %v", n, err)
				}
			}
			if err := ada(codeOf(t, a, store, subject, 0), issuer.Device{Address: "198.51.100.1"}); retryAfter(err) == 0 {
				t.Errorf("after three wrong codes: %v", err)
			}
			if err := bob(codeOf(t, a, store, store.accounts["bob"].Subject, 0), issuer.Device{Address: "198.51.100.1"}); err != nil {
				t.Errorf("somebody else: %v", err)
			}
			store.advance(time.Hour)
			if err := ada(codeOf(t, a, store, subject, 0), issuer.Device{}); err != nil {
				t.Errorf("later: %v", err)
			}
		})
	}
}

// TestRightCodesAreNoGuesses: whoever logs in again and again isn't delayed.
func TestRightCodesAreNoGuesses(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{PerAccount: Schedule{Free: 3}})
	subject := demanding(t, a, store, "ada")
	for range 9 {
		store.advance(totpPeriod * time.Second)
		proof, err := a.CompleteLogIn(t.Context(), halfway(t, a, "ada"), codeOf(t, a, store, subject, 0), issuer.Device{})
		if err := errors.Join(err, store.confirm(proof)); err != nil {
			t.Fatal(err)
		}
		if _, known := a.openDeviceToken(proof.DeviceToken, subject, time.Now()); proof.Subject != subject || !slices.Equal(proof.AMR, []string{"pwd", "otp", "mfa"}) || !known {
			t.Errorf("proved %+v", proof)
		}
	}
}

// TestUnknownRecoveryCode: one that was made up is a wrong code.
func TestUnknownRecoveryCode(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{})
	demanding(t, a, store, "ada")
	proof, err := a.CompleteLogIn(t.Context(), halfway(t, a, "ada"), "aaaaa-aaaaa-aaaaa-aaaaa", issuer.Device{})
	if err == nil {
		err = store.confirm(proof)
	}
	if !errors.Is(err, issuer.ErrFactor) {
		t.Error(err)
	}
}

// TestConfirmedOnce: codes that are confirmed are confirmed no more, and nobody is shown recovery codes that aren't
// good.
func TestConfirmedOnce(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{})
	subject := demanding(t, a, store, "ada")
	before := len(store.recovery)
	if _, err := a.ConfirmTOTP(t.Context(), subject, codeOf(t, a, store, subject, 0), issuer.Device{}); !errors.Is(err, issuer.ErrFactor) || len(store.recovery) != before {
		t.Errorf("once more: %v, with %d recovery codes", err, len(store.recovery))
	}
	if _, _, err := a.EnrolTOTP(t.Context(), subject, password, issuer.Device{}); !errors.Is(err, issuer.ErrTaken) {
		t.Errorf("another secret: %v", err)
	}
}

// TestRecoveryCodesComeWithTheFirstFactor: a second one leaves those as they are that somebody wrote down, and they go
// with the last.
func TestRecoveryCodesComeWithTheFirstFactor(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{})
	subject := demanding(t, a, store, "ada")
	store.passkeys["phone"] = issuer.Passkey{ID: "phone", Subject: subject, Credential: []byte("phone")}
	if err := a.RemoveTOTP(t.Context(), subject); err != nil || len(store.recovery) != recoveryCodes {
		t.Fatalf("with a passkey left: %d recovery codes, %v", len(store.recovery), err)
	}
	if _, _, err := a.EnrolTOTP(t.Context(), subject, password, issuer.Device{}); err != nil {
		t.Fatal(err)
	}
	if codes, err := a.ConfirmTOTP(t.Context(), subject, codeOf(t, a, store, subject, 0), issuer.Device{}); err != nil || len(codes) != 0 || len(store.recovery) != recoveryCodes {
		t.Errorf("beside a passkey: %d recovery codes are shown, %d are good, %v", len(codes), len(store.recovery), err)
	}
	for name, remove := range map[string]func() error{
		"the passkey": func() error { return a.RemovePasskey(t.Context(), subject, "phone") },
		"the codes":   func() error { return a.RemoveTOTP(t.Context(), subject) },
	} {
		if len(store.recovery) != recoveryCodes {
			t.Errorf("before %s went, %d recovery codes are left", name, len(store.recovery))
		}
		if err := remove(); err != nil {
			t.Fatal(err)
		}
	}
	if len(store.recovery) != 0 {
		t.Errorf("%d recovery codes of an account without a second factor", len(store.recovery))
	}
}

// TestCodesThatWaitToBeConfirmed: whoever has begun to enrol them, with the password alone, completes no login of an
// account that demands a passkey.
func TestCodesThatWaitToBeConfirmed(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{})
	subject, err := a.Add(t.Context(), "ada", password)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.EnrolTOTP(t.Context(), subject, password, issuer.Device{}); err != nil {
		t.Fatal(err)
	}
	store.passkeys["phone"] = issuer.Passkey{ID: "phone", Subject: subject, Credential: []byte("phone")}
	if _, err := a.CompleteLogIn(t.Context(), halfway(t, a, "ada"), codeOf(t, a, store, subject, 0), issuer.Device{}); !errors.Is(err, issuer.ErrFactor) {
		t.Error(err)
	}
}
