package issuer

import (
	"encoding/base64"
	"math"
	"strings"
	"testing"
)

func testToken(counter uint64) refreshToken {
	t := refreshToken{version: 1, session: strings.Repeat("S", sessionIDSize), counter: counter}
	t.mac = t.authenticate([]byte("root key"), "https://auth.example.com", "client_web")
	return t
}

func TestRefreshTokenFormat(t *testing.T) {
	text := testToken(1).String()
	raw, _ := base64.RawURLEncoding.DecodeString(text[len(refreshPrefix):])
	if !strings.HasPrefix(text, "jrt_") || len(raw) != refreshTokenSize {
		t.Fatalf("token %q has an unexpected form", text)
	}
	for name, broken := range map[string]string{
		"empty":          "",
		"only a prefix":  "jrt_",
		"other prefix":   "jrT_" + text[4:],
		"no prefix":      text[4:],
		"too short":      text[:len(text)-1],
		"too long":       text + "A",
		"huge":           "jrt_" + strings.Repeat("A", 1<<20),
		"newline inside": text[:20] + "\n" + text[20:len(text)-1],
		"newlines":       text[:20] + "\n\n\n\n" + text[24:],
		"newline more":   text[:20] + "\n" + text[20:],
		"newline after":  text + "\n",
		"carriage":       text[:20] + "\r" + text[21:],
		"padding":        text + "=",
		"standard":       text[:20] + "+" + text[21:],
		"trailing bits":  text[:len(text)-1] + string(text[len(text)-1]+1),
		"counter 0":      testToken(0).String(),
		"huge counter":   testToken(math.MaxInt64 + 1).String(),
	} {
		if _, ok := parseRefreshToken(broken); ok {
			t.Errorf("%s: %.100q was accepted", name, broken)
		}
	}
	for _, text := range []string{text, testToken(math.MaxInt64).String()} {
		if got, ok := parseRefreshToken(text); !ok || got.String() != text {
			t.Errorf("%q came back as %q, %v", text, got, ok)
		}
	}
}

// TestRefreshTokenStays: what a server of before gave is what this one makes.
func TestRefreshTokenStays(t *testing.T) {
	const given = "jrt_AVNTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTAAAAAAAAAAfFTam5W4ozYzQHo-lcVJ9_40QtzbxhmapzM-0vIkJVZw"
	if text := testToken(7).String(); text != given {
		t.Errorf("%s, want %s", text, given)
	}
}

// TestUnknownRootKey: nothing is genuine under a root key that isn't there, which would be an empty one that everybody
// knows.
func TestUnknownRootKey(t *testing.T) {
	i := &Issuer{config: Config{URL: "https://auth.example.com"}}
	i.keys.Store(&keyring{roots: map[byte]rootKey{1: {secret: make([]byte, rootKeySize)}}})
	forged := testToken(1)
	forged.version = 2
	forged.mac = forged.authenticate(nil, i.config.URL, "client_web")
	if _, err := i.openRefreshToken(forged.String(), "client_web"); err != ErrInvalidGrant {
		t.Errorf("a refresh token: %v", err)
	}
	if mac := i.mac(nil, "a", nil); i.CheckMAC("a", nil, 2, mac) || i.checkShortMAC("a", nil, 2, mac[:16]) {
		t.Error("a code is accepted")
	}
}

// TestRefreshTokenBinding: each thing that the MAC is over changes it.
func TestRefreshTokenBinding(t *testing.T) {
	root := []byte("root key")
	base := testToken(1)
	seen := map[string]string{}
	for name, mac := range map[string][]byte{
		"base":    base.authenticate(root, "https://auth.example.com", "client_web"),
		"root":    base.authenticate([]byte("other key"), "https://auth.example.com", "client_web"),
		"issuer":  base.authenticate(root, "https://auth.example.org", "client_web"),
		"client":  base.authenticate(root, "https://auth.example.com", "client_app"),
		"border":  base.authenticate(root, "https://auth.example.comc", "lient_web"),
		"counter": testToken(2).authenticate(root, "https://auth.example.com", "client_web"),
		"version": refreshToken{2, base.session, 1, nil}.authenticate(root, "https://auth.example.com", "client_web"),
		"session": refreshToken{1, strings.Repeat("T", sessionIDSize), 1, nil}.authenticate(root, "https://auth.example.com", "client_web"),
	} {
		if other, doubled := seen[string(mac)]; doubled {
			t.Errorf("%s and %s have the same MAC", name, other)
		}
		seen[string(mac)] = name
	}
}

func FuzzParseRefreshToken(f *testing.F) {
	for _, seed := range []string{"", "jrt_", testToken(1).String(), testToken(math.MaxInt64).String(), "jrt_" + strings.Repeat("_", 90)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, ok := parseRefreshToken(text)
		if ok && token.String() != text {
			t.Errorf("%q and %q are the same token", text, token)
		}
		if ok && (token.counter == 0 || token.counter > math.MaxInt64) {
			t.Errorf("counter %d can't be stored", token.counter)
		}
	})
}
