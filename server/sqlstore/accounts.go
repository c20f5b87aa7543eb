package sqlstore

import (
	"context"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	selectAccount          = `SELECT name, subject, password_hash, created FROM accounts WHERE name = $1`
	selectAccountOfSubject = `SELECT name, subject, password_hash, created FROM accounts WHERE subject = $1`
	insertAccount          = `INSERT INTO accounts (name, subject, password_hash, created) VALUES ($1, $2, $3, $4)`
	deleteAccount          = `DELETE FROM accounts WHERE subject = $1`
	updatePassword         = `UPDATE accounts SET password_hash = $1 WHERE subject = $2`
)

// ViewAccounts implements accounts.Store.
func (s *Store) ViewAccounts(ctx context.Context, f func(accounts.Reader) error) error {
	view, _ := s.dialect.isolation()
	return s.transact(ctx, s.reader, view, func(t *tx) error { return f(t) })
}

// UpdateAccounts implements accounts.Store.
func (s *Store) UpdateAccounts(ctx context.Context, f func(accounts.Tx) error) error {
	return s.update(ctx, func(t *tx) error { return f(t) })
}

// AccountsTx implements accounts.Store. It panics with a transaction of another store, which is a fault of the program.
func (s *Store) AccountsTx(t issuer.Tx) accounts.Tx { return t.(*tx) }

// AccountByName implements accounts.Reader.
func (t *tx) AccountByName(name string) (accounts.Account, error) {
	return one(t, scanAccount, selectAccount, name)
}

// AccountOfSubject implements accounts.Reader.
func (t *tx) AccountOfSubject(subject string) (accounts.Account, error) {
	return one(t, scanAccount, selectAccountOfSubject, subject)
}

func scanAccount(r row) (accounts.Account, error) {
	var a accounts.Account
	err := r.Scan(&a.Name, &a.Subject, &a.PasswordHash, timeField{&a.Created})
	return a, err
}

// InsertAccount implements accounts.Tx.
func (t *tx) InsertAccount(a accounts.Account) error {
	return t.insert(insertAccount, a.Name, a.Subject, a.PasswordHash, millis(a.Created))
}

// UpdatePassword implements accounts.Tx.
func (t *tx) UpdatePassword(subject, hash string) error {
	return t.change(updatePassword, hash, subject)
}

// DeleteAccount implements issuer.SubjectWriter.
func (t *tx) DeleteAccount(subject string) error {
	_, err := t.exec(deleteAccount, subject)
	return err
}
