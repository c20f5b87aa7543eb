package accounts

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/passkeytest"
	"github.com/jot-auth/jot/server/issuer"
)

// passkeyHall is where ada and bob have accounts, and one device makes the passkeys of both.
type passkeyHall struct {
	*Accounts
	t      *testing.T
	store  *memory
	device *passkeytest.Authenticator
}

func newPasskeyHall(t *testing.T, c Config) *passkeyHall {
	t.Helper()
	store := newMemory()
	a, _ := counted(t, store, c)
	for _, name := range []string{"ada", "bob"} {
		if _, err := a.Add(t.Context(), name, password); err != nil {
			t.Fatal(err)
		}
	}
	return &passkeyHall{a, t, store, passkeytest.New(t, "https://auth.example.com")}
}

// addPasskey gives an account a passkey of the device.
func (h *passkeyHall) addPasskey(name string) *passkeytest.Passkey {
	h.t.Helper()
	subject := h.store.accounts[name].Subject
	options, err := h.EnrolPasskey(h.t.Context(), subject, password, issuer.Device{})
	if err != nil {
		h.t.Fatal(err)
	}
	p, credential := h.device.Create(options)
	if _, _, err := h.ConfirmPasskey(h.t.Context(), subject, "Phone", credential, issuer.Device{}); err != nil {
		h.t.Fatal(err)
	}
	return p
}

// enter logs in with a passkey alone.
func (h *passkeyHall) enter(p *passkeytest.Passkey, from issuer.Device) (issuer.Proof, error) {
	h.t.Helper()
	options, err := h.BeginPasskeyLogIn(h.t.Context(), "")
	if err != nil {
		h.t.Fatal(err)
	}
	proof, err := h.LogInWithPasskey(h.t.Context(), "", h.device.Get(options, p), from)
	if err != nil {
		return proof, err
	}
	return proof, h.store.confirm(proof)
}

// complete logs in with the password and then with a passkey, whoever's that is.
func (h *passkeyHall) complete(name string, p *passkeytest.Passkey, from issuer.Device) (issuer.Proof, error) {
	h.t.Helper()
	_, err := h.LogIn(h.t.Context(), name, password, issuer.Device{})
	half, ok := errors.AsType[*issuer.SecondFactorError](err)
	if !ok {
		h.t.Fatal(err)
	}
	proof, err := h.CompleteWithPasskey(h.t.Context(), half.Challenge, h.device.Get(half.Passkey, p), from)
	if err != nil {
		return proof, err
	}
	return proof, h.store.confirm(proof)
}

// TestPasskeyOfAnother completes nobody's login, whoever has it; its own owner's it does.
func TestPasskeyOfAnother(t *testing.T) {
	h := newPasskeyHall(t, Config{})
	adas, bobs := h.addPasskey("ada"), h.addPasskey("bob")
	if proof, err := h.complete("ada", bobs, issuer.Device{}); !errors.Is(err, issuer.ErrPasskey) {
		t.Errorf("the password of ada and the passkey of bob: %+v, %v", proof, err)
	}
	if proof, err := h.complete("ada", adas, issuer.Device{}); err != nil || proof.Subject != h.store.accounts["ada"].Subject || !slices.Equal(proof.AMR, []string{"pwd", "pop", "user", "mfa"}) {
		t.Errorf("both of ada: %+v, %v", proof, err)
	}
}

// TestPasskeyWithoutItsOwner: an answer that doesn't name its owner logs nobody in by itself (WebAuthn Level 3 §7.2
// step 6).
func TestPasskeyWithoutItsOwner(t *testing.T) {
	h := newPasskeyHall(t, Config{})
	adas := h.addPasskey("ada")
	adas.Handle = nil
	if proof, err := h.enter(adas, issuer.Device{}); !errors.Is(err, issuer.ErrPasskey) {
		t.Errorf("%+v, %v", proof, err)
	}
	if _, err := h.complete("ada", adas, issuer.Device{}); err != nil {
		t.Errorf("after the password: %v", err)
	}
}

// TestPasskeysAreGuessed: answers that prove nothing count by address, and by account after the password; good ones
// count nowhere.
func TestPasskeysAreGuessed(t *testing.T) {
	few := Schedule{Free: 3}
	for name, c := range map[string]struct {
		config  Config
		attempt func(h *passkeyHall, p *passkeytest.Passkey, from issuer.Device) (issuer.Proof, error)
		from    func(n int) string // where the attempts come from that count together
		others  string
	}{
		"alone": {Config{PerAddress: Schedule{Free: 3, MaxDelay: time.Minute, Forgive: time.Minute}}, (*passkeyHall).enter, func(int) string { return "192.0.2.1" }, "198.51.100.1"},
		"after the password": {Config{PerAccount: few}, func(h *passkeyHall, p *passkeytest.Passkey, from issuer.Device) (issuer.Proof, error) {
			return h.complete("ada", p, from)
		}, func(n int) string { return fmt.Sprintf("192.0.%d.1", n) }, ""},
	} {
		h := newPasskeyHall(t, c.config)
		adas := h.addPasskey("ada")
		for n := range 9 {
			if _, err := c.attempt(h, adas, issuer.Device{Address: c.from(n)}); err != nil {
				t.Fatalf("%s, good answer %d: %v", name, n, err)
			}
		}
		h.device.Flags = passkeytest.Present
		for n := range 3 {
			forged := *adas
			if name != "alone" {
				forged.Handle = userHandle("nobody")
			}
			if _, err := c.attempt(h, &forged, issuer.Device{Address: c.from(n)}); !errors.Is(err, issuer.ErrPasskey) {
				t.Errorf("%s, answer %d that proves nothing: %v", name, n, err)
			}
		}
		h.device.Flags |= passkeytest.Verified
		if _, err := c.attempt(h, adas, issuer.Device{Address: c.from(9)}); retryAfter(err) == 0 {
			t.Errorf("%s, after three of them: %v", name, err)
		}
		if c.others == "" {
			continue
		}
		if _, err := c.attempt(h, adas, issuer.Device{Address: c.others}); err != nil {
			t.Errorf("%s, from elsewhere: %v", name, err)
		}
	}
}

// TestPasskeyIsKeptAsItCame: with what browsers are to be told of it, and what tells a clone.
func TestPasskeyIsKeptAsItCame(t *testing.T) {
	h := newPasskeyHall(t, Config{})
	h.device.Flags |= passkeytest.BackupEligible | passkeytest.BackedUp
	adas := h.addPasskey("ada")
	subject := h.store.accounts["ada"].Subject
	found, err := h.Factors(t.Context(), subject)
	if err != nil || len(found) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	p := found[0].Passkey
	if p.Name != "Phone" || p.Subject != subject || !slices.Equal(p.Credential, adas.ID) || fmt.Sprint(p.Transports) != "[hybrid internal]" || !p.BackupEligible || !p.BackedUp || !p.LastUsed.IsZero() {
		t.Errorf("stored %+v", p)
	}
	options, err := h.EnrolPasskey(t.Context(), subject, password, issuer.Device{})
	if err != nil {
		t.Fatal(err)
	}
	var asked struct {
		PublicKey struct {
			Excluded []struct {
				ID         string   `json:"id"`
				Transports []string `json:"transports"`
			} `json:"excludeCredentials"`
		} `json:"publicKey"`
	}
	if err := json.Unmarshal(options, &asked); err != nil {
		t.Fatal(err)
	}
	if known := asked.PublicKey.Excluded; len(known) != 1 || known[0].ID != base64.RawURLEncoding.EncodeToString(adas.ID) || fmt.Sprint(known[0].Transports) != "[hybrid internal]" {
		t.Errorf("an authenticator that has a passkey may make a second one: %s", options)
	}
}

// TestPasskeyName is one to 64 characters that show something, without the space around them.
func TestPasskeyName(t *testing.T) {
	for given, want := range map[string]string{
		"Phone": "Phone", " Old phone\t": "Old phone", "é": "é", strings.Repeat("é", 64): strings.Repeat("é", 64),
		strings.Repeat("é", 65): "", "": "", " ": "", "a\nb": "", "a\u202eb": "", "a\xffb": "",
	} {
		var input *issuer.InputError
		if got, err := passkeyName(given); got != want || (want == "") != errors.As(err, &input) {
			t.Errorf("%q is %q, %v", given, got, err)
		}
	}
}

// TestPasskeyGoneMeanwhile: a passkey that was removed between its answer and the login logs nobody in, and of one
// whose counter another login has shown meanwhile whoever asks again learns what that means.
func TestPasskeyGoneMeanwhile(t *testing.T) {
	h := newPasskeyHall(t, Config{})
	adas := h.addPasskey("ada")
	adas.Count = 5
	for _, want := range []error{issuer.ErrBusy, issuer.ErrPasskey, nil} {
		options, err := h.BeginPasskeyLogIn(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		proof, err := h.LogInWithPasskey(t.Context(), "", h.device.Get(options, adas), issuer.Device{})
		if err != nil || proof.DeviceToken == "" {
			t.Fatalf("%+v, %v", proof, err)
		}
		before := maps.Clone(h.store.passkeys)
		for id, p := range before {
			switch want {
			case issuer.ErrBusy:
				p.SignCount = 100
				h.store.passkeys[id] = p
			case issuer.ErrPasskey:
				delete(h.store.passkeys, id)
			}
		}
		if err := h.store.confirm(proof); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
		if want != nil {
			h.store.passkeys = before
		}
	}
}

// TestPasskeyAddedAsPasswordChanges: whoever began with a password that is changed while the answer is judged adds
// none.
func TestPasskeyAddedAsPasswordChanges(t *testing.T) {
	store := &overtaken{memory: newMemory()}
	a, _ := counted(t, store, Config{NoThrottling: true})
	subject, err := a.Add(t.Context(), "ada", password)
	if err != nil {
		t.Fatal(err)
	}
	options, err := a.EnrolPasskey(t.Context(), subject, password, issuer.Device{})
	if err != nil {
		t.Fatal(err)
	}
	_, credential := passkeytest.New(t, "https://auth.example.com").Create(options)
	store.by = func() {
		if err := a.ResetPassword(t.Context(), subject, fresh); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := a.ConfirmPasskey(t.Context(), subject, "Phone", credential, issuer.Device{}); !errors.Is(err, issuer.ErrCode) || len(store.passkeys) != 0 {
		t.Errorf("%v, with %d passkeys", err, len(store.passkeys))
	}
}
