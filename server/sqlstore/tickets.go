package sqlstore

import (
	"crypto/sha256"
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
)

const (
	ticketColumns = `hash, purpose, subject, detail, created, expires`
	selectTicket  = `SELECT ` + ticketColumns + ` FROM tickets WHERE hash = $1`
	selectTickets = `SELECT ` + ticketColumns + ` FROM tickets WHERE subject = $1 AND purpose = $2 AND hash > $3 ORDER BY hash LIMIT $4`
	insertTicket  = `INSERT INTO tickets (` + ticketColumns + `) VALUES ($1, $2, $3, $4, $5, $6)`
	deleteTicket  = `DELETE FROM tickets WHERE hash = $1`
	deleteTickets = `DELETE FROM tickets WHERE subject = $1 AND purpose = $2`

	deleteEveryTicketOf = `DELETE FROM tickets WHERE subject = $1`
	sweepTickets        = `DELETE FROM tickets WHERE hash IN (SELECT hash FROM tickets WHERE expires < $1 ORDER BY expires LIMIT $2)`
)

// Ticket implements accounts.TicketReader.
func (t *tx) Ticket(hash [sha256.Size]byte) (accounts.Ticket, error) {
	return one(t, scanTicket, selectTicket, hash[:])
}

// Tickets implements accounts.TicketReader.
func (t *tx) Tickets(subject string, p accounts.Purpose, after []byte, limit int) ([]accounts.Ticket, error) {
	if after == nil {
		after = []byte{} // no value is above NULL
	}
	return list(t, scanTicket, selectTickets, subject, string(p), after, limit)
}

func scanTicket(r row) (accounts.Ticket, error) {
	var k accounts.Ticket
	err := r.Scan(hashField{&k.Hash}, &k.Purpose, &k.Subject, &k.Detail, timeField{&k.Created}, timeField{&k.Expires})
	return k, err
}

// InsertTicket implements accounts.TicketWriter.
func (t *tx) InsertTicket(k accounts.Ticket) error {
	return t.insert(insertTicket, k.Hash[:], string(k.Purpose), k.Subject, k.Detail, millis(k.Created), millis(k.Expires))
}

// DeleteTicket implements accounts.TicketWriter.
func (t *tx) DeleteTicket(hash [sha256.Size]byte) error { return t.change(deleteTicket, hash[:]) }

// DeleteTickets implements accounts.TicketWriter.
func (t *tx) DeleteTickets(subject string, p accounts.Purpose) error {
	return t.insert(deleteTickets, subject, string(p))
}

// SweepTickets implements accounts.TicketWriter.
func (t *tx) SweepTickets(now time.Time, limit int) error {
	return t.insert(sweepTickets, millis(now), limit)
}
