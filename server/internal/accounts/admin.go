package accounts

import (
	"cmp"
	"context"
	"strings"

	"github.com/jot-auth/jot/server/issuer"
)

// AdminStore keeps what administrators change about accounts. A method with a Tx takes part in that transaction of the issuer, whose
// store it is.
type AdminStore interface {
	// InsertAccount adds an account, or fails with issuer.ErrTaken when its name exists or its subject has one.
	InsertAccount(tx issuer.Tx, account Account) error
	// AccountsOf returns the accounts that these subjects have.
	AccountsOf(ctx context.Context, subjects []string) ([]Account, error)
	// AccountsFrom returns up to limit accounts with a name of at least from, below to, and above after, by name.
	AccountsFrom(ctx context.Context, from, to, after string, limit int) ([]Account, error)
}

// Enroller is what administration needs of an *issuer.Issuer: the transactions that make an account together with its subject.
type Enroller interface {
	Enrol(ctx context.Context, s issuer.Subject, with func(issuer.Tx) error) error
	CheckBootstrap(ctx context.Context, code string) error
	BootstrapAdmin(ctx context.Context, code string, with func(sub string, tx issuer.Tx) error) (sub string, err error)
}

// afterAll sorts after whatever a name, which is ASCII, may hold.
const afterAll = "\x7f"

// Admin makes accounts and sets passwords on behalf of administrators, by the rules that hold for everybody.
type Admin struct {
	accounts *Accounts
	store    AdminStore
	subjects Enroller
}

// NewAdmin makes an Admin that hashes behind the gate of the accounts.
func NewAdmin(a *Accounts, store AdminStore, subjects Enroller) *Admin {
	return &Admin{accounts: a, store: store, subjects: subjects}
}

// Create makes an account and its subject, of which ID, Claims, Scope and Disabled count, and answers the subject's identifier, a
// random one where ID is "". It fails as SignUp does, and with an *issuer.InputError for a subject that can't be.
func (a *Admin) Create(ctx context.Context, name, password string, subject issuer.Subject) (string, error) {
	made, err := issuer.NewSubject(subject.Claims, subject.Scope)
	if err != nil {
		return "", err
	}
	made.ID, made.Disabled = cmp.Or(subject.ID, made.ID), subject.Disabled
	name, hash, err := a.credentials(ctx, name, password)
	if err != nil {
		return "", err
	}
	err = a.subjects.Enrol(ctx, made, func(tx issuer.Tx) error { return a.insert(tx, name, made.ID, hash) })
	if err != nil {
		return "", err
	}
	return made.ID, nil
}

// Bootstrap makes an account with the scope of administrators for whoever has a code of the operator's, and answers its subject's
// identifier. It fails as SignUp does, and with issuer.ErrBootstrap.
func (a *Admin) Bootstrap(ctx context.Context, code, name, password string) (string, error) {
	if err := a.subjects.CheckBootstrap(ctx, code); err != nil { // no hashing for strangers
		return "", err
	}
	name, hash, err := a.credentials(ctx, name, password)
	if err != nil {
		return "", err
	}
	return a.subjects.BootstrapAdmin(ctx, code, func(sub string, tx issuer.Tx) error { return a.insert(tx, name, sub, hash) })
}

// SetPassword is Accounts.ResetPassword.
func (a *Admin) SetPassword(ctx context.Context, subject, password string) error {
	return a.accounts.ResetPassword(ctx, subject, password)
}

// Names answers the names of the accounts that subjects have, by subject.
func (a *Admin) Names(ctx context.Context, subjects []string) (map[string]string, error) {
	owned, err := a.store.AccountsOf(ctx, subjects)
	names := make(map[string]string, len(owned))
	for _, account := range owned {
		names[account.Subject] = account.Name
	}
	return names, err
}

// Search answers the names of up to limit accounts, those that begin with a prefix and follow after, in order, and their subjects.
func (a *Admin) Search(ctx context.Context, prefix, after string, limit int) (names, subjects []string, err error) {
	prefix = strings.ToLower(prefix)
	found, err := a.store.AccountsFrom(ctx, prefix, prefix+afterAll, after, limit)
	for _, account := range found {
		names, subjects = append(names, account.Name), append(subjects, account.Subject)
	}
	return names, subjects, err
}

// credentials answers a name in its canonical form and the hash of a password, if an account may have them.
func (a *Admin) credentials(ctx context.Context, name, password string) (canonical, hash string, err error) {
	if canonical, err = canonicalName(name); err != nil {
		return "", "", err
	}
	if err := checkPassword(canonical, password); err != nil {
		return "", "", err
	}
	h, err := a.accounts.hash(ctx, known, password)
	if err != nil {
		return "", "", err
	}
	return canonical, h.String(), nil
}

func (a *Admin) insert(tx issuer.Tx, name, subject, hash string) error {
	now, err := tx.Now()
	if err != nil {
		return err
	}
	return a.store.InsertAccount(tx, Account{Name: name, Subject: subject, PasswordHash: hash, Created: now})
}
