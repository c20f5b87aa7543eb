package accounts

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// How long an invitation is good.
const (
	DefaultInvitation = 7 * 24 * time.Hour
	MaxInvitation     = 90 * 24 * time.Hour
)

const maxNote = 200 // bytes

// Invite makes an invitation, with which one account can be made where sign-up isn't open, until it expires; a ttl of 0
// is DefaultInvitation. The note is for administrators, to tell one from another. It fails with an *issuer.InputError.
func (a *Admin) Invite(ctx context.Context, note string, ttl time.Duration) (issuer.Invitation, string, error) {
	if ttl == 0 {
		ttl = DefaultInvitation
	}
	if ttl < time.Second || ttl > MaxInvitation {
		return issuer.Invitation{}, "", &issuer.InputError{Field: "expires_in", Reason: "must be 1 second to 90 days"}
	}
	if len(note) > maxNote {
		return issuer.Invitation{}, "", &issuer.InputError{Field: "note", Reason: "must be at most 200 bytes long"}
	}
	var t Ticket
	var code string
	// Ticket and event are one commit: nobody is invited unseen.
	err := a.accounts.issuer.Amend(ctx, "", issuer.EventAccountInvited, func(itx issuer.Tx) error {
		tx := a.accounts.store.AccountsTx(itx)
		now, err := tx.Now()
		if err != nil {
			return err
		}
		t, code = newTicket(ToSignUp, "", note, now, ttl)
		return insertTicket(tx, t)
	})
	if err != nil {
		return issuer.Invitation{}, "", err
	}
	return t.invitation(), code, nil
}

// Invitations returns up to limit invitations that weren't used, expired ones too as long as they are there, in the
// order of their IDs, above after.
func (a *Admin) Invitations(ctx context.Context, after string, limit int) ([]issuer.Invitation, error) {
	from, err := ticketHash(after)
	if err != nil && after != "" {
		return nil, &issuer.InputError{Field: "after", Reason: "must be the next of the page before"}
	}
	var found []Ticket
	err = a.accounts.store.ViewAccounts(ctx, func(r Reader) (err error) {
		found, err = r.Tickets("", ToSignUp, from, limit)
		return err
	})
	all := make([]issuer.Invitation, len(found))
	for n, t := range found {
		all[n] = t.invitation()
	}
	return all, err
}

// Withdraw voids an invitation that wasn't used, or fails with issuer.ErrNotFound.
func (a *Admin) Withdraw(ctx context.Context, id string) error {
	hash, err := ticketHash(id)
	if err != nil {
		return issuer.ErrNotFound
	}
	// That it is an invitation, its end and the event are one commit: whoever signs up with it does so before, or finds
	// it gone.
	return a.accounts.issuer.Amend(ctx, "", issuer.EventInvitationWithdrawn, func(itx issuer.Tx) error {
		tx := a.accounts.store.AccountsTx(itx)
		t, err := tx.Ticket([32]byte(hash))
		if err == nil && t.Purpose != ToSignUp {
			err = issuer.ErrNotFound
		}
		if err != nil {
			return err
		}
		return tx.DeleteTicket(t.Hash)
	})
}

// invitation is a ticket as administrators see it. Its ID is the hash of its code, which tells nothing of the code.
func (t Ticket) invitation() issuer.Invitation {
	return issuer.Invitation{ID: base64.RawURLEncoding.EncodeToString(t.Hash[:]), Note: t.Detail, Created: t.Created, Expires: t.Expires}
}

var errTicketHash = errors.New("accounts: not the ID of a ticket")

// ticketHash reads the ID of an invitation.
func ticketHash(id string) ([]byte, error) {
	hash, err := base64.RawURLEncoding.Strict().DecodeString(id)
	if err != nil || len(hash) != len(Ticket{}.Hash) {
		return nil, errTicketHash
	}
	return hash, nil
}
