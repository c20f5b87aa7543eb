package sqlstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	selectVerifiers = `SELECT id, server, max_staleness, registered, log_id, sequence FROM verifiers ORDER BY id, server`
	upsertVerifier  = `INSERT INTO verifiers (id, server, max_staleness, registered, log_id, sequence) VALUES ($1, $2, $3, $4, '', 0)
		ON CONFLICT (id, server) DO UPDATE SET max_staleness = excluded.max_staleness, registered = excluded.registered`
	doubtVerifier  = `UPDATE verifiers SET registered = 0 WHERE id = $1 AND server = $2 AND registered = $3`
	deleteVerifier = `DELETE FROM verifiers WHERE id = $1 AND server = $2 AND registered = $3`
	selectAsked    = `SELECT log_id, sequence FROM asked WHERE one = $1`
	updateAsked    = `UPDATE asked SET log_id = $1, sequence = $2 WHERE one = 1`
	upsertAsked    = `INSERT INTO asked (one, log_id, sequence) VALUES (1, $1, $2)
		ON CONFLICT (one) DO UPDATE SET log_id = excluded.log_id, sequence = excluded.sequence`

	// acknowledge takes as many IDs as it is made for.
	acknowledge = `UPDATE verifiers SET log_id = $1, sequence = $2 WHERE (log_id <> $1 OR sequence < $2) AND id IN (%s)`

	acknowledgeBatch = 200 // IDs that one statement takes
)

// Verifiers implements issuer.VerifierReader.
func (t *tx) Verifiers() ([]issuer.Verifier, error) {
	return list(t, func(r row) (issuer.Verifier, error) {
		var v issuer.Verifier
		err := r.Scan(&v.ID, &v.Server, durationField{&v.MaxStaleness}, timeField{&v.Registered}, &v.Acknowledged.LogID, &v.Acknowledged.Sequence)
		return v, err
	}, selectVerifiers)
}

// Asked implements issuer.VerifierReader.
func (t *tx) Asked() (revocation.Cursor, error) {
	var c revocation.Cursor
	err := t.findOrLock(lockAsked, selectAsked, 1, &c.LogID, &c.Sequence)
	if errors.Is(err, issuer.ErrNotFound) {
		return revocation.Cursor{}, nil
	}
	return c, err
}

// PutAsked implements issuer.VerifierWriter.
func (t *tx) PutAsked(c revocation.Cursor) error {
	return t.changeOrLock(lockAsked, updateAsked, upsertAsked, c.LogID, c.Sequence)
}

// PutVerifier implements issuer.VerifierWriter.
func (t *tx) PutVerifier(v issuer.Verifier) error {
	return t.insert(upsertVerifier, v.ID, v.Server, v.MaxStaleness.Milliseconds(), millis(v.Registered))
}

// DoubtVerifier implements issuer.VerifierWriter.
func (t *tx) DoubtVerifier(v issuer.Verifier) error {
	return t.insert(doubtVerifier, v.ID, v.Server, millis(v.Registered))
}

// DeleteVerifier implements issuer.VerifierWriter.
func (t *tx) DeleteVerifier(v issuer.Verifier) error {
	return t.insert(deleteVerifier, v.ID, v.Server, millis(v.Registered))
}

// Acknowledge implements issuer.VerifierWriter.
func (t *tx) Acknowledge(c revocation.Cursor, ids []string) error {
	for batch := range slices.Chunk(ids, acknowledgeBatch) {
		arguments := []any{c.LogID, c.Sequence}
		places := make([]string, len(batch))
		for n, id := range batch {
			arguments = append(arguments, id)
			places[n] = fmt.Sprint("$", n+3)
		}
		if err := t.insert(fmt.Sprintf(acknowledge, strings.Join(places, ", ")), arguments...); err != nil {
			return err
		}
	}
	return nil
}
