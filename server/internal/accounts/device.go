package accounts

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

// deviceTTL is how long a device token is good for after the login that gave it. It's the longest life that browsers
// allow a cookie.
const deviceTTL = 400 * 24 * time.Hour

const (
	devicePrefix  = "jdt_"
	devicePurpose = "device token"

	deviceIDSize  = 16
	deviceMACSize = 32
	deviceSize    = 1 + deviceIDSize + 8 + deviceMACSize
)

// deviceToken says that its bearer has logged in to an account before. It's no credential: it only gives its bearer's
// attempts a count of their own. Its text is "jdt_" and the base64url of
//
//	version (1 byte) ‖ ID (16, random) ‖ issued (8, Unix seconds, big endian) ‖ MAC (32)
//
// The MAC binds it to the subject, under a key that isn't in the database, which holds nothing of it.
type deviceToken struct {
	version byte
	id      string
	issued  int64
	mac     []byte
}

func newDeviceID() string {
	id := make([]byte, deviceIDSize)
	rand.Read(id)
	return string(id)
}

// newDeviceToken makes the token of a device for an account that it has just logged in to.
func (a *Accounts) newDeviceToken(id, subject string, now time.Time) string {
	t := deviceToken{id: id, issued: now.Unix()}
	t.version, t.mac = a.issuer.MAC(devicePurpose, t.message(subject))
	b := append([]byte{t.version}, t.id...)
	b = binary.BigEndian.AppendUint64(b, uint64(t.issued))
	return devicePrefix + base64.RawURLEncoding.EncodeToString(append(b, t.mac...))
}

// renewDeviceToken makes a token for the device of another one, which begins anew where that one is ignored.
func (a *Accounts) renewDeviceToken(text, subject string) string {
	now := a.config.Now()
	id, known := a.openDeviceToken(text, subject, now)
	if !known {
		id = newDeviceID()
	}
	return a.newDeviceToken(id, subject, now)
}

// openDeviceToken returns the ID of the device that a token of this account names. Anything else is ignored, as if
// there were no token.
func (a *Accounts) openDeviceToken(text, subject string, now time.Time) (id string, known bool) {
	t, ok := parseDeviceToken(text)
	if !ok || !a.issuer.CheckMAC(devicePurpose, t.message(subject), t.version, t.mac) {
		return "", false
	}
	if subject == "" || now.Sub(time.Unix(t.issued, 0)) >= deviceTTL {
		return "", false
	}
	return t.id, true
}

// parseDeviceToken reads the one form that a token has; nothing in it has been authenticated yet.
func parseDeviceToken(text string) (deviceToken, bool) {
	encoded, prefixed := strings.CutPrefix(text, devicePrefix)
	if !prefixed || len(encoded) != base64.RawURLEncoding.EncodedLen(deviceSize) {
		return deviceToken{}, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(b) != deviceSize { // shorter where Go skipped newlines
		return deviceToken{}, false
	}
	t := deviceToken{version: b[0], id: string(b[1 : 1+deviceIDSize]), mac: b[deviceSize-deviceMACSize:]}
	t.issued = int64(binary.BigEndian.Uint64(b[1+deviceIDSize:]))
	return t, true
}

// message is what the MAC covers. ID and time have a fixed size, so nothing runs into the subject.
func (t deviceToken) message(subject string) []byte {
	b := binary.BigEndian.AppendUint64([]byte(t.id), uint64(t.issued))
	return append(b, subject...)
}
