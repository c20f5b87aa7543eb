package accounts

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// counted makes Accounts whose hashes cost little and are counted.
func counted(t *testing.T, store Store, c Config) (*Accounts, *atomic.Int64) {
	t.Helper()
	a, err := New(store, testIssuer{store: store}, c)
	if err != nil {
		t.Fatal(err)
	}
	calls := new(atomic.Int64)
	a.derive = func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte {
		if time != hashTime || memory != hashMemory || threads != hashThreads {
			t.Errorf("derive called with cost t=%d m=%d p=%d", time, memory, threads)
		}
		calls.Add(1)
		sum := sha256.Sum256(append(append([]byte{}, salt...), password...))
		return sum[:keyLen]
	}
	return a, calls
}

const password = "correct horse battery"

func TestSignUpThenLogIn(t *testing.T) {
	store := newMemory()
	a, err := New(store, testIssuer{store: store}, Config{SignUpScope: []string{"pets:read"}, SignUpClaims: json.RawMessage(`{"plan":"free"}`)})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := a.Add(t.Context(), "Ada@Example.com", password)
	if err != nil {
		t.Fatal(err)
	}
	stored := store.accounts["ada@example.com"]
	if stored.Subject != sub || !strings.HasPrefix(stored.PasswordHash, "$argon2id$v=19$m=19456,t=2,p=1$") ||
		!stored.Created.Equal(store.now) {
		t.Errorf("stored account = %+v", stored)
	}
	subject := store.subjects[sub]
	if string(subject.Claims) != `{"plan":"free"}` || len(subject.Scope) != 1 || subject.Scope[0] != "pets:read" {
		t.Errorf("stored subject = %+v", subject)
	}
	for _, name := range []string{"ada@example.com", "ADA@EXAMPLE.COM"} {
		if got, err := a.LogIn(t.Context(), name, password, issuer.Device{}); err != nil || got.Subject != sub || !slices.Equal(got.AMR, []string{"pwd"}) {
			t.Errorf("LogIn(%q) = %+v, %v; want %q", name, got, err, sub)
		}
	}
	if _, err := a.LogIn(t.Context(), "ada@example.com", password+"!", issuer.Device{}); !errors.Is(err, issuer.ErrInvalidCredentials) {
		t.Errorf("LogIn with a wrong password: %v", err)
	}
	if _, err := a.Add(t.Context(), "ADA@example.com", password); !errors.Is(err, issuer.ErrTaken) {
		t.Errorf("Add with a taken name: %v", err)
	}
}

// TestLogInCostsTheSame holds every way to fail to exactly one hash and one error.
func TestLogInCostsTheSame(t *testing.T) {
	a, calls := counted(t, newMemory(), Config{NoThrottling: true})
	if _, err := a.Add(t.Context(), "ada", password); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ name, password string }{
		"wrong password":      {"ada", "wrong horse battery"},
		"empty password":      {"ada", ""},
		"oversized password":  {"ada", strings.Repeat("x", maxPassword+1)},
		"unknown name":        {"bob", password},
		"impossible name":     {"a\x00da", password},
		"empty name":          {"", password},
		"name of 1 MiB":       {strings.Repeat("a", 1<<20), password},
		"unknown and invalid": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := calls.Load()
			proof, err := a.LogIn(t.Context(), c.name, c.password, issuer.Device{})
			if proof.Subject != "" || err != issuer.ErrInvalidCredentials {
				t.Errorf("LogIn = %q, %v; want issuer.ErrInvalidCredentials itself", proof.Subject, err)
			}
			if n := calls.Load() - before; n != 1 {
				t.Errorf("%d hashes, want 1", n)
			}
		})
	}
}

// TestDecoyNeverMatches makes even a hash function that always matches log nobody in.
func TestDecoyNeverMatches(t *testing.T) {
	a, _ := counted(t, newMemory(), Config{})
	a.derive = func([]byte, []byte, uint32, uint32, uint8, uint32) []byte { return a.decoy.key }
	if proof, err := a.LogIn(t.Context(), "nobody", password, issuer.Device{}); proof.Subject != "" || err != issuer.ErrInvalidCredentials {
		t.Errorf("LogIn = %q, %v", proof.Subject, err)
	}
}

func TestSignUpRefusesInput(t *testing.T) {
	store := newMemory()
	a, calls := counted(t, store, Config{})
	for name, c := range map[string]struct{ name, password, field string }{
		"short name":          {"ab", password, "username"},
		"long name":           {strings.Repeat("a", 65), password, "username"},
		"NUL":                 {"ad\x00a", password, "username"},
		"newline":             {"ada\n", password, "username"},
		"space":               {"ada lovelace", password, "username"},
		"non-ASCII letter":    {"аda", password, "username"}, // begins with a Cyrillic letter
		"invalid UTF-8":       {"ada\xff", password, "username"},
		"leading dot":         {".ada", password, "username"},
		"trailing plus":       {"ada+", password, "username"},
		"quote":               {"ada'--", password, "username"},
		"no password":         {"ada", "", "password"},
		"short password":      {"ada", "eleven char", "password"},
		"short in Cyrillic":   {"ada", "пароль", "password"}, // 12 bytes
		"one character":       {"ada", strings.Repeat("x", 20), "password"},
		"one long character":  {"ada", strings.Repeat("щ", 20), "password"},
		"long password":       {"ada", strings.Repeat("x", 1025), "password"},
		"password not UTF-8":  {"ada", "password \xff\xfe\xfd", "password"},
		"password is name":    {"ada.lovelace", "ada.lovelace", "password"},
		"password folds name": {"ada.lovelace", "Ada.Lovelace", "password"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.Add(t.Context(), c.name, c.password)
			var input *issuer.InputError
			if !errors.As(err, &input) || input.Field != c.field {
				t.Errorf("SignUp: %v; want an input error of %s", err, c.field)
			}
		})
	}
	if calls.Load() != 0 || len(store.accounts) != 0 {
		t.Errorf("%d hashes and %d accounts for refused input", calls.Load(), len(store.accounts))
	}
}

func TestSignUpAcceptsBounds(t *testing.T) {
	a, _ := counted(t, newMemory(), Config{})
	for _, c := range []struct{ name, password string }{
		{"a.b", "k7wq-hz3m-pv"},
		{strings.Repeat("a", 64), strings.Repeat("tangerine quarrel ", 60)[:1024]},
		{"ada+pets@example-1.com", "пароль от дома"},
		{"a_b", "tab\tand\x00nul!"},
	} {
		subject, err := a.Add(t.Context(), c.name, c.password)
		if err != nil {
			t.Errorf("Add(%q): %v", c.name, err)
		}
		if _, err := a.LogIn(t.Context(), c.name, c.password, issuer.Device{}); err != nil {
			t.Errorf("LogIn(%q): %v", c.name, err)
		}
		if _, err := a.ChangePassword(t.Context(), subject, c.password, fresh, false, issuer.Device{}); err != nil {
			t.Errorf("ChangePassword(%q): %v", c.name, err)
		}
	}
}

func TestStoreFailures(t *testing.T) {
	store := newMemory()
	a, calls := counted(t, store, Config{})
	store.err = issuer.ErrUnavailable
	if _, err := a.LogIn(t.Context(), "ada", password, issuer.Device{}); !errors.Is(err, issuer.ErrUnavailable) {
		t.Errorf("LogIn: %v", err)
	}
	if calls.Load() != 0 {
		t.Error("hashed although the store had failed")
	}
	if _, err := a.Add(t.Context(), "ada", password); !errors.Is(err, issuer.ErrUnavailable) {
		t.Errorf("SignUp: %v", err)
	}
	store.err = nil
	store.accounts["eve"] = Account{Name: "eve", Subject: "sub", PasswordHash: "$argon2id$v=19$m=4294967295,t=2,p=1$AAAAAAAAAAA$AAAA"}
	if _, err := a.LogIn(t.Context(), "eve", password, issuer.Device{}); !errors.Is(err, errPasswordHash) || strings.Contains(err.Error(), "4294967295") {
		t.Errorf("LogIn over an altered row: %v", err)
	}
}

// TestAccountGoesMeanwhile: a password that was right is a wrong one, and a challenge isn't good, once the account is
// gone.
func TestAccountGoesMeanwhile(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{})
	subject, err := a.Add(t.Context(), "ada", password)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := a.LogIn(t.Context(), "ada", password, issuer.Device{})
	if err != nil {
		t.Fatal(err)
	}
	store.totps[subject] = TOTP{Subject: subject, Sealed: a.issuer.SealSecret(TOTPSecret, subject, newTOTPSecret()), Confirmed: true}
	_, err = a.LogIn(t.Context(), "ada", password, issuer.Device{})
	half, ok := errors.AsType[*issuer.SecondFactorError](err)
	if !ok {
		t.Fatal(err)
	}
	clear(store.totps)
	delete(store.accounts, "ada")
	if err := store.confirm(proof); err != issuer.ErrInvalidCredentials {
		t.Errorf("the password: %v", err)
	}
	if _, err := a.CompleteLogIn(t.Context(), half.Challenge, "123456", issuer.Device{}); err != issuer.ErrCode {
		t.Errorf("the challenge: %v", err)
	}
}

// TestUpgradeThatIsCutShort: a login whose new hash can't be computed is none, and no wrong guess; the old hash stays.
func TestUpgradeThatIsCutShort(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{})
	if _, err := a.Add(t.Context(), "ada", password); err != nil {
		t.Fatal(err)
	}
	old := store.accounts["ada"]
	cheaper, _ := parsePasswordHash(old.PasswordHash)
	cheaper.time--
	old.PasswordHash = cheaper.String()
	store.accounts["ada"] = old
	ctx, goAway := context.WithCancel(t.Context())
	a.derive = func([]byte, []byte, uint32, uint32, uint8, uint32) []byte {
		goAway()
		return cheaper.key
	}
	if proof, err := a.LogIn(ctx, "ada", password, issuer.Device{}); !errors.Is(err, context.Canceled) || proof.Subject != "" {
		t.Errorf("%+v, %v", proof, err)
	}
	if len(store.throttles) != 0 || store.accounts["ada"].PasswordHash != old.PasswordHash {
		t.Errorf("%v counted, and the hash is %s", store.throttles, store.accounts["ada"].PasswordHash)
	}
}

func TestNewRefusesConfig(t *testing.T) {
	for name, c := range map[string]Config{
		"negative concurrency": {MaxConcurrent: -1},
		"negative waiting":     {MaxWaiting: -1},
		"negative wait":        {MaxWait: -time.Second},
		"claims not an object": {SignUpClaims: json.RawMessage(`[]`)},
	} {
		if _, err := New(newMemory(), testIssuer{}, c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
