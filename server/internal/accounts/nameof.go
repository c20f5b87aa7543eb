package accounts

import "context"

// NameOf answers the name by which a subject logs in, or fails with issuer.ErrNotFound where it has none here.
func (a *Accounts) NameOf(ctx context.Context, subject string) (string, error) {
	var account Account
	err := a.store.ViewAccounts(ctx, func(r Reader) (err error) {
		account, err = r.AccountOfSubject(subject)
		return err
	})
	return account.Name, err
}
