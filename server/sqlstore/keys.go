package sqlstore

import (
	"encoding/json"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	selectKeys = `SELECT id, purpose, algorithm, state, public, sealed, remote, version, created, activated, expires
		FROM keys ORDER BY position`
	insertKey = `INSERT INTO keys (position, id, purpose, algorithm, state, public, sealed, remote, version, created, activated, expires)
		VALUES ((SELECT COALESCE(MAX(position), 0) + 1 FROM keys), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	updateKey = `UPDATE keys SET state = $1, sealed = $2, activated = $3, expires = $4 WHERE id = $5`
)

// Keys implements issuer.KeyReader.
func (t *tx) Keys() ([]issuer.Key, error) {
	if err := t.lock(lockKeys); err != nil {
		return nil, err
	}
	return list(t, scanKey, selectKeys)
}

func scanKey(r row) (issuer.Key, error) {
	var k issuer.Key
	var public string
	err := r.Scan(&k.ID, &k.Purpose, &k.Algorithm, &k.State, &public, &k.Sealed, flagField{&k.Remote}, &k.Version,
		timeField{&k.Created}, timeField{&k.Activated}, timeField{&k.Expires})
	if public != "" {
		k.Public = json.RawMessage(public)
	}
	if len(k.Sealed) == 0 {
		k.Sealed = nil
	}
	return k, err
}

// InsertKey implements issuer.KeyWriter.
func (t *tx) InsertKey(k issuer.Key) error {
	if err := t.lock(lockKeys); err != nil {
		return err
	}
	return t.insert(insertKey, k.ID, string(k.Purpose), string(k.Algorithm), string(k.State), string(k.Public), blob(k.Sealed), flag(k.Remote), k.Version,
		millis(k.Created), millis(k.Activated), millis(k.Expires))
}

// UpdateKey implements issuer.KeyWriter.
func (t *tx) UpdateKey(k issuer.Key) error {
	if err := t.lock(lockKeys); err != nil {
		return err
	}
	return t.change(updateKey, string(k.State), blob(k.Sealed), millis(k.Activated), millis(k.Expires), k.ID)
}

// blob stores no bytes as an empty value and not as NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
