package console_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/console"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/internal/webtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// clock is the database's, which a test sets ahead.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// onBothLater runs a test over each database, whose clock it has in its hands.
func onBothLater(t *testing.T, test func(*fixture, *clock)) {
	t.Run("SQLite", func(t *testing.T) {
		c := new(clock)
		store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{Now: c.now})
		if err != nil {
			t.Fatal(err)
		}
		test(serveOver(t, store, console.Options{}), c)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		c := new(clock)
		store, err := sqlstore.OpenPostgres(t.Context(), pgtest.Database(t), sqlstore.Options{Now: c.now})
		if err != nil {
			t.Fatal(err)
		}
		test(serveOver(t, store, console.Options{}), c)
	})
}

// form makes one of parameters, given as name, value, …; "" takes one away.
func form(parameters ...string) url.Values {
	form := url.Values{}
	for n := 0; n < len(parameters); n += 2 {
		if form.Set(parameters[n], parameters[n+1]); parameters[n+1] == "" {
			form.Del(parameters[n])
		}
	}
	return form
}

// start asks for a device code.
func (f *fixture) start(parameters ...string) (code, user string) {
	f.Helper()
	a := f.browser().send("POST", "/base/oauth2/device_authorization", form(append([]string{"client_id", tv, "scope", "openid pets:read"}, parameters...)...))
	members := webtest.Members(f.T, a.status, 200, a.header, a.body)
	user = members["user_code"].(string)
	if members["verification_uri"] != issuerURL+"/device" || members["verification_uri_complete"] != issuerURL+"/device?user_code="+user ||
		members["expires_in"] != 600.0 || members["interval"] != 5.0 || len(members) != 6 {
		f.Fatalf("%v", members)
	}
	return members["device_code"].(string), user
}

// poll asks for the tokens of a device code.
func (f *fixture) poll(code string, parameters ...string) (int, map[string]any) {
	f.Helper()
	return f.token(form(append([]string{"grant_type", "urn:ietf:params:oauth:grant-type:device_code", "client_id", tv, "device_code", code}, parameters...)...))
}

func (f *fixture) wantPoll(code, refusal string, parameters ...string) {
	f.Helper()
	if status, members := f.poll(code, parameters...); status != 400 || members["error"] != refusal {
		f.Errorf("%d %v, want %s", status, members, refusal)
	}
}

// enter types a user code.
func (b *browser) enter(user string) answer {
	b.Helper()
	return b.send("POST", "/base/device", form("user_code", user), "Sec-Fetch-Site", "same-origin")
}

// signedInBrowser is one in which Ada is.
func (f *fixture) signedInBrowser() *browser {
	f.Helper()
	b := f.browser()
	b.logIn(b.get("/base/device")).wantPage(f.T, 200, "Enter the code")
	return b
}

func (b *browser) decide(page answer, decision string) answer {
	b.Helper()
	return b.submit(page, "/device/decision", "decision", decision)
}

// TestDevice goes the whole way of RFC 8628.
func TestDevice(t *testing.T) {
	onBothLater(t, func(f *fixture, c *clock) {
		code, user := f.start()
		f.wantPoll(code, "authorization_pending")
		f.wantPoll(code, "slow_down") // the interval is 10 s now
		c.advance(7 * time.Second)
		f.wantPoll(code, "slow_down") // and now 15 s
		c.advance(11 * time.Second)
		f.wantPoll(code, "slow_down")
		c.advance(20 * time.Second)
		f.wantPoll(code, "authorization_pending")

		b := f.browser()
		page := b.get("/base/device?user_code=" + user)
		page.wantPage(f.T, 200, "to connect a device")
		page = b.logIn(page)
		page.wantPage(f.T, 200, `value="`+user+`"`)
		if !strings.Contains(page.body, "Has somebody sent you this code") {
			f.Error("no warning")
		}
		page = b.enter(" " + strings.ToLower(strings.ReplaceAll(user, "-", "")) + " ")
		for _, text := range []string{"The &lt;TV&gt;", "The petstore", "pets:read", "know who you are", "Allow it only if you hold this device"} {
			page.wantPage(f.T, 200, text)
		}
		f.wantPoll(code, "slow_down") // that the page was seen decides nothing
		b.decide(page, "allow").wantPage(f.T, 200, "The device is connected")

		status, tokens := f.poll(code)
		if status != 200 || tokens["scope"] != "openid pets:read" || tokens["refresh_token"] == nil || tokens["id_token"] == nil || tokens["token_type"] != "Bearer" {
			f.Fatalf("%d %v", status, tokens)
		}
		token, err := f.issuer.Verifier().Verify(f.Context(), tokens["access_token"].(string))
		if err != nil || token.Subject() != f.ada || token.ClientID() != tv {
			f.Errorf("%v, %v", token, err)
		}
		f.wantPoll(code, "invalid_grant")
		b.enter(user).wantPage(f.T, 400, "No device waits")
		b.decide(page, "deny").wantPage(f.T, 400, "No device waits")
		status, again := f.token(form("grant_type", "refresh_token", "client_id", tv, "refresh_token", tokens["refresh_token"].(string)))
		if status != 200 {
			f.Errorf("%d %v", status, again)
		}
		// The browser's logout isn't the device's.
		if err := f.issuer.LogOut(f.Context(), issuer.LogoutDecision{}, b.cookies["__Host-jot-signin"]); err != nil {
			f.Fatal(err)
		}
		if _, err := f.issuer.Verifier().Verify(f.Context(), tokens["access_token"].(string)); err != nil {
			f.Error(err)
		}
	})
}

// TestDeviceEnds: what is denied or too old stays so, and what the person, the client or the code has lost since isn't
// given.
func TestDeviceEnds(t *testing.T) {
	onBothLater(t, func(f *fixture, c *clock) {
		b := f.signedInBrowser()
		code, user := f.start()
		b.decide(b.enter(user), "deny").wantPage(f.T, 200, "not connected")
		f.wantPoll(code, "access_denied")
		f.wantPoll(code, "access_denied")

		code, user = f.start()
		page := b.enter(user)
		c.advance(10 * time.Minute)
		f.wantPoll(code, "expired_token")
		b.enter(user).wantPage(f.T, 400, "No device waits")
		b.decide(page, "allow").wantPage(f.T, 400, "No device waits")

		code, user = f.start()
		b.decide(b.enter(user), "allow").wantPage(f.T, 200, "is connected")
		c.advance(10 * time.Minute)
		f.wantPoll(code, "expired_token")

		code, user = f.start()
		b.decide(b.enter(user), "allow").wantPage(f.T, 200, "is connected")
		if err := f.issuer.EndSessions(f.Context(), f.ada); err != nil {
			f.Fatal(err)
		}
		f.wantPoll(code, "invalid_grant")
		if a := b.enter(user); a.location == nil || a.location.Path != "/base/device" {
			f.Errorf("signed in no more: %d %v", a.status, a.location)
		}
	})
}

// TestDeviceDecision: only what a page showed, to whom it showed it and where, is decided.
func TestDeviceDecision(t *testing.T) {
	f := serve(t)
	b := f.signedInBrowser()
	code, user := f.start()
	page := b.enter(user)
	f.browser().decide(page, "allow").wantPage(t, 400, "another browser")
	if _, err := f.accounts.Add(t.Context(), "bob", password); err != nil {
		t.Fatal(err)
	}
	other := *b // the same browser, and somebody else in it
	other.cookies = maps.Clone(b.cookies)
	other.submit(other.get("/base/login?request="+loginOf(t, page)), "/login", "username", "bob", "password", password).wantPage(t, 200, user)
	other.decide(page, "allow").wantPage(t, 400, "another browser")
	b.cookies["__Host-jot-signin"] = "jsi_x"
	if a := b.decideRaw(page); a.location == nil || a.location.Path != "/base/device" {
		t.Errorf("nobody is signed in: %d %v", a.status, a.location)
	}
	for _, site := range []string{"cross-site", "same-site"} {
		b.send("POST", "/base/device/decision", form("decision", "allow"), "Sec-Fetch-Site", site).wantPage(t, 403, "another site")
		b.send("POST", "/base/device", form("user_code", user), "Sec-Fetch-Site", site).wantPage(t, 403, "another site")
	}
	f.wantPoll(code, "authorization_pending")
}

// decideRaw allows, and follows no redirect.
func (b *browser) decideRaw(page answer) answer {
	found := hidden.FindStringSubmatch(page.body)
	return b.send("POST", "/base/device/decision", form("request", found[1], "decision", "allow"), "Sec-Fetch-Site", "same-origin")
}

// loginOf is the request in a page's link to log in as somebody else.
func loginOf(t *testing.T, page answer) string {
	t.Helper()
	_, rest, found := strings.Cut(page.body, "/login?request=")
	request, _, ended := strings.Cut(rest, `"`)
	if !found || !ended {
		t.Fatal(page.body)
	}
	return request
}

// TestDeviceBadInput has a row for each bad request that RFC 8628 names; none burns a code.
func TestDeviceBadInput(t *testing.T) {
	f := serve(t)
	for name, c := range map[string]struct {
		parameters []string
		error      string
	}{
		"no client":                {[]string{"client_id", ""}, "invalid_request"},
		"unknown client":           {[]string{"client_id", "client_nobody"}, "invalid_client"},
		"client without its grant": {[]string{"client_id", app}, "unauthorized_client"},
		"no secret":                {[]string{"client_id", backend}, "invalid_client"},
		"wrong secret":             {[]string{"client_id", backend, "client_secret", "jcs_x"}, "invalid_client"},
		"secret of a public one":   {[]string{"client_secret", "x"}, "invalid_client"},
		"unknown scope":            {[]string{"scope", "pets:eat"}, "invalid_scope"},
		"malformed scope":          {[]string{"scope", "pets:read  openid"}, "invalid_scope"},
		"doubled scope token":      {[]string{"scope", "openid openid"}, "invalid_scope"},
		"admin scope":              {[]string{"scope", "jot:admin"}, "invalid_scope"},
		"unknown resource":         {[]string{"resource", "nowhere"}, "invalid_target"},
		"NUL":                      {[]string{"scope", "pets:\x00"}, "invalid_request"},
	} {
		a := f.browser().send("POST", "/base/oauth2/device_authorization", form(append([]string{"client_id", tv, "scope", "pets:read"}, c.parameters...)...))
		if members := webtest.Members(t, a.status, 400, a.header, a.body); members["error"] != c.error {
			t.Errorf("start, %s: %v, want %s", name, members, c.error)
		}
	}
	for _, parameter := range []string{"client_id", "scope", "resource"} {
		doubled := form("client_id", tv, "scope", "pets:read", "resource", "petstore")
		doubled.Add(parameter, doubled.Get(parameter))
		if a := f.browser().send("POST", "/base/oauth2/device_authorization", doubled); a.status != 400 || !strings.Contains(a.body, "invalid_request") {
			t.Errorf("doubled %s: %d %s", parameter, a.status, a.body)
		}
	}

	b := f.signedInBrowser()
	code, user := f.start()
	b.decide(b.enter(user), "allow").wantPage(t, 200, "is connected")
	for name, c := range map[string]struct {
		parameters []string
		error      string
	}{
		"no device code":              {[]string{"device_code", ""}, "invalid_request"},
		"unknown device code":         {[]string{"device_code", "jdc_unknown"}, "invalid_grant"},
		"user code":                   {[]string{"device_code", user}, "invalid_grant"},
		"device code with more":       {[]string{"device_code", code + "A"}, "invalid_grant"},
		"device code in capitals":     {[]string{"device_code", strings.ToUpper(code)}, "invalid_grant"},
		"no client":                   {[]string{"client_id", ""}, "invalid_request"},
		"unknown client":              {[]string{"client_id", "client_nobody"}, "invalid_client"},
		"another client":              {[]string{"client_id", other}, "invalid_grant"},
		"client without its grant":    {[]string{"client_id", app}, "invalid_grant"},
		"client without its secret":   {[]string{"client_id", backend}, "invalid_client"},
		"another client, with secret": {[]string{"client_id", backend, "client_secret", f.secret}, "invalid_grant"},
		"as an authorization code":    {[]string{"grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier}, "invalid_grant"},
		"as a refresh token":          {[]string{"grant_type", "refresh_token", "refresh_token", code}, "invalid_grant"},
		"no grant type":               {[]string{"grant_type", ""}, "invalid_request"},
		"grant type in capitals":      {[]string{"grant_type", "urn:ietf:params:oauth:grant-type:DEVICE_CODE"}, "unsupported_grant_type"},
		"secret of a public one":      {[]string{"client_secret", "x"}, "invalid_client"},
		"another client, no secret":   {[]string{"client_id", backend, "client_secret", "jcs_x"}, "invalid_client"},
		"short grant type":            {[]string{"grant_type", "device_code"}, "unsupported_grant_type"},
	} {
		if status, members := f.poll(code, c.parameters...); status != 400 || members["error"] != c.error {
			t.Errorf("poll, %s: %d %v, want %s", name, status, members, c.error)
		}
	}
	for _, parameter := range []string{"device_code", "client_id", "grant_type"} {
		doubled := form("grant_type", "urn:ietf:params:oauth:grant-type:device_code", "client_id", tv, "device_code", code)
		doubled.Add(parameter, doubled.Get(parameter))
		if status, members := f.token(doubled); status != 400 || members["error"] != "invalid_request" {
			t.Errorf("doubled %s: %d %v", parameter, status, members)
		}
	}
	if status, members := f.poll(code); status != 200 {
		t.Errorf("burned: %d %v", status, members)
	}
	if log := f.log.Take(); log != "" {
		t.Errorf("logged %s", log)
	}
}

// TestUserCodes: they are read as people type them, and guesses are slowed down, but never the right ones.
func TestUserCodes(t *testing.T) {
	f := serve(t)
	b := f.signedInBrowser()
	_, user := f.start()
	plain := strings.ReplaceAll(user, "-", "")
	if len(plain) != 8 || strings.Trim(plain, "BCDFGHJKLMNPQRSTVWXZ") != "" {
		t.Errorf("user code %s", user)
	}
	for range 2 { // good ones cost nothing
		for _, typed := range []string{user, plain, strings.ToLower(user), user[:2] + " " + user[2:], plain[:4] + "–" + plain[4:], plain[:4] + "." + plain[4:]} {
			b.enter(typed).wantPage(t, http.StatusOK, "Connect The &lt;TV&gt;?")
		}
	}
	for range 2 { // what can't be one is no guess
		for _, typed := range []string{"", plain[:7], plain + "B", "AAAA-AAAA", "<b>", strings.Repeat("B", 9999)} {
			a := b.enter(typed)
			a.wantPage(t, http.StatusBadRequest, "No device waits")
		}
	}
	for _, typed := range []string{"BCDF-GHJK", "bcdf-ghjl", "BCDFGHJM", "BCDF-GHJN", "BCDF-GHJP"} {
		b.enter(typed).wantPage(t, http.StatusBadRequest, "No device waits")
	}
	a := b.enter(user)
	a.wantPage(t, http.StatusTooManyRequests, "Too many wrong codes")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if a := f.browser().get("/base/device?user_code=" + strings.Repeat("B", 40)); a.status != 200 || strings.Contains(a.body, "BBBB") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestDeviceBound: a client has so many devices waiting and no more, whatever the others have.
func TestDeviceBound(t *testing.T) {
	f := serve(t)
	for range 1000 {
		if _, err := f.issuer.StartDevice(t.Context(), issuer.DeviceRequest{ClientID: other}); err != nil {
			t.Fatal(err)
		}
	}
	if a := f.browser().send("POST", "/base/oauth2/device_authorization", form("client_id", other)); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", a.status, a.body)
	}
	f.start()
}

// TestDeviceRaces: of decisions at one moment one counts; a poll beside one sees none of it or all; and of polls after
// it one gets the session.
func TestDeviceRaces(t *testing.T) {
	onBoth(t, func(f *fixture) {
		secret, _, err := f.issuer.SignIn(f.Context(), issuer.Proof{Subject: f.ada, AMR: []string{"pwd"}}, "")
		if err != nil {
			f.Fatal(err)
		}
		for n := range 6 {
			code, user := f.start()
			ask, err := f.issuer.FindDevice(f.Context(), secret, user)
			if err != nil {
				f.Fatal(err)
			}
			var mu sync.Mutex
			decided, given := map[bool]int{}, 0
			decide := func(allow bool) func() {
				return func() {
					err := f.issuer.AnswerDevice(f.Context(), secret, issuer.DeviceAnswer{Code: ask.Code, Subject: ask.Subject, Scope: ask.Scope, Allow: allow})
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						decided[allow]++
					} else if err != issuer.ErrUserCode {
						f.Error(err)
					}
				}
			}
			poll := func() {
				status, members := f.poll(code)
				mu.Lock()
				defer mu.Unlock()
				if status == 200 {
					given++
				} else if why := fmt.Sprint(members["error"]); !strings.Contains("authorization_pending slow_down access_denied invalid_grant", why) {
					f.Errorf("%d %v", status, members)
				}
			}
			together(decide(true), poll, decide(n%2 == 0), poll, decide(true), poll)
			if decided[true]+decided[false] != 1 {
				f.Fatalf("decided %v", decided)
			}
			together(poll, poll, poll, poll)
			if given != decided[true] {
				f.Errorf("%d got tokens, decided %v", given, decided)
			}
		}
	})
}
