package sqlstore

import (
	"errors"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	selectEvents = `SELECT id, written, kind, subject, session, client_id, user_agent, address, detail
		FROM events WHERE id > $1 ORDER BY id LIMIT $2`
	insertEvent = `INSERT INTO events (written, kind, subject, session, client_id, user_agent, address, detail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
)

// Events implements issuer.EventReader.
func (t *tx) Events(after uint64, limit int) ([]issuer.Event, error) {
	if err := errors.Join(t.lock(lockEvents), t.writeEvents()); err != nil {
		return nil, err
	}
	return list(t, func(r row) (issuer.Event, error) {
		var e issuer.Event
		err := r.Scan(&e.ID, timeField{&e.Time}, &e.Kind, &e.Subject, &e.Session, &e.ClientID, &e.UserAgent, &e.Address, &e.Detail)
		return e, err
	}, selectEvents, after, limit)
}

// InsertEvent implements issuer.EventWriter. The event is written when the transaction is about to commit: see writeEvents.
func (t *tx) InsertEvent(e issuer.Event) error {
	t.events = append(t.events, e)
	return nil
}

// writeEvents writes the events of this transaction. IDs ascend in the order of the commits, so that who reads events with a cursor misses
// none: the lock is held from before the first ID is drawn until the commit, and taken last, so that it's held for a moment and nobody
// who holds it waits for another lock.
func (t *tx) writeEvents() error {
	if len(t.events) == 0 {
		return nil
	}
	if err := t.lock(lockEvents); err != nil {
		return err
	}
	for _, e := range t.events {
		err := t.insert(insertEvent, millis(e.Time), string(e.Kind), e.Subject, e.Session, e.ClientID, e.UserAgent, e.Address, e.Detail)
		if err != nil {
			return err
		}
	}
	t.events = nil
	return nil
}
