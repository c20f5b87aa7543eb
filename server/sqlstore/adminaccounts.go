package sqlstore

import (
	"context"
	"errors"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/issuer"
)

const selectAccountsFrom = `SELECT ` + accountColumns + ` FROM accounts
	WHERE name >= $1 AND name < $2 AND name > $3 ORDER BY name LIMIT $4`

// AccountsOf implements accounts.AdminStore.
func (s *Store) AccountsOf(ctx context.Context, subjects []string) ([]accounts.Account, error) {
	var all []accounts.Account
	err := s.View(ctx, func(r issuer.Reader) error {
		t := r.(*tx)
		all = nil
		for _, subject := range subjects {
			a, err := one(t, scanAccount, selectAccountOfSubject, subject)
			if errors.Is(err, issuer.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			all = append(all, a)
		}
		return nil
	})
	return all, err
}

// AccountsFrom implements accounts.AdminStore.
func (s *Store) AccountsFrom(ctx context.Context, from, to, after string, limit int) ([]accounts.Account, error) {
	var all []accounts.Account
	err := s.View(ctx, func(r issuer.Reader) (err error) {
		all, err = list(r.(*tx), scanAccount, selectAccountsFrom, from, to, after, limit)
		return err
	})
	return all, err
}
