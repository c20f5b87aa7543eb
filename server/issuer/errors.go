package issuer

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jot-auth/jot"
)

// The errors that callers branch on. The texts are fit for a client: they tell nothing about what is stored.
var (
	// ErrInvalidGrant is a refresh token that isn't accepted, for whatever reason, or a subject that
	// may not log in (RFC 6749 §5.2, invalid_grant).
	ErrInvalidGrant = errors.New("issuer: the grant is not valid; log in again")
	// ErrInvalidScope is a scope that is malformed, unknown, or wider than what was granted
	// (RFC 6749 §5.2, invalid_scope).
	ErrInvalidScope = errors.New("issuer: the scope is not one that can be granted")
	// ErrInvalidClient is a client that doesn't exist or that fails to prove who it is (RFC 6749 §5.2, invalid_client).
	ErrInvalidClient = errors.New("issuer: no such client, or not with this secret")
	// ErrUnauthorizedClient is a client that may not ask for tokens in this way (RFC 6749 §5.2, unauthorized_client).
	ErrUnauthorizedClient = errors.New("issuer: the client may not use this grant")
	// ErrInvalidTarget is a resource that doesn't exist or that the client has no business with (RFC 8707 §2,
	// invalid_target).
	ErrInvalidTarget = errors.New("issuer: no such resource")
	// ErrProofRequired is a client whose tokens are bound to a key, and that proved to have none (RFC 9449 §5,
	// invalid_dpop_proof).
	ErrProofRequired = errors.New("issuer: the client's tokens are bound to a key; send a DPoP proof")
	// ErrInvalidCredentials is a wrong name or password; which of them is not said.
	ErrInvalidCredentials = errors.New("issuer: wrong name or password")
	// ErrFactor is a code of a second factor that is wrong, was used, or has run out.
	ErrFactor = errors.New("issuer: wrong code; wait for the next one")
	// ErrPasskey is an authenticator's answer that doesn't prove what it should, or that is of no passkey of the
	// account.
	ErrPasskey = errors.New("issuer: the passkey is not accepted")
	// ErrNoPasskeys is what can't be done at an issuer whose URL names no host but an address: browsers have passkeys
	// for names alone.
	ErrNoPasskeys = errors.New("issuer: no passkeys here: the issuer's URL has no host name")
	// ErrCode is the code of a link or an invitation that isn't good: it's wrong, was used, or has expired.
	ErrCode = errors.New("issuer: the code is not valid any more; ask for a new one")
	// ErrNoMail is what can't be done by a server that sends no mail.
	ErrNoMail = errors.New("issuer: this server sends no mail")
	// ErrInvitation is a sign-up without a good invitation where one is needed.
	ErrInvitation = errors.New("issuer: an invitation is needed")
	// ErrTaken is an identifier or name that exists already.
	ErrTaken = errors.New("issuer: taken already")
	// ErrNotFound is something that doesn't exist.
	ErrNotFound = errors.New("issuer: not found")
	// ErrDeclared is a client or resource that the configuration declares, or that is built in: no request changes it.
	ErrDeclared = errors.New("issuer: declared in the configuration; change it there")
	// ErrSwept is a part of the revocation log that isn't kept any more, since its rules have expired long ago.
	ErrSwept = errors.New("issuer: the log goes back less far")
	// ErrKeyLimit is a rotation that would publish more keys than verifiers hold. It passes when the oldest
	// retiring key has left the key set.
	ErrKeyLimit = errors.New("issuer: too many keys are published")
	// ErrBusy is a server that has too much to do right now: answer 503 with Retry-After.
	ErrBusy = errors.New("issuer: busy; try again in a moment")
	// ErrUnavailable is a database that can't be reached or can't write: answer 503 with Retry-After. It is
	// jot.ErrUnavailable, so that a verifier over an issuer fails the same way.
	ErrUnavailable = jot.ErrUnavailable
	// ErrFull is the ErrUnavailable of a database without room on its disk: it's the same database as before, and can
	// be read.
	ErrFull = fmt.Errorf("%w: the disk is full", ErrUnavailable)
)

// SecondFactorError is a login whose password was right, and that lacks a second factor: whoever has the challenge may
// complete it.
type SecondFactorError struct {
	Challenge string
	ExpiresIn time.Duration
	Factors   []string        // kinds of which the account has one: "totp", "passkey"
	Passkey   json.RawMessage // for the browser's navigator.credentials.get, where there are passkeys (WebAuthn Level 3 §5.5)
}

// Error says what is missing.
func (e *SecondFactorError) Error() string {
	return "issuer: the account has a second factor; send the challenge back with a code or a passkey's answer"
}

// ThrottledError is an attempt to log in that comes too soon after others that failed: answer 429 with Retry-After. It
// says nothing of whether the account exists or the password was right.
type ThrottledError struct {
	RetryAfter time.Duration // after which an attempt is let through
}

// Error says to wait.
func (e *ThrottledError) Error() string {
	return "issuer: too many failed attempts; wait before the next"
}

// InputError is a value from outside that can't be accepted. It names the field and never quotes the value.
type InputError struct {
	Field  string // as the caller knows it: "subject", "claims", "scope", …
	Reason string // what is wrong and what would be right
}

// Error gives the field and the reason.
func (e *InputError) Error() string { return e.Field + ": " + e.Reason }
