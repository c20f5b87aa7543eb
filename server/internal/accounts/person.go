package accounts

import (
	"context"

	"github.com/jot-auth/jot/server/issuer"
)

// accountOf finds the account of a subject, or fails with issuer.ErrNotFound.
func (a *Accounts) accountOf(ctx context.Context, subject string) (account Account, err error) {
	err = a.store.ViewAccounts(ctx, func(r Reader) (err error) {
		account, err = r.AccountOfSubject(subject)
		return err
	})
	return account, err
}

// Person answers what is known of who a subject is. It fails with issuer.ErrNotFound where the subject has no account.
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

// NameOf answers the name by which a subject logs in, in its canonical form, or fails with issuer.ErrNotFound where it has none here.
func (a *Accounts) NameOf(ctx context.Context, subject string) (string, error) {
	account, err := a.accountOf(ctx, subject)
	return account.Name, err
}
