package accounts

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	maxEmail  = 254 // bytes (RFC 5321 §4.5.3.1.3)
	maxLocal  = 64  // of them before the @ (§4.5.3.1.1)
	verifyTTL = 24 * time.Hour
)

// Email is the address of an account. The zero value is none.
type Email struct {
	Address  string // as it is written to
	Key      string // as it is compared: in lower case
	Verified bool   // the account's owner reads its mail
}

// mailbox is where letters to an address arrive, as far as anybody can tell: what follows a plus sign is any name that
// its owner has made up (RFC 5233).
func (e Email) mailbox() string {
	local, domain, _ := strings.Cut(e.Key, "@")
	owner, _, _ := strings.Cut(local, "+")
	return owner + "@" + domain
}

// emailForm is that of HTML's input elements, with a dot only between other characters (RFC 5321 §4.1.2): no quotes, no
// comments, and nothing that could end a header or an SMTP command.
var emailForm = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$")

// parseEmail reads an address that isn't verified; "" is none. Anything else is an *issuer.InputError.
func parseEmail(text string) (Email, error) {
	if text != "" && (len(text) > maxEmail || strings.IndexByte(text, '@') > maxLocal || !emailForm.MatchString(text)) {
		return Email{}, &issuer.InputError{Field: "email", Reason: "must be an e-mail address such as ada@example.com, of at most 254 characters"}
	}
	return Email{Address: text, Key: strings.ToLower(text)}, nil
}

// ChangeEmail gives an account another address, once its owner has shown to read the mail there, with the code that is
// sent to it. Until then a verified address stays; one that isn't is replaced at once.
//
// An address that can't be is an *issuer.InputError, a wrong password issuer.ErrInvalidCredentials, a subject without a
// password issuer.ErrNotFound, a server that sends no mail issuer.ErrNoMail. Attempts count as those of ChangePassword,
// and letters as those of RequestReset. A code that was sent to another address before is void. Whether the address is
// another account's is not said.
func (a *Accounts) ChangeEmail(ctx context.Context, subject, password, address string, from issuer.Device) error {
	email, err := parseEmail(address)
	if err == nil && address == "" {
		err = &issuer.InputError{Field: "email", Reason: "is missing"}
	}
	if err != nil {
		return err
	}
	if _, err := a.mail(); err != nil {
		return err
	}
	account, try, err := a.reauthenticate(ctx, subject, password, from)
	if err != nil {
		return err
	}
	if _, err := a.charge(ctx, a.mailLimits(email, from)); err != nil {
		a.abandon(ctx, try)
		return err
	}
	var code string
	// The check of the password, giving back its attempt, the address and its code are one commit: a password that was
	// changed meanwhile is a wrong one, an address that was verified meanwhile stays, and of two addresses the code of
	// the one that was stated last is good, whichever letter is written first.
	err = a.issuer.Amend(ctx, subject, issuer.EventEmailChanged, func(t issuer.Tx) (err error) {
		if err := a.confirm(t, account, try); err != nil {
			return err
		}
		code, err = stateEmail(a.store.AccountsTx(t), subject, email)
		return err
	})
	if err != nil {
		return err
	}
	return a.askToVerify(account, email, code)
}

// stateEmail stores an address in place of one that isn't verified, and answers the one code with which it will be.
func stateEmail(tx Tx, subject string, email Email) (code string, err error) {
	present, err := tx.AccountOfSubject(subject)
	if err == nil && !present.Email.Verified {
		err = tx.UpdateEmail(subject, email)
	}
	if err == nil {
		err = tx.DeleteTickets(subject, ToVerify)
	}
	if err != nil {
		return "", err
	}
	return insertVerify(tx, subject, email)
}

// insertVerify stores the ticket with which an address is verified, and answers its code.
func insertVerify(tx Tx, subject string, email Email) (code string, err error) {
	now, err := tx.Now()
	if err != nil {
		return "", err
	}
	t, code := newTicket(ToVerify, subject, email.Address, now, verifyTTL)
	return code, insertTicket(tx, t)
}

// askToVerify sends the code with which an address is verified, unless it's good no more when it is the letter's turn:
// another address was stated since, or the password was changed.
func (a *Accounts) askToVerify(account Account, email Email, code string) error {
	return a.config.Post.Send(func(ctx context.Context) (Letter, error) {
		_, err := view(ctx, a.store, func(r Reader) (Ticket, error) { return findTicket(r, ToVerify, code) })
		if errors.Is(err, issuer.ErrCode) {
			return Letter{}, nil
		}
		if err != nil {
			return Letter{}, err
		}
		return a.letter(email.Address, "verify", facts{Name: account.Shown(), Code: code, Link: link(a.config.Links.Verify, code)})
	})
}

// VerifyEmail takes the code of an address, which is the account's from now on, and verified. What was sent to the
// address of before opens nothing any more. It fails with issuer.ErrCode, and with issuer.ErrTaken when another account
// has verified the address.
func (a *Accounts) VerifyEmail(ctx context.Context, code string) error {
	var named Ticket
	err := a.store.ViewAccounts(ctx, func(r Reader) (err error) {
		named, err = findTicket(r, ToVerify, code)
		return err
	})
	if err != nil {
		return err
	}
	email, err := parseEmail(named.Detail)
	if err != nil {
		return err
	}
	email.Verified = true
	var before Account
	// The ticket's end and the address are one commit: a code counts once, and of two accounts that verify one address
	// one gets it.
	err = a.issuer.Amend(ctx, named.Subject, issuer.EventEmailVerified, func(t issuer.Tx) (err error) {
		tx := a.store.AccountsTx(t)
		if before, err = tx.AccountOfSubject(named.Subject); err != nil {
			return err
		}
		if _, err := useTicket(tx, ToVerify, code); err != nil {
			return err
		}
		if err := voidCodes(tx, named.Subject); err != nil {
			return err
		}
		return tx.UpdateEmail(named.Subject, email)
	})
	if errors.Is(err, issuer.ErrNotFound) {
		return issuer.ErrCode // of an account that is gone
	}
	if err == nil && before.Email.Key != email.Key {
		a.tell(before, "moved")
	}
	return err
}
