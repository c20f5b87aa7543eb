package issuer

import "time"

// EventKind says what an Event tells.
type EventKind string

// The events.
const (
	// EventRefreshElsewhere is a refresh token that was used twice within the grace window, the second time from
	// another address or agent: two tabs on a train, or a thief.
	EventRefreshElsewhere EventKind = "refresh.elsewhere"
	// EventReplyLost is a client that never got the answer to its last refresh, so that the skipped refresh token was
	// burned.
	EventReplyLost EventKind = "refresh.reply_lost"
	// EventRefreshReused is a refresh token that was presented after its successor was used, or after it was burned.
	// The session has ended.
	EventRefreshReused EventKind = "refresh.reused"
	// EventCodeReused is an authorization code that was presented again: somebody copied it. The session that it gave
	// has ended.
	EventCodeReused EventKind = "code.reused"
	// EventDatabaseRewound is an alarm: a genuine refresh token that this database never issued. The database was
	// restored from a backup or lost commits, and what was revoked since may be valid again.
	EventDatabaseRewound EventKind = "database.rewound"
	// EventDatabaseRecovered is what Recover did after the database came back from the past.
	EventDatabaseRecovered EventKind = "database.recovered"
	// EventIssuerMoved is a server that started under another URL than the one before it. The detail names both.
	EventIssuerMoved EventKind = "issuer.moved"
)

// Event is something that an operator may want to know. The time is the database's.
type Event struct {
	ID        uint64 // given by the store, ascending
	Time      time.Time
	Kind      EventKind
	Subject   string
	Session   string
	ClientID  string
	UserAgent string // of the request
	Address   string // of the request
	Detail    string // for people

	Actor       string // sub of who did it; "" is the subject itself, or the program
	ActorClient string // the client that the actor used
	RequestID   string
}

// event writes an event about a refresh.
func (u *update) event(kind EventKind, r RefreshRequest, session Session, detail string) error {
	return u.InsertEvent(Event{
		Time: u.now, Kind: kind, Subject: session.Subject, Session: session.ID, ClientID: session.ClientID,
		UserAgent: r.UserAgent, Address: r.Address, Detail: detail,
	})
}

// eventOnce writes an event about a refresh that rotates nothing, which a client may repeat as often as it likes: once
// until the next rotation, and nothing after the alarm.
func (u *update) eventOnce(kind EventKind, r RefreshRequest, session Session, detail string) error {
	if session.Reported == kind || session.Reported == EventDatabaseRewound {
		return nil
	}
	session.Reported = kind
	if err := u.UpdateSession(session); err != nil {
		return err
	}
	return u.event(kind, r, session, detail)
}
