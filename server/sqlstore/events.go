package sqlstore

import (
	"errors"
	"math"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	eventColumns = `written, kind, subject, session, client_id, user_agent, address, detail, actor, actor_client, request_id`
	insertEvent  = `INSERT INTO events (` + eventColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`

	// One text for each index that finds the rows.
	eventsWhere = `SELECT id, ` + eventColumns + ` FROM events WHERE written >= $1 AND written < $2 AND `
	oldestFirst = `id > $3 ORDER BY id LIMIT $4`
	newestFirst = `id < $3 ORDER BY id DESC LIMIT $4`
	ofKind      = `kind = $5 AND `
	ofSubject   = `subject = $5 AND ($6 = '' OR kind = $6) AND `

	selectEvents                = eventsWhere + oldestFirst
	selectEventsOfKind          = eventsWhere + ofKind + oldestFirst
	selectEventsOfSubject       = eventsWhere + ofSubject + oldestFirst
	selectEventsBefore          = eventsWhere + newestFirst
	selectEventsOfKindBefore    = eventsWhere + ofKind + newestFirst
	selectEventsOfSubjectBefore = eventsWhere + ofSubject + newestFirst
)

// Events implements issuer.EventReader.
func (t *tx) Events(f issuer.EventFilter, after uint64, limit int) ([]issuer.Event, error) {
	return t.findEvents(f, int64(after), limit, selectEvents, selectEventsOfKind, selectEventsOfSubject)
}

// EventsBefore implements issuer.EventReader.
func (t *tx) EventsBefore(f issuer.EventFilter, before uint64, limit int) ([]issuer.Event, error) {
	from := int64(math.MaxInt64)
	if before != 0 {
		from = int64(before)
	}
	return t.findEvents(f, from, limit, selectEventsBefore, selectEventsOfKindBefore, selectEventsOfSubjectBefore)
}

// findEvents runs the query whose index fits the filter best.
func (t *tx) findEvents(f issuer.EventFilter, from int64, limit int, all, kind, subject string) ([]issuer.Event, error) {
	if err := errors.Join(t.lock(lockEvents), t.writeEvents()); err != nil {
		return nil, err
	}
	args := []any{millis(f.Since), until(f.Until), from, limit}
	switch {
	case f.Subject != "":
		return list(t, scanEvent, subject, append(args, f.Subject, string(f.Kind))...)
	case f.Kind != "":
		return list(t, scanEvent, kind, append(args, string(f.Kind))...)
	}
	return list(t, scanEvent, all, args...)
}

// until is the end of a span of time; without one it's open.
func until(t time.Time) int64 {
	if t.IsZero() {
		return math.MaxInt64
	}
	return t.UnixMilli()
}

func scanEvent(r row) (issuer.Event, error) {
	var e issuer.Event
	err := r.Scan(&e.ID, timeField{&e.Time}, &e.Kind, &e.Subject, &e.Session, &e.ClientID, &e.UserAgent, &e.Address, &e.Detail,
		&e.Actor, &e.ActorClient, &e.RequestID)
	return e, err
}

// InsertEvent implements issuer.EventWriter. The event is written when the transaction is about to commit: see
// writeEvents.
func (t *tx) InsertEvent(e issuer.Event) error {
	t.events = append(t.events, e)
	return nil
}

// writeEvents writes the events of this transaction. IDs ascend in the order of the commits, so that who reads events
// with a cursor misses none: the lock is held from before the first ID is drawn until the commit, and taken last, so
// that it's held for a moment and nobody who holds it waits for another lock.
func (t *tx) writeEvents() error {
	if len(t.events) == 0 {
		return nil
	}
	if err := t.lock(lockEvents); err != nil {
		return err
	}
	for _, e := range t.events {
		err := t.later(insertEvent, millis(e.Time), string(e.Kind), e.Subject, e.Session, e.ClientID, e.UserAgent, e.Address, e.Detail,
			e.Actor, e.ActorClient, e.RequestID)
		if err != nil {
			return err
		}
	}
	t.events = nil
	return nil
}
