package api_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/api"
	"github.com/jot-auth/jot/server/internal/passkeytest"
	"github.com/jot-auth/jot/server/internal/webtest"
	"github.com/jot-auth/jot/server/issuer"
)

// TestRefusedPasskeys: each thing that an authenticator or a browser may get wrong at a login, with the passkey alone
// and after the password.
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
		"null":                 {change: func([]byte) []byte { return []byte(`null`) }, want: ""},
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
