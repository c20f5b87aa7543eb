package sqlstore

import (
	"encoding/json"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	selectSubject = `SELECT id, generation, claims, scope, disabled, created FROM subjects WHERE id = $1`
	insertSubject = `INSERT INTO subjects (id, generation, claims, scope, disabled, created)
		VALUES ($1, $2, $3, $4, $5, $6)`
	updateSubject = `UPDATE subjects SET generation = $1, claims = $2, scope = $3, disabled = $4 WHERE id = $5`
)

// Subject implements issuer.SubjectReader.
func (t *tx) Subject(id string) (issuer.Subject, error) {
	var s issuer.Subject
	var claims string
	err := t.find(selectSubject, id, &s.ID, &s.Generation, &claims, wordsField{&s.Scope}, &s.Disabled, timeField{&s.Created})
	if err != nil {
		return issuer.Subject{}, err
	}
	s.Claims = json.RawMessage(claims)
	return s, nil
}

// InsertSubject implements issuer.SubjectWriter.
func (t *tx) InsertSubject(s issuer.Subject) error {
	return t.insert(insertSubject, s.ID, s.Generation, string(s.Claims), words(s.Scope), flag(s.Disabled), millis(s.Created))
}

// UpdateSubject implements issuer.SubjectWriter.
func (t *tx) UpdateSubject(s issuer.Subject) error {
	return t.change(updateSubject, s.Generation, string(s.Claims), words(s.Scope), flag(s.Disabled), s.ID)
}

// flag is a truth value as both databases can store it in an integer column.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
