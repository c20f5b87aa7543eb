package accounts

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// Store keeps accounts, their second factors, tickets and what is remembered of failed attempts. It stores what it is
// given: the rules are in this package. Its methods fail as those of issuer.Store do.
type Store interface {
	// ViewAccounts runs f on one consistent state of the database.
	ViewAccounts(ctx context.Context, f func(Reader) error) error

	// UpdateAccounts runs f in one serializable transaction and commits it when f answers nil. It may run f again.
	UpdateAccounts(ctx context.Context, f func(Tx) error) error

	// AccountsTx returns the accounts in a transaction that this very store began for an issuer.
	AccountsTx(issuer.Tx) Tx
}

// Reader reads.
type Reader interface {
	// Now is the database's clock, in UTC and whole milliseconds.
	Now() (time.Time, error)
	AccountReader
	FactorReader
	PasskeyReader
	TicketReader
	ThrottleReader
}

// Tx reads and writes.
type Tx interface {
	Reader
	AccountWriter
	FactorWriter
	PasskeyWriter
	TicketWriter
	ThrottleWriter
}

// AccountReader reads accounts.
type AccountReader interface {
	// AccountByName finds the account of a canonical name, or fails with issuer.ErrNotFound.
	AccountByName(name string) (Account, error)
	// AccountOfSubject finds the account of a subject, or fails with issuer.ErrNotFound.
	AccountOfSubject(subject string) (Account, error)
	// AccountByEmail finds the account that has verified the address of this key, or fails with issuer.ErrNotFound.
	AccountByEmail(key string) (Account, error)
}

// AccountWriter writes accounts.
type AccountWriter interface {
	// InsertAccount adds an account, or fails with issuer.ErrTaken when its name exists, its subject has one, or
	// another account has verified the address that it has verified.
	InsertAccount(Account) error
	// UpdatePassword replaces the password hash of a subject's account, or fails with issuer.ErrNotFound.
	UpdatePassword(subject, hash string) error
	// UpdateEmail replaces the address of a subject's account. It fails with issuer.ErrNotFound, and with
	// issuer.ErrTaken when another account has verified the address and this one is to have, too.
	UpdateEmail(subject string, e Email) error
}

// FactorReader reads second factors.
type FactorReader interface {
	// TOTP finds what makes a subject's one-time codes, confirmed or not, or fails with issuer.ErrNotFound.
	TOTP(subject string) (TOTP, error)
	// TOTPs returns up to limit of all, of subjects above after, in the order of their subjects.
	TOTPs(after string, limit int) ([]TOTP, error)
	// RecoveryHashes returns the hashes of a subject's recovery codes that weren't used, in order.
	RecoveryHashes(subject string) ([][sha256.Size]byte, error)
}

// FactorWriter writes second factors.
type FactorWriter interface {
	// PutTOTP replaces what makes a subject's one-time codes, or adds it.
	PutTOTP(TOTP) error
	// SpendTOTP notes that a code of a step was used, or fails with issuer.ErrNotFound when that step's or a later
	// one's was, or there is none. Of two that spend one step at once, one does.
	SpendTOTP(subject string, step int64) error
	// ResealTOTP replaces the sealed secret, if it's still the one of the TOTP that was read.
	ResealTOTP(read TOTP, sealed []byte) error
	// InsertRecoveryCode adds the hash of a code.
	InsertRecoveryCode(subject string, hash [sha256.Size]byte) error
	// SpendRecoveryCode removes a code, or fails with issuer.ErrNotFound. Of two that spend one code at once, one does.
	SpendRecoveryCode(subject string, hash [sha256.Size]byte) error
	// DeleteTOTP removes what makes a subject's one-time codes, or fails with issuer.ErrNotFound.
	DeleteTOTP(subject string) error
	// DeleteRecoveryCodes removes those of a subject.
	DeleteRecoveryCodes(subject string) error
	// DeleteFactors removes all factors of a subject, passkeys too, with the recovery codes.
	DeleteFactors(subject string) error
}

// PasskeyReader reads passkeys.
type PasskeyReader interface {
	// Passkeys returns those of a subject, oldest first.
	Passkeys(subject string) ([]issuer.Passkey, error)
	// PasskeyPage returns up to limit of all, above an ID, in the order of their IDs.
	PasskeyPage(after string, limit int) ([]issuer.Passkey, error)
	// PasskeyOfCredential finds the passkey that an authenticator calls so, or fails with issuer.ErrNotFound.
	PasskeyOfCredential(credential []byte) (issuer.Passkey, error)
}

// PasskeyWriter writes passkeys.
type PasskeyWriter interface {
	// InsertPasskey adds a passkey, or fails with issuer.ErrTaken when its ID or its credential exists.
	InsertPasskey(issuer.Passkey) error
	// UsePasskey notes the SignCount, the BackedUp and the LastUsed of the passkey with this ID. It fails with
	// issuer.ErrNotFound when there is none, or when its counter is as high already, unless both are 0. Of two that
	// bring one counter at once, one does.
	UsePasskey(issuer.Passkey) error
	// RenamePasskey renames a subject's passkey, or fails with issuer.ErrNotFound.
	RenamePasskey(subject, id, name string) error
	// DeletePasskey removes a subject's passkey, or fails with issuer.ErrNotFound.
	DeletePasskey(subject, id string) error
}

// TicketReader reads tickets.
type TicketReader interface {
	// Ticket finds the ticket of a hash, expired ones too, or fails with issuer.ErrNotFound.
	Ticket(hash [sha256.Size]byte) (Ticket, error)
	// Tickets returns up to limit tickets of a subject and purpose, expired ones too, with a hash above after, in the
	// order of their hashes.
	Tickets(subject string, p Purpose, after []byte, limit int) ([]Ticket, error)
}

// TicketWriter writes tickets.
type TicketWriter interface {
	// InsertTicket adds a ticket, or fails with issuer.ErrTaken when its hash exists.
	InsertTicket(Ticket) error
	// DeleteTicket removes a ticket, or fails with issuer.ErrNotFound.
	DeleteTicket(hash [sha256.Size]byte) error
	// DeleteTickets removes all tickets of a subject and purpose.
	DeleteTickets(subject string, p Purpose) error
	// SweepTickets removes up to limit tickets that expired before now.
	SweepTickets(now time.Time, limit int) error
}

// ThrottleReader reads throttles.
type ThrottleReader interface {
	// Throttle finds the throttle of a slot, or fails with issuer.ErrNotFound.
	Throttle(slot int64) (Throttle, error)
}

// ThrottleWriter writes throttles.
type ThrottleWriter interface {
	// PutThrottle replaces the throttle of its slot, or adds it.
	PutThrottle(Throttle) error
	// DeleteThrottle removes the throttle of a slot, if there is one.
	DeleteThrottle(slot int64) error
	// SweepThrottles removes up to limit throttles, those that were cleared first, of which both times are now or
	// before.
	SweepThrottles(now time.Time, limit int) error
}
