package sqlstore

import (
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	deviceCodeColumns = `hash, user_hash, client_id, resource, scope, issued, expires, interval_ms, polled, decision, subject, generation, amr, auth_time`

	selectDeviceCode       = `SELECT ` + deviceCodeColumns + ` FROM device_codes WHERE hash = $1`
	selectDeviceCodeByUser = `SELECT ` + deviceCodeColumns + ` FROM device_codes WHERE user_hash = $1`
	countDeviceCodes       = `SELECT count(*) FROM device_codes WHERE client_id = $1 AND expires > $2`
	insertDeviceCode       = `INSERT INTO device_codes (` + deviceCodeColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
	updateDeviceCode       = `UPDATE device_codes SET scope = $1, interval_ms = $2, polled = $3, decision = $4, subject = $5, generation = $6, amr = $7, auth_time = $8
		WHERE hash = $9`
	deleteDeviceCode    = `DELETE FROM device_codes WHERE hash = $1`
	deleteDeviceCodesTo = `DELETE FROM device_codes WHERE subject = $1 AND client_id = $2`
	deleteDeviceCodes   = `DELETE FROM device_codes WHERE hash IN (SELECT hash FROM device_codes WHERE expires < $1 AND $3 IN ('', client_id) LIMIT $2)`
)

// DeviceCode implements issuer.DeviceCodeReader.
func (t *tx) DeviceCode(hash string) (issuer.DeviceCode, error) {
	return one(t, scanDeviceCode, selectDeviceCode, hash)
}

// DeviceCodeByUser implements issuer.DeviceCodeReader.
func (t *tx) DeviceCodeByUser(hash string) (issuer.DeviceCode, error) {
	return one(t, scanDeviceCode, selectDeviceCodeByUser, hash)
}

func scanDeviceCode(r row) (issuer.DeviceCode, error) {
	var c issuer.DeviceCode
	err := r.Scan(&c.Hash, &c.UserHash, &c.ClientID, &c.Resource, textsField{&c.Scope}, timeField{&c.Issued}, timeField{&c.Expires}, durationField{&c.Interval},
		timeField{&c.Polled}, &c.Decision, &c.Subject, &c.Generation, wordsField{&c.AMR}, timeField{&c.AuthTime})
	return c, err
}

// CountDeviceCodes implements issuer.DeviceCodeReader.
func (t *tx) CountDeviceCodes(client string, at time.Time) (int, error) {
	return t.countRows(countDeviceCodes, client, millis(at))
}

// InsertDeviceCode implements issuer.DeviceCodeWriter.
func (t *tx) InsertDeviceCode(c issuer.DeviceCode) error {
	return t.insert(insertDeviceCode, c.Hash, c.UserHash, c.ClientID, c.Resource, texts(c.Scope), millis(c.Issued), millis(c.Expires), c.Interval.Milliseconds(),
		millis(c.Polled), string(c.Decision), c.Subject, c.Generation, words(c.AMR), millis(c.AuthTime))
}

// UpdateDeviceCode implements issuer.DeviceCodeWriter.
func (t *tx) UpdateDeviceCode(c issuer.DeviceCode) error {
	return t.change(updateDeviceCode, texts(c.Scope), c.Interval.Milliseconds(), millis(c.Polled), string(c.Decision), c.Subject, c.Generation, words(c.AMR),
		millis(c.AuthTime), c.Hash)
}

// DeleteDeviceCode implements issuer.DeviceCodeWriter.
func (t *tx) DeleteDeviceCode(hash string) error { return t.change(deleteDeviceCode, hash) }

// DeleteDeviceCodesTo implements issuer.DeviceCodeWriter.
func (t *tx) DeleteDeviceCodesTo(subject, client string) (int, error) {
	count, err := t.exec(deleteDeviceCodesTo, subject, client)
	return int(count), err
}

// DeleteDeviceCodes implements issuer.AuthorizationSweeper.
func (t *tx) DeleteDeviceCodes(client string, before time.Time, limit int) (int, error) {
	return t.sweepRows(deleteDeviceCodes, before, limit, client)
}
