package accounts

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// passkeyTTL is how long an authenticator's answer may be on its way, with a page that is looked at before (WebAuthn
// Level 3 §15.1 recommends up to ten minutes).
const passkeyTTL = 10 * time.Minute

const (
	passkeyPurpose       = "passkey challenge"
	passkeyNonceSize     = 16
	passkeyMACSize       = 32
	passkeyChallengeSize = 1 + 8 + passkeyNonceSize + passkeyMACSize
)

// passkeyChallenge is what an authenticator signs. It is
//
//	version (1 byte) ‖ expires (8, Unix seconds, big endian) ‖ nonce (16, random) ‖ MAC (32)
//
// The MAC is of the ceremony that it was made for, so nothing is stored for whoever merely asks. What it was good for
// once is remembered until it expires.
type passkeyChallenge []byte

// ceremony is what a challenge is for, and for whom. None is good for another.
type ceremony []string

func toAddPasskey(account Account) ceremony {
	return ceremony{"add", account.Subject, passwordMark(account.PasswordHash)} // dies with the password that was asked for
}

func toLogInWithPasskey(browser string) ceremony { return ceremony{"log in", browser} }

func toCompleteWithPasskey(ticket string) ceremony { return ceremony{"complete", ticket} }

// newPasskeyChallenge makes a challenge that is good from now on.
func (a *Accounts) newPasskeyChallenge(c ceremony, now time.Time) passkeyChallenge {
	body := binary.BigEndian.AppendUint64(nil, uint64(now.Add(passkeyTTL).Unix()))
	nonce := make([]byte, passkeyNonceSize)
	rand.Read(nonce)
	body = append(body, nonce...)
	version, mac := a.issuer.MAC(passkeyPurpose, c.message(body))
	return bytes.Join([][]byte{{version}, body, mac}, nil)
}

// checkPasskeyChallenge fails with issuer.ErrCode for what isn't a challenge of this ceremony, is too old, or was used.
func (a *Accounts) checkPasskeyChallenge(r Reader, k passkeyChallenge, c ceremony) error {
	if len(k) != passkeyChallengeSize {
		return issuer.ErrCode
	}
	body, mac := k[1:passkeyChallengeSize-passkeyMACSize], k[passkeyChallengeSize-passkeyMACSize:]
	if !a.issuer.CheckMAC(passkeyPurpose, c.message(body), k[0], mac) {
		return issuer.ErrCode
	}
	now, err := r.Now()
	if err == nil && !now.Before(k.expires()) {
		err = issuer.ErrCode
	}
	if err != nil {
		return err
	}
	_, err = r.Ticket(sha256.Sum256(k))
	switch {
	case errors.Is(err, issuer.ErrNotFound):
		return nil
	case err == nil:
		return issuer.ErrCode
	}
	return err
}

// message is what the MAC covers. The challenge has a fixed size, and each text its length.
func (c ceremony) message(body []byte) []byte {
	message := bytes.Clone(body)
	for _, text := range c {
		message = binary.BigEndian.AppendUint32(message, uint32(len(text)))
		message = append(message, text...)
	}
	return message
}

func (k passkeyChallenge) expires() time.Time {
	return time.Unix(int64(binary.BigEndian.Uint64(k[1:])), 0)
}

// text is a challenge as browsers quote it.
func (k passkeyChallenge) text() string { return base64.RawURLEncoding.EncodeToString(k) }

// spend remembers that a challenge was answered, or fails with issuer.ErrCode: of two that use one answer at once, the
// second finds it used. Only answers that were good are remembered, so that strangers fill nothing.
func (k passkeyChallenge) spend(tx Tx, subject string) error {
	now, err := tx.Now()
	if err != nil {
		return err
	}
	err = insertTicket(tx, Ticket{Hash: sha256.Sum256(k), Purpose: passkeyAnswered, Subject: subject, Created: now, Expires: k.expires()})
	if errors.Is(err, issuer.ErrTaken) {
		return issuer.ErrCode
	}
	return err
}
