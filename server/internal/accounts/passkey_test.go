package accounts

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/passkeytest"
	"github.com/jot-auth/jot/server/issuer"
)

// named is a testIssuer under another URL.
type named struct {
	testIssuer
	url string
}

func (n named) URL() string { return n.url }

func newPasskeyAccounts(t *testing.T, url string) (*Accounts, *memory) {
	t.Helper()
	store := newMemory()
	a, err := New(store, named{testIssuer{store: store}, url}, Config{NoThrottling: true})
	if err != nil {
		t.Fatal(err)
	}
	return a, store
}

// TestPasskeyChallenge: it's good for its ceremony and its time, whole, and until it was used.
func TestPasskeyChallenge(t *testing.T) {
	a, store := newPasskeyAccounts(t, "https://auth.example.com")
	ada, bob := Account{Subject: "ada", PasswordHash: "x"}, Account{Subject: "bob", PasswordHash: "x"}
	changed := Account{Subject: "ada", PasswordHash: "y"}
	ceremonies := map[string]ceremony{
		"to add": toAddPasskey(ada), "of another": toAddPasskey(bob), "after a change": toAddPasskey(changed), "to log in": toLogInWithPasskey("ada"), "anywhere": toLogInWithPasskey(""),
		"to complete": toCompleteWithPasskey("ada"), "run together": {"lo", "g inada"}, "of nothing": {},
	}
	check := func(k passkeyChallenge, c ceremony) error {
		return store.ViewAccounts(t.Context(), func(r Reader) error { return a.checkPasskeyChallenge(r, k, c) })
	}
	for name, c := range ceremonies {
		k := a.newPasskeyChallenge(c, store.now)
		for other, d := range ceremonies {
			if err := check(k, d); (err == nil) != (name == other) || err != nil && !errors.Is(err, issuer.ErrCode) {
				t.Errorf("made %s, used %s: %v", name, other, err)
			}
		}
		for n := range k {
			forged := bytes.Clone(k)
			forged[n] ^= 1
			if check(forged, c) == nil {
				t.Errorf("made %s: byte %d doesn't count", name, n)
			}
		}
		if check(k[1:], c) == nil || check(append(bytes.Clone(k), 0), c) == nil || check(nil, c) == nil {
			t.Errorf("made %s: a part or more of it is good", name)
		}
		if err := store.UpdateAccounts(t.Context(), func(tx Tx) error { return k.spend(tx, "ada") }); err != nil {
			t.Fatal(err)
		}
		if check(k, c) == nil || !errors.Is(store.UpdateAccounts(t.Context(), func(tx Tx) error { return k.spend(tx, "ada") }), issuer.ErrCode) {
			t.Errorf("made %s: it's good twice", name)
		}
	}
	c := toLogInWithPasskey("ada")
	k := a.newPasskeyChallenge(c, store.now)
	store.advance(passkeyTTL - time.Second)
	if err := check(k, c); err != nil {
		t.Error(err)
	}
	store.advance(time.Second)
	if check(k, c) == nil {
		t.Error("it never becomes too old")
	}
}

// TestPasskeysNeedAName: browsers make none for an address, so none is asked for.
func TestPasskeysNeedAName(t *testing.T) {
	for url, can := range map[string]bool{
		"https://auth.example.com/base": true, "http://localhost:8080": true, "https://AUTH.example.com": true, "http://127.0.0.1:8080": false, "https://[::1]": false, "https://192.0.2.1/base": false,
	} {
		a, _ := newPasskeyAccounts(t, url)
		_, err := a.BeginPasskeyLogIn(t.Context(), "")
		if can && err != nil || !can && !errors.Is(err, issuer.ErrNoPasskeys) {
			t.Errorf("%s: %v", url, err)
		}
		if can {
			continue
		}
		b, _ := newPasskeyAccounts(t, "https://auth.example.com")
		options, err := b.BeginPasskeyLogIn(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		device := passkeytest.New(t, url)
		creation, err := b.creationOptions(passkeyOwner{account: Account{Subject: "ada", Name: "ada"}}, b.newPasskeyChallenge(ceremony{}, time.Now()))
		if err != nil {
			t.Fatal(err)
		}
		p, made := device.Create(creation)
		for what, try := range map[string]func(context.Context) error{
			"enrol": func(ctx context.Context) error {
				_, err := a.EnrolPasskey(ctx, "ada", "x", issuer.Device{})
				return err
			},
			"confirm": func(ctx context.Context) error {
				_, _, err := a.ConfirmPasskey(ctx, "ada", "x", made, issuer.Device{})
				return err
			},
			"log in": func(ctx context.Context) error {
				_, err := a.LogInWithPasskey(ctx, "", device.Get(options, p), issuer.Device{})
				return err
			},
			"complete": func(ctx context.Context) error {
				_, err := a.CompleteWithPasskey(ctx, "x", device.Get(options, p), issuer.Device{})
				return err
			},
		} {
			if err := try(t.Context()); !errors.Is(err, issuer.ErrNoPasskeys) {
				t.Errorf("%s, %s: %v", url, what, err)
			}
		}
	}
}

// TestUserHandle tells nothing of a subject, and never changes: authenticators keep it.
func TestUserHandle(t *testing.T) {
	handle := userHandle("ada@example.com")
	if len(handle) != 32 || bytes.Contains(handle, []byte("ada")) || bytes.Equal(handle, userHandle("ada@example.co")) {
		t.Errorf("handle %x", handle)
	}
	const want = "d778337a99ee5f4374f629f588d8be53e4e443ceb0624ee52d423890d59f02cd" // what docs/operations.md says, computed elsewhere
	if got := hex.EncodeToString(userHandle("ada")); got != want {
		t.Errorf("handle %s, want %s: passkeys of before log nobody in any more", got, want)
	}
}

// FuzzPasskeyAnswer takes apart whatever comes: it's refused, or names a credential.
func FuzzPasskeyAnswer(f *testing.F) {
	f.Add([]byte(`{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{"clientDataJSON":"eyJjaGFsbGVuZ2UiOiJBQUFBIn0","attestationObject":"o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUEA"}}`))
	f.Add([]byte(`{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{"clientDataJSON":"eyJjaGFsbGVuZ2UiOiJBQUFBIn0","authenticatorData":"AAAA","signature":"AAAA","userHandle":null}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if parsed, _, err := parseAttestation(text); err == nil && len(parsed.RawID) == 0 {
			t.Errorf("accepted %+v", parsed)
		}
		if parsed, _, err := parseAssertion(text); err == nil && len(parsed.RawID) == 0 {
			t.Errorf("accepted %+v", parsed)
		}
	})
}
