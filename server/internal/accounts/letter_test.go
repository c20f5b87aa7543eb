package accounts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// pile is a Post that delivers nothing.
type pile []func(context.Context) (Letter, error)

func (p *pile) Send(write func(context.Context) (Letter, error)) error {
	*p = append(*p, write)
	return nil
}

// TestLettersOfOneAccount: whoever changes their account again and again has as many letters of each kind as the
// account has free attempts, and leaves the outbox to others.
func TestLettersOfOneAccount(t *testing.T) {
	letters, store := new(pile), newMemory()
	a, _ := counted(t, store, Config{Post: letters, PerAccount: Schedule{Free: 3}})
	owner := Account{Subject: "ada", Email: Email{Address: "ada@example.com", Verified: true}}
	for range 9 {
		a.tell(owner, "changed")
		a.tellOwner("ada", "factoradded")
	}
	if len(*letters) != 6 {
		t.Errorf("%d letters", len(*letters))
	}
	a.tell(Account{Subject: "fay", Email: Email{Address: "fay@example.com"}}, "changed") // which nobody has verified
	a.tell(owner, "moved")
	a.tellOwner("eve", "factoradded")
	if len(*letters) != 8 {
		t.Errorf("%d letters, with one of another kind and one of another account", len(*letters))
	}
	store.advance(24 * time.Hour)
	a.tell(owner, "changed")
	if len(*letters) != 9 {
		t.Errorf("%d letters, with one a day later", len(*letters))
	}
	store.err = context.DeadlineExceeded
	a.tell(owner, "changed")
	if len(*letters) != 10 {
		t.Errorf("%d letters, with one that couldn't be counted", len(*letters))
	}
}

// TestLettersOfFactors: the end of a second factor is told, and that of an enrolment that was never confirmed isn't.
func TestLettersOfFactors(t *testing.T) {
	for name, remove := range map[string]func(a *Accounts) error{
		"by its owner":        func(a *Accounts) error { return a.RemoveTOTP(t.Context(), "ada") },
		"by an administrator": func(a *Accounts) error { return (&Admin{accounts: a}).RemoveFactors(t.Context(), "ada") },
	} {
		letters, store := new(pile), newMemory()
		a, _ := counted(t, store, Config{Post: letters})
		for n, confirmed := range []bool{false, true} {
			store.totps["ada"] = TOTP{Subject: "ada", Confirmed: confirmed}
			if err := remove(a); err != nil {
				t.Fatal(err)
			}
			if len(*letters) != n {
				t.Errorf("%s, confirmed %v: %d letters", name, confirmed, len(*letters))
			}
		}
	}
}

// TestLettersToOneMailbox: whoever asks for letters to an address with one name after the other behind its plus sign
// (RFC 5233) gets no more of them into its mailbox.
func TestLettersToOneMailbox(t *testing.T) {
	letters, store := new(pile), newMemory()
	a, _ := counted(t, store, Config{Post: letters, PerAccount: Schedule{Free: 3}})
	for n := range 9 {
		_, err := a.SignUp(t.Context(), issuer.Enrolment{Name: fmt.Sprint("eve", n), Password: password, Email: fmt.Sprintf("Ada+%d@example.com", n)}, issuer.Device{})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(*letters) != 3 {
		t.Errorf("%d letters", len(*letters))
	}
	err := a.RequestReset(t.Context(), "ada@example.com", issuer.Device{})
	var throttled *issuer.ThrottledError
	if !errors.As(err, &throttled) {
		t.Errorf("one more, for a reset: %v", err)
	}
	if err := a.RequestReset(t.Context(), "adam@example.com", issuer.Device{}); err != nil {
		t.Errorf("one to somebody else: %v", err)
	}
}

// TestLettersOfOwners: whether there is somebody to tell is known when it's the letter's turn, and nobody is told at an
// address that isn't known to be theirs.
func TestLettersOfOwners(t *testing.T) {
	letters, store := new(pile), newMemory()
	a, _ := counted(t, store, Config{Post: letters})
	a.tellOwner("ada", "factoradded")
	for name, c := range map[string]struct {
		account Account
		to      string
	}{
		"verified":     {Account{Name: "ada", Display: "Ada", Subject: "ada", Email: Email{Address: "Ada@example.com", Verified: true}}, "Ada@example.com"},
		"not verified": {Account{Name: "ada", Subject: "ada", Email: Email{Address: "ada@example.com"}}, ""},
		"gone":         {Account{Name: "bob", Subject: "bob", Email: Email{Address: "bob@example.com", Verified: true}}, ""},
	} {
		clear(store.accounts)
		store.accounts[c.account.Name] = c.account
		letter, err := (*letters)[0](t.Context())
		if err != nil || letter.To != c.to || (c.to == "") != (letter == Letter{}) || c.to != "" && !strings.Contains(letter.Text, "Hello Ada,") {
			t.Errorf("%s: %+v, %v", name, letter, err)
		}
	}
}

// TestLettersLead to the pages that are named, and have a code to enter where none is.
func TestLettersLead(t *testing.T) {
	for _, links := range []Links{{}, {Verify: "https://app.example.com/verify#", Reset: "https://app.example.com/reset#"}} {
		letters, store := new(pile), newMemory()
		a, _ := counted(t, store, Config{Post: letters, Links: links})
		if _, err := a.SignUp(t.Context(), issuer.Enrolment{Name: "Ada", Password: password, Email: "ada@example.com"}, issuer.Device{}); err != nil {
			t.Fatal(err)
		}
		code := written(t, (*letters)[0])
		verify, err1 := (*letters)[0](t.Context())
		err2 := a.VerifyEmail(t.Context(), code)
		err3 := a.RequestReset(t.Context(), "ada@example.com", issuer.Device{})
		reset, err4 := (*letters)[1](t.Context())
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
		for _, c := range [][2]string{{links.Verify, verify.Text}, {links.Reset, reset.Text}} {
			page, text := c[0], c[1]
			if !strings.Contains(text, page+"j") || strings.Contains(text, "open this link") != (page != "") || strings.Contains(text, "enter this code") != (page == "") ||
				!strings.Contains(text, "Hello Ada,") || !strings.Contains(text, a.issuer.URL()) {
				t.Errorf("with page %q: %s", page, text)
			}
		}
	}
}
