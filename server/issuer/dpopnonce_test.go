package issuer

import (
	"encoding/base64"
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

// TestForeignNonces: what isn't a nonce of this issuer's is refused, to the byte.
func TestForeignNonces(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	i := &Issuer{config: Config{URL: "https://auth.example.com", Now: func() time.Time { return now }}, rules: revocation.NewSet()}
	i.keys.Store(&keyring{roots: map[byte]rootKey{1: {secret: make([]byte, rootKeySize)}}})
	nonce := i.DPoPNonce()
	other := &Issuer{config: Config{URL: "https://other.example.com", Now: i.config.Now}, rules: revocation.NewSet()}
	other.keys.Store(i.keys.Load())
	altered := func(at int) string {
		b, _ := base64.RawURLEncoding.DecodeString(nonce)
		b[at] ^= 1
		return base64.RawURLEncoding.EncodeToString(b)
	}
	for name, text := range map[string]string{
		"none": "", "another issuer's": other.DPoPNonce(), "of no root key": altered(0), "of another window": altered(8), "of another code": altered(9), "of a code that ends otherwise": altered(nonceSize - 1),
		"cut": nonce[:len(nonce)-2], "cut to its window": nonce[:12], "one longer": nonce + "AA", "with a newline": nonce[:5] + "\n" + nonce[5:], "padded": nonce + "==", "no base64url": "!" + nonce[1:],
		"with stray bits": nonce[:len(nonce)-1] + string(rune(nonce[len(nonce)-1]+1)),
	} {
		if i.CheckDPoPNonce(text) {
			t.Errorf("%s: %q is taken", name, text)
		}
	}
}
