// Package accounts keeps the people who log in with a name and a password.
//
// A password is stored as an Argon2id hash (RFC 9106) and nothing else. Hashing is
// expensive on purpose, so it happens outside transactions and behind a gate that
// leaves a processor to everything else. An unknown name costs the same as a wrong
// password and is answered the same.
//
// Guessing is throttled: an attempt is counted in the database before its hash is computed, and those that fail delay
// the next ones, by name and by address, more and more. Nothing is ever locked.
//
// An account may demand one-time codes (RFC 6238) or a passkey (WebAuthn) beside its password. Then the password gives
// a challenge and nothing else. A passkey also logs in by itself.
//
// Whatever asks the database may fail with issuer.ErrUnavailable, issuer.ErrBusy, and its context's error. Comments
// name the errors beside these.
package accounts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
	"golang.org/x/crypto/argon2"

	"github.com/jot-auth/jot/server/issuer"
)

// Account is one name that can log in.
type Account struct {
	Name         string    // canonical, unique: see parseName
	Display      string    // the name as its owner writes it
	Subject      string    // the subject that a login is for
	PasswordHash string    // PHC string of an Argon2id hash
	Email        Email     // zero where it has none
	Created      time.Time // UTC, whole milliseconds
}

// Issuer is what this package needs of an *issuer.Issuer: its keys, and the transactions that change an account
// together with its subject.
type Issuer interface {
	Keys
	Enrol(ctx context.Context, s issuer.Subject, with func(issuer.Tx) error) error
	OutdateSubject(ctx context.Context, subject, keep string, with func(issuer.Tx) error) error
	Amend(ctx context.Context, sub string, kind issuer.EventKind, with func(issuer.Tx) error) error
	AmendNoting(ctx context.Context, sub string, kind issuer.EventKind, detail string, with func(issuer.Tx) error) error
	Confirm(ctx context.Context, p issuer.Proof) error
	URL() string
	CheckBootstrap(ctx context.Context, code string) error
	BootstrapAdmin(ctx context.Context, code string, with func(sub string, tx issuer.Tx) error) (sub string, err error)
}

// Keys authenticate codes under keys that all servers over one database share and the database doesn't hold, and seal
// what it holds.
type Keys interface {
	MAC(purpose string, message []byte) (version byte, mac []byte)
	CheckMAC(purpose string, message []byte, version byte, mac []byte) bool
	Secrets
}

// Secrets seals what the database holds.
type Secrets interface {
	SealSecret(purpose, id string, secret []byte) []byte
	OpenSecret(purpose, id string, sealed []byte) (secret []byte, current bool, err error)
}

// Config says how much hashing may go on at once, how fast passwords may be guessed, and what a new subject is granted.
// The zero value is ready to use.
type Config struct {
	MaxConcurrent int           // hashes computed at once; 0 means one less than the processors, at least 1
	MaxWaiting    int           // strangers that may wait for their turn, half of them from one place, and as many from known devices; 0 means 64
	MaxWait       time.Duration // how long one of them waits; 0 means 5 s

	PerAccount Schedule // attempts on one account, or from one known device: 5, then 1 s up to 15 min; one is forgiven every 15 min
	PerAddress Schedule // from an IPv4 address or an IPv6 /64: 100, then 1 s up to 15 min; one every minute
	PerNetwork Schedule // from an IPv4 /24 or an IPv6 /48: 400, then 1 s up to 15 min; one every 10 s

	// NoThrottling lets anybody guess as fast as the gate lets hashes through. It's for whoever throttles in front of
	// this server.
	NoThrottling bool

	Invited bool // only whoever has an invitation may sign up

	Post  Post  // takes letters; nil: none are sent
	Links Links // what they lead to

	SignUpScope  []string        // scope of a subject that signs up; nil means none
	SignUpClaims json.RawMessage // its claims, a JSON object; nil means {}

	Now func() time.Time // the clock of device tokens; nil means time.Now
}

// Accounts signs people up and logs them in. It is safe for concurrent use.
type Accounts struct {
	store    Store
	issuer   Issuer
	config   Config
	gate     *gate
	decoy    passwordHash // what the password of an unknown name is held against
	derive   deriveFunc
	attempts atomic.Uint64 // that were counted; every so many are swept

	relyingParty *webauthn.WebAuthn // of passkeys; nil: no browser has any for this issuer
}

// New makes Accounts over a store and the issuer over the same store. It fails when a bound is negative, when a
// schedule isn't one, or when the scope or the claims of new subjects aren't ones that a subject may have.
func New(store Store, i Issuer, c Config) (*Accounts, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	g, err := newGate(c.MaxConcurrent, c.MaxWaiting, c.MaxWait)
	if err != nil {
		return nil, err
	}
	party, err := newRelyingParty(i.URL())
	if err != nil {
		return nil, err
	}
	return &Accounts{store: store, issuer: i, config: c, gate: g, decoy: decoyHash(), derive: argon2.IDKey, relyingParty: party}, nil
}

func (c Config) complete() (Config, error) {
	if c.SignUpClaims == nil {
		c.SignUpClaims = json.RawMessage("{}")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	var err1, err2, err3 error
	c.PerAccount, err1 = c.PerAccount.complete("PerAccount", defaultPerAccount)
	c.PerAddress, err2 = c.PerAddress.complete("PerAddress", defaultPerAddress)
	c.PerNetwork, err3 = c.PerNetwork.complete("PerNetwork", defaultPerNetwork)
	_, err := issuer.NewSubject(c.SignUpClaims, c.SignUpScope)
	if err != nil {
		err = fmt.Errorf("accounts: no subject can sign up with the configured scope and claims: %w", err)
	}
	return c, errors.Join(err, err1, err2, err3)
}
