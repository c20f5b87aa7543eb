package issuer

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
)

// A verifier has 43 to 128 unreserved characters (RFC 7636 §4.1): one that could be guessed is refused, also where its
// challenge is right.
func TestCodeVerifiers(t *testing.T) {
	unreserved := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	for name, c := range map[string]struct {
		verifier string
		good     bool
	}{
		"every character": {unreserved, true}, "the shortest": {strings.Repeat("a", 43), true}, "the longest": {strings.Repeat("a", 128), true},
		"none": {"", false}, "too short": {strings.Repeat("a", 42), false}, "too long": {strings.Repeat("a", 129), false},
		"a space": {unreserved + " ", false}, "a plus": {unreserved + "+", false}, "padding": {unreserved + "=", false}, "beyond ASCII": {unreserved + "é", false},
	} {
		sum := sha256.Sum256([]byte(c.verifier))
		challenge := base64.RawURLEncoding.EncodeToString(sum[:])
		if answersChallenge(c.verifier, challenge) != c.good {
			t.Errorf("%s: %v", name, !c.good)
		}
		if answersChallenge(c.verifier, strings.ToLower(challenge)) || answersChallenge(c.verifier, "") || answersChallenge(c.verifier, c.verifier) {
			t.Errorf("%s: answers another challenge", name)
		}
	}
}
