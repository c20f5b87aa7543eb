package api_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/api"
	"github.com/jot-auth/jot/server/internal/passkeytest"
	"github.com/jot-auth/jot/server/internal/webtest"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	origin       = "https://auth.example.com"
	passkeysPath = "/v1/factors/passkeys"
)

// askToAdd answers what the browser is to make a passkey of.
func (f *fixture) askToAdd(access string) []byte {
	f.t.Helper()
	a := f.call("POST", passkeysPath, `{"password":"`+password+`"}`, bearer(access)...)
	a.want(f.t, 200)
	return []byte(a.body)
}

func (f *fixture) sendPasskey(access, name string, credential []byte) answer {
	f.t.Helper()
	return f.call("POST", passkeysPath+"/confirm", webtest.Object(f.t, map[string]any{"name": name, "credential": json.RawMessage(credential)}), bearer(access)...)
}

// addPasskey gives the account of a token a passkey, and answers its ID and the recovery codes.
func (f *fixture) addPasskey(device *passkeytest.Authenticator, access string) (p *passkeytest.Passkey, id string, recovery []any) {
	f.t.Helper()
	p, credential := device.Create(f.askToAdd(access))
	members := f.sendPasskey(access, "Phone", credential).want(f.t, 200)
	return p, members["id"].(string), members["recovery_codes"].([]any)
}

// withPasskey signs somebody up, with a passkey, and answers an access token of before.
func (f *fixture) withPasskey() (device *passkeytest.Authenticator, p *passkeytest.Passkey, access string) {
	f.t.Helper()
	f.signUp()
	device, access = passkeytest.New(f.t, origin), first(f.logIn(nil))
	p, _, _ = f.addPasskey(device, access)
	return device, p, access
}

// askToLogIn answers what the browser is to log in with.
func (f *fixture) askToLogIn() []byte {
	f.t.Helper()
	a := f.call("POST", "/v1/login/passkey", "")
	a.want(f.t, 200)
	return []byte(a.body)
}

func (f *fixture) enter(credential []byte) answer {
	f.t.Helper()
	return f.call("POST", "/v1/login/passkey/confirm", webtest.Object(f.t, map[string]any{"credential": json.RawMessage(credential)}))
}

// half logs in with the password, and answers the problem.
func (f *fixture) half() (challenge string, options []byte) {
	f.t.Helper()
	var problem struct {
		Challenge string          `json:"challenge"`
		Passkey   json.RawMessage `json:"passkey"`
	}
	a := f.call("POST", "/v1/login", `{"username":"`+name+`","password":"`+password+`"}`)
	a.want(f.t, 403)
	a.decode(f.t, &problem)
	return problem.Challenge, problem.Passkey
}

func (f *fixture) completeWith(challenge string, credential []byte) answer {
	f.t.Helper()
	return f.call("POST", "/v1/login/factor", webtest.Object(f.t, map[string]any{"challenge": challenge, "credential": json.RawMessage(credential)}))
}

// wantMethods looks into an access token.
func (f *fixture) wantMethods(a answer, want string) {
	f.t.Helper()
	a.want(f.t, 200)
	tok, err := f.issuer.Verifier().Verify(f.t.Context(), a.text("access_token"))
	if err != nil {
		f.t.Fatal(err)
	}
	var claims struct {
		ACR string   `json:"acr"`
		AMR []string `json:"amr"`
	}
	if err := tok.Decode(&claims); err != nil || claims.ACR != issuer.ACRTwoFactors || fmt.Sprint(claims.AMR) != want {
		f.t.Errorf("%+v, %v, want %s", claims, err, want)
	}
}

func (f *fixture) told(kind issuer.EventKind) []issuer.Event {
	f.t.Helper()
	events, err := f.issuer.Events(f.t.Context(), issuer.EventFilter{Kind: kind}, 0, 100)
	if err != nil {
		f.t.Fatal(err)
	}
	return events
}

// TestPasskey: somebody adds a passkey, logs in with it alone and with the password, and removes it.
func TestPasskey(t *testing.T) {
	for name, algorithm := range map[string]int{"ES256": passkeytest.ES256, "EdDSA": passkeytest.EdDSA, "RS256": passkeytest.RS256} {
		t.Run(name, func(t *testing.T) {
			f := serve(t, api.Options{OpenSignUp: true})
			f.signUp()
			access, device := first(f.logIn(nil)), passkeytest.New(t, origin)
			device.Algorithm = algorithm
			phone, id, recovery := f.addPasskey(device, access)
			if len(recovery) != 10 {
				t.Errorf("%d recovery codes", len(recovery))
			}
			in := f.enter(device.Get(f.askToLogIn(), phone))
			f.wantMethods(in, "[pop user mfa]")
			challenge, options := f.half()
			f.wantMethods(f.completeWith(challenge, device.Get(options, phone)), "[pwd pop user mfa]")
			challenge, _ = f.half()
			f.wantMethods(f.complete(challenge, recovery[0].(string)), "[pwd otp mfa]")

			strong := bearer(in.text("access_token"))
			if code := f.call("PATCH", passkeysPath+"/"+id, `{"name":" Old phone "}`, strong...).status; code != 204 {
				t.Errorf("renamed: %d", code)
			}
			list := f.call("GET", "/v1/factors", "", strong...).want(t, 200)["factors"].([]any)
			listed := list[0].(map[string]any)
			passkey := listed["passkey"].(map[string]any)
			if len(list) != 1 || listed["kind"] != "passkey" || listed["recovery_codes"] != 9.0 || passkey["name"] != "Old phone" || passkey["id"] != id || passkey["last_used"] == nil {
				t.Errorf("listed %v", list)
			}
			if a := f.call("DELETE", passkeysPath+"/"+id, "", strong...); a.status != 204 {
				t.Fatalf("removed: %d %s", a.status, a.body)
			}
			f.logIn(nil) // the password is enough again
			f.enter(device.Get(f.askToLogIn(), phone)).want(t, 403)
		})
	}
}

// TestReplayedPasskey: an answer is good once, whatever became of the passkey meanwhile, and its second use isn't taken
// for a clone.
func TestReplayedPasskey(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	f.signUp()
	access, device := first(f.logIn(nil)), passkeytest.New(t, origin)
	phone, made := device.Create(f.askToAdd(access))
	phone.Count = 7
	id := f.sendPasskey(access, "Phone", made).want(t, 200)["id"].(string)

	text := device.Get(f.askToLogIn(), phone)
	in := f.enter(text)
	in.want(t, 200)
	if again := f.enter(text); again.text("type") != "urn:jot:problem:code" {
		t.Errorf("used again: %d %s", again.status, again.body)
	}
	challenge, options := f.half()
	text = device.Get(options, phone)
	f.completeWith(challenge, text).want(t, 200)
	f.completeWith(challenge, text).want(t, 403)
	other, _ := f.half()
	f.completeWith(other, text).want(t, 403) // for another login

	strong := in.text("access_token")
	f.call("DELETE", passkeysPath+"/"+id, "", bearer(strong)...)
	if again := f.sendPasskey(strong, "Phone", made); again.text("type") != "urn:jot:problem:code" {
		t.Errorf("a removed passkey came back: %d %s", again.status, again.body)
	}
	if events := f.told(issuer.EventPasskeyCloned); len(events) > 0 {
		t.Errorf("told of clones: %v", events)
	}
}

// TestClonedPasskey: a counter that goes back is refused, and told.
func TestClonedPasskey(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	device, phone, _ := f.withPasskey()
	phone.Count = 5
	clone := *phone
	f.enter(device.Get(f.askToLogIn(), phone)).want(t, 200)
	f.enter(device.Get(f.askToLogIn(), phone)).want(t, 200)
	if a := f.enter(device.Get(f.askToLogIn(), &clone)); a.text("type") != "urn:jot:problem:passkey" {
		t.Errorf("a clone: %d %s", a.status, a.body)
	}
	clone.Count = 0 // it counts no more
	challenge, options := f.half()
	f.completeWith(challenge, device.Get(options, &clone)).want(t, 403)
	events := f.told(issuer.EventPasskeyCloned)
	if len(events) != 2 || events[0].Subject == "" || events[0].Detail == "" || events[0].Address != "127.0.0.1" {
		t.Errorf("told %+v", events)
	}
	f.enter(device.Get(f.askToLogIn(), phone)).want(t, 200)
}

// TestManyPasskeys: an account has twenty at most, each authenticator one, and recovery codes with the first alone.
func TestManyPasskeys(t *testing.T) {
	f := serveAccounts(t, api.Options{OpenSignUp: true}, accounts.Config{NoThrottling: true})
	device, phone, _ := f.withPasskey()
	access := f.enter(device.Get(f.askToLogIn(), phone)).text("access_token")
	last := f.askToAdd(access)
	for range 19 {
		if _, _, recovery := f.addPasskey(device, access); len(recovery) != 0 {
			t.Error("recovery codes with a later passkey")
		}
	}
	f.call("POST", passkeysPath, `{"password":"`+password+`"}`, bearer(access)...).want(t, 400)
	_, text := device.Create(last)
	f.sendPasskey(access, "One more", text).want(t, 400)
}

// TestPasskeyAddedByWeakLogin: who logged in before there was a second factor adds none, of either kind.
func TestPasskeyAddedByWeakLogin(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	device, phone, weak := f.withPasskey()
	for _, path := range []string{passkeysPath, "/v1/factors/totp"} {
		if a := f.call("POST", path, `{"password":"`+password+`"}`, bearer(weak)...); a.status != 401 {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	_, text := device.Create(f.askToAddAs("bob"))
	f.sendPasskey(weak, "Mine", text).want(t, 401)
	list := f.call("GET", "/v1/factors", "", bearer(weak)...)
	var listed struct {
		Factors []struct {
			Passkey struct {
				ID string `json:"id"`
			} `json:"passkey"`
		} `json:"factors"`
	}
	list.decode(t, &listed)
	path := passkeysPath + "/" + listed.Factors[0].Passkey.ID
	f.call("PATCH", path, `{"name":"Mine"}`, bearer(weak)...).want(t, 401)
	f.call("DELETE", path, "", bearer(weak)...).want(t, 401)

	// Both kinds stand beside each other: the codes of recovery are those of the first, until the last factor goes.
	strong := f.enter(device.Get(f.askToLogIn(), phone)).text("access_token")
	app := newAuthenticator(f, f.call("POST", "/v1/factors/totp", `{"password":"`+password+`"}`, bearer(strong)...).text("secret"))
	if codes := f.call("POST", "/v1/factors/totp/confirm", `{"code":"`+app.next()+`"}`, bearer(strong)...).want(t, 200)["recovery_codes"].([]any); len(codes) != 0 {
		t.Errorf("%d recovery codes with a later factor", len(codes))
	}
	challenge, _ := f.half()
	f.complete(challenge, app.next()).want(t, 200)
	f.call("DELETE", "/v1/factors/totp", "", bearer(strong)...)
	challenge, options := f.half()
	f.completeWith(challenge, device.Get(options, phone)).want(t, 200)
}

// TestPasskeyOfTheDisabled logs nobody in.
func TestPasskeyOfTheDisabled(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	device, phone, access := f.withPasskey()
	tok, err := f.issuer.Verifier().Verify(t.Context(), access)
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	if err := f.issuer.ChangeSubject(t.Context(), tok.Subject(), issuer.Change{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	f.enter(device.Get(f.askToLogIn(), phone)).want(t, 403) // as one that isn't known
	if err := f.issuer.DeleteSubject(t.Context(), tok.Subject()); err != nil {
		t.Fatal(err)
	}
	f.enter(device.Get(f.askToLogIn(), phone)).want(t, 403)
}

// TestPasskeysAreThrottled after the password, whatever the device; by themselves only by address, so that nobody uses
// up another's attempts.
func TestPasskeysAreThrottled(t *testing.T) {
	slow := accounts.Schedule{Free: 5, Delay: 30 * time.Minute, MaxDelay: time.Hour, Forgive: 15 * time.Minute} // however slow this machine is
	f := serveAccounts(t, api.Options{OpenSignUp: true}, accounts.Config{PerAccount: slow})
	device, phone, _ := f.withPasskey()
	forged := flip("signature")
	for range 6 {
		f.enter(forged(device.Get(f.askToLogIn(), phone))).want(t, 403)
	}
	for range 5 {
		challenge, options := f.half()
		f.completeWith(challenge, forged(device.Get(options, phone))).want(t, 403)
	}
	challenge, options := f.half()
	f.completeWith(challenge, device.Get(options, phone)).want(t, 429)
	f.enter(device.Get(f.askToLogIn(), phone)).want(t, 200)
}

// TestOnePasskeyAtOnce: of many that send one answer at once, one logs in, or adds a passkey.
func TestOnePasskeyAtOnce(t *testing.T) {
	f := serveAccounts(t, api.Options{OpenSignUp: true}, accounts.Config{NoThrottling: true})
	device, phone, _ := f.withPasskey()
	access := f.enter(device.Get(f.askToLogIn(), phone)).text("access_token")
	text := device.Get(f.askToLogIn(), phone)
	challenge, options := f.half()
	second := device.Get(options, phone)
	_, made := device.Create(f.askToAdd(access))
	for what, try := range map[string]func() answer{
		"logged in": func() answer { return f.enter(text) },
		"completed": func() answer { return f.completeWith(challenge, second) },
		"added":     func() answer { return f.sendPasskey(access, "Phone", made) },
	} {
		var won atomic.Int32
		var wait sync.WaitGroup
		for range 6 {
			wait.Go(func() {
				if try().status == 200 {
					won.Add(1)
				}
			})
		}
		wait.Wait()
		if won.Load() != 1 {
			t.Errorf("%d %s", won.Load(), what)
		}
	}
	if events := f.told(issuer.EventPasskeyAdded); len(events) != 2 {
		t.Errorf("%d were added", len(events))
	}
}
