package accounts

import (
	"net/url"
	"testing"
	"time"
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

// TestTOTPStep: a code is good for its own step and one on either side, and for none that was used or came before one that was.
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
