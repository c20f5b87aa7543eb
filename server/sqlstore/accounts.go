package sqlstore

import (
	"context"

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
	return s.account(ctx, selectAccount, name)
}

// AccountOf implements accounts.Store.
func (s *Store) AccountOf(ctx context.Context, subject string) (accounts.Account, error) {
	return s.account(ctx, selectAccountOf, subject)
}

func (s *Store) account(ctx context.Context, query, arg string) (accounts.Account, error) {
	a, err := scanAccount(s.reader.row(ctx, query, arg))
	if err != nil {
		return accounts.Account{}, explain(ctx, err)
	}
	return a, nil
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
