package accounts

import (
	"context"
	"strings"

	"github.com/jot-auth/jot/server/issuer"
)

// maxStoredCodes is how many unused codes of a purpose StoredAccount tells; throttling allows far fewer.
const maxStoredCodes = 200

// StoredAccount returns all that is stored of a subject's account, but secrets. It fails with issuer.ErrNotFound where
// there is none.
func (a *Accounts) StoredAccount(ctx context.Context, subject string) (issuer.StoredAccount, error) {
	var stored issuer.StoredAccount
	err := a.store.ViewAccounts(ctx, func(r Reader) error {
		account, err := r.AccountOfSubject(subject)
		if err != nil {
			return err
		}
		stored = issuer.StoredAccount{Person: account.person(), Canonical: account.Name, HashKind: hashKind(account.PasswordHash), Created: account.Created}
		if stored.Factors, err = factorsOf(r, subject); err != nil {
			return err
		}
		for _, purpose := range []Purpose{ToVerify, ToReset} {
			tickets, err := r.Tickets(subject, purpose, nil, maxStoredCodes)
			if err != nil {
				return err
			}
			for _, t := range tickets {
				stored.Codes = append(stored.Codes, issuer.StoredCode{Purpose: string(t.Purpose), Email: t.Detail, Created: t.Created, Expires: t.Expires})
			}
		}
		return nil
	})
	return stored, err
}

// StoredAccount is Accounts.StoredAccount.
func (a *Admin) StoredAccount(ctx context.Context, subject string) (issuer.StoredAccount, error) {
	return a.accounts.StoredAccount(ctx, subject)
}

// hashKind names the function that made a hash.
func hashKind(hash string) string {
	if strings.HasPrefix(hash, "$2") {
		return "bcrypt"
	}
	kind, _, _ := strings.Cut(strings.TrimPrefix(hash, "$"), "$")
	return kind
}
