package issuer

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"
)

const (
	// pendingTTL is how long somebody may take to log in and consent.
	pendingTTL     = 30 * time.Minute
	maxPending     = 16 << 10 // bytes of a sealed request
	pendingMACSize = 32
)

// ErrPending is a request that waited for too long, or that this server didn't seal for this browser.
var ErrPending = errors.New("issuer: the request has expired; begin again where you came from")

// Seal makes a text of something that waits for a person, for its page to carry: nobody else can make one, and Open
// tells when it has become too old. A text for one purpose is none for another. What is sealed isn't secret.
func (i *Issuer) Seal(ctx context.Context, purpose string, content any) (string, error) {
	now, err := i.Now(ctx)
	if err != nil {
		return "", err
	}
	message, err := json.Marshal(sealed{now.Add(pendingTTL).Unix(), content})
	if err != nil {
		return "", err
	}
	version, mac := i.MAC("pending "+purpose, message)
	return base64.RawURLEncoding.EncodeToString(bytes.Join([][]byte{{version}, mac, message}, nil)), nil
}

// sealed is what a text holds.
type sealed struct {
	Expires int64 `json:"expires"` // Unix seconds of the database
	Content any   `json:"content"`
}

// Open reads what Seal made for the same purpose into content, or fails with ErrPending.
func (i *Issuer) Open(ctx context.Context, purpose, text string, content any) error {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if len(text) > maxPending || err != nil || len(b) <= 1+pendingMACSize {
		return ErrPending
	}
	message := b[1+pendingMACSize:]
	if !i.CheckMAC("pending "+purpose, message, b[0], b[1:1+pendingMACSize]) {
		return ErrPending
	}
	found := sealed{Content: content}
	if err := json.Unmarshal(message, &found); err != nil {
		return ErrPending
	}
	now, err := i.Now(ctx)
	if err == nil && now.Unix() >= found.Expires {
		err = ErrPending
	}
	return err
}
