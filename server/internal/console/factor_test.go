package console_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"html"
	"regexp"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// enrol gives Ada one-time codes, and answers what makes the next one.
func (f *fixture) enrol() (next func() string) {
	f.Helper()
	text, _, err := f.accounts.EnrolTOTP(f.Context(), f.ada, password, issuer.Device{})
	if err != nil {
		f.Fatal(err)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil {
		f.Fatal(err)
	}
	var step int64
	next = func() string { // the next code that is good for at least ten seconds; where it isn't taken yet, that is waited for
		for wait := true; wait; time.Sleep(100 * time.Millisecond) {
			now, err := f.issuer.Now(f.Context())
			if err != nil {
				f.Fatal(err)
			}
			if fit := max(step+1, now.Add(10*time.Second).Unix()/30-1); fit <= now.Unix()/30+1 {
				step, wait = fit, false
			}
		}
		mac := hmac.New(sha1.New, secret)
		binary.Write(mac, binary.BigEndian, step)
		sum := mac.Sum(nil)
		return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1000000)
	}
	if _, err := f.accounts.ConfirmTOTP(f.Context(), f.ada, next(), issuer.Device{}); err != nil {
		f.Fatal(err)
	}
	return next
}

var challenged = regexp.MustCompile(`name="challenge" value="([^"]*)"`)

// enterCode sends the page that asks for a code.
func (b *browser) enterCode(page answer, code string) answer {
	b.Helper()
	found := challenged.FindStringSubmatch(page.body)
	if found == nil {
		b.Fatalf("no challenge: %d %s", page.status, page.body)
	}
	return b.submit(page, "/factor", "challenge", html.UnescapeString(found[1]), "code", code)
}

// TestSecondFactorForADevice: the page at which devices are connected opens after the code, and goes on with the code
// that the device showed.
func TestSecondFactorForADevice(t *testing.T) {
	f := serve(t)
	next := f.enrol()
	b := f.browser()
	page := b.logIn(b.get("/base/device?user_code=WDJB-MJHT"))
	page.wantPage(t, 200, "to connect a device")
	b.get("/base/device").wantPage(t, 200, "Username") // the password alone opens nothing
	b.enterCode(page, next()).wantPage(t, 200, "WDJB-MJHT")
}

// TestSecondFactor: the password alone leads to a page that asks for a code, and signs nobody in.
func TestSecondFactor(t *testing.T) {
	f := serve(t)
	next := f.enrol()
	b := f.browser()
	page := b.logIn(b.authorize())
	page.wantPage(t, 200, "Enter a code")
	if b.cookies["__Host-jot-signin"] != "" || b.cookies["__Host-jot-device"] != "" {
		t.Error("the password alone signs in")
	}
	b.authorize("prompt", "none").wantRefusal(t, "login_required")
	page = b.enterCode(page, "no code")
	page.wantPage(t, 400, "Wrong code")
	tokens := f.tokens(b.enterCode(page, next()).code(t))
	for _, name := range []string{"id_token", "access_token"} {
		_, got := claims(t, tokens[name])
		if got["acr"] != issuer.ACRTwoFactors || fmt.Sprint(got["amr"]) != "[pwd otp mfa]" {
			t.Errorf("%s: acr %v, amr %v", name, got["acr"], got["amr"])
		}
	}
	b.enterCode(page, next()).wantPage(t, 400, "Log in again") // the challenge was used
	b.authorize("acr_values", issuer.ACRTwoFactors, "prompt", "none").code(t)
}

// TestStepUp: a sign-in that is too weak for acr_values logs in again, and whoever has no second factor gets the error
// that the client expects (RFC 9470 §5), not the same page forever.
func TestStepUp(t *testing.T) {
	f := serve(t)
	b := f.browser()
	b.logIn(b.authorize()).code(t)
	b.authorize("acr_values", "urn:other "+issuer.ACROneFactor, "prompt", "none").code(t)
	b.authorize("acr_values", "urn:other", "prompt", "none").code(t)
	b.authorize("acr_values", issuer.ACRTwoFactors, "prompt", "none").wantRefusal(t, "login_required")
	page := b.authorize("acr_values", issuer.ACRTwoFactors)
	page.wantPage(t, 200, "Username")
	b.logIn(page).wantRefusal(t, "unmet_authentication_requirements")

	next := f.enrol()
	page = b.authorize("acr_values", issuer.ACRTwoFactors)
	page.wantPage(t, 200, "Username")
	b.enterCode(b.logIn(page), next()).code(t)
}
