package api_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/api"
	"github.com/jot-auth/jot/server/internal/webtest"
	"github.com/jot-auth/jot/server/issuer"
)

const fresh = "staple of a better horse"

func (f *fixture) changePassword(current, new string, headers ...string) answer {
	f.t.Helper()
	return f.call("POST", "/v1/password", webtest.Object(f.t, map[string]any{"current": current, "new": new}), headers...)
}

// TestPassword: the new password counts, the caller goes on with new tokens, and everybody else is out.
func TestPassword(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	f.signUp()
	other, otherRefresh := f.logIn(nil)
	access, refresh := f.logIn(map[string]any{"resource": "zoo"})
	members := f.changePassword(password, fresh, bearer(access)...).want(t, 200)
	if len(members) != 5 || members["scope"] != "pets:read" {
		t.Errorf("answered %v", members)
	}
	for _, token := range []string{other, access} {
		a := f.call("GET", "/v1/me", "", bearer(token)...)
		a.want(t, 401)
		if got := a.header.Get("WWW-Authenticate"); got != `Bearer realm="jot", error="invalid_token", error_description="stale claims"` {
			t.Errorf("challenge %q", got)
		}
	}
	for _, token := range []string{otherRefresh, refresh} {
		f.call("POST", "/v1/refresh", webtest.Object(t, map[string]any{"refresh_token": token})).want(t, 401)
	}
	f.call("GET", "/v1/me", "", bearer(members["access_token"].(string))...).want(t, 200)
	f.call("POST", "/v1/refresh", webtest.Object(t, map[string]any{"refresh_token": members["refresh_token"]})).want(t, 200)
	f.try(name, password).want(t, 401)
	f.try(name, fresh).want(t, 200)
}

func TestPasswordRefuses(t *testing.T) {
	f := serveSlow(t)
	f.signUp()
	access, _ := f.logIn(nil)
	f.changePassword(password, fresh).want(t, 401)
	if problem := f.changePassword(password, "short", bearer(access)...).want(t, 400); problem["detail"] != "new must be at least 12 characters long" {
		t.Errorf("problem %v", problem)
	}
	f.changePassword(password, password, bearer(access)...).want(t, 400)
	for range 5 {
		if problem := f.changePassword(wrong, fresh, bearer(access)...).want(t, 403); problem["type"] != "urn:jot:problem:invalid-credentials" {
			t.Errorf("problem %v", problem)
		}
	}
	wantThrottled(t, f.changePassword(password, fresh, bearer(access)...))
	f.call("GET", "/v1/me", "", bearer(access)...).want(t, 200)
	f.try(name, password).want(t, 200)

	backend := f.withoutAccount("42")
	f.changePassword(password, fresh, bearer(backend)...).want(t, 404)
}

func TestPasswordWithCookies(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	f.signUp()
	access, refresh := f.logInWithCookies()
	a := f.changePassword(password, fresh, sent(access, refresh)...)
	f.checkCookies(a)
	f.call("GET", "/v1/me", "", sent(a.cookies[api.AccessCookie])...).want(t, 200)
	f.call("GET", "/v1/me", "", sent(access)...).want(t, 401)
}

// TestPasswordRace: while the password is changed, others log in with the old one. Whatever they get is worth nothing
// afterwards.
func TestPasswordRace(t *testing.T) {
	f := serveAccounts(t, api.Options{OpenSignUp: true}, accounts.Config{NoThrottling: true, SignUpScope: []string{"pets:read"}})
	f.signUp()
	current, next := password, fresh
	for range 3 {
		access := f.try(name, current).want(t, 200)["access_token"].(string)
		var wait sync.WaitGroup
		var mu sync.Mutex
		var got []answer
		for range 6 {
			wait.Go(func() {
				a := f.try(name, current)
				mu.Lock()
				defer mu.Unlock()
				got = append(got, a)
			})
		}
		members := f.changePassword(current, next, bearer(access)...).want(t, 200)
		wait.Wait()
		for _, a := range got {
			if a.status != 200 {
				a.want(t, 401)
				continue
			}
			tokens := a.want(t, 200)
			f.call("GET", "/v1/me", "", bearer(tokens["access_token"].(string))...).want(t, 401)
			f.call("POST", "/v1/refresh", webtest.Object(t, map[string]any{"refresh_token": tokens["refresh_token"]})).want(t, 401)
		}
		list := f.call("GET", "/v1/sessions", "", bearer(members["access_token"].(string))...).want(t, 200)
		if sessions := list["sessions"].([]any); len(sessions) != 1 {
			t.Errorf("%d sessions are left", len(sessions))
		}
		current, next = next, current
	}
}

// TestPasswordAsFactorComes: a change by a login with the password alone and the confirmation of one-time codes meet.
// Where the codes came first the change comes to nothing, however it was judged before.
func TestPasswordAsFactorComes(t *testing.T) {
	for range 5 {
		f := serve(t, api.Options{OpenSignUp: true})
		sub := f.signUp()
		owner, thief := bearer(first(f.logIn(nil))), bearer(first(f.logIn(nil)))
		app := newAuthenticator(f, f.call("POST", "/v1/factors/totp", `{"password":"`+password+`"}`, owner...).text("secret"))
		code := app.next()
		var wait sync.WaitGroup
		wait.Go(func() { f.call("POST", "/v1/factors/totp/confirm", `{"code":"`+code+`"}`, owner...) })
		wait.Go(func() { f.changePassword(password, fresh, thief...) })
		wait.Wait()
		changed := f.try(name, fresh).status != 401
		if !changed {
			continue
		}
		sessions, _, err1 := f.issuer.SessionsOf(t.Context(), sub, "", 10)
		added, err2 := f.issuer.Events(t.Context(), issuer.EventFilter{Subject: sub, Kind: issuer.EventFactorAdded}, 0, 1)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		for _, s := range sessions {
			if len(added) == 1 && s.Created.After(added[0].Time) {
				t.Fatal("the password was changed by a login without the factor that was there")
			}
		}
	}
}
