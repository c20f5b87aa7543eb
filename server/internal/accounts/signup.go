package accounts

import (
	"context"

	"github.com/jot-auth/jot/server/issuer"
)

// SignUp makes an account with a subject of its own, as Config says, and answers the subject's identifier. A name or password that no
// account may have is an *issuer.InputError, a name that exists is issuer.ErrTaken, and too many callers are issuer.ErrBusy.
//
// A sign-up counts against its address like a failed log-in, and is never given back: whoever makes accounts by the thousand, or asks which
// names exist, is delayed with an *issuer.ThrottledError.
func (a *Accounts) SignUp(ctx context.Context, name, password string, from issuer.Device) (string, error) {
	name, err := checkCredentials(name, password)
	if err != nil {
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
	hash, err := a.hash(ctx, who, password)
	if err != nil {
		a.abandon(ctx, try)
		return "", err
	}
	return a.enrolNew(ctx, name, hash)
}

// Add is SignUp for the program itself, which nothing delays.
func (a *Accounts) Add(ctx context.Context, name, password string) (string, error) {
	name, err := checkCredentials(name, password)
	if err != nil {
		return "", err
	}
	hash, err := a.hash(ctx, known, password)
	if err != nil {
		return "", err
	}
	return a.enrolNew(ctx, name, hash)
}

func (a *Accounts) signUpLimits(from issuer.Device) []limit {
	if a.config.NoThrottling {
		return nil
	}
	return a.addressLimits(from.Address)
}

// enrolNew makes an account with the subject that everybody gets who signs up.
func (a *Accounts) enrolNew(ctx context.Context, name string, hash passwordHash) (string, error) {
	subject, err := issuer.NewSubject(a.config.SignUpClaims, a.config.SignUpScope)
	if err != nil {
		return "", err
	}
	return a.enrol(ctx, name, hash, subject)
}

// enrol makes an account for a new subject, and answers the subject's identifier.
func (a *Accounts) enrol(ctx context.Context, name string, hash passwordHash, subject issuer.Subject) (string, error) {
	if err := a.issuer.Enrol(ctx, subject, a.inserting(name, subject.ID, hash)); err != nil {
		return "", err
	}
	return subject.ID, nil
}

// inserting adds an account in the transaction of its subject.
func (a *Accounts) inserting(name, subject string, hash passwordHash) func(issuer.Tx) error {
	return func(t issuer.Tx) error {
		tx := a.store.AccountsTx(t)
		now, err := tx.Now()
		if err != nil {
			return err
		}
		return tx.InsertAccount(Account{Name: name, Subject: subject, PasswordHash: hash.String(), Created: now})
	}
}

// checkCredentials answers a name in its canonical form, if an account may have it and the password.
func checkCredentials(name, password string) (canonical string, err error) {
	if canonical, err = canonicalName(name); err != nil {
		return "", err
	}
	return canonical, checkPassword(canonical, password)
}
