package sqlstore

import (
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	signInColumns = `sign_ins.id, sign_ins.hash, sign_ins.subject, sign_ins.generation, sign_ins.amr, sign_ins.auth_time, sign_ins.expires`
	selectSignIn  = `SELECT ` + signInColumns + ` FROM sign_ins WHERE hash = $1`

	signInOf           = `SELECT ` + signInColumns + `, ` + subjectColumns + ` FROM sign_ins JOIN subjects ON subjects.id = sign_ins.subject `
	selectSignInByHash = signInOf + `WHERE sign_ins.hash = $1`
	selectSignInOfCode = signInOf + `WHERE sign_ins.id = (SELECT sign_in FROM codes WHERE hash = $1)`
	insertSignIn       = `INSERT INTO sign_ins (id, hash, subject, generation, amr, auth_time, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	updateSignIn       = `UPDATE sign_ins SET hash = $1, generation = $2, amr = $3, auth_time = $4, expires = $5 WHERE id = $6`
	deleteSignIn       = `DELETE FROM sign_ins WHERE id = $1`
	deleteSignIns      = `DELETE FROM sign_ins WHERE id IN (SELECT id FROM sign_ins WHERE expires < $1 LIMIT $2)`

	selectSessionsOfSignIn = `SELECT ` + sessionColumns + ` FROM sessions WHERE sign_in = $1 AND sign_in <> '' AND ended = 0 AND id > $2 ORDER BY id LIMIT $3`
	selectSessionsSignedIn = `SELECT ` + sessionColumns + ` FROM sessions WHERE subject = $1 AND sign_in <> '' AND ended = 0 LIMIT $2`
)

// SignIn implements issuer.SignInReader.
func (t *tx) SignIn(hash string) (issuer.SignIn, error) {
	var s issuer.SignIn
	if err := t.find(selectSignIn, hash, signInFields(&s)...); err != nil {
		return issuer.SignIn{}, err
	}
	return s, nil
}

// SignInByHash implements issuer.SignInReader.
func (t *tx) SignInByHash(hash string) (issuer.SignIn, issuer.Subject, error) {
	return t.signIn(selectSignInByHash, hash)
}

// SignInOfCode implements issuer.SignInReader.
func (t *tx) SignInOfCode(hash string) (issuer.SignIn, issuer.Subject, error) {
	return t.signIn(selectSignInOfCode, hash)
}

// signIn locks the sign-in first, since that is the order of the query's tables.
func (t *tx) signIn(query, hash string) (issuer.SignIn, issuer.Subject, error) {
	var s issuer.SignIn
	var subject issuer.Subject
	if err := t.find(query, hash, append(signInFields(&s), subjectFields(&subject)...)...); err != nil {
		return issuer.SignIn{}, issuer.Subject{}, err
	}
	return s, subject, nil
}

// signInFields take what signInColumns name.
func signInFields(s *issuer.SignIn) []any {
	return []any{&s.ID, &s.Hash, &s.Subject, &s.Generation, wordsField{&s.AMR}, timeField{&s.AuthTime}, timeField{&s.Expires}}
}

// SessionsOfSignIn implements issuer.SignInReader.
func (t *tx) SessionsOfSignIn(id, after string, limit int) ([]issuer.Session, error) {
	return list(t, scanSession, selectSessionsOfSignIn, id, after, limit)
}

// SessionsSignedIn implements issuer.SignInReader.
func (t *tx) SessionsSignedIn(subject string, limit int) ([]issuer.Session, error) {
	return list(t, scanSession, selectSessionsSignedIn, subject, limit)
}

// InsertSignIn implements issuer.SignInWriter.
func (t *tx) InsertSignIn(s issuer.SignIn) error {
	return t.insert(insertSignIn, s.ID, s.Hash, s.Subject, s.Generation, words(s.AMR), millis(s.AuthTime), millis(s.Expires))
}

// UpdateSignIn implements issuer.SignInWriter.
func (t *tx) UpdateSignIn(s issuer.SignIn) error {
	return t.change(updateSignIn, s.Hash, s.Generation, words(s.AMR), millis(s.AuthTime), millis(s.Expires), s.ID)
}

// DeleteSignIn implements issuer.SignInWriter.
func (t *tx) DeleteSignIn(id string) error { return t.change(deleteSignIn, id) }

// DeleteSignIns implements issuer.AuthorizationSweeper.
func (t *tx) DeleteSignIns(before time.Time, limit int) (int, error) {
	return t.sweepRows(deleteSignIns, before, limit)
}

// sweepRows forgets up to limit rows that are older than a time; more are further arguments of the query.
func (t *tx) sweepRows(query string, before time.Time, limit int, more ...any) (int, error) {
	if err := t.lock(lockSweep); err != nil {
		return 0, err
	}
	count, err := t.exec(query, append([]any{millis(before), limit}, more...)...)
	return int(count), err
}
