package accounts

import (
	"context"
	"errors"

	"github.com/jot-auth/jot/server/issuer"
)

// The kinds of second factors.
const (
	kindTOTP    = "totp"
	kindPasskey = "passkey"
)

// EnrolTOTP begins to give an account one-time codes, and answers their secret and the URI of its QR code. Nothing is
// asked for until ConfirmTOTP has seen a code; another EnrolTOTP begins anew, and a new password ends it. Attempts
// count as those of ChangePassword, and it fails as that does, and with issuer.ErrTaken where the account has one-time
// codes already.
func (a *Accounts) EnrolTOTP(ctx context.Context, subject, password string, from issuer.Device) (secret, uri string, err error) {
	account, try, err := a.reauthenticate(ctx, subject, password, from)
	if err != nil {
		return "", "", err
	}
	raw := newTOTPSecret()
	sealed := a.issuer.SealSecret(TOTPSecret, subject, raw)
	// That the password is still right, giving back its attempt, that there are no codes yet and the secret are one
	// commit: of two devices that enrol at once the one that came last has the secret that counts, and none takes the
	// place of one that was confirmed meanwhile.
	err = a.store.UpdateAccounts(ctx, func(tx Tx) error {
		if err := a.confirmIn(tx, account, try); err != nil {
			return err
		}
		if enrolled, err := hasTOTP(tx, subject); err != nil || enrolled {
			return errors.Join(err, taken(enrolled))
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		return tx.PutTOTP(TOTP{Subject: subject, Sealed: sealed, Created: now})
	})
	if err != nil {
		return "", "", err
	}
	secret = EncodeTOTPSecret(raw)
	return secret, totpURI(a.issuer.URL(), account.Shown(), secret), nil
}

func taken(yes bool) error {
	if yes {
		return issuer.ErrTaken
	}
	return nil
}

// ConfirmTOTP takes the first code of a secret. From then on no password alone logs in. Where it's the account's first
// second factor the recovery codes are answered, this one time. It fails with issuer.ErrFactor for a code that isn't
// right, or where nothing waits to be confirmed, and with an *issuer.ThrottledError.
func (a *Accounts) ConfirmTOTP(ctx context.Context, subject, code string, from issuer.Device) (codes []string, err error) {
	try, err := a.charge(ctx, a.codeLimits(subject, from))
	if err != nil {
		return nil, err
	}
	fresh, hashes := newRecoveryCodes(subject)
	// The secret's state, the use of its code, the recovery codes and the event are one commit: of two that confirm at
	// once the second finds it confirmed, so that the codes which somebody wrote down are those that count.
	err = a.issuer.Amend(ctx, subject, issuer.EventFactorAdded, func(t issuer.Tx) error {
		tx := a.store.AccountsTx(t)
		f, err := tx.TOTP(subject)
		if errors.Is(err, issuer.ErrNotFound) || err == nil && f.Confirmed {
			return issuer.ErrFactor
		}
		if err != nil {
			return err
		}
		step, err := a.matchTOTP(tx, f, plainCode(code))
		if err != nil {
			return err
		}
		first, err := bringRecoveryCodes(tx, subject, hashes)
		if err != nil {
			return err
		}
		if codes = nil; first {
			codes = fresh
		}
		f.Step, f.Confirmed = step, true
		if err := tx.PutTOTP(f); err != nil {
			return err
		}
		return try.giveBack(tx)
	})
	if err != nil {
		if !errors.Is(err, issuer.ErrFactor) {
			a.abandon(ctx, try)
		}
		return nil, err
	}
	a.tellOwner(subject, "factoradded")
	return codes, nil
}

// Factors returns what a subject's account demands beside its password.
func (a *Accounts) Factors(ctx context.Context, subject string) ([]issuer.Factor, error) {
	return view(ctx, a.store, func(r Reader) ([]issuer.Factor, error) { return factorsOf(r, subject) })
}

func factorsOf(r Reader, subject string) ([]issuer.Factor, error) {
	var all []issuer.Factor
	f, err1 := r.TOTP(subject)
	if err1 == nil && f.Confirmed {
		all = append(all, issuer.Factor{Kind: kindTOTP, Created: f.Created})
	}
	if errors.Is(err1, issuer.ErrNotFound) {
		err1 = nil
	}
	passkeys, err2 := r.Passkeys(subject)
	for n := range passkeys {
		all = append(all, issuer.Factor{Kind: kindPasskey, Created: passkeys[n].Created, Passkey: &passkeys[n]})
	}
	left, err3 := r.RecoveryHashes(subject)
	for n := range all {
		all[n].RecoveryCodes = len(left)
	}
	return all, errors.Join(err1, err2, err3)
}

// hasFactor reports whether an account demands more than its password.
func hasFactor(r Reader, subject string) (bool, error) {
	codes, err1 := hasTOTP(r, subject)
	passkeys, err2 := r.Passkeys(subject)
	return codes || len(passkeys) > 0, errors.Join(err1, err2)
}

func hasTOTP(r Reader, subject string) (bool, error) {
	f, err := r.TOTP(subject)
	if errors.Is(err, issuer.ErrNotFound) {
		return false, nil
	}
	return f.Confirmed, err
}

// dropEnrolment removes one-time codes that were never confirmed, if there are any.
func dropEnrolment(tx Tx, subject string) error {
	f, err := tx.TOTP(subject)
	if errors.Is(err, issuer.ErrNotFound) || err == nil && f.Confirmed {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.DeleteTOTP(subject)
}

// RemoveTOTP takes a subject's one-time codes away, and with the last of its second factors the recovery codes, or
// fails with issuer.ErrNotFound. Whoever asks for it has just logged in with two factors.
func (a *Accounts) RemoveTOTP(ctx context.Context, subject string) error {
	var demanded bool
	// The codes' end, that of the recovery codes and the event are one commit: nothing is removed unseen, and of two
	// removals the second finds nothing.
	err := a.issuer.Amend(ctx, subject, issuer.EventFactorRemoved, func(t issuer.Tx) error {
		tx := a.store.AccountsTx(t)
		var err error
		if demanded, err = hasTOTP(tx, subject); err != nil {
			return err
		}
		if err := tx.DeleteTOTP(subject); err != nil {
			return err
		}
		return dropRecoveryCodes(tx, subject)
	})
	if err == nil && demanded { // an enrolment that was never confirmed is nothing to tell of
		a.tellOwner(subject, "factorremoved")
	}
	return err
}

// RemoveFactors takes everything away that a subject's account demands beside its password, with the recovery codes, or
// fails with issuer.ErrNotFound where there is nothing: its owner has lost them all.
func (a *Admin) RemoveFactors(ctx context.Context, subject string) error {
	store := a.accounts.store
	var demanded bool
	// That there is one, its end and the event are one commit: nothing is removed unseen, and of two removals the
	// second finds none.
	err := a.accounts.issuer.Amend(ctx, subject, issuer.EventFactorRemoved, func(t issuer.Tx) error {
		tx := store.AccountsTx(t)
		_, err := tx.TOTP(subject)
		if errors.Is(err, issuer.ErrNotFound) {
			var passkeys []issuer.Passkey
			if passkeys, err = tx.Passkeys(subject); err == nil && len(passkeys) == 0 {
				err = issuer.ErrNotFound
			}
		}
		if err == nil {
			demanded, err = hasFactor(tx, subject)
		}
		if err != nil {
			return err
		}
		return tx.DeleteFactors(subject)
	})
	if err == nil && demanded {
		a.accounts.tellOwner(subject, "factorremoved")
	}
	return err
}

// codeLimits bound guesses at the codes of one account. A known device has no count of its own here: the code is all
// that a thief of it lacks.
func (a *Accounts) codeLimits(subject string, from issuer.Device) []limit {
	if a.config.NoThrottling {
		return nil
	}
	return append(a.addressLimits(from.Address), limit{a.slot(byFactor, subject), a.config.PerAccount})
}

// checkCode checks a code of a subject's second factor, or a recovery code, and answers what uses it up, in the
// transaction of what it is for. Attempts count by account and address. It fails with issuer.ErrFactor and an
// *issuer.ThrottledError; so may what it answers.
func (a *Accounts) checkCode(ctx context.Context, subject, code string, from issuer.Device) (spend func(issuer.Tx) error, err error) {
	try, err := a.charge(ctx, a.codeLimits(subject, from))
	if err != nil {
		return nil, err
	}
	plain := plainCode(code)
	recovers := len(plain) == recoveryCodeSize
	if !recovers {
		_, err = view(ctx, a.store, func(r Reader) (int64, error) { return a.goodStep(r, subject, plain) })
	}
	if err != nil {
		if !errors.Is(err, issuer.ErrFactor) {
			a.abandon(ctx, try)
		}
		return nil, err
	}
	return func(t issuer.Tx) error {
		tx := a.store.AccountsTx(t)
		if recovers {
			err = a.spendRecoveryCode(t, subject, plain, from)
		} else {
			err = a.spendStep(tx, subject, plain)
		}
		if errors.Is(err, issuer.ErrNotFound) {
			return issuer.ErrFactor
		}
		if err != nil {
			return err
		}
		return try.giveBack(tx)
	}, nil
}

func (a *Accounts) spendRecoveryCode(t issuer.Tx, subject, plain string, from issuer.Device) error {
	tx := a.store.AccountsTx(t)
	if err := tx.SpendRecoveryCode(subject, recoveryHash(subject, plain)); err != nil {
		return err
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	return t.InsertEvent(issuer.Event{Time: now, Kind: issuer.EventRecoveryCodeUsed, Subject: subject, Address: from.Address})
}

// spendStep uses up a one-time code, if it's still good: that of a secret which was replaced since it was looked at
// isn't.
func (a *Accounts) spendStep(tx Tx, subject, plain string) error {
	step, err := a.goodStep(tx, subject, plain)
	if err != nil {
		return err
	}
	return tx.SpendTOTP(subject, step)
}

// goodStep returns the step of a one-time code that is good now for a login, or fails with issuer.ErrFactor.
func (a *Accounts) goodStep(r Reader, subject, plain string) (int64, error) {
	f, err := r.TOTP(subject)
	if errors.Is(err, issuer.ErrNotFound) || err == nil && !f.Confirmed {
		err = issuer.ErrFactor
	}
	if err != nil {
		return 0, err
	}
	return a.matchTOTP(r, f, plain)
}

// matchTOTP returns the step of a code that is good now, or fails with issuer.ErrFactor.
func (a *Accounts) matchTOTP(r Reader, f TOTP, plain string) (int64, error) {
	secret, _, err := a.issuer.OpenSecret(TOTPSecret, f.Subject, f.Sealed)
	if err != nil {
		return 0, err
	}
	now, err := r.Now()
	if err != nil {
		return 0, err
	}
	step, ok := totpStep(secret, plain, now, f.Step)
	if !ok {
		return 0, issuer.ErrFactor
	}
	return step, nil
}
