package sqlstore

import "github.com/jot-auth/jot/server/issuer"

const (
	passkeyColumns    = `id, subject, name, credential, public_key, sign_count, transports, backup_eligible, backed_up, user_handle, created, last_used`
	selectPasskeys    = `SELECT ` + passkeyColumns + ` FROM passkeys WHERE subject = $1 ORDER BY created, id`
	selectPasskeyPage = `SELECT ` + passkeyColumns + ` FROM passkeys WHERE id > $1 ORDER BY id LIMIT $2`
	selectCredential  = `SELECT ` + passkeyColumns + ` FROM passkeys WHERE credential = $1`
	insertPasskey     = `INSERT INTO passkeys (` + passkeyColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	usePasskey        = `UPDATE passkeys SET sign_count = $1, backed_up = $2, last_used = $3 WHERE id = $4 AND (sign_count < $1 OR sign_count = 0 AND $1 = 0)`
	renamePasskey     = `UPDATE passkeys SET name = $1 WHERE subject = $2 AND id = $3`
	deletePasskey     = `DELETE FROM passkeys WHERE subject = $1 AND id = $2`
	deletePasskeysOf  = `DELETE FROM passkeys WHERE subject = $1`
)

// Passkeys implements accounts.PasskeyReader.
func (t *tx) Passkeys(subject string) ([]issuer.Passkey, error) {
	return list(t, scanPasskey, selectPasskeys, subject)
}

// PasskeyPage implements accounts.PasskeyReader.
func (t *tx) PasskeyPage(after string, limit int) ([]issuer.Passkey, error) {
	return list(t, scanPasskey, selectPasskeyPage, after, limit)
}

// PasskeyOfCredential implements accounts.PasskeyReader.
func (t *tx) PasskeyOfCredential(credential []byte) (issuer.Passkey, error) {
	return one(t, scanPasskey, selectCredential, credential)
}

func scanPasskey(r row) (issuer.Passkey, error) {
	var p issuer.Passkey
	err := r.Scan(&p.ID, &p.Subject, &p.Name, &p.Credential, &p.PublicKey, &p.SignCount, wordsField{&p.Transports}, flagField{&p.BackupEligible}, flagField{&p.BackedUp},
		&p.UserHandle, timeField{&p.Created}, timeField{&p.LastUsed})
	return p, err
}

// InsertPasskey implements accounts.PasskeyWriter.
func (t *tx) InsertPasskey(p issuer.Passkey) error {
	return t.insert(insertPasskey, p.ID, p.Subject, p.Name, p.Credential, p.PublicKey, int64(p.SignCount), words(p.Transports), flag(p.BackupEligible), flag(p.BackedUp),
		append([]byte{}, p.UserHandle...), millis(p.Created), millis(p.LastUsed))
}

// UsePasskey implements accounts.PasskeyWriter.
func (t *tx) UsePasskey(p issuer.Passkey) error {
	return t.change(usePasskey, int64(p.SignCount), flag(p.BackedUp), millis(p.LastUsed), p.ID)
}

// RenamePasskey implements accounts.PasskeyWriter.
func (t *tx) RenamePasskey(subject, id, name string) error {
	return t.change(renamePasskey, name, subject, id)
}

// DeletePasskey implements accounts.PasskeyWriter.
func (t *tx) DeletePasskey(subject, id string) error { return t.change(deletePasskey, subject, id) }
