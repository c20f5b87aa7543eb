package accounts

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

// tallied is a memory that notes what is asked of it.
type tallied struct {
	*memory
	asked []string
}

func (t *tallied) note(what string) { t.asked = append(t.asked, what) }

func (t *tallied) ViewAccounts(ctx context.Context, f func(Reader) error) error {
	t.note("view")
	return t.memory.ViewAccounts(ctx, func(r Reader) error { return f(talliedReader{r, t}) })
}

func (t *tallied) UpdateAccounts(ctx context.Context, f func(Tx) error) error {
	t.note("update")
	return t.memory.UpdateAccounts(ctx, f)
}

type talliedReader struct {
	Reader
	at *tallied
}

func (r talliedReader) AccountByName(name string) (Account, error) {
	r.at.note("name")
	return r.Reader.AccountByName(name)
}

func (r talliedReader) AccountByEmail(key string) (Account, error) {
	r.at.note("email")
	return r.Reader.AccountByEmail(key)
}

func (r talliedReader) TOTP(subject string) (TOTP, error) {
	r.at.note("codes")
	return r.Reader.TOTP(subject)
}

func (r talliedReader) Passkeys(subject string) ([]issuer.Passkey, error) {
	r.at.note("passkeys")
	return r.Reader.Passkeys(subject)
}

func (r talliedReader) Throttle(slot int64) (Throttle, error) {
	r.at.note("throttle")
	return r.Reader.Throttle(slot)
}

// TestWhoIsThereCostsTheSame: whoever isn't let in is answered after the same questions to the database, in the same
// order, whether or not there is an account, and whatever it demands. How many hashes that takes is
// TestLogInCostsTheSame's.
func TestWhoIsThereCostsTheSame(t *testing.T) {
	store := &tallied{memory: newMemory()}
	a, calls := counted(t, store, Config{Post: new(pile)})
	for _, name := range []string{"ada", "two"} {
		subject, err := a.Add(t.Context(), name, password)
		if err != nil {
			t.Fatal(err)
		}
		account := store.accounts[name]
		account.Email = Email{Address: name + "@example.com", Key: name + "@example.com", Verified: true}
		store.accounts[name] = account
		if name == "two" {
			store.totps[subject] = TOTP{Subject: subject, Confirmed: true}
		}
	}
	from := issuer.Device{Address: "192.0.2.1"}
	for door, attempts := range map[string]map[string]func() error{
		"log in": {
			"an unknown name": func() error { _, err := a.LogIn(t.Context(), "bob", password, from); return err },
			"a wrong password": func() error {
				_, err := a.LogIn(t.Context(), "ada", "wrong "+password, from)
				return err
			},
			"a wrong password of two": func() error {
				_, err := a.LogIn(t.Context(), "two", "wrong "+password, from)
				return err
			},
		},
		"reset": {
			"nobody's address": func() error { return a.RequestReset(t.Context(), "bob@example.com", from) },
			"ada's address":    func() error { return a.RequestReset(t.Context(), "ada@example.com", from) },
		},
		"sign up": {
			"ada's name": func() error {
				_, err := a.SignUp(t.Context(), issuer.Enrolment{Name: "ada", Password: password}, from)
				return err
			},
			"two's name": func() error {
				_, err := a.SignUp(t.Context(), issuer.Enrolment{Name: "two", Password: password}, from)
				return err
			},
			"a free name": func() error {
				_, err := a.SignUp(t.Context(), issuer.Enrolment{Name: "fay", Password: password}, from)
				if err == nil {
					return issuer.ErrTaken // what it costs is what counts here
				}
				return err
			},
		},
	} {
		var first []string
		var refusal error
		hashes := int64(-1)
		for what, attempt := range attempts {
			store.asked = nil
			before := calls.Load()
			err := attempt()
			cost := calls.Load() - before
			if hashes < 0 {
				first, refusal, hashes = store.asked, err, cost
			}
			if !slices.Equal(store.asked, first) || !errors.Is(err, refusal) || cost != hashes {
				t.Errorf("%s, %s: %v after %d hashes and %s; another: %v after %d and %s", door, what, err, cost, strings.Join(store.asked, " "), refusal, hashes, strings.Join(first, " "))
			}
		}
		if len(first) == 0 {
			t.Errorf("%s asks nothing", door)
		}
	}
}
