package accounts

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// logIn logs in with the right password, to the end, and answers the device token.
func logIn(t *testing.T, a *Accounts, store *memory, name string, from issuer.Device) string {
	t.Helper()
	proof, err := a.LogIn(t.Context(), name, password, from)
	if err == nil {
		err = store.confirm(proof)
	}
	if err != nil {
		t.Fatal(err)
	}
	return proof.DeviceToken
}

// TestKnownDevice: a device that has logged in isn't delayed by others, neither by account nor by address; its own
// guesses are bounded and cleared by its success; and they delay nobody else.
func TestKnownDevice(t *testing.T) {
	store := newMemory()
	a, calls := counted(t, store, Config{PerAddress: Schedule{Free: 6, MaxDelay: time.Second, Forgive: time.Second}})
	if _, err := a.Add(t.Context(), "ada", password); err != nil {
		t.Fatal(err)
	}
	home := issuer.Device{Address: "192.0.2.1"}
	home.Token = logIn(t, a, store, "ada", home)
	first, _ := a.openDeviceToken(home.Token, store.accounts["ada"].Subject, time.Now())
	stranger := issuer.Device{Address: home.Address}
	for retryAfter(guess(t, a, "ada", stranger)) == 0 {
	}
	again := logIn(t, a, store, "ada", home)
	if again == "" {
		t.Error("the second login gave no device token")
	}
	for range 4 {
		guess(t, a, "ada", home)
	}
	logIn(t, a, store, "ada", home)
	before := calls.Load()
	for range 20 {
		guess(t, a, "ada", home)
	}
	if n := calls.Load() - before; n != 5 {
		t.Errorf("a device made %d guesses after its success, want 5", n)
	}
	if err := guess(t, a, "ada", home); retryAfter(err) != time.Second {
		t.Errorf("a known device that guesses: %v", err)
	}
	if id, _ := a.openDeviceToken(again, store.accounts["ada"].Subject, time.Now()); id == "" || id != first {
		t.Error("a known device became another one")
	}
	other := issuer.Device{Token: a.newDeviceToken(newDeviceID(), store.accounts["ada"].Subject, time.Now())}
	logIn(t, a, store, "ada", other)
	store.advance(2 * time.Hour)
	for range 5 {
		guess(t, a, "ada", home)
	}
	logIn(t, a, store, "ada", stranger)
}

// TestForeignDeviceTokens: what isn't a token of this account is ignored, as if there were none.
func TestForeignDeviceTokens(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	a, _ := counted(t, newMemory(), Config{Now: func() time.Time { return now }})
	token := a.newDeviceToken(newDeviceID(), "sub", now.Add(-deviceTTL+time.Second))
	if _, known := a.openDeviceToken(token, "sub", now); !known {
		t.Fatal("the token isn't good at all")
	}
	flipped := []byte(token)
	flipped[20] ^= 1
	version, _ := base64.RawURLEncoding.DecodeString(token[len(devicePrefix):])
	version[0]++
	for name, c := range map[string]struct{ token, subject string }{
		"none":                {"", "sub"},
		"another account's":   {token, "other"},
		"an unknown name's":   {a.newDeviceToken(newDeviceID(), "", now), ""},
		"too old":             {a.newDeviceToken(newDeviceID(), "sub", now.Add(-deviceTTL)), "sub"},
		"changed":             {string(flipped), "sub"},
		"of another root key": {devicePrefix + base64.RawURLEncoding.EncodeToString(version), "sub"},
		"cut":                 {token[:len(token)-1], "sub"},
		"with a newline":      {token[:20] + "\n" + token[21:], "sub"},
		"with one more":       {token[:20] + "\n" + token[20:], "sub"},
		"without its prefix":  {token[len(devicePrefix):], "sub"},
		"padded":              {token + "=", "sub"},
		"long":                {token + strings.Repeat("A", 1<<16), "sub"},
		"a refresh token":     {"jrt_" + token[4:], "sub"},
	} {
		if id, known := a.openDeviceToken(c.token, c.subject, now); known || id != "" {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestRenewedDeviceToken: a device stays the one that it was, under its own account; elsewhere it's a new one, unlike
// every other.
func TestRenewedDeviceToken(t *testing.T) {
	a, _ := counted(t, newMemory(), Config{})
	device := func(token, subject string) string {
		t.Helper()
		id, known := a.openDeviceToken(token, subject, time.Now())
		if !known {
			t.Fatal("a token that was just made isn't good")
		}
		return id
	}
	first := a.renewDeviceToken("", "ada")
	if device(a.renewDeviceToken(first, "ada"), "ada") != device(first, "ada") {
		t.Error("a known device became another one")
	}
	for name, other := range map[string]string{"another new device": device(a.renewDeviceToken("", "ada"), "ada"), "the device in another account": device(a.renewDeviceToken(first, "bob"), "bob")} {
		if other == device(first, "ada") {
			t.Errorf("%s has the same ID", name)
		}
	}
}

func FuzzParseDeviceToken(f *testing.F) {
	f.Add(devicePrefix + strings.Repeat("A", 76))
	f.Add(devicePrefix)
	f.Add(devicePrefix + strings.Repeat("A", 72) + "\n\n\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		if d, ok := parseDeviceToken(text); ok && (len(d.id) != deviceIDSize || len(d.mac) != deviceMACSize || len(text) != 80) {
			t.Errorf("%q reads as %+v", text, d)
		}
	})
}
