package sqlstore

import "time"

// Each statement finds its rows by an index and takes a limited number of them.
const (
	selectPending  = `SELECT id FROM subjects WHERE ending_pending = 1 LIMIT $1`
	deleteSessions = `DELETE FROM sessions WHERE id IN (
			SELECT id FROM sessions WHERE expires < $1
			UNION ALL SELECT id FROM sessions WHERE ended > 0 AND ended < $1 LIMIT $2)`
	deleteRules = `DELETE FROM rules WHERE sequence IN (
			SELECT sequence FROM rules WHERE expires > 0 AND expires < $1 AND sequence <= $2 ORDER BY expires LIMIT $3)
		RETURNING sequence`
	deleteEvents   = `DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT $2) AND written < $1`
	deleteKeys     = `DELETE FROM keys WHERE state = 'retired' AND expires < $1`
	deleteSubjects = `DELETE FROM subjects WHERE id IN (
			SELECT id FROM subjects WHERE deleted > 0 AND deleted < $1
				AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.subject = subjects.id) LIMIT $2)
			AND deleted > 0 AND deleted < $1` // of a row that was waited for PostgreSQL asks this again, and not what stands in the brackets
)

// PendingSubjects implements issuer.Sweeper.
func (t *tx) PendingSubjects(limit int) ([]string, error) {
	return list(t, func(r row) (string, error) {
		var id string
		err := r.Scan(&id)
		return id, err
	}, selectPending, limit)
}

// DeleteSessions implements issuer.Sweeper.
func (t *tx) DeleteSessions(before time.Time, limit int) (int, error) {
	if err := t.lock(lockSweep); err != nil {
		return 0, err
	}
	count, err := t.exec(deleteSessions, millis(before), limit)
	return int(count), err
}

// DeleteRules implements issuer.Sweeper.
func (t *tx) DeleteRules(before time.Time, last uint64, limit int) (uint64, error) {
	if err := t.lock(lockSweep); err != nil {
		return 0, err
	}
	sequences, err := listChanged(t, func(r row) (uint64, error) {
		var sequence uint64
		err := r.Scan(&sequence)
		return sequence, err
	}, deleteRules, before.Unix(), last, limit)
	highest := uint64(0)
	for _, sequence := range sequences {
		highest = max(highest, sequence)
	}
	return highest, err
}

// DeleteEvents implements issuer.Sweeper.
func (t *tx) DeleteEvents(before time.Time, limit int) (int, error) {
	if err := t.lock(lockSweep); err != nil {
		return 0, err
	}
	count, err := t.exec(deleteEvents, millis(before), limit)
	return int(count), err
}

// DeleteKeys implements issuer.Sweeper.
func (t *tx) DeleteKeys(before time.Time) error {
	if err := t.lock(lockKeys); err != nil {
		return err
	}
	_, err := t.exec(deleteKeys, millis(before))
	return err
}

// DeleteSubjects implements issuer.Sweeper.
func (t *tx) DeleteSubjects(before time.Time, limit int) (int, error) {
	if err := t.lock(lockSweep); err != nil {
		return 0, err
	}
	count, err := t.exec(deleteSubjects, millis(before), limit)
	return int(count), err
}
