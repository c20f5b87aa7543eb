package accounts

import (
	"context"
	"errors"

	"github.com/jot-auth/jot/server/issuer"
)

// SignUp makes an account with a subject of its own, as Config says, and answers the subject's identifier. A name or
// password that no account may have is an *issuer.InputError, a name that exists is issuer.ErrTaken, and too many
// callers are issuer.ErrBusy.
//
// A sign-up counts against its address like a failed login, and is never given back: whoever makes accounts by the
// thousand, or asks which names exist, is delayed with an *issuer.ThrottledError. Where only the invited may sign up,
// nobody else is told anything but issuer.ErrInvitation.
func (a *Accounts) SignUp(ctx context.Context, e issuer.Enrolment, from issuer.Device) (string, error) {
	made, err := prepare(e)
	if err != nil {
		return "", err
	}
	if err := a.checkInvitation(ctx, e.Invitation); err != nil { // no hashing for strangers
		return "", err
	}
	limits := a.signUpLimits(from)
	if err := a.store.ViewAccounts(ctx, func(r Reader) error { return refused(r, limits) }); err != nil {
		return "", err
	}
	who := strangerFrom(from.Address)
	try, err := a.count(ctx, who, limits)
	if err != nil {
		return "", err
	}
	hash, err := a.hash(ctx, who, e.Password)
	if err != nil {
		a.abandon(ctx, try)
		return "", err
	}
	made.PasswordHash = hash.String()
	return a.enrolInvited(ctx, made, e.Invitation)
}

// checkInvitation fails with issuer.ErrInvitation for a code that enrolInvited wouldn't take.
func (a *Accounts) checkInvitation(ctx context.Context, code string) error {
	if !a.config.Invited {
		return nil
	}
	return a.store.ViewAccounts(ctx, func(r Reader) error {
		_, err := findTicket(r, ToSignUp, code)
		return uninvited(err)
	})
}

func uninvited(err error) error {
	if errors.Is(err, issuer.ErrCode) {
		return issuer.ErrInvitation
	}
	return err
}

// enrolInvited makes an account, uses its invitation up where one is needed, and asks to verify its address.
func (a *Accounts) enrolInvited(ctx context.Context, made Account, invitation string) (string, error) {
	subject, err := issuer.NewSubject(a.config.SignUpClaims, a.config.SignUpScope)
	if err != nil {
		return "", err
	}
	insert := a.inserting(made, subject.ID)
	welcomed := a.config.Post != nil && made.Email.Address != ""
	var code string
	// The invitation's end, the account and the code of its address are one commit: of two that use one invitation at
	// once, the second finds it gone and leaves nothing behind, and another address that is stated later voids the
	// code.
	err = a.issuer.Enrol(ctx, subject, func(t issuer.Tx) (err error) {
		tx := a.store.AccountsTx(t)
		if a.config.Invited {
			if _, err := useTicket(tx, ToSignUp, invitation); err != nil {
				return uninvited(err)
			}
		}
		if err = insert(t); err == nil && welcomed {
			code, err = insertVerify(tx, subject.ID, made.Email)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if welcomed {
		a.welcome(ctx, made, code)
	}
	return subject.ID, nil
}

// welcome asks a new account's owner to verify its address, unless too many letters went there. There is an account
// either way, and its owner can ask again.
func (a *Accounts) welcome(ctx context.Context, made Account, code string) {
	if _, err := a.charge(ctx, a.letterLimits(made.Email)); err == nil {
		_ = a.askToVerify(made, made.Email, code)
	}
}

// Add is SignUp for the program itself, which nothing delays.
func (a *Accounts) Add(ctx context.Context, name, password string) (string, error) {
	made, err := prepare(issuer.Enrolment{Name: name, Password: password})
	if err != nil {
		return "", err
	}
	hash, err := a.hash(ctx, known, password)
	if err != nil {
		return "", err
	}
	made.PasswordHash = hash.String()
	return a.enrolNew(ctx, made)
}

func (a *Accounts) signUpLimits(from issuer.Device) []limit {
	if a.config.NoThrottling {
		return nil
	}
	return a.addressLimits(from.Address)
}

// enrolNew makes an account with the subject that everybody gets who signs up.
func (a *Accounts) enrolNew(ctx context.Context, made Account) (string, error) {
	subject, err := issuer.NewSubject(a.config.SignUpClaims, a.config.SignUpScope)
	if err != nil {
		return "", err
	}
	return a.enrol(ctx, made, subject)
}

// enrol makes an account for a new subject, and answers the subject's identifier.
func (a *Accounts) enrol(ctx context.Context, made Account, subject issuer.Subject) (string, error) {
	if err := a.issuer.Enrol(ctx, subject, a.inserting(made, subject.ID)); err != nil {
		return "", err
	}
	return subject.ID, nil
}

// inserting adds an account in the transaction of its subject.
func (a *Accounts) inserting(made Account, subject string) func(issuer.Tx) error {
	return func(t issuer.Tx) error {
		tx := a.store.AccountsTx(t)
		now, err := tx.Now()
		if err != nil {
			return err
		}
		made.Subject, made.Created = subject, now
		return tx.InsertAccount(made)
	}
}

// prepare returns an account without its subject and hash, if there may be such an account and it may have the
// password.
func prepare(e issuer.Enrolment) (Account, error) {
	account, err := identify(e)
	if err != nil {
		return Account{}, err
	}
	return account, checkPassword(e.Password, account.own()...)
}

// identify returns an account of the name and address, if there may be one.
func identify(e issuer.Enrolment) (Account, error) {
	name, err := parseName(e.Name)
	if err != nil {
		return Account{}, err
	}
	email, err := parseEmail(e.Email)
	if err != nil {
		return Account{}, err
	}
	email.Verified = e.EmailVerified && e.Email != ""
	return Account{Name: name.canonical, Display: name.display, Email: email}, nil
}
