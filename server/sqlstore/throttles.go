package sqlstore

import (
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
)

const (
	selectThrottle = `SELECT slot, cleared, next FROM throttles WHERE slot = $1`
	upsertThrottle = `INSERT INTO throttles (slot, cleared, next) VALUES ($1, $2, $3)
		ON CONFLICT (slot) DO UPDATE SET cleared = excluded.cleared, next = excluded.next`
	deleteThrottle = `DELETE FROM throttles WHERE slot = $1`
	sweepThrottles = `DELETE FROM throttles WHERE cleared <= $1 AND next <= $1
		AND slot IN (SELECT slot FROM throttles WHERE cleared <= $1 AND next <= $1 ORDER BY cleared LIMIT $2)`
)

// Throttle implements accounts.Reader. In an Update nobody else counts in the slot before the commit, whether or not it
// has a row.
func (t *tx) Throttle(slot int64) (accounts.Throttle, error) {
	if t.updates {
		if err := t.store.dialect.lockSlot(t, slot); err != nil {
			return accounts.Throttle{}, err
		}
	}
	var found accounts.Throttle
	err := t.find(selectThrottle, slot, &found.Slot, timeField{&found.Cleared}, timeField{&found.Next})
	return found, err
}

// PutThrottle implements accounts.Tx.
func (t *tx) PutThrottle(h accounts.Throttle) error {
	return t.insert(upsertThrottle, h.Slot, millis(h.Cleared), millis(h.Next))
}

// DeleteThrottle implements accounts.Tx.
func (t *tx) DeleteThrottle(slot int64) error { return t.insert(deleteThrottle, slot) }

// SweepThrottles implements accounts.Tx.
func (t *tx) SweepThrottles(now time.Time, limit int) error {
	return t.insert(sweepThrottles, millis(now), limit)
}
