package sqlstore

import (
	"context"
	"database/sql"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	selectAccountOf = `SELECT name, subject, password_hash, created FROM accounts WHERE subject = $1`
	updatePassword  = `UPDATE accounts SET password_hash = $1 WHERE subject = $2`
	selectAccount   = `SELECT name, subject, password_hash, created FROM accounts WHERE name = $1`
	deleteAccount   = `DELETE FROM accounts WHERE subject = $1`
	insertAccount   = `INSERT INTO accounts (name, subject, password_hash, created) VALUES ($1, $2, $3, $4)`
)

// CreateAccount implements accounts.Store. A subject without a time of creation gets the account's.
func (s *Store) CreateAccount(ctx context.Context, account accounts.Account, subject issuer.Subject) error {
	if subject.Created.IsZero() {
		subject.Created = account.Created
	}
	// Account and subject are one commit: of two that sign up under one name, the second leaves no subject behind.
	return s.update(ctx, func(t *tx) error {
		if err := t.InsertSubject(subject); err != nil {
			return err
		}
		return t.insert(insertAccount, account.Name, account.Subject, account.PasswordHash, millis(account.Created))
	})
}

// AccountByName implements accounts.Store.
func (s *Store) AccountByName(ctx context.Context, name string) (accounts.Account, error) {
	var a accounts.Account
	row := s.reader.prepared[selectAccount].QueryRowContext(ctx, name)
	err := explain(ctx, row.Scan(&a.Name, &a.Subject, &a.PasswordHash, timeField{&a.Created}))
	if err != nil {
		return accounts.Account{}, err
	}
	return a, nil
}

// AccountOf implements accounts.Store.
func (s *Store) AccountOf(ctx context.Context, subject string) (account accounts.Account, err error) {
	err = s.transact(ctx, s.reader, &sql.TxOptions{ReadOnly: true}, func(t *tx) error {
		account, err = one(t, scanAccount, selectAccountOf, subject)
		return err
	})
	return account, err
}

func scanAccount(r row) (accounts.Account, error) {
	var a accounts.Account
	err := r.Scan(&a.Name, &a.Subject, &a.PasswordHash, timeField{&a.Created})
	return a, err
}

// ReplacePassword implements accounts.Store, within a transaction of this store.
func (s *Store) ReplacePassword(within issuer.Tx, subject, from, to string) error {
	t := within.(*tx)
	account, err := one(t, scanAccount, selectAccountOf, subject)
	if err != nil {
		return err
	}
	if from != "" && account.PasswordHash != from {
		return issuer.ErrTaken
	}
	return t.change(updatePassword, to, subject)
}

// DeleteAccount implements issuer.SubjectWriter.
func (t *tx) DeleteAccount(subject string) error {
	_, err := t.exec(deleteAccount, subject)
	return err
}
