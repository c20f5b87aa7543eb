package accounts

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// One-time codes are those of RFC 6238 that every app makes: HMAC-SHA-1, 6 digits, a new one every 30 s.
const (
	totpSecretSize = 20 // bytes: as many as RFC 4226 §4 recommends
	totpDigits     = 6
	totpModulus    = 1_000_000
	totpPeriod     = 30 // seconds
	totpTolerance  = 1  // steps before and after the present one whose code is good, for clocks that differ and people who type
)

// TOTPSecret is the purpose under which the issuer seals the secrets of one-time codes, each for its subject.
const TOTPSecret = "one-time codes"

// TOTP is what makes a subject's one-time codes. Until it's confirmed nobody has shown to have the secret, and no login
// asks for it.
type TOTP struct {
	Subject   string
	Sealed    []byte // secret
	Step      int64  // of the last code that was used: it and those before count no more
	Confirmed bool
	Created   time.Time
}

func newTOTPSecret() []byte {
	secret := make([]byte, totpSecretSize)
	rand.Read(secret)
	return secret
}

// totpCode is the code of a step (RFC 4226 §5.3).
func totpCode(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	number := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", totpDigits, number%totpModulus)
}

// totpStep returns the step whose code this is, if it's one of those around a time and none was used since.
func totpStep(secret []byte, code string, now time.Time, used int64) (step int64, ok bool) {
	present := now.Unix() / totpPeriod
	for s := present - totpTolerance; s <= present+totpTolerance; s++ {
		if subtle.ConstantTimeCompare([]byte(totpCode(secret, s)), []byte(code)) == 1 && s > used {
			step, ok = s, true
		}
	}
	return step, ok
}

// EncodeTOTPSecret writes a secret as apps take it: in base32, without padding.
func EncodeTOTPSecret(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// totpURI is what a QR code of the secret says: the "Key URI Format" of the apps.
func totpURI(issuerURL, name, secret string) string {
	label := strings.TrimPrefix(strings.TrimPrefix(issuerURL, "https://"), "http://")
	query := url.Values{"secret": {secret}, "issuer": {label}, "algorithm": {"SHA1"}, "digits": {fmt.Sprint(totpDigits)}, "period": {fmt.Sprint(totpPeriod)}}
	return "otpauth://totp/" + url.PathEscape(label) + ":" + url.PathEscape(name) + "?" + strings.ReplaceAll(query.Encode(), "+", "%20")
}
