package sqlstore

import (
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	selectSignIn       = `SELECT id, hash, subject, generation, amr, auth_time, expires FROM sign_ins WHERE id = $1`
	selectSignInByHash = `SELECT id, hash, subject, generation, amr, auth_time, expires FROM sign_ins WHERE hash = $1`
	insertSignIn       = `INSERT INTO sign_ins (id, hash, subject, generation, amr, auth_time, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	updateSignIn       = `UPDATE sign_ins SET hash = $1, generation = $2, amr = $3, auth_time = $4, expires = $5 WHERE id = $6`
	deleteSignIn       = `DELETE FROM sign_ins WHERE id = $1`
	deleteSignIns      = `DELETE FROM sign_ins WHERE id IN (SELECT id FROM sign_ins WHERE expires < $1 LIMIT $2)`

	selectSessionsOfSignIn = `SELECT ` + sessionColumns + ` FROM sessions WHERE sign_in = $1 AND sign_in <> '' AND ended = 0 AND id > $2 ORDER BY id LIMIT $3`
	selectSessionsSignedIn = `SELECT ` + sessionColumns + ` FROM sessions WHERE subject = $1 AND sign_in <> '' AND ended = 0 LIMIT $2`
)

// SignIn implements issuer.SignInReader.
func (t *tx) SignIn(id string) (issuer.SignIn, error) { return one(t, scanSignIn, selectSignIn, id) }

// SignInByHash implements issuer.SignInReader.
func (t *tx) SignInByHash(hash string) (issuer.SignIn, error) {
	return one(t, scanSignIn, selectSignInByHash, hash)
}

// SessionsOfSignIn implements issuer.SignInReader.
func (t *tx) SessionsOfSignIn(id, after string, limit int) ([]issuer.Session, error) {
	return list(t, scanSession, selectSessionsOfSignIn, id, after, limit)
}

// SessionsSignedIn implements issuer.SignInReader.
func (t *tx) SessionsSignedIn(subject string, limit int) ([]issuer.Session, error) {
	return list(t, scanSession, selectSessionsSignedIn, subject, limit)
}

func scanSignIn(r row) (issuer.SignIn, error) {
	var s issuer.SignIn
	err := r.Scan(&s.ID, &s.Hash, &s.Subject, &s.Generation, wordsField{&s.AMR}, timeField{&s.AuthTime}, timeField{&s.Expires})
	return s, err
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

// sweepRows forgets up to limit rows that are older than a time.
func (t *tx) sweepRows(query string, before time.Time, limit int) (int, error) {
	if err := t.lock(lockSweep); err != nil {
		return 0, err
	}
	count, err := t.exec(query, millis(before), limit)
	return int(count), err
}
