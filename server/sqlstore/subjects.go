package sqlstore

import (
	"encoding/json"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	selectSubject = `SELECT id, generation, claims, scope, disabled, created, deleted,
			ending_before, ending_at, ending_why, ending_pending
		FROM subjects WHERE id = $1`
	insertSubject = `INSERT INTO subjects (id, generation, claims, scope, disabled, created, deleted,
			ending_before, ending_at, ending_why, ending_pending)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	updateSubject = `UPDATE subjects SET generation = $1, claims = $2, scope = $3, disabled = $4, created = $5, deleted = $6,
			ending_before = $7, ending_at = $8, ending_why = $9, ending_pending = $10
		WHERE id = $11`
)

// Subject implements issuer.SubjectReader.
func (t *tx) Subject(id string) (issuer.Subject, error) {
	var s issuer.Subject
	var claims string
	err := t.find(selectSubject, id, &s.ID, &s.Generation, &claims, wordsField{&s.Scope}, &s.Disabled, timeField{&s.Created}, timeField{&s.Deleted},
		&s.Ending.Before, timeField{&s.Ending.At}, &s.Ending.Why, &s.Ending.Pending)
	if err != nil {
		return issuer.Subject{}, err
	}
	s.Claims = json.RawMessage(claims)
	return s, nil
}

// InsertSubject implements issuer.SubjectWriter.
func (t *tx) InsertSubject(s issuer.Subject) error {
	return t.insert(insertSubject, s.ID, s.Generation, string(s.Claims), words(s.Scope), flag(s.Disabled), millis(s.Created), millis(s.Deleted),
		s.Ending.Before, millis(s.Ending.At), string(s.Ending.Why), flag(s.Ending.Pending))
}

// UpdateSubject implements issuer.SubjectWriter.
func (t *tx) UpdateSubject(s issuer.Subject) error {
	return t.change(updateSubject, s.Generation, string(s.Claims), words(s.Scope), flag(s.Disabled), millis(s.Created), millis(s.Deleted),
		s.Ending.Before, millis(s.Ending.At), string(s.Ending.Why), flag(s.Ending.Pending), s.ID)
}

// flag is a truth value as both databases can store it in an integer column.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
