package accounts

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// Purpose is what a ticket gives the right to.
type Purpose string

// The purposes.
const (
	ToSignUp Purpose = "sign_up"        // an invitation
	ToVerify Purpose = "verify_email"   // whoever has it reads the mail of an address
	ToReset  Purpose = "reset_password" // likewise, and chooses a new password
	ToLogIn  Purpose = "log_in"         // whoever has it knows the password, and lacks the second factor

	// passkeyAnswered gives the right to nothing: its hash is that of a challenge that was answered, and isn't answered
	// again.
	passkeyAnswered Purpose = "passkey_answered"
)

// ticketPrefixes begin the codes, so that they are told apart and found where they have leaked.
var ticketPrefixes = map[Purpose]string{ToSignUp: "jit_", ToVerify: "jvt_", ToReset: "jpt_", ToLogIn: "jlt_"}

const (
	codeSize = 32 // bytes
	// sweptTickets is how many expired tickets go when one comes, so that the table doesn't grow with what nobody uses.
	sweptTickets = 16
)

// Ticket is the right of whoever has its code to do one thing, once. Only the code's hash is stored.
type Ticket struct {
	Hash    [sha256.Size]byte
	Purpose Purpose
	Subject string // whom it's about; "" of an invitation
	Detail  string // the address that it verifies; a note on an invitation; of a login, see passwordMark
	Created time.Time
	Expires time.Time
}

// newTicket makes a ticket that is good for a time from now on, and its code of 256 random bits.
func newTicket(p Purpose, subject, detail string, now time.Time, ttl time.Duration) (Ticket, string) {
	secret := make([]byte, codeSize)
	rand.Read(secret)
	code := ticketPrefixes[p] + base64.RawURLEncoding.EncodeToString(secret)
	return Ticket{Hash: sha256.Sum256([]byte(code)), Purpose: p, Subject: subject, Detail: detail, Created: now, Expires: now.Add(ttl)}, code
}

// insertTicket stores a ticket and forgets some that have expired, which others may be about to forget, too: who counts
// in slots as well does that before, so that no two wait for each other.
func insertTicket(tx Tx, t Ticket) error {
	if err := tx.InsertTicket(t); err != nil {
		return err
	}
	return tx.SweepTickets(t.Created, sweptTickets)
}

// findTicket finds the ticket of a code that is good, or fails with issuer.ErrCode.
func findTicket(r Reader, p Purpose, code string) (Ticket, error) {
	encoded, prefixed := strings.CutPrefix(code, ticketPrefixes[p])
	if !prefixed || len(encoded) != base64.RawURLEncoding.EncodedLen(codeSize) {
		return Ticket{}, issuer.ErrCode
	}
	now, err := r.Now()
	if err != nil {
		return Ticket{}, err
	}
	// The index finds a hash, of which timing tells nothing about any code.
	t, err := r.Ticket(sha256.Sum256([]byte(code)))
	if errors.Is(err, issuer.ErrNotFound) || err == nil && (t.Purpose != p || !now.Before(t.Expires)) {
		return Ticket{}, issuer.ErrCode
	}
	return t, err
}

// useTicket is findTicket for the transaction that does what the ticket is for: of two that use one code at once, the
// second finds it gone.
func useTicket(tx Tx, p Purpose, code string) (Ticket, error) {
	t, err := findTicket(tx, p, code)
	if err != nil {
		return Ticket{}, err
	}
	err = tx.DeleteTicket(t.Hash)
	if errors.Is(err, issuer.ErrNotFound) {
		err = issuer.ErrCode
	}
	return t, err
}

// voidCodes ends what was sent to the person of an account.
func voidCodes(tx Tx, subject string) error {
	for _, sent := range []Purpose{ToVerify, ToReset} {
		if err := tx.DeleteTickets(subject, sent); err != nil {
			return err
		}
	}
	return nil
}
