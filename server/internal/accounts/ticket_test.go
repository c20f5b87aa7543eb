package accounts

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestCodesExpire: what a letter, an invitation or half a login has given is good until its time is over, and not at
// that moment.
func TestCodesExpire(t *testing.T) {
	const email, fresh = "ada@example.com", "four words of another kind"
	type hall struct {
		*Accounts
		store   *memory
		letters *pile
		subject string
	}
	doors := map[string]struct {
		good time.Duration
		code func(h hall) (string, error)
		open func(h hall, code string) error
	}{
		"invitation": {7 * 24 * time.Hour, func(h hall) (string, error) {
			h.config.Invited = true
			_, code, err := NewAdmin(h.Accounts, nil).Invite(t.Context(), "", 0)
			return code, err
		}, func(h hall, code string) error {
			_, err := h.SignUp(t.Context(), issuer.Enrolment{Name: "bob", Password: password, Invitation: code}, issuer.Device{})
			return err
		}},
		"invitation for a second": {time.Second, func(h hall) (string, error) {
			h.config.Invited = true
			_, code, err := NewAdmin(h.Accounts, nil).Invite(t.Context(), "", time.Second)
			return code, err
		}, func(h hall, code string) error {
			_, err := h.SignUp(t.Context(), issuer.Enrolment{Name: "bob", Password: password, Invitation: code}, issuer.Device{})
			return err
		}},
		"verification": {24 * time.Hour, func(h hall) (string, error) {
			err := h.ChangeEmail(t.Context(), h.subject, password, "new@example.com", issuer.Device{})
			return written(t, (*h.letters)[0]), err
		}, func(h hall, code string) error { return h.VerifyEmail(t.Context(), code) }},
		"reset": {30 * time.Minute, func(h hall) (string, error) {
			return h.issueReset(t.Context(), h.store.accounts["ada"])
		}, func(h hall, code string) error { return h.CompleteReset(t.Context(), code, fresh) }},
		"challenge": {5 * time.Minute, func(h hall) (string, error) {
			h.store.totps[h.subject] = TOTP{Subject: h.subject, Sealed: h.issuer.SealSecret(TOTPSecret, h.subject, make([]byte, totpSecretSize)), Confirmed: true}
			_, err := h.LogIn(t.Context(), "ada", password, issuer.Device{})
			half, ok := errors.AsType[*issuer.SecondFactorError](err)
			if !ok || half.ExpiresIn != 5*time.Minute {
				return "", fmt.Errorf("half a login that says %+v: %w", half, err)
			}
			return half.Challenge, nil
		}, func(h hall, code string) error {
			half, err := h.AskAgain(t.Context(), code)
			if err != nil {
				return err
			}
			if half.Challenge != code || half.ExpiresIn != time.Millisecond || !slices.Equal(half.Factors, []string{kindTOTP}) {
				t.Errorf("asked again: %+v", half)
			}
			_, err = h.CompleteLogIn(t.Context(), code, totpCode(make([]byte, totpSecretSize), h.store.now.Unix()/totpPeriod), issuer.Device{})
			return err
		}},
	}
	for name, door := range doors {
		for _, over := range []bool{false, true} {
			letters, store := new(pile), newMemory()
			a, _ := counted(t, store, Config{Post: letters})
			subject, err := a.Add(t.Context(), "ada", password)
			if err != nil {
				t.Fatal(err)
			}
			ada := store.accounts["ada"]
			ada.Email = Email{Address: email, Key: email, Verified: true}
			store.accounts["ada"] = ada
			h := hall{a, store, letters, subject}
			code, err := door.code(h)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			store.advance(door.good - time.Millisecond)
			if over {
				store.advance(time.Millisecond)
			}
			err = door.open(h, code)
			if refused := errors.Is(err, issuer.ErrCode) || errors.Is(err, issuer.ErrInvitation); refused != over || !over && err != nil {
				t.Errorf("%s, when its time is over (%v): %v", name, over, err)
			}
		}
	}
}

// TestCodesOfNobody: the codes of an account that was deleted, or is while they are used, are as good as any that was
// made up.
func TestCodesOfNobody(t *testing.T) {
	const email = "ada@example.com"
	for name, gone := range map[string]func(store *overtaken, forget func()){
		"before":    func(_ *overtaken, forget func()) { forget() },
		"meanwhile": func(store *overtaken, forget func()) { store.by = forget },
	} {
		for what, use := range map[string]func(a *Accounts, verify, reset string) error{
			"verification": func(a *Accounts, verify, _ string) error { return a.VerifyEmail(t.Context(), verify) },
			"reset": func(a *Accounts, _, reset string) error {
				return a.CompleteReset(t.Context(), reset, "four words of another kind")
			},
		} {
			letters, store := new(pile), &overtaken{memory: newMemory()}
			a, _ := counted(t, store, Config{Post: letters})
			if _, err := a.SignUp(t.Context(), issuer.Enrolment{Name: "ada", Password: password, Email: email}, issuer.Device{}); err != nil {
				t.Fatal(err)
			}
			verify := written(t, (*letters)[0])
			reset, err := a.issueReset(t.Context(), store.accounts["ada"])
			if err != nil {
				t.Fatal(err)
			}
			gone(store, func() { delete(store.accounts, "ada") })
			if err := use(a, verify, reset); !errors.Is(err, issuer.ErrCode) {
				t.Errorf("a %s of an account that is deleted %s: %v", what, name, err)
			}
		}
	}
}
