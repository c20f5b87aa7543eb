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

// TestRefusedPasskeys: each thing that an authenticator or a browser may get wrong at a login, with the passkey alone and after the password.
func TestRefusedPasskeys(t *testing.T) {
	const notGood, unknown, malformed = "urn:jot:problem:code", "urn:jot:problem:passkey", "urn:jot:problem:invalid-input"
	f := serveAccounts(t, api.Options{OpenSignUp: true}, accounts.Config{NoThrottling: true})
	good, phone, access := f.withPasskey()
	forAdding := func() string { return challengeIn(t, f.askToAddAs("bob")) }
	for what, c := range map[string]struct {
		lie    func(*passkeytest.Authenticator, *passkeytest.Passkey)
		change func([]byte) []byte
		want   string
		second string // after the password, where that's something else; "-": it's good
	}{
		"another origin":          {lie: func(a *passkeytest.Authenticator, _ *passkeytest.Passkey) { a.Origin = "https://evil.example.com" }, want: unknown},
		"plain HTTP":              {lie: func(a *passkeytest.Authenticator, _ *passkeytest.Passkey) { a.Origin = "http://auth.example.com" }, want: unknown},
		"another port":            {lie: func(a *passkeytest.Authenticator, _ *passkeytest.Passkey) { a.Origin += ":8443" }, want: unknown},
		"another relying party":   {lie: func(a *passkeytest.Authenticator, _ *passkeytest.Passkey) { a.Host = "example.com" }, want: unknown},
		"another ceremony":        {lie: func(a *passkeytest.Authenticator, _ *passkeytest.Passkey) { a.Ceremony = "webauthn.create" }, want: unknown},
		"nobody there":            {lie: func(a *passkeytest.Authenticator, _ *passkeytest.Passkey) { a.Flags = passkeytest.Verified }, want: unknown},
		"unverified":              {lie: func(a *passkeytest.Authenticator, _ *passkeytest.Passkey) { a.Flags = passkeytest.Present }, want: unknown, second: "-"},
		"backed up now":           {lie: func(a *passkeytest.Authenticator, _ *passkeytest.Passkey) { a.Flags |= passkeytest.BackupEligible }, want: unknown},
		"backed up impossibly":    {lie: func(a *passkeytest.Authenticator, _ *passkeytest.Passkey) { a.Flags |= passkeytest.BackedUp }, want: unknown},
		"an unknown credential":   {lie: func(_ *passkeytest.Authenticator, p *passkeytest.Passkey) { p.ID = make([]byte, 32) }, want: unknown},
		"another person's handle": {lie: func(_ *passkeytest.Authenticator, p *passkeytest.Passkey) { p.Handle = make([]byte, 32) }, want: unknown},
		"no handle":               {lie: func(_ *passkeytest.Authenticator, p *passkeytest.Passkey) { p.Handle = nil }, want: unknown, second: "-"},
		"a challenge to add":      {lie: func(a *passkeytest.Authenticator, _ *passkeytest.Passkey) { a.Challenge = forAdding() }, want: notGood},
		"a challenge of one's own": {lie: func(a *passkeytest.Authenticator, _ *passkeytest.Passkey) {
			a.Challenge = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		}, want: notGood},
		"a forged signature":   {change: flip("signature"), want: unknown},
		"other data":           {change: flip("authenticatorData"), want: unknown},
		"a doubled member":     {change: func(b []byte) []byte { return append([]byte(`{"id":"AAAA",`), b[1:]...) }, want: ""},
		"an unknown member":    {change: func(b []byte) []byte { return append([]byte(`{"more":1,`), b[1:]...) }, want: malformed},
		"no answer":            {change: func([]byte) []byte { return []byte(`{}`) }, want: malformed},
		"null":                 {change: func([]byte) []byte { return []byte(`null`) }, want: malformed},
		"two IDs":              {change: setMember("rawId", "AAAA"), want: malformed},
		"a padded ID":          {change: setMember("id", "AAA="), want: malformed},
		"another type":         {change: setMember("type", "password"), want: malformed},
		"no authenticatorData": {change: setResponse("authenticatorData", ""), want: malformed},
		"client data twice":    {change: setResponse("clientDataJSON", "eyJjaGFsbGVuZ2UiOiJBQUFBIiwiQ2hhbGxlbmdlIjoiQUFBQSJ9"), want: malformed}, // {"challenge":"AAAA","Challenge":"AAAA"}
		"other letters":        {change: setResponse("clientDataJSON", "eyJDaGFsbGVuZ2UiOiJBQUFBIn0"), want: notGood},                            // {"Challenge":"AAAA"}
	} {
		answerWith := func(options []byte) []byte {
			device, p := *good, *phone
			if c.lie != nil {
				c.lie(&device, &p)
			}
			text := device.Get(options, &p)
			if c.change != nil {
				text = c.change(text)
			}
			return text
		}
		check := func(a answer, want string) {
			t.Helper()
			if want == "-" {
				a.want(t, 200)
			} else if kind := a.text("type"); a.status == 200 || a.text("access_token") != "" || want != "" && kind != want {
				t.Errorf("%s: %d %s, want %s", what, a.status, a.body, want)
			}
		}
		check(f.enter(answerWith(f.askToLogIn())), c.want)
		challenge, options := f.half()
		second := c.want
		if c.second != "" {
			second = c.second
		}
		check(f.completeWith(challenge, answerWith(options)), second)
	}
	f.wantMethods(f.enter(good.Get(f.askToLogIn(), phone)), "[pop user mfa]")
	if events := f.told(issuer.EventPasskeyCloned); len(events) > 0 {
		t.Errorf("told of clones: %v", events)
	}
	f.call("GET", "/v1/me", "", bearer(access)...).want(t, 200)
}

// askToAddAs is askToAdd for somebody else, who signs up for it.
func (f *fixture) askToAddAs(who string) []byte {
	f.t.Helper()
	f.call("POST", "/v1/signup", webtest.Object(f.t, map[string]any{"username": who, "password": password}))
	a := f.call("POST", "/v1/login", webtest.Object(f.t, map[string]any{"username": who, "password": password}))
	a.want(f.t, 200)
	return f.askToAdd(a.text("access_token"))
}

func challengeIn(t *testing.T, options []byte) string {
	t.Helper()
	var o struct {
		PublicKey struct {
			Challenge string `json:"challenge"`
		} `json:"publicKey"`
	}
	if err := json.Unmarshal(options, &o); err != nil || o.PublicKey.Challenge == "" {
		t.Fatalf("%v in %s", err, options)
	}
	return o.PublicKey.Challenge
}

// changed decodes an answer, changes it and encodes it again.
func changed(text []byte, change func(answer, response map[string]any)) []byte {
	var members map[string]any
	json.Unmarshal(text, &members)
	change(members, members["response"].(map[string]any))
	text, _ = json.Marshal(members)
	return text
}

func setMember(name string, value any) func([]byte) []byte {
	return func(text []byte) []byte { return changed(text, func(a, _ map[string]any) { a[name] = value }) }
}

func setResponse(name string, value any) func([]byte) []byte {
	return func(text []byte) []byte { return changed(text, func(_, r map[string]any) { r[name] = value }) }
}

// flip changes a letter in the middle.
func flip(name string) func([]byte) []byte {
	return func(text []byte) []byte {
		return changed(text, func(_, r map[string]any) {
			b := []byte(r[name].(string))
			if b[20] != 'A' {
				b[20] = 'A'
			} else {
				b[20] = 'B'
			}
			r[name] = string(b)
		})
	}
}

// TestRefusedRegistrations: each thing that may be wrong where somebody adds a passkey.
func TestRefusedRegistrations(t *testing.T) {
	const notGood, unknown, malformed = "urn:jot:problem:code", "urn:jot:problem:passkey", "urn:jot:problem:invalid-input"
	f := serveAccounts(t, api.Options{OpenSignUp: true}, accounts.Config{NoThrottling: true})
	f.signUp()
	access := first(f.logIn(nil))
	for what, c := range map[string]struct {
		lie    func(*passkeytest.Authenticator)
		change func([]byte) []byte
		name   string
		want   string
	}{
		"another origin":         {lie: func(a *passkeytest.Authenticator) { a.Origin = "https://auth.example.com.evil.example" }, want: unknown},
		"another relying party":  {lie: func(a *passkeytest.Authenticator) { a.Host = "evil.example.com" }, want: unknown},
		"another ceremony":       {lie: func(a *passkeytest.Authenticator) { a.Ceremony = "webauthn.get" }, want: unknown},
		"unverified":             {lie: func(a *passkeytest.Authenticator) { a.Flags = passkeytest.Present }, want: unknown},
		"nobody there":           {lie: func(a *passkeytest.Authenticator) { a.Flags = passkeytest.Verified }, want: unknown},
		"backed up impossibly":   {lie: func(a *passkeytest.Authenticator) { a.Flags |= passkeytest.BackedUp }, want: unknown},
		"an algorithm not asked": {lie: func(a *passkeytest.Authenticator) { a.Algorithm = -35 }, want: unknown}, // ES384
		"somebody's statement":   {lie: func(a *passkeytest.Authenticator) { a.Format = "android-key" }, want: unknown},
		"a statement of nothing": {lie: func(a *passkeytest.Authenticator) { a.Format = "packed" }, want: unknown},
		"a login's challenge":    {lie: func(a *passkeytest.Authenticator) { a.Challenge = challengeIn(t, f.askToLogIn()) }, want: notGood},
		"another's challenge":    {lie: func(a *passkeytest.Authenticator) { a.Challenge = challengeIn(t, f.askToAddAs("bob")) }, want: notGood},
		"a forged challenge":     {lie: func(a *passkeytest.Authenticator) { a.Challenge = "AAAA" }, want: notGood},
		"no object":              {change: setResponse("attestationObject", ""), want: malformed},
		"an object of nothing":   {change: setResponse("attestationObject", "oA"), want: malformed},
		"nonsense":               {change: setResponse("attestationObject", "____"), want: malformed},
		"another ID":             {change: func(b []byte) []byte { return setMember("id", "AAAA")(setMember("rawId", "AAAA")(b)) }, want: unknown},
		"an unknown member":      {change: setMember("more", 1), want: malformed},
		"an unknown part":        {change: setResponse("more", 1), want: malformed},
		"no name":                {name: " ", want: malformed},
		"a name on two lines":    {name: "a\nb", want: malformed},
		"a hidden name":          {name: "a\u202eb", want: malformed},
		"a long name":            {name: fmt.Sprintf("%065d", 1), want: malformed},
	} {
		device := passkeytest.New(t, origin)
		if c.lie != nil {
			c.lie(device)
		}
		_, text := device.Create(f.askToAdd(access))
		if c.change != nil {
			text = c.change(text)
		}
		if c.name == "" {
			c.name = "Phone"
		}
		if a := f.sendPasskey(access, c.name, text); a.status == 200 || a.text("type") != c.want {
			t.Errorf("%s: %d %s, want %s", what, a.status, a.body, c.want)
		}
	}
	f.logIn(nil) // nothing was added
	f.call("POST", passkeysPath, `{"password":"wrong `+password+`"}`, bearer(access)...).want(t, 403)
}

// TestReplayedPasskey: an answer is good once, whatever became of the passkey meanwhile, and its second use isn't taken for a clone.
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
	f.enter(device.Get(f.askToLogIn(), phone)).want(t, 401)
	if err := f.issuer.DeleteSubject(t.Context(), tok.Subject()); err != nil {
		t.Fatal(err)
	}
	f.enter(device.Get(f.askToLogIn(), phone)).want(t, 403)
}

// TestPasskeysAreThrottled after the password, whatever the device; by themselves only by address, so that nobody uses up another's attempts.
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
