package sqlstore

import (
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	insertNotice = `INSERT INTO notices (id, client_id, subject, session, attempts, due) VALUES ($1, $2, $3, $4, $5, $6)`
	claimNotices = `UPDATE notices SET attempts = attempts + 1, due = $1 WHERE id IN (SELECT id FROM notices
			WHERE due <= $2 AND client_id NOT IN ($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) ORDER BY due LIMIT $3)
		RETURNING id, client_id, subject, session, attempts, due`
	postponeNotice = `UPDATE notices SET due = $1 WHERE id = $2`
	deleteNotice   = `DELETE FROM notices WHERE id = $1`
)

// InsertNotice implements issuer.NoticeWriter.
func (t *tx) InsertNotice(n issuer.Notice) error {
	return t.later(insertNotice, n.ID, n.ClientID, n.Subject, n.Session, n.Attempts, millis(n.Due))
}

// ClaimNotices implements issuer.NoticeWriter.
func (t *tx) ClaimNotices(now, until time.Time, limit int, busy []string) ([]issuer.Notice, error) {
	if err := t.lock(lockSweep); err != nil { // so that two who claim at once don't find the same ones
		return nil, err
	}
	args := []any{millis(until), millis(now), limit}
	for n := range issuer.MaxBusyClients {
		client := "" // is nobody's ID
		if n < len(busy) {
			client = busy[n]
		}
		args = append(args, client)
	}
	return listChanged(t, func(r row) (n issuer.Notice, err error) {
		err = r.Scan(&n.ID, &n.ClientID, &n.Subject, &n.Session, &n.Attempts, timeField{&n.Due})
		return n, err
	}, claimNotices, args...)
}

// PostponeNotice implements issuer.NoticeWriter.
func (t *tx) PostponeNotice(id string, due time.Time) error {
	_, err := t.exec(postponeNotice, millis(due), id)
	return err
}

// DeleteNotice implements issuer.NoticeWriter.
func (t *tx) DeleteNotice(id string) error {
	_, err := t.exec(deleteNotice, id)
	return err
}
