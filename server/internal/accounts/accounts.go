// Package accounts keeps the people who log in with a name and a password.
//
// A password is stored as an Argon2id hash (RFC 9106) and nothing else. Hashing is
// expensive on purpose, so it happens outside transactions and behind a gate that
// leaves a processor to everything else. An unknown name costs the same as a wrong
// password and is answered the same.
package accounts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/jot-auth/jot/server/issuer"
)

// Account is one name that can log in.
type Account struct {
	Name         string    // canonical: lower case, unique
	Subject      string    // the subject that a log-in is for
	PasswordHash string    // PHC string of an Argon2id hash
	Created      time.Time // UTC, whole milliseconds
}

// Store keeps accounts. It stores what it is given: the rules are in this package.
type Store interface {
	// CreateAccount stores an account and its subject in one transaction. It fails
	// with issuer.ErrTaken when the name exists.
	CreateAccount(ctx context.Context, account Account, subject issuer.Subject) error

	// AccountByName answers the account of a canonical name, or issuer.ErrNotFound.
	AccountByName(ctx context.Context, name string) (Account, error)

	// AccountOf answers the account of a subject, or issuer.ErrNotFound.
	AccountOf(ctx context.Context, subject string) (Account, error)

	// ReplacePassword replaces the hash of a subject's account within a transaction of this store: only that from which is stated, and
	// whichever there is when from is empty. Another one is issuer.ErrTaken, no account issuer.ErrNotFound.
	ReplacePassword(within issuer.Tx, subject, from, to string) error
}

// Config says how much hashing may go on at once and what a new subject is granted.
// The zero value is ready to use.
type Config struct {
	MaxConcurrent int           // hashes computed at once; 0 means one less than the processors, at least 1
	MaxWaiting    int           // callers that may wait for their turn; 0 means 64
	MaxWait       time.Duration // how long one of them waits; 0 means 5 s

	SignUpScope  []string        // scope of a subject that signs up; nil means none
	SignUpClaims json.RawMessage // its claims, a JSON object; nil means {}

	Subjects Subjects         // whose passwords change, an *issuer.Issuer; nil: none does
	Now      func() time.Time // the clock; nil means time.Now
}

// Accounts signs people up and logs them in. It is safe for concurrent use.
type Accounts struct {
	store  Store
	config Config
	gate   *gate
	decoy  passwordHash // what the password of an unknown name is held against
	derive deriveFunc
}

// New makes Accounts over a store. It fails when a bound is negative or when the
// scope or the claims of new subjects aren't ones that a subject may have.
func New(store Store, c Config) (*Accounts, error) {
	if c.SignUpClaims == nil {
		c.SignUpClaims = json.RawMessage("{}")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if _, err := issuer.NewSubject(c.SignUpClaims, c.SignUpScope); err != nil {
		return nil, fmt.Errorf("accounts: no subject can sign up with the configured scope and claims: %w", err)
	}
	g, err := newGate(c.MaxConcurrent, c.MaxWaiting, c.MaxWait)
	if err != nil {
		return nil, err
	}
	return &Accounts{store: store, config: c, gate: g, decoy: decoyHash(), derive: argon2.IDKey}, nil
}

// SignUp makes an account with a subject of its own and answers the subject's
// identifier. A name or password that no account may have is an *issuer.InputError, a
// name that exists is issuer.ErrTaken, and too many callers are issuer.ErrBusy.
func (a *Accounts) SignUp(ctx context.Context, name, password string) (string, error) {
	name, err := canonicalName(name)
	if err != nil {
		return "", err
	}
	if err := checkPassword(name, password); err != nil {
		return "", err
	}
	subject, err := issuer.NewSubject(a.config.SignUpClaims, a.config.SignUpScope)
	if err != nil {
		return "", err
	}
	hash, err := a.hash(ctx, password)
	if err != nil {
		return "", err
	}
	account := Account{
		Name:         name,
		Subject:      subject.ID,
		PasswordHash: hash.String(),
		Created:      a.config.Now().UTC().Truncate(time.Millisecond),
	}
	if err := a.store.CreateAccount(ctx, account, subject); err != nil {
		return "", err
	}
	return subject.ID, nil
}

// LogIn answers the subject of the account with this name and password. An unknown
// name and a wrong password are both issuer.ErrInvalidCredentials and take one hash
// each; too many callers are issuer.ErrBusy. Whether the subject is disabled is the
// issuer's to say.
func (a *Accounts) LogIn(ctx context.Context, name, password string) (string, error) {
	subject, want, err := a.credentials(ctx, name, password)
	if err != nil {
		return "", err
	}
	ok, err := a.verify(ctx, want, password)
	if err != nil {
		return "", err
	}
	if !ok || subject == "" {
		return "", issuer.ErrInvalidCredentials
	}
	return subject, nil
}

// credentials answers the subject that a name stands for and the hash that its password
// must have; for a name or a password that no account has, no subject and the decoy.
func (a *Accounts) credentials(ctx context.Context, name, password string) (string, passwordHash, error) {
	name, err := canonicalName(name)
	if err != nil || len(password) > maxPassword {
		return "", a.decoy, nil
	}
	account, err := a.store.AccountByName(ctx, name)
	if errors.Is(err, issuer.ErrNotFound) {
		return "", a.decoy, nil
	}
	if err != nil {
		return "", passwordHash{}, err
	}
	hash, err := parsePasswordHash(account.PasswordHash)
	if err != nil {
		return "", passwordHash{}, fmt.Errorf("accounts: stored password of subject %s: %w", account.Subject, err)
	}
	return account.Subject, hash, nil
}
