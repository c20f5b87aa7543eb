package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/api"
	"github.com/jot-auth/jot/server/internal/webtest"
)

// logInWithCookies answers both cookies, checked.
func (f *fixture) logInWithCookies() (access, refresh *http.Cookie) {
	f.t.Helper()
	a := f.call("POST", "/v1/login", `{"username":"`+name+`","password":"`+password+`","cookies":true}`)
	device := a.cookies[api.DeviceCookie]
	if device == nil || device.Path != "/base/v1" || device.Domain != "" || !device.Secure || !device.HttpOnly ||
		device.SameSite != http.SameSiteStrictMode || device.MaxAge != 400*24*3600 || !strings.HasPrefix(device.Value, "jdt_") {
		f.t.Errorf("device cookie %v", device)
	}
	delete(a.cookies, api.DeviceCookie)
	f.checkCookies(a)
	return a.cookies[api.AccessCookie], a.cookies[api.RefreshCookie]
}

func (f *fixture) checkCookies(a answer) {
	f.t.Helper()
	members := a.want(f.t, 200)
	if len(members) != 2 || members["expires_in"] != 900.0 || members["scope"] != "pets:read pets:write" {
		f.t.Fatalf("answered %v", members)
	}
	access, refresh := a.cookies[api.AccessCookie], a.cookies[api.RefreshCookie]
	if len(a.cookies) != 2 || access == nil || refresh == nil {
		f.t.Fatalf("cookies %v", a.cookies)
	}
	if access.Path != "/" || access.Domain != "" || !access.Secure || !access.HttpOnly ||
		access.SameSite != http.SameSiteLaxMode || access.MaxAge != 900 || strings.Count(access.Value, ".") != 2 {
		f.t.Errorf("access cookie %v", access)
	}
	const ninetyDays = 90 * 24 * 3600
	if refresh.Path != "/base/v1" || refresh.Domain != "" || !refresh.Secure || !refresh.HttpOnly ||
		refresh.SameSite != http.SameSiteStrictMode || refresh.MaxAge < ninetyDays-600 || refresh.MaxAge > ninetyDays {
		f.t.Errorf("refresh cookie %v", refresh)
	}
}

// checkCleared wants both cookies to be taken back where they were set.
func checkCleared(t *testing.T, a answer) {
	t.Helper()
	for name, path := range map[string]string{api.AccessCookie: "/", api.RefreshCookie: "/base/v1"} {
		cookie := a.cookies[name]
		if cookie == nil || cookie.MaxAge != -1 || cookie.Value != "" || cookie.Path != path || !cookie.Secure {
			t.Errorf("cookie %s is %v", name, cookie)
		}
	}
}

func sent(cookies ...*http.Cookie) []string {
	var pairs []string
	for _, cookie := range cookies {
		pairs = append(pairs, cookie.Name+"="+cookie.Value)
	}
	return []string{"Cookie", strings.Join(pairs, "; ")}
}

func TestCookies(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	sub := f.signUp()
	access, refresh := f.logInWithCookies()
	if me := f.call("GET", "/v1/me", "", sent(access)...).want(t, 200); me["sub"] != sub {
		t.Errorf("me = %v", me)
	}
	renewed := f.call("POST", "/v1/refresh", "", sent(access, refresh)...)
	f.checkCookies(renewed)
	if renewed.cookies[api.RefreshCookie].Value == refresh.Value {
		t.Error("refresh set the cookie of before")
	}
	out := f.call("POST", "/v1/logout", `{}`, sent(renewed.cookies[api.AccessCookie], renewed.cookies[api.RefreshCookie])...)
	out.want(t, 204)
	checkCleared(t, out)
	f.call("GET", "/v1/me", "", sent(access)...).want(t, 401)

	refused := f.call("POST", "/v1/refresh", `{}`, sent(renewed.cookies[api.RefreshCookie])...)
	refused.want(t, 401)
	checkCleared(t, refused)
}

// TestLogOutWithRefreshCookieAlone is a browser that dropped the access cookie in time.
func TestLogOutWithRefreshCookieAlone(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	f.signUp()
	access, refresh := f.logInWithCookies()
	out := f.call("POST", "/v1/logout", `{}`, sent(refresh)...)
	out.want(t, 204)
	checkCleared(t, out)
	f.call("GET", "/v1/me", "", sent(access)...).want(t, 401)
}

// TestLogOutTakesCookiesBack also when there was nothing left to end, but not when it should be tried again.
func TestLogOutTakesCookiesBack(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	for _, cookie := range []string{api.AccessCookie, api.RefreshCookie} {
		out := f.call("POST", "/v1/logout", "", "Cookie", cookie+"=broken")
		out.want(t, 401)
		checkCleared(t, out)
	}
	for _, headers := range [][]string{nil, bearer("broken"), {"Cookie", api.RefreshCookie + "=a; " + api.RefreshCookie + "=b"}} {
		if out := f.call("POST", "/v1/logout", "", headers...); len(out.cookies) != 0 {
			t.Errorf("%d with cookies %v for %q", out.status, out.cookies, headers)
		}
	}
}

// TestForeignCookiesDoNotLockOut: a sibling host can set __Secure- cookies here, and must not keep anybody from logging
// in.
func TestForeignCookiesDoNotLockOut(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	doubled := []string{"Cookie", api.RefreshCookie + "=a; " + api.RefreshCookie + "=b; " + api.AccessCookie + "=a; " + api.AccessCookie + "=b"}
	credentials := webtest.Object(t, map[string]any{"username": name, "password": password})
	f.call("POST", "/v1/signup", credentials, doubled...).want(t, 201)
	f.call("POST", "/v1/login", credentials, doubled...).want(t, 200)
}

func TestCrossOrigin(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	f.signUp()
	access, refresh := f.logInWithCookies()
	for _, path := range []string{"/v1/signup", "/v1/login", "/v1/refresh", "/v1/logout"} {
		for _, header := range [][]string{
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
		} {
			a := f.call("POST", path, `{}`, append(header, sent(access, refresh)...)...)
			if problem := a.want(t, 403); problem["type"] != "about:blank" || len(a.cookies) != 0 {
				t.Errorf("%s from %v: %v", path, header, problem)
			}
		}
	}
	f.call("GET", "/v1/me", "", append(sent(access), "Sec-Fetch-Site", "cross-site")...).want(t, 200)
	f.checkCookies(f.call("POST", "/v1/refresh", `{}`, append(sent(refresh), "Sec-Fetch-Site", "same-origin")...))
}
