package accounts

import (
	"context"
	"errors"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// resetTTL is how long a person has to use the link of a reset.
const resetTTL = 30 * time.Minute

// RequestReset sends a code with which a new password can be chosen to an address, if an account has verified it. It
// never tells whether there is such an account, neither by its answer nor by the time it takes: that is looked up when
// it is the letter's turn.
//
// What is no address is an *issuer.InputError. Requests count by address, of mail and of the network, and are never
// given back: too many are an *issuer.ThrottledError. A server that sends no mail is issuer.ErrNoMail, one that has too
// many letters to send issuer.ErrBusy.
func (a *Accounts) RequestReset(ctx context.Context, address string, from issuer.Device) error {
	email, err := parseEmail(address)
	if err == nil && address == "" {
		err = &issuer.InputError{Field: "email", Reason: "is missing"}
	}
	if err != nil {
		return err
	}
	post, err := a.mail()
	if err != nil {
		return err
	}
	if _, err := a.charge(ctx, a.mailLimits(email, from)); err != nil {
		return err
	}
	return post.Send(func(ctx context.Context) (Letter, error) { return a.writeReset(ctx, email) })
}

func (a *Accounts) mailLimits(to Email, from issuer.Device) []limit {
	if a.config.NoThrottling {
		return nil
	}
	return append(a.addressLimits(from.Address), a.letterLimits(to)...)
}

// letterLimits bound how many letters that anybody can ask for come to one mailbox: nobody's is filled from here.
func (a *Accounts) letterLimits(to Email) []limit {
	if a.config.NoThrottling {
		return nil
	}
	return []limit{{a.slot(byMail, to.mailbox()), a.config.PerAccount}}
}

// writeReset writes the letter of a reset; there is none where no account has verified the address.
func (a *Accounts) writeReset(ctx context.Context, email Email) (Letter, error) {
	var account Account
	err := a.store.ViewAccounts(ctx, func(r Reader) (err error) {
		account, err = r.AccountByEmail(email.Key)
		return err
	})
	var code string
	if err == nil {
		code, err = a.issueReset(ctx, account)
	}
	if errors.Is(err, issuer.ErrNotFound) {
		return Letter{}, nil
	}
	if err != nil {
		return Letter{}, err
	}
	return a.letter(account.Email.Address, "reset", facts{Name: account.Shown(), Code: code, Link: link(a.config.Links.Reset, code)})
}

// issueReset stores the ticket of a reset, and answers its code. It fails with issuer.ErrNotFound when the account is
// gone, or has another password or address by now.
func (a *Accounts) issueReset(ctx context.Context, account Account) (code string, err error) {
	// The ticket and the account that it's for are one commit: a deletion of the account or a change of its password or
	// address comes before, and there is no ticket, or after, and takes it along.
	err = a.store.UpdateAccounts(ctx, func(tx Tx) error {
		present, err := tx.AccountOfSubject(account.Subject)
		if err == nil && (present.PasswordHash != account.PasswordHash || present.Email != account.Email) {
			err = issuer.ErrNotFound
		}
		if err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		var t Ticket
		t, code = newTicket(ToReset, account.Subject, "", now, resetTTL)
		return insertTicket(tx, t)
	})
	return code, err
}

// CompleteReset trades the code of a reset for a new password, ends all sessions of the account and voids its other
// codes. Who failed to log in before isn't delayed any more. It fails with issuer.ErrCode, and with an
// *issuer.InputError for a password that the account can't have; then the code stays good.
func (a *Accounts) CompleteReset(ctx context.Context, code, fresh string) error {
	var account Account
	err := a.store.ViewAccounts(ctx, func(r Reader) error {
		named, err := findTicket(r, ToReset, code)
		if err == nil {
			account, err = r.AccountOfSubject(named.Subject)
		}
		return err
	})
	if errors.Is(err, issuer.ErrNotFound) {
		err = issuer.ErrCode
	}
	if err == nil {
		err = checkNewPassword(account, fresh)
	}
	if err != nil {
		return err
	}
	hash, err := a.hash(ctx, caller{known: true, from: account.Subject}, fresh) // no hashing for strangers: the code was good
	if err != nil {
		return err
	}
	// The code's end, the new password and the end of the sessions are one commit: of two that use one code at once, or
	// two codes of one account, the second finds its code gone, and no session that the old password began outlives it.
	err = a.issuer.OutdateSubject(ctx, account.Subject, "", func(t issuer.Tx) error {
		tx := a.store.AccountsTx(t)
		if _, err := useTicket(tx, ToReset, code); err != nil {
			return err
		}
		if err := replacePassword(tx, account.Subject, hash); err != nil {
			return err
		}
		return tx.DeleteThrottle(a.slot(byAccount, account.Name))
	})
	if errors.Is(err, issuer.ErrNotFound) {
		return issuer.ErrCode // of an account that is gone
	}
	if err == nil {
		a.tell(account, "password")
	}
	return err
}
