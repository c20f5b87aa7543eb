package accounts

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/jot-auth/jot/server/issuer"
)

// challengeTTL is how long somebody has to type a code after the password.
const challengeTTL = 5 * time.Minute

// twoFactorAMR is how somebody proved who it is with a password and a one-time code (RFC 8176 §2). A recovery code is
// one.
var twoFactorAMR = []string{"pwd", "otp", "mfa"}

// challenge is the answer to a right password of an account that demands more: an *issuer.SecondFactorError. A subject
// that is disabled or gone gets the answer of a wrong password.
func (a *Accounts) challenge(ctx context.Context, account Account, try attempt, upgraded string) error {
	refusal := &issuer.SecondFactorError{ExpiresIn: challengeTTL}
	err := a.issuer.Confirm(ctx, issuer.Proof{Subject: account.Subject, Confirm: func(t issuer.Tx) error {
		if err := a.confirmUpgrade(t, account, try, upgraded); err != nil {
			return err
		}
		tx := a.store.AccountsTx(t)
		now, err := tx.Now()
		if err != nil {
			return err
		}
		var k Ticket
		k, refusal.Challenge = newTicket(ToLogIn, account.Subject, passwordMark(cmp.Or(upgraded, account.PasswordHash)), now, challengeTTL)
		if err := insertTicket(tx, k); err != nil {
			return err
		}
		return a.askFactors(tx, refusal, account, now)
	}})
	if errors.Is(err, issuer.ErrInvalidGrant) || errors.Is(err, issuer.ErrNotFound) {
		err = issuer.ErrInvalidCredentials
	}
	if err != nil {
		return err
	}
	return refusal
}

// AskAgain returns once more what a challenge asks for that is good, or fails with issuer.ErrCode.
func (a *Accounts) AskAgain(ctx context.Context, challenge string) (*issuer.SecondFactorError, error) {
	return view(ctx, a.store, func(r Reader) (*issuer.SecondFactorError, error) {
		k, err := findTicket(r, ToLogIn, challenge)
		if err != nil {
			return nil, err
		}
		account, err := challenged(r, k)
		if err != nil {
			return nil, err
		}
		now, err := r.Now()
		if err != nil {
			return nil, err
		}
		refusal := &issuer.SecondFactorError{Challenge: challenge, ExpiresIn: k.Expires.Sub(now)}
		return refusal, a.askFactors(r, refusal, account, now)
	})
}

// askFactors says what would complete a login, and asks for the account's passkeys.
func (a *Accounts) askFactors(r Reader, refusal *issuer.SecondFactorError, account Account, now time.Time) error {
	all, err := factorsOf(r, account.Subject)
	if err != nil {
		return err
	}
	owner := passkeyOwner{account: account}
	refusal.Factors = nil
	for _, f := range all {
		if f.Passkey != nil {
			owner.passkeys = append(owner.passkeys, *f.Passkey)
		}
		if (f.Passkey == nil || a.relyingParty != nil) && !slices.Contains(refusal.Factors, f.Kind) {
			refusal.Factors = append(refusal.Factors, f.Kind)
		}
	}
	if len(owner.passkeys) > 0 && a.relyingParty != nil {
		challenge := a.newPasskeyChallenge(toCompleteWithPasskey(refusal.Challenge), now)
		refusal.Passkey, err = a.requestOptions(owner.descriptors(), challenge, protocol.VerificationPreferred)
	}
	return err
}

// passwordMark ties a challenge to the password that it was given for: it dies with that.
func passwordMark(hash string) string {
	sum := sha256.Sum256([]byte(hash))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// CompleteLogIn is LogIn's second step: it takes the challenge of an *issuer.SecondFactorError, and a code of the
// account's second factor or a recovery code. The challenge is good once, for five minutes and as long as the password
// stays; a wrong code leaves it good, and counts by account and by address, whatever device it comes from. It fails
// with issuer.ErrCode for a challenge that isn't good, issuer.ErrFactor for a code that isn't, and an
// *issuer.ThrottledError; the proof's Confirm, which uses both up, as well.
func (a *Accounts) CompleteLogIn(ctx context.Context, challenge, code string, from issuer.Device) (issuer.Proof, error) {
	var account Account
	err := a.store.ViewAccounts(ctx, func(r Reader) error {
		k, err := findTicket(r, ToLogIn, challenge)
		if err == nil {
			account, err = challenged(r, k)
		}
		return err
	})
	if err != nil {
		return issuer.Proof{}, err
	}
	spend, err := a.checkCode(ctx, account.Subject, code, from)
	if err != nil {
		return issuer.Proof{}, err
	}
	return issuer.Proof{
		Subject:     account.Subject,
		AMR:         twoFactorAMR,
		DeviceToken: a.renewDeviceToken(from.Token, account.Subject),
		Confirm: func(t issuer.Tx) error {
			tx := a.store.AccountsTx(t)
			k, err := useTicket(tx, ToLogIn, challenge)
			if err == nil {
				_, err = challenged(tx, k)
			}
			if err != nil {
				return err
			}
			return spend(t)
		},
	}, nil
}

// challenged finds whom a challenge was given to, unless the password has changed since.
func challenged(r Reader, k Ticket) (Account, error) {
	account, err := r.AccountOfSubject(k.Subject)
	if errors.Is(err, issuer.ErrNotFound) || err == nil && passwordMark(account.PasswordHash) != k.Detail {
		return Account{}, issuer.ErrCode
	}
	return account, err
}
