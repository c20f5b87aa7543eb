package accounts

import (
	"context"
	"errors"
	"net/mail"
	"regexp"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

var verifyCode = regexp.MustCompile(`jvt_[A-Za-z0-9_-]{43}`)

// written is the code in a letter whose turn it is; "" where there is none.
func written(t *testing.T, write func(context.Context) (Letter, error)) string {
	t.Helper()
	letter, err := write(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return verifyCode.FindString(letter.Text)
}

// TestLettersOutOfTurn: the address that was stated last counts, in whatever order the letters are written, as by two servers or after a fault: whoever reads the mail of a
// mistyped one gets neither the account nor its owner's code voided.
func TestLettersOutOfTurn(t *testing.T) {
	const mistyped, right = "adda@example.com", "ada@example.com"
	states := map[string]func(a *Accounts, store *memory) error{
		"sign-up": func(a *Accounts, _ *memory) error {
			_, err := a.SignUp(t.Context(), issuer.Enrolment{Name: "ada", Password: password, Email: mistyped}, issuer.Device{})
			return err
		},
		"change": func(a *Accounts, store *memory) error {
			if _, err := a.Add(t.Context(), "ada", password); err != nil {
				return err
			}
			return a.ChangeEmail(t.Context(), store.accounts["ada"].Subject, password, mistyped, issuer.Device{})
		},
		"change of a verified one": func(a *Accounts, store *memory) error {
			if _, err := a.Add(t.Context(), "ada", password); err != nil {
				return err
			}
			ada := store.accounts["ada"]
			ada.Email = Email{Address: "old@example.com", Key: "old@example.com", Verified: true}
			store.accounts["ada"] = ada
			return a.ChangeEmail(t.Context(), ada.Subject, password, mistyped, issuer.Device{})
		},
	}
	for name, state := range states {
		t.Run(name, func(t *testing.T) {
			letters, store := new(pile), newMemory()
			a, _ := counted(t, store, Config{Post: letters, NoThrottling: true})
			if err := state(a, store); err != nil {
				t.Fatal(err)
			}
			if err := a.ChangeEmail(t.Context(), store.accounts["ada"].Subject, password, right, issuer.Device{}); err != nil {
				t.Fatal(err)
			}
			code, late := written(t, (*letters)[1]), written(t, (*letters)[0])
			if late != "" {
				t.Error("a code goes to an address that was replaced")
			}
			if err := a.VerifyEmail(t.Context(), late); !errors.Is(err, issuer.ErrCode) {
				t.Errorf("who reads the mail of the mistyped address: %v", err)
			}
			if err := a.VerifyEmail(t.Context(), code); err != nil {
				t.Errorf("the owner: %v", err)
			}
			if got := store.accounts["ada"].Email; got != (Email{right, right, true}) {
				t.Errorf("the account has %+v", got)
			}
		})
	}
}

// TestAddressVerifiedMeanwhile: an address that is verified while the password is checked, with which another one is stated, stays until that one is verified.
func TestAddressVerifiedMeanwhile(t *testing.T) {
	letters, store := new(pile), newMemory()
	a, _ := counted(t, store, Config{Post: letters, NoThrottling: true})
	if _, err := a.SignUp(t.Context(), issuer.Enrolment{Name: "ada", Password: password, Email: "ada@example.com"}, issuer.Device{}); err != nil {
		t.Fatal(err)
	}
	subject, code := store.accounts["ada"].Subject, written(t, (*letters)[0])
	derive := a.derive
	a.derive = func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte {
		if err := a.VerifyEmail(t.Context(), code); err != nil {
			t.Error(err)
		}
		return derive(password, salt, time, memory, threads, keyLen)
	}
	if err := a.ChangeEmail(t.Context(), subject, password, "new@example.com", issuer.Device{}); err != nil {
		t.Fatal(err)
	}
	if got := store.accounts["ada"].Email; got.Address != "ada@example.com" || !got.Verified {
		t.Errorf("the account has %+v", got)
	}
	if err := a.VerifyEmail(t.Context(), written(t, (*letters)[1])); err != nil || store.accounts["ada"].Email.Address != "new@example.com" {
		t.Errorf("%v, and the account has %+v", err, store.accounts["ada"].Email)
	}
}

// FuzzParseEmail: what is taken for an address is one by the grammar of letters too, and of nobody else's in between.
func FuzzParseEmail(f *testing.F) {
	for _, seed := range []string{
		"", "ada@example.com", "Ada.L+x@EXAMPLE.com", "a@b", "ada@[127.0.0.1]", `"a b"@example.com`, "ada@example.com\r\nBcc: eve@example.com", "ada@example..com", "a@b@c",
		"ada(x)@example.com", "ada@-example.com", strings.Repeat("a", maxLocal) + "@example.com", "ä@example.com", "ada@example.com,eve@example.com", "=?utf-8?q?a?=@example.com",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseEmail(text)
		if err != nil || text == "" {
			if got != (Email{}) {
				t.Errorf("%q: %+v beside %v", text, got, err)
			}
			return
		}
		read, err := mail.ParseAddress(text)
		if err != nil || read.Name != "" || read.Address != text || got.Address != text || got.Verified {
			t.Errorf("%q is %+v, and a letter's reader has %+v, %v", text, got, read, err)
		}
		if again, err := parseEmail(got.Key); err != nil || again.Key != got.Key || !strings.EqualFold(got.Key, text) {
			t.Errorf("%q is compared as %q, and that as %q, %v", text, got.Key, again.Key, err)
		}
	})
}
