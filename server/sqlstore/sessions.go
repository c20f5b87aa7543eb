package sqlstore

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	sessionColumns = `sessions.id, sessions.subject, sessions.generation, sessions.client_id, sessions.resource, sessions.scope, sessions.amr,
			sessions.auth_time, sessions.user_agent, sessions.address, sessions.created, sessions.last_used, sessions.idle_expires,
			sessions.expires, sessions.current, sessions.previous, sessions.rotated_at, sessions.ended, sessions.end_reason,
			sessions.revoked_tokens, sessions.reported, sessions.sign_in, sessions.jkt`
	sessionsJoined = `SELECT ` + sessionColumns + `, ` + subjectColumns + ` FROM subjects JOIN sessions ON sessions.subject = subjects.id `
	selectSession  = sessionsJoined + `WHERE sessions.id = $1`
	sessionsToHold = sessionsJoined + `WHERE sessions.id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
			$17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32) ORDER BY sessions.subject, sessions.id`
	maxToHold        = 32
	selectSessionsOf = `SELECT ` + sessionColumns + ` FROM sessions WHERE subject = $1 AND ended = 0 AND id > $2 ORDER BY id LIMIT $3`

	// One text for each index that finds the rows. A parameter has the type of the column that it is compared with
	// first.
	sessionsWhere           = `SELECT ` + sessionColumns + ` FROM sessions WHERE (created, id) < ($1, $2) AND (ended = 0 AND idle_expires > $3 AND expires > $3 OR $3 = 0) `
	sessionsOrder           = `ORDER BY created DESC, id DESC LIMIT $4`
	selectSessions          = sessionsWhere + sessionsOrder
	selectSessionsOfClient  = sessionsWhere + `AND client_id = $5 ` + sessionsOrder
	selectSessionsOfSubject = sessionsWhere + `AND subject = $5 AND ($6 = '' OR client_id = $6) ` + sessionsOrder

	latestUse = `SELECT max(last_used) FROM sessions`

	insertSession = `INSERT INTO sessions (id, subject, generation, client_id, resource, scope, amr, auth_time, user_agent, address, created, last_used,
			idle_expires, expires, current, previous, rotated_at, ended, end_reason, revoked_tokens, reported, sign_in, jkt)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`
	updateSession = `UPDATE sessions SET user_agent = $1, address = $2, last_used = $3, idle_expires = $4,
			current = $5, previous = $6, rotated_at = $7, ended = $8, end_reason = $9,
			revoked_tokens = $10, reported = $11, generation = $12
		WHERE id = $13`
	endSessions = `UPDATE sessions SET ended = $1, end_reason = $2 WHERE id IN (
			SELECT id FROM sessions WHERE subject = $3 AND ended = 0 AND generation < $4 LIMIT $5) RETURNING ` + sessionColumns

	endSessionsWhere    = `UPDATE sessions SET ended = $1, end_reason = $2 WHERE id IN (SELECT id FROM sessions WHERE ended = 0 AND (created, id) > ($3, $4) `
	endSessionsOrder    = `ORDER BY created, id LIMIT $5) RETURNING ` + sessionColumns
	endEverySession     = endSessionsWhere + endSessionsOrder
	endSessionsOfClient = endSessionsWhere + `AND client_id = $6 ` + endSessionsOrder
)

// ownedSession is a session and its subject.
type ownedSession struct {
	session issuer.Session
	subject issuer.Subject
}

func (o *ownedSession) fields() []any {
	return append(sessionFields(&o.session), subjectFields(&o.subject)...)
}

// Session implements issuer.SessionReader.
func (t *tx) Session(id string) (issuer.Session, issuer.Subject, error) {
	owned, ok := t.readAhead[id]
	if delete(t.readAhead, id); !ok {
		if err := t.find(selectSession, id, owned.fields()...); err != nil {
			return issuer.Session{}, issuer.Subject{}, err
		}
	}
	t.hold(id)
	return owned.session, owned.subject, nil
}

// HoldSessions implements issuer.SessionWriter. The database locks the rows in the order in which it returns them.
func (t *tx) HoldSessions(ids []string) error {
	args := make([]any, 0, maxToHold)
	for _, id := range ids {
		if storable(id) {
			args = append(args, id)
		}
	}
	for len(args) < maxToHold {
		args = append(args, "") // of no session
	}
	all, err := list(t, func(r row) (o ownedSession, err error) {
		err = r.Scan(o.fields()...)
		return o, err
	}, t.store.dialect.holding(sessionsToHold), args...)
	t.readAhead = make(map[string]ownedSession, len(all))
	for _, o := range all {
		t.readAhead[o.session.ID] = o
	}
	return err
}

// Sessions implements issuer.SessionReader.
func (t *tx) Sessions(f issuer.SessionFilter, live time.Time, after issuer.Position, limit int) ([]issuer.Session, error) {
	args := []any{until(after.Time), after.ID, millis(live), limit}
	switch {
	case f.Subject != "":
		return list(t, scanSession, selectSessionsOfSubject, append(args, f.Subject, f.ClientID)...)
	case f.ClientID != "":
		return list(t, scanSession, selectSessionsOfClient, append(args, f.ClientID)...)
	}
	return list(t, scanSession, selectSessions, args...)
}

// SessionsOf implements issuer.SessionReader.
func (t *tx) SessionsOf(subject, after string, limit int) ([]issuer.Session, error) {
	return list(t, scanSession, selectSessionsOf, subject, after, limit)
}

// LatestUse implements issuer.SessionReader.
func (t *tx) LatestUse() (latest time.Time, err error) {
	err = t.fault(t.row(latestUse).Scan(timeField{&latest}))
	return latest, err
}

func scanSession(r row) (issuer.Session, error) {
	var s issuer.Session
	err := r.Scan(sessionFields(&s)...)
	return s, err
}

// sessionFields take what sessionColumns name.
func sessionFields(s *issuer.Session) []any {
	return []any{
		&s.ID, &s.Subject, &s.Generation, &s.ClientID, &s.Resource, wordsField{&s.Scope}, wordsField{&s.AMR},
		timeField{&s.AuthTime}, &s.UserAgent, &s.Address, timeField{&s.Created}, timeField{&s.LastUsed},
		timeField{&s.IdleExpires}, timeField{&s.Expires}, &s.Counters.Current, &s.Counters.Previous, timeField{&s.Counters.RotatedAt},
		timeField{&s.Ended}, &s.EndReason, &s.RevokedTokens, &s.Reported, &s.SignIn, &s.KeyThumbprint,
	}
}

// InsertSession implements issuer.SessionWriter.
func (t *tx) InsertSession(s issuer.Session) error {
	return t.later(insertSession, s.ID, s.Subject, s.Generation, s.ClientID, s.Resource, words(s.Scope), words(s.AMR),
		millis(s.AuthTime), s.UserAgent, s.Address, millis(s.Created), millis(s.LastUsed),
		millis(s.IdleExpires), millis(s.Expires), s.Counters.Current, s.Counters.Previous, millis(s.Counters.RotatedAt),
		millis(s.Ended), string(s.EndReason), s.RevokedTokens, string(s.Reported), s.SignIn, s.KeyThumbprint)
}

// UpdateSession implements issuer.SessionWriter.
func (t *tx) UpdateSession(s issuer.Session) error {
	return t.changeHeld(s.ID, updateSession, s.UserAgent, s.Address, millis(s.LastUsed), millis(s.IdleExpires),
		s.Counters.Current, s.Counters.Previous, millis(s.Counters.RotatedAt), millis(s.Ended), string(s.EndReason),
		s.RevokedTokens, string(s.Reported), s.Generation, s.ID)
}

// EndSessions implements issuer.SessionWriter.
func (t *tx) EndSessions(subject string, e issuer.Ending, limit int) ([]issuer.Session, error) {
	if _, err := t.Subject(subject); err != nil && !errors.Is(err, issuer.ErrNotFound) { // locked before its sessions, as everywhere
		return nil, err
	}
	return listChanged(t, scanSession, endSessions, millis(e.At), string(e.Why), subject, e.Before, limit)
}

// EndSessionsOf implements issuer.SessionWriter.
func (t *tx) EndSessionsOf(client string, at time.Time, why issuer.EndReason, after issuer.Position, limit int) ([]issuer.Session, error) {
	args, query := []any{millis(at), string(why), millis(after.Time), after.ID, limit}, endEverySession
	if client != "" {
		args, query = append(args, client), endSessionsOfClient
	}
	ended, err := listChanged(t, scanSession, query, args...)
	slices.SortFunc(ended, func(a, b issuer.Session) int { // they come in no order of their own
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
	})
	return ended, err
}
