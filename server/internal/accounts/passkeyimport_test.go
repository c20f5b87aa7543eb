package accounts

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/passkeytest"
	"github.com/jot-auth/jot/server/issuer"
)

// foreignPasskey is a passkey of another system, and the authenticator that has it.
func foreignPasskey(t *testing.T, a *Accounts) (issuer.ForeignPasskey, *passkeytest.Authenticator, *passkeytest.Passkey) {
	t.Helper()
	device := passkeytest.New(t, "https://auth.example.com")
	owner := passkeyOwner{account: Account{Subject: "elsewhere", Name: "ada"}}
	options, err := a.creationOptions(owner, a.newPasskeyChallenge(ceremony{}, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	p, credential := device.Create(options)
	parsed, challenge, err := parseAttestation(credential)
	if err != nil {
		t.Fatal(err)
	}
	made, err := a.register(parsed, challenge, owner.account)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString
	return issuer.ForeignPasskey{
		RelyingParty: "auth.example.com", Name: "Phone", Credential: text(made.Credential), PublicKey: text(made.PublicKey), UserHandle: text(owner.WebAuthnID()),
		Transports: []string{"internal", "carrier pigeon"}, RecoveryHashes: []string{strings.Repeat("0", 64)},
	}, device, p
}

// TestImportPasskey: a passkey that knows its owner by another system's name logs in.
func TestImportPasskey(t *testing.T) {
	a, store := newPasskeyAccounts(t, "https://auth.example.com")
	admin := NewAdmin(a, nil)
	f, device, p := foreignPasskey(t, a)
	if err := admin.ImportPasskey(t.Context(), "ada", f); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("without an account: %v", err)
	}
	store.accounts["ada"] = Account{Name: "ada", Subject: "ada"}
	f.Created, f.LastUsed = store.now.Add(time.Hour), store.now.Add(time.Hour)
	f.SignCount, p.Count, f.BackupEligible, f.BackedUp = 7, 8, true, true
	device.Flags |= passkeytest.BackupEligible | passkeytest.BackedUp
	if err := admin.ImportPasskey(t.Context(), "ada", f); err != nil {
		t.Fatal(err)
	}
	found, err := a.Factors(t.Context(), "ada")
	if err != nil || len(found) != 1 || found[0].RecoveryCodes != 1 || fmt.Sprint(found[0].Passkey.Transports) != "[internal]" || !found[0].Created.Equal(store.now) || !found[0].Passkey.LastUsed.Equal(store.now) ||
		found[0].Passkey.SignCount != 7 {
		t.Fatalf("imported %+v, %v", found, err)
	}
	options, err := a.BeginPasskeyLogIn(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if proof, err := a.LogInWithPasskey(t.Context(), "", device.Get(options, p), issuer.Device{}); err != nil || proof.Subject != "ada" {
		t.Errorf("proved %+v, %v", proof, err)
	}
	p.Handle = userHandle("ada")
	if _, err := a.LogInWithPasskey(t.Context(), "", device.Get(options, p), issuer.Device{}); !errors.Is(err, issuer.ErrPasskey) {
		t.Errorf("under another handle: %v", err)
	}
	second, _, _ := foreignPasskey(t, a)
	second.Created, second.LastUsed = store.now.Add(-2*time.Hour), store.now.Add(-time.Hour)
	second.ID, second.Credential = strings.Repeat("A", 26), base64.RawURLEncoding.EncodeToString(make([]byte, maxCredential))
	second.UserHandle = base64.RawURLEncoding.EncodeToString(userHandle("ada"))
	second.RecoveryHashes = []string{strings.Repeat("1", 64), strings.Repeat("2", 64)}
	if err := admin.ImportPasskey(t.Context(), "ada", second); err != nil {
		t.Fatal(err)
	}
	if found, err := a.Factors(t.Context(), "ada"); err != nil || len(found) != 2 || found[0].RecoveryCodes != 1 {
		t.Errorf("the second one has brought recovery codes: %+v, %v", found, err)
	}
	if got := store.passkeys[second.ID]; !got.Created.Equal(second.Created) || !got.LastUsed.Equal(second.LastUsed) || got.UserHandle != nil {
		t.Errorf("what is right came as %+v", got)
	}
	third, _, _ := foreignPasskey(t, a)
	third.ID, third.Credential, third.UserHandle = "", "AA", base64.RawURLEncoding.EncodeToString(make([]byte, maxUserHandle))
	if err := admin.ImportPasskey(t.Context(), "ada", third); err != nil {
		t.Errorf("at the bounds: %v", err)
	}
	for _, p := range store.passkeys {
		if string(p.Credential) == "\x00" && !p.Created.Equal(store.now) {
			t.Errorf("a passkey of which nobody knows when it was made is of %v", p.Created)
		}
	}
}

// TestImportPasskeyRefused: what can't be, or is another's, leaves nothing behind.
func TestImportPasskeyRefused(t *testing.T) {
	a, store := newPasskeyAccounts(t, "https://auth.example.com")
	admin := NewAdmin(a, nil)
	for _, name := range []string{"ada", "bob"} {
		store.accounts[name] = Account{Name: name, Subject: name}
	}
	bobs, _, _ := foreignPasskey(t, a)
	bobs.ID = strings.Repeat("B", 26)
	if err := admin.ImportPasskey(t.Context(), "bob", bobs); err != nil {
		t.Fatal(err)
	}
	if err := admin.ImportPasskey(t.Context(), "bob", bobs); !errors.Is(err, issuer.ErrTaken) {
		t.Errorf("once more: %v", err)
	}
	good, _, _ := foreignPasskey(t, a)
	raw := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	key, err := base64.RawURLEncoding.DecodeString(good.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	offCurve := append([]byte{}, key...)
	offCurve[len(offCurve)-1] ^= 1
	otherAlgorithm := append([]byte{}, key...) // {1: 2, 3: -7, …}
	otherAlgorithm[4] = 0x27                   // -8
	for _, c := range []struct {
		field string
		spoil func(*issuer.ForeignPasskey)
	}{
		{"rp_id", func(f *issuer.ForeignPasskey) { f.RelyingParty = "" }},
		{"rp_id", func(f *issuer.ForeignPasskey) { f.RelyingParty = "example.com" }},
		{"rp_id", func(f *issuer.ForeignPasskey) { f.RelyingParty = "AUTH.example.com" }},
		{"id", func(f *issuer.ForeignPasskey) { f.ID = "../x" }},
		{"id", func(f *issuer.ForeignPasskey) { f.ID = bobs.ID }},
		{"name", func(f *issuer.ForeignPasskey) { f.Name = "" }},
		{"name", func(f *issuer.ForeignPasskey) { f.Name = "two\nlines" }},
		{"credential_id", func(f *issuer.ForeignPasskey) { f.Credential = "" }},
		{"credential_id", func(f *issuer.ForeignPasskey) { f.Credential += "=" }},
		{"credential_id", func(f *issuer.ForeignPasskey) { f.Credential = "AB" }}, // trailing bits
		{"credential_id", func(f *issuer.ForeignPasskey) { f.Credential = raw(strings.Repeat("x", maxCredential+1)) }},
		{"credential_id", func(f *issuer.ForeignPasskey) { f.Credential = bobs.Credential }},
		{"public_key", func(f *issuer.ForeignPasskey) { f.PublicKey = "" }},
		{"public_key", func(f *issuer.ForeignPasskey) { f.PublicKey = "AAAA" }},
		{"public_key", func(f *issuer.ForeignPasskey) { f.PublicKey = f.PublicKey + "AA" }},
		{"public_key", func(f *issuer.ForeignPasskey) { f.PublicKey = raw(string(key) + "x") }},
		{"public_key", func(f *issuer.ForeignPasskey) { f.PublicKey = raw(string(offCurve)) }},
		{"public_key", func(f *issuer.ForeignPasskey) { f.PublicKey = raw(string(otherAlgorithm)) }},
		{"public_key", func(f *issuer.ForeignPasskey) { f.PublicKey = raw(strings.Repeat("x", maxPublicKey+1)) }},
		{"user_handle", func(f *issuer.ForeignPasskey) { f.UserHandle = "QU\nI" }}, // which Go skips
		{"user_handle", func(f *issuer.ForeignPasskey) { f.UserHandle = raw(strings.Repeat("x", maxUserHandle+1)) }},
		{"backed_up", func(f *issuer.ForeignPasskey) { f.BackedUp = true }},
		{"recovery_hashes", func(f *issuer.ForeignPasskey) { f.RecoveryHashes = []string{"x"} }},
		{"recovery_hashes", func(f *issuer.ForeignPasskey) { f.RecoveryHashes = append(f.RecoveryHashes, f.RecoveryHashes...) }},
	} {
		f := good
		c.spoil(&f)
		var refused *issuer.InputError
		if err := admin.ImportPasskey(t.Context(), "ada", f); !errors.As(err, &refused) || refused.Field != c.field {
			t.Errorf("%s: %v", c.field, err)
		}
	}
	if found, err := a.Factors(t.Context(), "ada"); err != nil || len(found) != 0 {
		t.Errorf("ada has %+v, %v", found, err)
	}
	if hashes, err := view(t.Context(), store, func(r Reader) ([][32]byte, error) { return r.RecoveryHashes("ada") }); err != nil || len(hashes) != 0 {
		t.Errorf("ada has recovery codes %v, %v", hashes, err)
	}
	if err := admin.ImportPasskey(t.Context(), "ada", good); err != nil {
		t.Errorf("unspoilt: %v", err)
	}
	var refused *issuer.InputError
	good.PublicKey = bobs.PublicKey
	if err := admin.ImportPasskey(t.Context(), "ada", good); !errors.As(err, &refused) || refused.Field != "credential_id" {
		t.Errorf("another key under her own credential: %v", err)
	}
}

// TestImportPasskeysOfOneAccount: an account has so many, and an issuer whose URL names no host has none.
func TestImportPasskeysOfOneAccount(t *testing.T) {
	a, store := newPasskeyAccounts(t, "https://auth.example.com")
	admin := NewAdmin(a, nil)
	store.accounts["eve"] = Account{Name: "eve", Subject: "eve"}
	for n := range maxPasskeys {
		more, _, _ := foreignPasskey(t, a)
		if err := admin.ImportPasskey(t.Context(), "eve", more); err != nil {
			t.Fatal(n, err)
		}
	}
	more, _, _ := foreignPasskey(t, a)
	if err := admin.ImportPasskey(t.Context(), "eve", more); !errors.Is(err, errTooManyPasskeys) {
		t.Errorf("one too many: %v", err)
	}
	nameless, _ := newPasskeyAccounts(t, "https://192.0.2.1")
	var refused *issuer.InputError
	if err := NewAdmin(nameless, nil).ImportPasskey(t.Context(), "ada", more); !errors.As(err, &refused) || refused.Field != "rp_id" {
		t.Errorf("under an address: %v", err)
	}
}

// TestPublicKeysOfImports are those for which an authenticator may be asked here.
func TestPublicKeysOfImports(t *testing.T) {
	a, _ := newPasskeyAccounts(t, "https://auth.example.com")
	options, err := a.creationOptions(passkeyOwner{account: Account{Subject: "ada", Name: "ada"}}, a.newPasskeyChallenge(ceremony{}, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	for algorithm, good := range map[int]bool{passkeytest.ES256: true, passkeytest.EdDSA: true, passkeytest.RS256: true, -35: false} { // ES384
		device := passkeytest.New(t, "https://auth.example.com")
		device.Algorithm = algorithm
		_, credential := device.Create(options)
		parsed, _, err := parseAttestation(credential)
		if err != nil {
			t.Fatal(err)
		}
		key := parsed.Response.AttestationObject.AuthData.AttData.CredentialPublicKey
		if err := checkPublicKey(key); (err == nil) != good {
			t.Errorf("algorithm %d: %v", algorithm, err)
		}
		if algorithm == passkeytest.RS256 {
			if err := checkPublicKey(bytes.Replace(key, []byte{0x39, 1, 0}, []byte{0x39, 1, 1}, 1)); err == nil {
				t.Error("a key for RS384 is taken")
			}
		}
	}
}
