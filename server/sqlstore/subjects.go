package sqlstore

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	subjectColumns = `subjects.id, subjects.generation, subjects.claims, subjects.scope, subjects.disabled, subjects.created, subjects.deleted,
			subjects.ending_before, subjects.ending_at, subjects.ending_why, subjects.ending_pending`
	selectSubject  = `SELECT ` + subjectColumns + ` FROM subjects WHERE id = $1`
	selectSubjects = `SELECT ` + subjectColumns + ` FROM subjects
		WHERE (created, id) < ($1, $2) AND deleted = 0 AND (disabled = $3 OR $3 < 0) ORDER BY created DESC, id DESC LIMIT $4`
	selectClientSubjects = `SELECT ` + subjectColumns + ` FROM subjects WHERE id > $1 AND id < $2 AND deleted = 0 ORDER BY id LIMIT $3`
	// A scope is a list of words. The first condition is that of the index subjects_by_own_scope, word for word, which
	// leads to the few who have one of the issuer's own; it's an equality and they are counted, or PostgreSQL would
	// expect so many that it looks for one among all subjects.
	otherWithScope = `SELECT count(*) > 0 FROM subjects
		WHERE CASE WHEN replace(' ' || scope, ' jot:', '') = ' ' || scope THEN 0 ELSE 1 END = 1
			AND disabled = 0 AND deleted = 0 AND id <> $1 AND replace(' ' || scope || ' ', $2, '') <> ' ' || scope || ' '`
	insertSubject = `INSERT INTO subjects (id, generation, claims, scope, disabled, created, deleted, ending_before, ending_at, ending_why, ending_pending)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	updateSubject = `UPDATE subjects SET generation = $1, claims = $2, scope = $3, disabled = $4, created = $5, deleted = $6,
			ending_before = $7, ending_at = $8, ending_why = $9, ending_pending = $10
		WHERE id = $11`
)

// Subject implements issuer.SubjectReader.
func (t *tx) Subject(id string) (issuer.Subject, error) {
	return one(t, scanSubject, selectSubject, id)
}

func scanSubject(r row) (issuer.Subject, error) {
	var s issuer.Subject
	err := r.Scan(subjectFields(&s)...)
	return s, err
}

// subjectFields take what subjectColumns name.
func subjectFields(s *issuer.Subject) []any {
	return []any{
		&s.ID, &s.Generation, claimsField{&s.Claims}, wordsField{&s.Scope}, flagField{&s.Disabled}, timeField{&s.Created}, timeField{&s.Deleted},
		&s.Ending.Before, timeField{&s.Ending.At}, &s.Ending.Why, flagField{&s.Ending.Pending},
	}
}

// claimsField scans a JSON object.
type claimsField struct{ claims *json.RawMessage }

func (f claimsField) Scan(value any) error {
	text, _ := value.(string)
	*f.claims = json.RawMessage(text)
	return nil
}

// Subjects implements issuer.SubjectReader.
func (t *tx) Subjects(f issuer.SubjectFilter, after issuer.Position, limit int) ([]issuer.Subject, error) {
	disabled := -1
	if f.Disabled != nil {
		disabled = flag(*f.Disabled)
	}
	return list(t, scanSubject, selectSubjects, until(after.Time), after.ID, disabled, limit)
}

// ClientSubjects implements issuer.SubjectReader.
func (t *tx) ClientSubjects(after string, limit int) ([]issuer.Subject, error) {
	last := issuer.ClientPrefix + string(utf8.MaxRune)
	return list(t, scanSubject, t.holding(selectClientSubjects), max(after, issuer.ClientPrefix), last, limit)
}

// OtherWithScope implements issuer.SubjectReader.
func (t *tx) OtherWithScope(scope, id string) (bool, error) {
	if err := t.lock(lockAdmins); err != nil {
		return false, err
	}
	found, err := list(t, func(r row) (exists bool, err error) {
		err = r.Scan(flagField{&exists})
		return exists, err
	}, otherWithScope, id, " "+scope+" ")
	return len(found) == 1 && found[0], err
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
