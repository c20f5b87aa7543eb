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

// TestLettersOutOfTurn: the address that was stated last counts, in whatever order the letters are written, as by two
// servers or after a fault: whoever reads the mail of a mistyped one gets neither the account nor its owner's code
// voided.
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

// TestAddressVerifiedMeanwhile: an address that is verified while the password is checked, with which another one is
// stated, stays until that one is verified.
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

// TestParseEmail: the bounds of an address are those of SMTP (RFC 5321 §4.5.3.1).
func TestParseEmail(t *testing.T) {
	domain := strings.Repeat(strings.Repeat("d", 62)+".", 3)
	for text, good := range map[string]bool{
		strings.Repeat("a", 64) + "@example.com":                        true,
		strings.Repeat("a", 65) + "@example.com":                        false,
		"a@" + domain + strings.Repeat("d", 254-len("a@"+domain)):       true,
		strings.Repeat("a", 2) + "@" + domain + strings.Repeat("d", 63): false, // 255 bytes
		strings.Repeat("a", 64) + "@" + domain + strings.Repeat("d", 1): false,
		"ada@" + strings.Repeat("d", 63) + ".example":                   true,
		"ada@" + strings.Repeat("d", 64) + ".example":                   false,
		"ada":           false,
		"@example.com":  false,
		"ada@":          false,
		"a@b@c.example": false,
	} {
		var input *issuer.InputError
		if _, err := parseEmail(text); (err == nil) != good || !good && (!errors.As(err, &input) || input.Field != "email") {
			t.Errorf("%q of %d bytes: %v", text, len(text), err)
		}
	}
}

// TestAddressNotVerified: an address that nobody has verified is replaced at once.
func TestAddressNotVerified(t *testing.T) {
	letters, store := new(pile), newMemory()
	a, _ := counted(t, store, Config{Post: letters})
	subject, err := a.SignUp(t.Context(), issuer.Enrolment{Name: "ada", Password: password, Email: "adda@example.com"}, issuer.Device{})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.ChangeEmail(t.Context(), subject, password, "Ada@example.com", issuer.Device{}); err != nil {
		t.Fatal(err)
	}
	if got := store.accounts["ada"].Email; got != (Email{"Ada@example.com", "ada@example.com", false}) {
		t.Errorf("the account has %+v", got)
	}
}

// TestAddressVerifiedAgain: only an address in whose place another one comes is told of it.
func TestAddressVerifiedAgain(t *testing.T) {
	letters, store := new(pile), newMemory()
	a, _ := counted(t, store, Config{Post: letters})
	subject, err := a.SignUp(t.Context(), issuer.Enrolment{Name: "ada", Password: password, Email: "ada@example.com"}, issuer.Device{})
	if err != nil {
		t.Fatal(err)
	}
	for n, address := range []string{"ada@example.com", "ADA@example.com", "new@example.com"} {
		if n > 0 {
			if err := a.ChangeEmail(t.Context(), subject, password, address, issuer.Device{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.VerifyEmail(t.Context(), written(t, (*letters)[n])); err != nil {
			t.Fatal(err)
		}
	}
	if len(*letters) != 4 {
		t.Fatalf("%d letters, want one for each address and one of the change", len(*letters))
	}
	if letter, err := (*letters)[3](t.Context()); err != nil || letter.To != "ADA@example.com" {
		t.Errorf("the letter to %q, %v", letter.To, err)
	}
}

// TestAddressVerifiedElsewhere: an administrator says that an address is verified, where there is one.
func TestAddressVerifiedElsewhere(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{})
	for name, e := range map[string]issuer.Enrolment{"ada": {Email: "ada@example.com", EmailVerified: true}, "bob": {Email: "bob@example.com"}, "eve": {EmailVerified: true}} {
		e.Name, e.Password = name, password
		if _, err := NewAdmin(a, nil).Create(t.Context(), e, issuer.Subject{Claims: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		if got := store.accounts[name].Email; got.Verified != (name == "ada") || got.Address != e.Email {
			t.Errorf("%s has %+v", name, got)
		}
	}
}

// TestNoPlaceForLetters: whoever can't be sent a letter is told so, and has lost no attempt at the password.
func TestNoPlaceForLetters(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{Post: crowded{}, PerAccount: Schedule{Free: 3}})
	subject, err := a.SignUp(t.Context(), issuer.Enrolment{Name: "ada", Password: password, Email: "ada@example.com"}, issuer.Device{})
	if err != nil {
		t.Fatalf("a sign-up: %v", err)
	}
	for n := range 9 {
		reset := a.RequestReset(t.Context(), "ada@example.com", issuer.Device{})
		change := a.ChangeEmail(t.Context(), subject, password, "ada@example.com", issuer.Device{})
		if first := n == 0; first != errors.Is(reset, issuer.ErrBusy) || first != errors.Is(change, issuer.ErrBusy) || first != (retryAfter(change) == 0) {
			t.Errorf("request %d: %v; a change: %v", n, reset, change)
		}
	}
	if _, err := a.ChangePassword(t.Context(), subject, password, fresh, false, issuer.Device{}); err != nil {
		t.Errorf("a change of the password: %v", err)
	}
}

// crowded is a Post that takes nothing.
type crowded struct{}

func (crowded) Send(func(context.Context) (Letter, error)) error { return issuer.ErrBusy }
