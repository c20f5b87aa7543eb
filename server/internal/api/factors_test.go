package api_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/api"
	"github.com/jot-auth/jot/server/issuer"
)

// authenticator is somebody's app: it makes codes, each once.
type authenticator struct {
	f      *fixture
	secret []byte
	step   int64 // of the last code
}

func newAuthenticator(f *fixture, secret string) *authenticator {
	f.t.Helper()
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil || len(raw) != 20 {
		f.t.Fatalf("secret %q: %v", secret, err)
	}
	return &authenticator{f: f, secret: raw}
}

// next is a code that wasn't used: there are three at a time, since the server takes those of the steps before and
// after, too. One that won't be taken for at least ten more seconds is left out, and one that isn't taken yet is waited
// for.
func (a *authenticator) next() string {
	a.f.t.Helper()
	for {
		now, err := a.f.issuer.Now(a.f.t.Context())
		if err != nil {
			a.f.t.Fatal(err)
		}
		if step := max(a.step+1, now.Add(10*time.Second).Unix()/30-1); step <= now.Unix()/30+1 {
			a.step = step
			return a.code(step)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (a *authenticator) code(step int64) string {
	mac := hmac.New(sha1.New, a.secret)
	binary.Write(mac, binary.BigEndian, step)
	sum := mac.Sum(nil)
	at := sum[19] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff%1000000)
}

// enrol signs somebody up, with one-time codes, and answers the app, the recovery codes and an access token of before.
func (f *fixture) enrol() (app *authenticator, recovery []string, access string) {
	f.t.Helper()
	f.signUp()
	access = first(f.logIn(nil))
	a := f.call("POST", "/v1/factors/totp", `{"password":"`+password+`"}`, bearer(access)...)
	a.want(f.t, 200)
	app = newAuthenticator(f, a.text("secret"))
	a = f.call("POST", "/v1/factors/totp/confirm", `{"code":"`+app.next()+`"}`, bearer(access)...)
	a.want(f.t, 200)
	var answer struct {
		Codes []string `json:"recovery_codes"`
	}
	a.decode(f.t, &answer)
	if len(answer.Codes) != 10 {
		f.t.Fatalf("%d recovery codes", len(answer.Codes))
	}
	return app, answer.Codes, access
}

func first(access, _ string) string { return access }

// text is a member of an answer, "" where it's no text.
func (a answer) text(member string) string {
	var members map[string]any
	json.Unmarshal([]byte(a.body), &members)
	text, _ := members[member].(string)
	return text
}

func (a answer) decode(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatal(err)
	}
}

// halfway logs in with the password and answers the challenge.
func (f *fixture) halfway(headers ...string) string {
	f.t.Helper()
	a := f.call("POST", "/v1/login", `{"username":"`+name+`","password":"`+password+`"}`, headers...)
	a.want(f.t, 403)
	if a.text("type") != "urn:jot:problem:second-factor" || a.text("challenge") == "" || a.text("access_token") != "" {
		f.t.Fatalf("the password alone: %s", a.body)
	}
	return a.text("challenge")
}

func (f *fixture) complete(challenge, code string) answer {
	f.t.Helper()
	return f.call("POST", "/v1/login/factor", `{"challenge":"`+challenge+`","code":"`+code+`"}`)
}

func TestSecondFactor(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	app, recovery, before := f.enrol()
	challenge := f.halfway()
	f.complete(challenge, "000000x").want(t, 403)
	code := app.next()
	a := f.complete(challenge, code)
	a.want(t, 200)
	tok, err := f.issuer.Verifier().Verify(t.Context(), a.text("access_token"))
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		ACR string   `json:"acr"`
		AMR []string `json:"amr"`
	}
	if err := tok.Decode(&claims); err != nil || claims.ACR != issuer.ACRTwoFactors || fmt.Sprint(claims.AMR) != "[pwd otp mfa]" {
		t.Errorf("claims %+v, %v", claims, err)
	}
	f.complete(challenge, app.code(app.step+1)).want(t, 403) // the challenge was used
	f.complete(f.halfway(), code).want(t, 403)               // the code was
	f.complete(f.halfway("Cookie", api.DeviceCookie+"="+a.text("device_token")), "").want(t, 403)

	f.complete(f.halfway(), recovery[3]).want(t, 200)
	f.complete(f.halfway(), recovery[3]).want(t, 403)
	if told := f.told(issuer.EventRecoveryCodeUsed); len(told) != 1 || told[0].Subject != tok.Subject() || told[0].Address == "" {
		t.Errorf("events %+v", told)
	}
	var listed struct {
		Factors []struct {
			Kind  string `json:"kind"`
			Codes int    `json:"recovery_codes"`
		} `json:"factors"`
	}
	list := f.call("GET", "/v1/factors", "", bearer(before)...)
	list.decode(t, &listed)
	if len(listed.Factors) != 1 || listed.Factors[0].Kind != "totp" || listed.Factors[0].Codes != 9 {
		t.Errorf("factors %s", list.body)
	}
	f.call("POST", "/v1/factors/totp", `{"password":"`+password+`"}`, bearer(before)...).want(t, 401)
	f.call("POST", "/v1/factors/totp", `{"password":"`+password+`"}`, bearer(a.text("access_token"))...).want(t, 409)

	// A login of before, with the password alone, is too weak for what changes how to log in.
	for _, r := range [][3]string{{"DELETE", "/v1/factors/totp", ""}, {"POST", "/v1/password", `{"current":"` + password + `","new":"another horse battery"}`}} {
		f.call(r[0], r[1], r[2], bearer(before)...).want(t, 401)
	}
	renewed := f.call("POST", "/v1/password", `{"current":"`+password+`","new":"staple of a better horse"}`, bearer(a.text("access_token"))...)
	renewed.want(t, 200)
	f.call("DELETE", "/v1/factors/totp", "", bearer(renewed.text("access_token"))...).want(t, 204)
	f.call("POST", "/v1/login", `{"username":"`+name+`","password":"staple of a better horse"}`).want(t, 200)
}

// TestUnconfirmedFactor: until a code has shown that somebody has the secret, nothing is asked for.
func TestUnconfirmedFactor(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	f.signUp()
	access := bearer(first(f.logIn(nil)))
	f.call("POST", "/v1/factors/totp/confirm", `{"code":"000000"}`, access...).want(t, 403)
	f.call("POST", "/v1/factors/totp", `{"password":"wrong horse battery"}`, access...).want(t, 403)
	first := newAuthenticator(f, f.call("POST", "/v1/factors/totp", `{"password":"`+password+`"}`, access...).text("secret"))
	f.call("POST", "/v1/factors/totp", `{"password":"`+password+`"}`, access...).want(t, 200)
	f.call("POST", "/v1/factors/totp/confirm", `{"code":"`+first.next()+`"}`, access...).want(t, 403) // of a secret that was replaced
	f.logIn(nil)
}

// TestCodesAreThrottled: guesses count for the account, whatever the device, and a right password gives them nothing
// back.
func TestCodesAreThrottled(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	app, _, _ := f.enrol()
	for range 5 {
		f.complete(f.halfway(), "000000x").want(t, 403)
	}
	a := f.complete(f.halfway(), app.next())
	a.want(t, 429)
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// TestChallengeDies with the password that it was given for, and with the account's right to log in.
func TestChallengeDies(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	app, _, _ := f.enrol()
	a := f.complete(f.halfway(), app.next())
	challenge := f.halfway()
	f.call("POST", "/v1/password", `{"current":"`+password+`","new":"staple of a better horse"}`, bearer(a.text("access_token"))...).want(t, 200)
	f.complete(challenge, app.next()).want(t, 403)
}

// TestDisabledWithFactor: the password of somebody who is disabled isn't confirmed by a challenge.
func TestDisabledWithFactor(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	app, _, access := f.enrol()
	challenge := f.halfway()
	tok, err := f.issuer.Verifier().Verify(t.Context(), access)
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	if err := f.issuer.ChangeSubject(t.Context(), tok.Subject(), issuer.Change{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	f.call("POST", "/v1/login", `{"username":"`+name+`","password":"`+password+`"}`).want(t, 401)
	f.complete(challenge, app.next()).want(t, 403) // as a wrong code
}

// TestOneCodeAtOnce: of many that complete logins with one code at once, one does; likewise with one challenge, and one
// recovery code.
func TestOneCodeAtOnce(t *testing.T) {
	f := serveAccounts(t, api.Options{OpenSignUp: true}, accounts.Config{NoThrottling: true})
	app, recovery, _ := f.enrol()
	one := f.halfway()
	code := sync.OnceValue(app.next)
	for what, try := range map[string]func(n int) (challenge, code string){
		"challenge":     func(n int) (string, string) { return one, recovery[n] },
		"code":          func(int) (string, string) { return f.halfway(), code() },
		"recovery code": func(int) (string, string) { return f.halfway(), recovery[9] },
	} {
		const many = 4
		var bodies [many][2]string
		for n := range bodies {
			bodies[n][0], bodies[n][1] = try(n)
		}
		var won atomic.Int32
		var wait sync.WaitGroup
		for _, b := range bodies {
			wait.Go(func() {
				if f.complete(b[0], b[1]).status == 200 {
					won.Add(1)
				}
			})
		}
		wait.Wait()
		if won.Load() != 1 {
			t.Errorf("%d logged in with one %s", won.Load(), what)
		}
	}
}

// TestEnrolmentDiesWithPassword: whoever began to enrol one-time codes with a password that was changed since doesn't
// end it in a session that came of the new one.
func TestEnrolmentDiesWithPassword(t *testing.T) {
	const fresh = "four words of another kind"
	f := serve(t, api.Options{OpenSignUp: true})
	f.signUp()
	access := first(f.logIn(nil))
	begun := f.call("POST", "/v1/factors/totp", `{"password":"`+password+`"}`, bearer(access)...)
	begun.want(t, 200)
	app := newAuthenticator(f, begun.text("secret"))
	changed := f.call("POST", "/v1/password", `{"current":"`+password+`","new":"`+fresh+`"}`, bearer(access)...)
	changed.want(t, 200)
	access = changed.text("access_token")
	f.call("POST", "/v1/factors/totp/confirm", `{"code":"`+app.next()+`"}`, bearer(access)...).want(t, 403)
	begun = f.call("POST", "/v1/factors/totp", `{"password":"`+fresh+`"}`, bearer(access)...)
	begun.want(t, 200)
	app = newAuthenticator(f, begun.text("secret"))
	f.call("POST", "/v1/factors/totp/confirm", `{"code":"`+app.next()+`"}`, bearer(access)...).want(t, 200)
}
