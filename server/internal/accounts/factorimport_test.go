package accounts

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestImportTOTP: codes of another system log in, and none that its owner has here is replaced.
func TestImportTOTP(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{})
	admin := NewAdmin(a, nil)
	subject, err := a.Add(t.Context(), "ada", password)
	if err != nil {
		t.Fatal(err)
	}
	secret := []byte("12345678901234567890")
	foreign := issuer.ForeignTOTP{Secret: EncodeTOTPSecret(secret), RecoveryHashes: []string{strings.Repeat("0", 64)}}
	if err := admin.ImportTOTP(t.Context(), "nobody", foreign); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("without an account: %v", err)
	}
	for name, c := range map[string]struct{ created, want time.Time }{
		"before":        {store.now.Add(-time.Hour), store.now.Add(-time.Hour)},
		"nobody knows":  {time.Time{}, store.now},
		"in the future": {store.now.Add(time.Hour), store.now},
	} {
		store.totps[subject] = TOTP{Subject: subject} // an enrolment that was never confirmed
		foreign.Created = c.created
		if err := admin.ImportTOTP(t.Context(), subject, foreign); err != nil {
			t.Fatal(err)
		}
		if got := store.totps[subject]; !got.Confirmed || !got.Created.Equal(c.want) || got.Subject != subject {
			t.Errorf("made %s: %+v", name, got)
		}
	}
	if found, err := a.Factors(t.Context(), subject); err != nil || len(found) != 1 || found[0].RecoveryCodes != 1 {
		t.Errorf("imported %+v, %v", found, err)
	}
	if err := admin.ImportTOTP(t.Context(), subject, foreign); !errors.Is(err, issuer.ErrTaken) {
		t.Errorf("once more: %v", err)
	}
	proof, err := a.CompleteLogIn(t.Context(), halfway(t, a, "ada"), totpCode(secret, store.now.Unix()/totpPeriod), issuer.Device{})
	if err := errors.Join(err, store.confirm(proof)); err != nil {
		t.Errorf("a code: %v", err)
	}
}

// TestImportTOTPRefused: what is no secret or no hash of a recovery code leaves nothing behind.
func TestImportTOTPRefused(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{})
	subject, err := a.Add(t.Context(), "ada", password)
	if err != nil {
		t.Fatal(err)
	}
	hashes := func(n int) (texts []string) {
		for k := range n {
			texts = append(texts, fmt.Sprintf("%064x", k))
		}
		return texts
	}
	secret := func(size int) string { return EncodeTOTPSecret(make([]byte, size)) }
	for _, c := range []struct {
		secret string
		hashes []string
		field  string // "" is taken
	}{
		{secret(16), nil, ""},
		{secret(64), hashes(100), ""},
		{"", nil, "totp_secret"},
		{secret(15), nil, "totp_secret"},
		{secret(65), nil, "totp_secret"},
		{strings.ToLower(secret(20)), nil, "totp_secret"},
		{secret(20) + "=", nil, "totp_secret"},
		{secret(20)[:16] + "\n" + secret(20)[16:], nil, "totp_secret"}, // which Go skips
		{secret(16)[:25] + "B", nil, "totp_secret"},                    // trailing bits
		{secret(20), hashes(101), "recovery_hashes"},
		{secret(20), append(hashes(2), hashes(1)...), "recovery_hashes"},
		{secret(20), []string{""}, "recovery_hashes"},
		{secret(20), []string{strings.Repeat("0", 62)}, "recovery_hashes"},
		{secret(20), []string{strings.Repeat("0", 66)}, "recovery_hashes"},
		{secret(20), []string{strings.Repeat("A", 64)}, "recovery_hashes"},
		{secret(20), []string{strings.Repeat("x", 64)}, "recovery_hashes"},
	} {
		err := NewAdmin(a, nil).ImportTOTP(t.Context(), subject, issuer.ForeignTOTP{Secret: c.secret, RecoveryHashes: c.hashes})
		var refused *issuer.InputError
		if c.field == "" && err != nil || c.field != "" && (!errors.As(err, &refused) || refused.Field != c.field) {
			t.Errorf("%q with %d hashes: %v", c.secret, len(c.hashes), err)
		}
		if _, made := store.totps[subject]; made != (c.field == "") || len(store.recovery) > 0 && !made {
			t.Errorf("%q: codes are imported (%v), with %d recovery codes", c.secret, made, len(store.recovery))
		}
		delete(store.totps, subject)
		clear(store.recovery)
	}
}
