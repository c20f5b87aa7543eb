package issuer

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

// nonceWindow is how long one nonce is the present one; the one before is good as well, and the one after, of a server
// whose clock is ahead.
const nonceWindow = 3 * time.Minute

const (
	noncePurpose = "DPoP nonce"
	nonceCode    = 16 // bytes of its MAC
	nonceSize    = 1 + 8 + nonceCode
)

// DPoPNonce returns the nonce that proofs are to bear now (RFC 9449 §8): version of the root key ‖ window of time ‖
// MAC. Nothing is stored, and every server over one database gives the same.
func (i *Issuer) DPoPNonce() string {
	window := binary.BigEndian.AppendUint64(nil, i.presentWindow())
	version, mac := i.MAC(noncePurpose, window)
	return base64.RawURLEncoding.EncodeToString(append(append([]byte{version}, window...), mac[:nonceCode]...))
}

func (i *Issuer) presentWindow() uint64 {
	return uint64(i.config.Now().Unix()) / uint64(nonceWindow.Seconds())
}

// CheckDPoPNonce reports whether a nonce is one of ours, and of this time.
func (i *Issuer) CheckDPoPNonce(nonce string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(b) != nonceSize || strings.ContainsAny(nonce, "\r\n") {
		return false
	}
	present, stated := i.presentWindow(), binary.BigEndian.Uint64(b[1:])
	if stated+1 < present || stated > present+1 {
		return false
	}
	return i.checkShortMAC(noncePurpose, b[1:9], b[0], b[9:])
}
