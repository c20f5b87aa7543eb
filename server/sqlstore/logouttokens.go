package sqlstore

import (
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	insertLogoutToken  = `INSERT INTO logout_tokens (hash, expires) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING`
	deleteLogoutTokens = `DELETE FROM logout_tokens WHERE hash IN (SELECT hash FROM logout_tokens WHERE expires < $1 LIMIT $2)`
)

// InsertLogoutToken implements issuer.LogoutTokenWriter. Of two that insert the same one at once, the second waits for
// the first.
func (t *tx) InsertLogoutToken(hash [32]byte, expires time.Time) error {
	inserted, err := t.exec(insertLogoutToken, hash[:], millis(expires))
	if err == nil && inserted == 0 {
		return issuer.ErrTaken
	}
	return err
}

// DeleteLogoutTokens implements issuer.Sweeper.
func (t *tx) DeleteLogoutTokens(before time.Time, limit int) (int, error) {
	if err := t.lock(lockSweep); err != nil {
		return 0, err
	}
	count, err := t.exec(deleteLogoutTokens, millis(before), limit)
	return int(count), err
}
