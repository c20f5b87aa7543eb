package sqlstore

import (
	"errors"
	"fmt"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	selectLogHead = `SELECT log_id, sequence, hash FROM log_head WHERE one = $1`
	updateLogHead = `UPDATE log_head SET log_id = $1, sequence = $2, hash = $3 WHERE one = 1`
	upsertLogHead = `INSERT INTO log_head (one, log_id, sequence, hash) VALUES (1, $1, $2, $3)
		ON CONFLICT (one) DO UPDATE SET log_id = excluded.log_id, sequence = excluded.sequence, hash = excluded.hash`
	selectLogEntries = `SELECT sequence, kind, issuer, value, subject, minimum, expires, hash, written
		FROM rules WHERE sequence > $1 ORDER BY sequence LIMIT $2`
	insertRule = `INSERT INTO rules (sequence, kind, issuer, value, subject, minimum, expires, hash, written)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	moveLogHead       = `UPDATE log_head SET sequence = $1, hash = $2 WHERE one = 1`
	selectReplacedLog = `SELECT log_id, sequence, hash FROM replaced_logs WHERE log_id = $1`
	insertReplacedLog = `INSERT INTO replaced_logs (log_id, sequence, hash) SELECT log_id, sequence, hash FROM log_head`
	emptyRules        = `DELETE FROM rules`
	selectLiveRules   = `SELECT kind, issuer, value, subject, minimum, expires FROM rules WHERE (expires >= $1 OR expires = 0) AND sequence <= $2`
)

// LogHead implements issuer.RuleReader.
func (t *tx) LogHead() (revocation.Head, error) {
	var h revocation.Head
	err := t.findOrLock(lockLog, selectLogHead, 1, &h.LogID, &h.Sequence, hashField{&h.Hash})
	if err != nil {
		return revocation.Head{}, err
	}
	return h, nil
}

// ReplacedLog implements issuer.RuleReader.
func (t *tx) ReplacedLog(logID string) (revocation.Head, error) {
	var h revocation.Head
	err := t.find(selectReplacedLog, logID, &h.LogID, &h.Sequence, hashField{&h.Hash})
	if err != nil {
		return revocation.Head{}, err
	}
	return h, nil
}

// PutLogHead implements issuer.RuleWriter.
func (t *tx) PutLogHead(h revocation.Head) error {
	return t.changeOrLock(lockLog, updateLogHead, upsertLogHead, h.LogID, h.Sequence, h.Hash[:])
}

// ReplaceLog implements issuer.RuleWriter.
func (t *tx) ReplaceLog(fresh revocation.Head) error {
	if _, err := t.LogHead(); err != nil { // which nobody else moves on from here
		return err
	}
	for _, statement := range []string{insertReplacedLog, emptyRules} {
		if err := t.insert(statement); err != nil {
			return err
		}
	}
	return t.PutLogHead(fresh)
}

// LogEntries implements issuer.RuleReader.
func (t *tx) LogEntries(after uint64, limit int) ([]issuer.LogEntry, error) {
	if err := t.holdLog(); err != nil {
		return nil, err
	}
	return list(t, func(r row) (issuer.LogEntry, error) {
		var e issuer.LogEntry
		err := r.Scan(&e.Sequence, &e.Rule.Kind, &e.Rule.Issuer, &e.Rule.Value, &e.Rule.Subject, &e.Rule.Minimum, &e.Rule.Expires,
			hashField{&e.Hash}, timeField{&e.Time})
		return e, err
	}, selectLogEntries, after, limit)
}

// AppendRule implements issuer.RuleWriter.
func (t *tx) AppendRule(e issuer.LogEntry) error {
	r := e.Rule
	statement, moves := t.store.dialect.movingHead(insertRule)
	err := t.later(statement, e.Sequence, string(r.Kind), r.Issuer, r.Value, r.Subject, r.Minimum, r.Expires, e.Hash[:], millis(e.Time))
	if err != nil || moves {
		return err
	}
	return t.change(moveLogHead, e.Sequence, e.Hash[:])
}

// LiveRules implements issuer.RuleReader.
func (t *tx) LiveRules(now time.Time, last uint64, each func(revocation.Rule) error) error {
	if err := t.holdLog(); err != nil {
		return err
	}
	rows, err := t.query(selectLiveRules, now.Unix(), last)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var rule revocation.Rule
		if err := rows.Scan(&rule.Kind, &rule.Issuer, &rule.Value, &rule.Subject, &rule.Minimum, &rule.Expires); err != nil {
			return t.fault(err)
		}
		if err := each(rule); err != nil {
			return err
		}
	}
	return t.fault(rows.Err())
}

// holdLog keeps others from appending to a log that an Update reads.
func (t *tx) holdLog() error {
	if !t.updates {
		return nil
	}
	_, err := t.LogHead()
	if errors.Is(err, issuer.ErrNotFound) {
		return nil
	}
	return err
}

// hashField scans 32 bytes.
type hashField struct{ hash *[32]byte }

func (f hashField) Scan(value any) error {
	b, _ := value.([]byte)
	if copy(f.hash[:], b) != len(f.hash) || len(b) != len(f.hash) {
		return fmt.Errorf("a hash has %d bytes, want %d", len(b), len(f.hash))
	}
	return nil
}
