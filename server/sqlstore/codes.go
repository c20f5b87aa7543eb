package sqlstore

import (
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	codeColumns = `hash, client_id, redirect_uri, challenge, nonce, sign_in, resource, scope, issued, expires, session, jkt`

	selectCode        = `SELECT ` + codeColumns + ` FROM codes WHERE hash = $1`
	insertCode        = `INSERT INTO codes (` + codeColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	spendCode         = `UPDATE codes SET session = $1 WHERE hash = $2`
	countCodes        = `SELECT count(*) FROM codes WHERE sign_in = $1 AND expires > $2`
	deleteUnusedCodes = `DELETE FROM codes WHERE hash IN (SELECT hash FROM codes WHERE session = '' AND expires < $1 AND $3 IN ('', client_id) LIMIT $2)`
	deleteCodes       = `DELETE FROM codes WHERE hash IN (SELECT hash FROM codes WHERE expires < $1 LIMIT $2)`
)

// Code implements issuer.CodeReader.
func (t *tx) Code(hash string) (issuer.Code, error) {
	found, err := one(t, scanCode, selectCode, hash)
	if err == nil {
		t.hold(hash)
	}
	return found, err
}

func scanCode(r row) (issuer.Code, error) {
	var c issuer.Code
	err := r.Scan(&c.Hash, &c.ClientID, &c.RedirectURI, &c.Challenge, &c.Nonce, &c.SignIn, &c.Resource, wordsField{&c.Scope},
		timeField{&c.Issued}, timeField{&c.Expires}, &c.Session, &c.KeyThumbprint)
	return c, err
}

// CountCodes implements issuer.CodeReader.
func (t *tx) CountCodes(signIn string, at time.Time) (int, error) {
	return t.countRows(countCodes, signIn, millis(at))
}

// InsertCode implements issuer.CodeWriter.
func (t *tx) InsertCode(c issuer.Code) error {
	return t.later(insertCode, c.Hash, c.ClientID, c.RedirectURI, c.Challenge, c.Nonce, c.SignIn, c.Resource, words(c.Scope),
		millis(c.Issued), millis(c.Expires), c.Session, c.KeyThumbprint)
}

// SpendCode implements issuer.CodeWriter.
func (t *tx) SpendCode(hash, session string) error {
	return t.changeHeld(hash, spendCode, session, hash)
}

// DeleteUnusedCodes implements issuer.AuthorizationSweeper.
func (t *tx) DeleteUnusedCodes(client string, before time.Time, limit int) (int, error) {
	return t.sweepRows(deleteUnusedCodes, before, limit, client)
}

// DeleteCodes implements issuer.AuthorizationSweeper.
func (t *tx) DeleteCodes(before time.Time, limit int) (int, error) {
	return t.sweepRows(deleteCodes, before, limit)
}
