package accounts

import (
	"context"
	"errors"

	"github.com/jot-auth/jot/server/issuer"
)

// Subjects is what this package needs of an *issuer.Issuer.
type Subjects interface {
	// OutdateSubject ends a subject's sessions but one, and runs with in the same transaction.
	OutdateSubject(ctx context.Context, subject, keep string, with func(issuer.Tx) error) error
}

// ChangePassword gives a subject's account a new password for its current one, and ends all its sessions but keep, that in which the change
// was asked for. A wrong current password is issuer.ErrInvalidCredentials, a new one that no account may have an *issuer.InputError, a subject
// without an account issuer.ErrNotFound, and too many callers are issuer.ErrBusy.
func (a *Accounts) ChangePassword(ctx context.Context, subject, current, password, keep string) error {
	account, err := a.store.AccountOf(ctx, subject)
	if err != nil {
		return err
	}
	if len(current) > maxPassword {
		return issuer.ErrInvalidCredentials
	}
	want, err := parsePasswordHash(account.PasswordHash)
	if err != nil {
		return err
	}
	ok, err := a.verify(ctx, want, current)
	if err != nil {
		return err
	}
	if !ok {
		return issuer.ErrInvalidCredentials
	}
	err = a.replacePassword(ctx, account, account.PasswordHash, password, keep)
	if errors.Is(err, issuer.ErrTaken) {
		return issuer.ErrInvalidCredentials // of two changes at once, the other one came first: this password isn't current any more
	}
	return err
}

// ResetPassword gives a subject's account a new password, whatever the current one is, and ends all its sessions. Its errors are
// ChangePassword's.
func (a *Accounts) ResetPassword(ctx context.Context, subject, password string) error {
	account, err := a.store.AccountOf(ctx, subject)
	if err != nil {
		return err
	}
	return a.replacePassword(ctx, account, "", password, "")
}

func (a *Accounts) replacePassword(ctx context.Context, account Account, from, password, keep string) error {
	if err := checkPassword(account.Name, password); err != nil {
		return err
	}
	hash, err := a.hash(ctx, password)
	if err != nil {
		return err
	}
	// The new hash and the sessions' end are one commit: no session that the old password began outlives it.
	return a.config.Subjects.OutdateSubject(ctx, account.Subject, keep, func(tx issuer.Tx) error {
		return a.store.ReplacePassword(tx, account.Subject, from, hash.String())
	})
}
