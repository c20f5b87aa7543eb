package accounts

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestTOTPVectors are those of RFC 6238 appendix B for HMAC-SHA-1, of which our codes are the last 6 digits.
func TestTOTPVectors(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		if got := totpCode(secret, at/totpPeriod); got != want[2:] {
			t.Errorf("at %d: %s, want %s", at, got, want[2:])
		}
	}
}

// TestTOTPStep: a code is good for its own step and one on either side, and for none that was used or came before one
// that was.
func TestTOTPStep(t *testing.T) {
	secret := newTOTPSecret()
	const now = 1000
	for offset := int64(-3); offset <= 3; offset++ {
		for _, used := range []int64{0, now - 1, now, now + 1} {
			step, ok := totpStep(secret, totpCode(secret, now+offset), time.Unix(now*totpPeriod+17, 0), used)
			want := offset >= -1 && offset <= 1 && now+offset > used
			if ok != want || ok && step != now+offset {
				t.Errorf("the code of step %+d with %d used: %d, %v", offset, used-now, step, ok)
			}
		}
	}
	for _, code := range []string{"", "000", "0000000", totpCode(secret, now) + " ", "abcdef"} {
		if _, ok := totpStep(secret, code, time.Unix(now*totpPeriod, 0), 0); ok && code != totpCode(secret, now) {
			t.Errorf("%q is good", code)
		}
	}
}

// TestCodeOfReplacedSecret: a code that was checked begins no session once the secret that made it was replaced,
// whether or not somebody has confirmed the new one.
func TestCodeOfReplacedSecret(t *testing.T) {
	for name, replace := range map[string]func(store *memory, f TOTP){
		"replaced":    func(store *memory, f TOTP) { store.totps[f.Subject] = f },
		"begun again": func(store *memory, f TOTP) { f.Confirmed = false; store.totps[f.Subject] = f },
		"removed":     func(store *memory, f TOTP) { delete(store.totps, f.Subject) },
		"kept":        func(*memory, TOTP) {},
	} {
		t.Run(name, func(t *testing.T) {
			store := newMemory()
			a, _ := counted(t, store, Config{})
			subject, err := a.Add(t.Context(), "ada", password)
			if err != nil {
				t.Fatal(err)
			}
			sealed := func(secret []byte) TOTP {
				return TOTP{Subject: subject, Sealed: a.issuer.SealSecret(TOTPSecret, subject, secret), Confirmed: true}
			}
			before := newTOTPSecret()
			store.totps[subject] = sealed(before)
			_, err = a.LogIn(t.Context(), "ada", password, issuer.Device{})
			var half *issuer.SecondFactorError
			if !errors.As(err, &half) {
				t.Fatal(err)
			}
			proof, err := a.CompleteLogIn(t.Context(), half.Challenge, totpCode(before, store.now.Unix()/totpPeriod), issuer.Device{})
			if err != nil {
				t.Fatal(err)
			}
			replace(store, sealed(newTOTPSecret()))
			if err := store.confirm(proof); errors.Is(err, issuer.ErrFactor) == (name == "kept") {
				t.Errorf("the proof: %v", err)
			}
		})
	}
}

func TestTOTPURI(t *testing.T) {
	u, err := url.Parse(totpURI("https://auth.example.com/base", "ada+x y@example.com", "SECRET"))
	if err != nil {
		t.Fatal(err)
	}
	if u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/auth.example.com/base:ada+x y@example.com" {
		t.Errorf("URI %s", u)
	}
	if q := u.Query(); q.Get("secret") != "SECRET" || q.Get("issuer") != "auth.example.com/base" || q.Get("digits") != "6" || q.Get("period") != "30" || q.Get("algorithm") != "SHA1" {
		t.Errorf("query %v", q)
	}
}

func TestRecoveryCodes(t *testing.T) {
	codes, hashes := newRecoveryCodes("ada")
	seen := make(map[string]bool)
	for n, code := range codes {
		if seen[code] || len(code) != 23 {
			t.Errorf("code %q", code)
		}
		seen[code] = true
		if recoveryHash("ada", plainCode(" "+code+" ")) != hashes[n] || recoveryHash("bob", plainCode(code)) == hashes[n] {
			t.Errorf("the hash of %q", code)
		}
	}
	if len(codes) != 10 {
		t.Errorf("%d codes", len(codes))
	}
}
