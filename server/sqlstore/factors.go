package sqlstore

import (
	"crypto/sha256"

	"github.com/jot-auth/jot/server/internal/accounts"
)

const (
	totpColumns = `subject, sealed, step, confirmed, created`
	selectTOTP  = `SELECT ` + totpColumns + ` FROM totps WHERE subject = $1`
	selectTOTPs = `SELECT ` + totpColumns + ` FROM totps WHERE subject > $1 ORDER BY subject LIMIT $2`
	upsertTOTP  = `INSERT INTO totps (` + totpColumns + `) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (subject) DO UPDATE SET sealed = excluded.sealed, step = excluded.step, confirmed = excluded.confirmed, created = excluded.created`
	spendTOTP  = `UPDATE totps SET step = $1 WHERE subject = $2 AND step < $1`
	resealTOTP = `UPDATE totps SET sealed = $1 WHERE subject = $2 AND sealed = $3`
	deleteTOTP = `DELETE FROM totps WHERE subject = $1`

	selectRecoveryCodes = `SELECT hash FROM recovery_codes WHERE subject = $1 ORDER BY hash`
	insertRecoveryCode  = `INSERT INTO recovery_codes (subject, hash) VALUES ($1, $2)`
	deleteRecoveryCode  = `DELETE FROM recovery_codes WHERE subject = $1 AND hash = $2`
	deleteRecoveryCodes = `DELETE FROM recovery_codes WHERE subject = $1`
)

// TOTP implements accounts.FactorReader.
func (t *tx) TOTP(subject string) (accounts.TOTP, error) {
	return one(t, scanTOTP, selectTOTP, subject)
}

// TOTPs implements accounts.FactorReader.
func (t *tx) TOTPs(after string, limit int) ([]accounts.TOTP, error) {
	return list(t, scanTOTP, selectTOTPs, after, limit)
}

func scanTOTP(r row) (accounts.TOTP, error) {
	var f accounts.TOTP
	err := r.Scan(&f.Subject, &f.Sealed, &f.Step, flagField{&f.Confirmed}, timeField{&f.Created})
	return f, err
}

// RecoveryHashes implements accounts.FactorReader.
func (t *tx) RecoveryHashes(subject string) ([][sha256.Size]byte, error) {
	return list(t, func(r row) (hash [sha256.Size]byte, err error) {
		err = r.Scan(hashField{&hash})
		return hash, err
	}, selectRecoveryCodes, subject)
}

// PutTOTP implements accounts.FactorWriter.
func (t *tx) PutTOTP(f accounts.TOTP) error {
	return t.insert(upsertTOTP, f.Subject, f.Sealed, f.Step, flag(f.Confirmed), millis(f.Created))
}

// SpendTOTP implements accounts.FactorWriter.
func (t *tx) SpendTOTP(subject string, step int64) error { return t.change(spendTOTP, step, subject) }

// ResealTOTP implements accounts.FactorWriter.
func (t *tx) ResealTOTP(f accounts.TOTP, sealed []byte) error {
	return t.insert(resealTOTP, sealed, f.Subject, f.Sealed)
}

// InsertRecoveryCode implements accounts.FactorWriter.
func (t *tx) InsertRecoveryCode(subject string, hash [sha256.Size]byte) error {
	return t.insert(insertRecoveryCode, subject, hash[:])
}

// SpendRecoveryCode implements accounts.FactorWriter.
func (t *tx) SpendRecoveryCode(subject string, hash [sha256.Size]byte) error {
	return t.change(deleteRecoveryCode, subject, hash[:])
}

// DeleteTOTP implements accounts.FactorWriter.
func (t *tx) DeleteTOTP(subject string) error { return t.change(deleteTOTP, subject) }

// DeleteRecoveryCodes implements accounts.FactorWriter.
func (t *tx) DeleteRecoveryCodes(subject string) error { return t.insert(deleteRecoveryCodes, subject) }

// DeleteFactors implements accounts.FactorWriter.
func (t *tx) DeleteFactors(subject string) error {
	for _, statement := range []string{deleteTOTP, deletePasskeysOf, deleteRecoveryCodes} {
		if err := t.insert(statement, subject); err != nil {
			return err
		}
	}
	return nil
}
