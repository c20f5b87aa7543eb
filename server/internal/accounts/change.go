package accounts

import (
	"context"
	"errors"

	"github.com/jot-auth/jot/server/issuer"
)

// ResetPassword gives a subject's account a new password, whatever the current one is, and ends all its sessions. A new
// one that no account may have is an *issuer.InputError, a subject without an account issuer.ErrNotFound, and too many
// callers are issuer.ErrBusy. It voids the account's codes, as every change of a password does.
func (a *Accounts) ResetPassword(ctx context.Context, subject, fresh string) error {
	account, err := a.accountOf(ctx, subject)
	if err != nil {
		return err
	}
	if err := checkPassword(fresh, account.own()...); err != nil {
		return err
	}
	hash, err := a.hash(ctx, known, fresh)
	if err != nil {
		return err
	}
	// The new hash and the sessions' end are one commit: no session that the old password began outlives it.
	err = a.issuer.OutdateSubject(ctx, subject, "", func(tx issuer.Tx) error {
		return replacePassword(a.store.AccountsTx(tx), subject, hash)
	})
	if err == nil {
		a.tell(account, "changed")
	}
	return err
}

// replacePassword stores a new password, and voids what was sent and begun while the old one counted: who knew it may
// have asked for a code, at an address of their own, with which to come back, or have the secret of one-time codes that
// wait to be confirmed.
func replacePassword(tx Tx, subject string, hash passwordHash) error {
	if err := voidCodes(tx, subject); err != nil {
		return err
	}
	if err := tx.UpdatePassword(subject, hash.String()); err != nil {
		return err
	}
	return dropEnrolment(tx, subject) // the account comes before its factors, as in EnrolTOTP
}

// ChangePassword checks the current password and a new one. The proof's Confirm stores the new one: it's for the
// transaction in which the sessions of the old one end, see issuer.RenewSession, and fails with
// issuer.ErrInvalidCredentials when another change came first.
//
// A new password that no account may have is an *issuer.InputError, a wrong current one issuer.ErrInvalidCredentials,
// and a subject that has no password issuer.ErrNotFound. Attempts count by account, apart from logins, and by address:
// too many are an *issuer.ThrottledError.
//
// Demanded is whether the account has a second factor, as the caller found it, and that who asks has proved it. Where
// one has come since, Confirm fails with issuer.ErrBusy: whoever asks again learns it.
func (a *Accounts) ChangePassword(ctx context.Context, subject, current, fresh string, demanded bool, from issuer.Device) (issuer.Proof, error) {
	account, limits, err := a.lookUpChange(ctx, subject, from)
	if err != nil {
		return issuer.Proof{}, err
	}
	if fresh == current {
		return issuer.Proof{}, &issuer.InputError{Field: "new", Reason: "must differ from the current password"}
	}
	if err := checkNewPassword(account, fresh); err != nil {
		return issuer.Proof{}, err
	}
	try, err := a.count(ctx, caller{known: true, from: subject}, limits)
	if err != nil {
		return issuer.Proof{}, err
	}
	hash, err := a.exchange(ctx, account, current, fresh)
	if err != nil && !errors.Is(err, issuer.ErrInvalidCredentials) {
		a.abandon(ctx, try)
	}
	if err != nil {
		return issuer.Proof{}, err
	}
	return issuer.Proof{Subject: subject, AMR: passwordAMR, Committed: func() { a.tell(account, "changed") }, Confirm: func(t issuer.Tx) error {
		// That no second factor has come since the caller looked is of the commit that stores the new password: a
		// session by the password alone, which somebody holds who knows that password, must not outlive the moment in
		// which the owner has made both too little.
		if !demanded {
			if err := a.wantNoFactor(t, subject); err != nil {
				return err
			}
		}
		if err := a.confirm(t, account, try); err != nil {
			return err
		}
		return replacePassword(a.store.AccountsTx(t), subject, hash)
	}}, nil
}

// reauthenticate checks the current password of somebody who is logged in, as ChangePassword does. What the attempt was
// counted for is given back by confirm.
func (a *Accounts) reauthenticate(ctx context.Context, subject, password string, from issuer.Device) (Account, attempt, error) {
	account, limits, err := a.lookUpChange(ctx, subject, from)
	if err != nil {
		return Account{}, attempt{}, err
	}
	who := caller{known: true, from: subject}
	try, err := a.count(ctx, who, limits)
	if err != nil {
		return Account{}, attempt{}, err
	}
	ok, err := a.holds(ctx, who, account, password)
	if err != nil {
		a.abandon(ctx, try)
		return Account{}, attempt{}, err
	}
	if !ok {
		return Account{}, attempt{}, issuer.ErrInvalidCredentials
	}
	return account, try, nil
}

// lookUpChange finds the account of somebody who is logged in, and refuses an attempt that is throttled.
func (a *Accounts) lookUpChange(ctx context.Context, subject string, from issuer.Device) (account Account, limits []limit, err error) {
	err = a.store.ViewAccounts(ctx, func(tx Reader) (err error) {
		if account, err = tx.AccountOfSubject(subject); err != nil {
			return err
		}
		limits = a.changeLimits(subject, from)
		return refused(tx, limits)
	})
	return account, limits, err
}

// holds reports whether a password is the account's.
func (a *Accounts) holds(ctx context.Context, who caller, account Account, password string) (bool, error) {
	want, err := account.hash()
	if err != nil || len(password) > maxPassword {
		return false, err
	}
	return a.verify(ctx, who, want, password)
}

func (a *Accounts) changeLimits(subject string, from issuer.Device) []limit {
	if a.config.NoThrottling {
		return nil
	}
	return append(a.addressLimits(from.Address), limit{a.slot(byChange, subject), a.config.PerAccount})
}

// exchange returns the hash of the new password if the current one is right.
func (a *Accounts) exchange(ctx context.Context, account Account, current, fresh string) (passwordHash, error) {
	who := caller{known: true, from: account.Subject}
	ok, err := a.holds(ctx, who, account, current)
	if err != nil {
		return passwordHash{}, err
	}
	if !ok {
		return passwordHash{}, issuer.ErrInvalidCredentials
	}
	return a.hash(ctx, who, fresh)
}

// checkNewPassword refuses a password that an account can't have.
func checkNewPassword(account Account, fresh string) error {
	err := checkPassword(fresh, account.own()...)
	var input *issuer.InputError
	if errors.As(err, &input) {
		return &issuer.InputError{Field: "new", Reason: input.Reason}
	}
	return err
}
