package issuer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"
	"time"
)

const (
	refreshPrefix = "jrt_"
	rootKeySize   = 32

	sessionIDSize    = 26 // what rand.Text returns
	refreshTokenSize = 1 + sessionIDSize + 8 + sha256.Size
)

// refreshToken is what an opaque refresh token says: the next use of which session. Its text is "jrt_" and the
// base64url of
//
//	version (1 byte) ‖ session (26) ‖ counter (8, big endian) ‖ HMAC-SHA256 (32)
//
// The version names the root key that made the MAC. Since the MAC can be made again from what the database holds and
// the root key, no token is ever stored.
type refreshToken struct {
	version byte
	session string
	counter uint64
	mac     []byte
}

// parseRefreshToken reads the one form that a token has; nothing in it has been authenticated yet.
func parseRefreshToken(text string) (refreshToken, bool) {
	encoded, prefixed := strings.CutPrefix(text, refreshPrefix)
	if !prefixed || len(encoded) != base64.RawURLEncoding.EncodedLen(refreshTokenSize) {
		return refreshToken{}, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(b) != refreshTokenSize { // shorter where Go skipped newlines
		return refreshToken{}, false
	}
	t := refreshToken{version: b[0], session: string(b[1 : 1+sessionIDSize]), mac: b[refreshTokenSize-sha256.Size:]}
	t.counter = binary.BigEndian.Uint64(b[1+sessionIDSize:])
	return t, t.counter >= 1 && t.counter <= math.MaxInt64
}

func (t refreshToken) String() string {
	b := make([]byte, 0, refreshTokenSize)
	b = append(b, t.version)
	b = append(b, t.session...)
	b = binary.BigEndian.AppendUint64(b, t.counter)
	return refreshPrefix + base64.RawURLEncoding.EncodeToString(append(b, t.mac...))
}

// authenticate computes the MAC: it binds the token to its root key, issuer and client.
func (t refreshToken) authenticate(rootKey []byte, issuer, client string) []byte {
	b := make([]byte, 0, 256)
	b = appendText(b, "jot refresh token")
	b = append(b, t.version)
	b = appendText(b, issuer)
	b = appendText(b, client)
	b = appendText(b, t.session)
	b = binary.BigEndian.AppendUint64(b, t.counter)
	mac := hmac.New(sha256.New, rootKey)
	mac.Write(b)
	return mac.Sum(nil)
}

// newRefreshToken makes the token for a counter of a session: always the same one, but for a new root key.
func (i *Issuer) newRefreshToken(s *Session, counter uint64, now time.Time) string {
	keys := i.keys.Load()
	t := refreshToken{version: keys.rootVersion(now), session: s.ID, counter: counter}
	t.mac = t.authenticate(keys.roots[t.version].secret, i.config.URL, s.ClientID)
	return t.String()
}

// openRefreshToken reads a token that this issuer made for this client; anything else is ErrInvalidGrant. It needs no
// database, so made-up tokens cost next to nothing.
func (i *Issuer) openRefreshToken(text, client string) (refreshToken, error) {
	t, ok := parseRefreshToken(text)
	if !ok {
		return refreshToken{}, ErrInvalidGrant
	}
	root, known := i.keys.Load().roots[t.version]
	if !known || !hmac.Equal(t.mac, t.authenticate(root.secret, i.config.URL, client)) {
		return refreshToken{}, ErrInvalidGrant
	}
	return t, nil
}
