package sqlstore

import "time"

const (
	insertAssertion  = `INSERT INTO used_assertions (hash, expires) VALUES ($1, $2)`
	deleteAssertions = `DELETE FROM used_assertions WHERE hash IN (SELECT hash FROM used_assertions WHERE expires < $1 LIMIT $2)`
)

// InsertAssertion implements issuer.AssertionWriter.
func (t *tx) InsertAssertion(hash []byte, expires time.Time) error {
	return t.insert(insertAssertion, hash, millis(expires))
}

// DeleteAssertions implements issuer.Sweeper.
func (t *tx) DeleteAssertions(before time.Time, limit int) (int, error) {
	if err := t.lock(lockSweep); err != nil {
		return 0, err
	}
	count, err := t.exec(deleteAssertions, millis(before), limit)
	return int(count), err
}
