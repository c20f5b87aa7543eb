package api_test

import (
	"testing"

	"github.com/jot-auth/jot/server/internal/api"
	"github.com/jot-auth/jot/server/issuer"
)

// withoutAccount answers an access token of a subject of somebody's own users, whom no account belongs to.
func (f *fixture) withoutAccount(id string) string {
	f.t.Helper()
	if err := f.issuer.CreateSubject(f.t.Context(), issuer.Subject{ID: id}); err != nil {
		f.t.Fatal(err)
	}
	tokens, err := f.issuer.Issue(f.t.Context(), issuer.Grant{Subject: id})
	if err != nil {
		f.t.Fatal(err)
	}
	return tokens.Access
}

func (f *fixture) sessions(access, query string) (list []any, next string) {
	f.t.Helper()
	members := f.call("GET", "/v1/sessions"+query, "", bearer(access)...).want(f.t, 200)
	next, _ = members["next"].(string)
	return members["sessions"].([]any), next
}

func TestSessions(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	f.signUp()
	stranger := f.withoutAccount("42")
	phone := f.try(name, password, "User-Agent", "phone\t1").want(t, 200)["access_token"].(string)
	access, _ := f.logIn(nil)
	seen := map[string]map[string]any{}
	for after, ok := "", true; ok; ok = after != "" {
		var page []any
		query := "?limit=1"
		if after != "" {
			query += "&after=" + after
		}
		if page, after = f.sessions(access, query); len(page) > 1 {
			t.Fatalf("page %v", page)
		}
		for _, s := range page {
			seen[s.(map[string]any)["sid"].(string)] = s.(map[string]any)
		}
	}
	me := f.call("GET", "/v1/me", "", bearer(access)...).want(t, 200)
	theirs := f.call("GET", "/v1/me", "", bearer(phone)...).want(t, 200)
	mine, other := seen[me["sid"].(string)], seen[theirs["sid"].(string)]
	if len(seen) != 2 || len(mine) != 8 || mine["current"] != true || other["current"] != false || other["user_agent"] != "phone1" || other["address"] != "127.0.0.1" ||
		other["client_id"] != "client_app" || other["created"] != theirs["auth_time"] || other["last_used"] != other["created"] || other["expires"].(float64) < other["created"].(float64)+86400 {
		t.Errorf("sessions %v", seen)
	}
	if list, _ := f.sessions(stranger, ""); len(list) != 1 {
		t.Errorf("a stranger sees %v", list)
	}

	path := "/v1/sessions/" + theirs["sid"].(string)
	f.call("DELETE", path, "", bearer(stranger)...).want(t, 404)
	f.call("DELETE", path, "").want(t, 401)
	f.call("DELETE", path, "", bearer(access)...).want(t, 204)
	f.call("DELETE", path, "", bearer(access)...).want(t, 204)
	f.call("GET", "/v1/me", "", bearer(phone)...).want(t, 401)
	f.call("DELETE", "/v1/sessions/nobody", "", bearer(access)...).want(t, 404)
	if list, next := f.sessions(access, ""); len(list) != 1 || next != "" {
		t.Errorf("%v are left, next %q", list, next)
	}
	for _, query := range []string{"?limit=0", "?limit=201", "?limit=x", "?limit=1&limit=1", "?after=a&after=b", "?sub=x", "?limit=%zz", "?after=a;limit=1"} {
		f.call("GET", "/v1/sessions"+query, "", bearer(access)...).want(t, 400)
	}
}

// TestEndOwnSession clears the cookies of the session that ends, and of no other.
func TestEndOwnSession(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	f.signUp()
	other, _ := f.logIn(nil)
	access, refresh := f.logInWithCookies()
	sid := func(headers ...string) string {
		return f.call("GET", "/v1/me", "", headers...).want(t, 200)["sid"].(string)
	}
	if a := f.call("DELETE", "/v1/sessions/"+sid(bearer(other)...), "", sent(access, refresh)...); a.status != 204 || len(a.cookies) != 0 {
		t.Errorf("%d, cookies %v", a.status, a.cookies)
	}
	a := f.call("DELETE", "/v1/sessions/"+sid(sent(access)...), "", sent(access, refresh)...)
	a.want(t, 204)
	checkCleared(t, a)
	f.call("GET", "/v1/me", "", sent(access)...).want(t, 401)
}
