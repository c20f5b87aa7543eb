package accounts

import (
	"cmp"
	"context"
	"unicode/utf8"

	"github.com/jot-auth/jot/server/issuer"
)

// AdminStore finds the accounts that administrators look for.
type AdminStore interface {
	// AccountsOf returns the accounts that these subjects have.
	AccountsOf(ctx context.Context, subjects []string) ([]Account, error)
	// AccountsFrom returns up to limit accounts with a name of at least from, below to, and above after, by name.
	AccountsFrom(ctx context.Context, from, to, after string, limit int) ([]Account, error)
}

// afterAll sorts after whatever a name may hold.
const afterAll = string(utf8.MaxRune)

// Admin makes accounts and sets passwords on behalf of administrators, by the rules that hold for everybody.
type Admin struct {
	accounts *Accounts
	store    AdminStore
}

// NewAdmin makes an Admin that hashes behind the gate of the accounts, and finds them in their store.
func NewAdmin(a *Accounts, store AdminStore) *Admin { return &Admin{accounts: a, store: store} }

// Create makes an account and its subject, of which ID, Claims, Scope and Disabled count, and answers the subject's
// identifier, a random one where ID is "". It fails as SignUp does, and with an *issuer.InputError for a subject that
// can't be.
func (a *Admin) Create(ctx context.Context, e issuer.Enrolment, subject issuer.Subject) (string, error) {
	made, err := issuer.NewSubject(subject.Claims, subject.Scope)
	if err != nil {
		return "", err
	}
	made.ID, made.Disabled = cmp.Or(subject.ID, made.ID), subject.Disabled
	account, err := a.prepare(ctx, e)
	if err != nil {
		return "", err
	}
	return a.accounts.enrol(ctx, account, made)
}

// prepare returns an account without its subject, with the hash of its password or the one that comes along.
func (a *Admin) prepare(ctx context.Context, e issuer.Enrolment) (Account, error) {
	if e.PasswordHash != "" {
		if e.Password != "" {
			return Account{}, &issuer.InputError{Field: "password_hash", Reason: "stands instead of a password, not beside one"}
		}
		if err := checkImport(e.PasswordHash); err != nil {
			return Account{}, err
		}
		account, err := identify(e)
		account.PasswordHash = e.PasswordHash
		return account, err
	}
	account, err := prepare(e)
	if err != nil {
		return Account{}, err
	}
	hash, err := a.accounts.hash(ctx, known, e.Password)
	account.PasswordHash = hash.String()
	return account, err
}

// Bootstrap makes an account with the scope of administrators for whoever has a code of the operator's, and answers its
// subject's identifier. It fails as SignUp does, and with issuer.ErrBootstrap.
func (a *Admin) Bootstrap(ctx context.Context, code, name, password string) (string, error) {
	if err := a.accounts.issuer.CheckBootstrap(ctx, code); err != nil { // no hashing for strangers
		return "", err
	}
	made, err := prepare(issuer.Enrolment{Name: name, Password: password})
	if err != nil {
		return "", err
	}
	hash, err := a.accounts.hash(ctx, known, password)
	if err != nil {
		return "", err
	}
	made.PasswordHash = hash.String()
	return a.accounts.issuer.BootstrapAdmin(ctx, code, func(sub string, tx issuer.Tx) error { return a.accounts.inserting(made, sub)(tx) })
}

// SetPassword is Accounts.ResetPassword.
func (a *Admin) SetPassword(ctx context.Context, subject, password string) error {
	return a.accounts.ResetPassword(ctx, subject, password)
}

// People returns who the subjects are that have accounts.
func (a *Admin) People(ctx context.Context, subjects []string) (map[string]issuer.Person, error) {
	owned, err := a.store.AccountsOf(ctx, subjects)
	people := make(map[string]issuer.Person, len(owned))
	for _, account := range owned {
		people[account.Subject] = account.person()
	}
	return people, err
}

// Search returns the canonical names of up to limit accounts, those that begin with a prefix and follow after, in
// order, and their subjects.
func (a *Admin) Search(ctx context.Context, prefix, after string, limit int) (names, subjects []string, err error) {
	prefix = foldName(prefix)
	found, err := a.store.AccountsFrom(ctx, prefix, prefix+afterAll, after, limit)
	for _, account := range found {
		names, subjects = append(names, account.Name), append(subjects, account.Subject)
	}
	return names, subjects, err
}
