package accounts

import (
	"context"
	"errors"

	"github.com/jot-auth/jot/server/issuer"
)

// accountOf finds the account of a subject, or fails with issuer.ErrNotFound.
func (a *Accounts) accountOf(ctx context.Context, subject string) (Account, error) {
	return view(ctx, a.store, func(r Reader) (Account, error) { return r.AccountOfSubject(subject) })
}

// view returns what f finds in one state of the database.
func view[T any](ctx context.Context, s Store, f func(Reader) (T, error)) (found T, err error) {
	err = s.ViewAccounts(ctx, func(r Reader) (err error) {
		found, err = f(r)
		return err
	})
	return found, err
}

// Person returns what is known of who a subject is. It fails with issuer.ErrNotFound where the subject has no account.
func (a *Accounts) Person(ctx context.Context, subject string) (issuer.Person, error) {
	account, err := a.accountOf(ctx, subject)
	if err != nil {
		return issuer.Person{}, err
	}
	return account.person(), nil
}

func (a Account) person() issuer.Person {
	return issuer.Person{Name: a.Shown(), Email: a.Email.Address, EmailVerified: a.Email.Verified}
}

// Known returns what clients may learn of a subject's account: the name by which it logs in, in its canonical form, and
// the address that it has verified. It's zero where there is no account.
func (a *Accounts) Known(ctx context.Context, subject string) (issuer.Known, error) {
	account, err := a.accountOf(ctx, subject)
	if errors.Is(err, issuer.ErrNotFound) {
		return issuer.Known{}, nil
	}
	known := issuer.Known{Username: account.Name}
	if account.Email.Verified {
		known.Email = account.Email.Address
	}
	return known, err
}
