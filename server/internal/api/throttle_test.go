package api_test

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/api"
	"github.com/jot-auth/jot/server/internal/webtest"
	"github.com/jot-auth/jot/server/issuer"
)

const wrong = "wrong horse battery"

// serveSlow is serve with first delays so long that none of them is over within a test.
func serveSlow(t *testing.T) *fixture {
	t.Helper()
	return serveAccounts(t, api.Options{OpenSignUp: true}, accounts.Config{
		SignUpScope: []string{"pets:read", "pets:write"}, PerAccount: accounts.Schedule{Delay: 10 * time.Minute},
	})
}

// wantThrottled wants an answer that says to come again in ten minutes at most.
func wantThrottled(t *testing.T, a answer) {
	t.Helper()
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	if problem := a.want(t, 429); problem["type"] != "urn:jot:problem:throttled" || err != nil || seconds < 1 || seconds > 600 {
		t.Errorf("%v, Retry-After %q", problem, a.header.Get("Retry-After"))
	}
}

// try makes one attempt to log in.
func (f *fixture) try(name, password string, headers ...string) answer {
	f.t.Helper()
	return f.call("POST", "/v1/login", webtest.Object(f.t, map[string]any{"username": name, "password": password}), headers...)
}

// TestGuessesAreDelayed: the sixth guess is refused, known name or not, right password or not, with the same words; and
// sent with when to come again.
func TestGuessesAreDelayed(t *testing.T) {
	f := serveSlow(t)
	f.signUp()
	disabled := f.call("POST", "/v1/signup", `{"username":"disabled","password":"`+password+`"}`).want(t, 201)["sub"].(string)
	if err := f.issuer.DisableSubject(t.Context(), disabled); err != nil {
		t.Fatal(err)
	}
	bodies := map[string]bool{}
	for _, guessed := range []struct{ name, password string }{{name, wrong}, {"nobody", wrong}, {"no body", wrong}, {"disabled", password}} {
		for range 5 {
			a := f.try(guessed.name, guessed.password)
			a.want(t, 401)
			bodies[a.body] = true
		}
		for _, p := range []string{password, wrong} {
			a := f.try(strings.ToUpper(guessed.name), p)
			wantThrottled(t, a)
			bodies[a.body] = true
		}
	}
	if len(bodies) != 2 {
		t.Errorf("known, unknown and disabled names are answered differently: %q", slices.Collect(maps.Keys(bodies)))
	}
	if log := f.log.Take(); log != "" {
		t.Errorf("guesses reached the log of errors: %s", log)
	}
}

// TestLogInThatNobodyCouldHave: what asks for a scope or a resource that there isn't is refused before the password is
// looked at, and is no guess at one.
func TestLogInThatNobodyCouldHave(t *testing.T) {
	f := serveSlow(t)
	f.signUp()
	for range 10 {
		for _, who := range [][2]string{{name, password}, {name, wrong}, {"nobody", wrong}} {
			for member, value := range map[string]string{"scope": "pets:eat", "resource": "moon"} {
				asked := map[string]any{"username": who[0], "password": who[1], member: value}
				f.call("POST", "/v1/login", webtest.Object(t, asked)).want(t, 400)
			}
		}
	}
	f.try(name, password).want(t, 200)
}

// TestParallelGuesses: a hundred at once, of the right password among them, are five attempts.
func TestParallelGuesses(t *testing.T) {
	f := serveSlow(t)
	f.signUp()
	var wait sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for range 100 {
		wait.Go(func() {
			a := f.try(name, wrong)
			mu.Lock()
			defer mu.Unlock()
			statuses[a.status]++
		})
	}
	wait.Wait()
	if statuses[401] != 5 || statuses[429] != 95 {
		t.Errorf("answers by status: %v", statuses)
	}
}

// TestKnownDeviceLogsIn while somebody else guesses, with the token in the body or in its cookie.
func TestKnownDeviceLogsIn(t *testing.T) {
	f := serveSlow(t)
	f.signUp()
	inBody := f.try(name, password).want(t, 200)["device_token"].(string)
	cookie := f.call("POST", "/v1/login", webtest.Object(t, map[string]any{"username": name, "password": password, "cookies": true})).cookies[api.DeviceCookie]
	if !strings.HasPrefix(inBody, "jdt_") || cookie == nil || cookie.Value == inBody {
		t.Fatalf("device tokens %q and %v", inBody, cookie)
	}
	for f.try(name, wrong).status != 429 {
	}
	known := func(token string) answer {
		return f.call("POST", "/v1/login", webtest.Object(t, map[string]any{"username": name, "password": password, "device_token": token}))
	}
	next := known(inBody).want(t, 200)["device_token"].(string)
	known(next).want(t, 200)
	f.try(name, password, sent(cookie)...).want(t, 200)
	altered := []byte(inBody)
	altered[40] ^= 1 // stays within the alphabet, but for - and _
	for _, token := range []string{"", "jdt_", "garbage", string(altered), strings.Repeat("a", 1<<10)} {
		wantThrottled(t, known(token))
	}
	f.call("POST", "/v1/signup", `{"username":"bob","password":"`+password+`"}`).want(t, 201)
	bobs := f.try("bob", password).want(t, 200)["device_token"].(string)
	wantThrottled(t, known(bobs))
	if a := f.call("GET", "/v1/me", "", bearer(inBody)...); a.status != http.StatusUnauthorized {
		t.Errorf("a device token as access token: %d", a.status)
	}
	f.call("POST", "/v1/refresh", webtest.Object(t, map[string]any{"refresh_token": inBody})).want(t, 401)
}

// TestStoredClientAtLogIn: a stored first-party client is as good, until it's deleted; one with a secret isn't, since
// nobody asks for it.
func TestStoredClientAtLogIn(t *testing.T) {
	f := serveSlow(t)
	f.signUp()
	_, hash := issuer.NewClientSecret()
	const public, secret = "client_tablet", "client_backend"
	err1 := f.issuer.CreateClient(t.Context(), issuer.Client{ID: public, Name: "tablet", FirstParty: true, Scopes: []string{"pets:read"}})
	err2 := f.issuer.CreateClient(t.Context(), issuer.Client{ID: secret, Name: "backend", FirstParty: true, Scopes: []string{"pets:read"}, SecretHash: hash})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	access, refresh := f.logIn(map[string]any{"client_id": public})
	f.call("GET", "/v1/me", "", bearer(access)...).want(t, 200)
	f.call("POST", "/v1/refresh", webtest.Object(t, map[string]any{"refresh_token": refresh, "client_id": public})).want(t, 200)
	logIn := func(client string) answer {
		return f.call("POST", "/v1/login", webtest.Object(t, map[string]any{"username": name, "password": password, "client_id": client}))
	}
	logIn(secret).want(t, 400)
	if err := f.issuer.DeleteClient(t.Context(), public); err != nil {
		t.Fatal(err)
	}
	logIn(public).want(t, 400)
}

// TestClientAtLogIn: a first-party client is chosen by its ID, and its tokens are refreshed and ended under that ID.
func TestClientAtLogIn(t *testing.T) {
	f := serveSlow(t)
	f.signUp()
	access, refresh := f.logIn(map[string]any{"client_id": "client_console"})
	if me := f.call("GET", "/v1/me", "", bearer(access)...).want(t, 200); me["client_id"] != "client_console" || me["scope"] != "pets:read" {
		t.Errorf("me = %v", me)
	}
	f.call("POST", "/v1/refresh", webtest.Object(t, map[string]any{"refresh_token": refresh})).want(t, 401)
	refreshed := f.call("POST", "/v1/refresh", webtest.Object(t, map[string]any{"refresh_token": refresh, "client_id": "client_console"})).want(t, 200)
	f.call("POST", "/v1/logout", webtest.Object(t, map[string]any{"refresh_token": refreshed["refresh_token"], "client_id": "client_console"})).want(t, 204)
	f.call("GET", "/v1/me", "", bearer(refreshed["access_token"].(string))...).want(t, 401)
	for _, id := range []string{"client_other", "client_", "nobody", "client_app\x01"} {
		for path, body := range map[string]map[string]any{
			"/v1/login":   {"username": name, "password": password, "client_id": id},
			"/v1/refresh": {"refresh_token": refresh, "client_id": id},
			"/v1/logout":  {"refresh_token": refresh, "client_id": id},
		} {
			if problem := f.call("POST", path, webtest.Object(t, body)).want(t, 400); problem["type"] != "urn:jot:problem:invalid-client" {
				t.Errorf("%s of %q: %v", path, id, problem)
			}
		}
	}
}
