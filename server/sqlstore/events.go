package sqlstore

import "github.com/jot-auth/jot/server/issuer"

const (
	selectEvents = `SELECT id, written, kind, subject, session, client_id, user_agent, address, detail
		FROM events WHERE id > $1 ORDER BY id LIMIT $2`
	insertEvent = `INSERT INTO events (written, kind, subject, session, client_id, user_agent, address, detail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
)

// Events implements issuer.EventReader.
func (t *tx) Events(after uint64, limit int) ([]issuer.Event, error) {
	return list(t, func(r row) (issuer.Event, error) {
		var e issuer.Event
		err := r.Scan(&e.ID, timeField{&e.Time}, &e.Kind, &e.Subject, &e.Session, &e.ClientID, &e.UserAgent, &e.Address, &e.Detail)
		return e, err
	}, selectEvents, after, limit)
}

// InsertEvent implements issuer.EventWriter.
func (t *tx) InsertEvent(e issuer.Event) error {
	return t.insert(insertEvent, millis(e.Time), string(e.Kind), e.Subject, e.Session, e.ClientID, e.UserAgent, e.Address, e.Detail)
}
