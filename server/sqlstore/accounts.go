package sqlstore

import (
	"context"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	accountColumns         = `name, display, subject, password_hash, email, email_key, email_verified, created`
	selectAccount          = `SELECT ` + accountColumns + ` FROM accounts WHERE name = $1`
	selectAccountOfSubject = `SELECT ` + accountColumns + ` FROM accounts WHERE subject = $1`
	selectAccountByEmail   = `SELECT ` + accountColumns + ` FROM accounts WHERE email_key = $1 AND email_verified = 1`
	insertAccount          = `INSERT INTO accounts (` + accountColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	deleteAccount          = `DELETE FROM accounts WHERE subject = $1`
	updatePassword         = `UPDATE accounts SET password_hash = $1 WHERE subject = $2`
	updateEmail            = `UPDATE accounts SET email = $1, email_key = $2, email_verified = $3 WHERE subject = $4`
)

// ViewAccounts implements accounts.Store.
func (s *Store) ViewAccounts(ctx context.Context, f func(accounts.Reader) error) error {
	return s.transact(ctx, s.reader, func(t *tx) error { return f(t) })
}

// UpdateAccounts implements accounts.Store.
func (s *Store) UpdateAccounts(ctx context.Context, f func(accounts.Tx) error) error {
	return s.update(ctx, func(t *tx) error { return f(t) })
}

// AccountsTx implements accounts.Store. It panics with a transaction of another store, which is a fault of the program.
func (s *Store) AccountsTx(t issuer.Tx) accounts.Tx { return t.(*tx) }

// AccountsReader returns the accounts in a View that this very store began for an issuer. It panics with another
// store's, which is a fault of the program.
func (s *Store) AccountsReader(r issuer.Reader) accounts.Reader { return r.(*tx) }

// AccountByName implements accounts.AccountReader.
func (t *tx) AccountByName(name string) (accounts.Account, error) {
	return one(t, scanAccount, selectAccount, name)
}

// AccountOfSubject implements accounts.AccountReader.
func (t *tx) AccountOfSubject(subject string) (accounts.Account, error) {
	return one(t, scanAccount, selectAccountOfSubject, subject)
}

// AccountByEmail implements accounts.AccountReader.
func (t *tx) AccountByEmail(key string) (accounts.Account, error) {
	return one(t, scanAccount, selectAccountByEmail, key)
}

func scanAccount(r row) (accounts.Account, error) {
	var a accounts.Account
	err := r.Scan(&a.Name, &a.Display, &a.Subject, &a.PasswordHash, &a.Email.Address, &a.Email.Key, flagField{&a.Email.Verified}, timeField{&a.Created})
	return a, err
}

// InsertAccount implements accounts.AccountWriter.
func (t *tx) InsertAccount(a accounts.Account) error {
	return t.insert(insertAccount, a.Name, a.Display, a.Subject, a.PasswordHash, a.Email.Address, a.Email.Key, flag(a.Email.Verified), millis(a.Created))
}

// UpdatePassword implements accounts.AccountWriter.
func (t *tx) UpdatePassword(subject, hash string) error {
	return t.change(updatePassword, hash, subject)
}

// UpdateEmail implements accounts.AccountWriter.
func (t *tx) UpdateEmail(subject string, e accounts.Email) error {
	return t.change(updateEmail, e.Address, e.Key, flag(e.Verified), subject)
}

// DeleteAccount implements issuer.SubjectWriter. What was sent to somebody who is gone opens nothing any more, and
// neither do codes.
func (t *tx) DeleteAccount(subject string) error {
	if err := t.insert(deleteAccount, subject); err != nil {
		return err
	}
	if err := t.insert(deleteEveryTicketOf, subject); err != nil {
		return err
	}
	return t.DeleteFactors(subject)
}
