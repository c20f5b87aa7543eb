package issuer

import (
	"testing"
	"time"

	"github.com/jot-auth/jot/revocation"
)

// TestNonceWindows: a nonce is good in its own window, in the one after it, and, for a server whose clock is behind, in
// the one before.
func TestNonceWindows(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	i := &Issuer{config: Config{URL: "https://auth.example.com", Now: func() time.Time { return now }}, rules: revocation.NewSet()}
	i.keys.Store(&keyring{roots: map[byte]rootKey{1: {secret: make([]byte, rootKeySize)}}})
	nonce := i.DPoPNonce()
	for windows, good := range map[int]bool{-2: false, -1: true, 0: true, 1: true, 2: false, 1000: false} {
		i.config.Now = func() time.Time { return now.Add(time.Duration(windows) * nonceWindow) }
		if i.CheckDPoPNonce(nonce) != good {
			t.Errorf("%d windows later: %v", windows, !good)
		}
		if (i.DPoPNonce() == nonce) != (windows == 0) {
			t.Errorf("%d windows later: the nonce is %s", windows, i.DPoPNonce())
		}
	}
}
