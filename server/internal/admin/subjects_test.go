package admin_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jot-auth/jot/server/internal/webtest"
	"github.com/jot-auth/jot/server/issuer"
)

func TestSubjects(t *testing.T) {
	f := newFixture(t)
	created := f.do("POST", "/admin/v1/subjects", `{"username":"Ada","password":"`+password+`","scope":"pets:read","claims":{"role":"keeper","team":"red"}}`)
	ada := created.want(t, 201)
	sub := ada["sub"].(string)
	if ada["username"] != "Ada" || ada["scope"] != "pets:read" || ada["disabled"] != false || ada["generation"] != 1.0 {
		t.Errorf("created %v", ada)
	}
	if got := created.header.Get("Location"); got != "/base/admin/v1/subjects/"+sub {
		t.Errorf("Location %q", got)
	}
	path := "/admin/v1/subjects/" + sub
	tokens := f.issue(issuer.Grant{Subject: sub, ClientID: "client_app"})
	changed := f.do("PATCH", path, `{"claims":{"role":"vet","team":"red"},"scope":""}`).want(t, 200)
	if changed["generation"] != 2.0 || changed["scope"] != "" || fmt.Sprint(changed["claims"]) != "map[role:vet team:red]" {
		t.Errorf("changed %v", changed)
	}
	if _, err := f.issuer.Verifier().Verify(t.Context(), tokens.Access); err == nil {
		t.Error("a token from before the change is still good")
	}
	f.do("PATCH", path, `{"disabled":true}`).want(t, 200)
	if _, err := f.issuer.Issue(t.Context(), issuer.Grant{Subject: sub, ClientID: "client_app"}); err == nil {
		t.Error("a disabled subject got tokens")
	}
	f.do("PATCH", path, `{"disabled":false}`).want(t, 200)
	f.issue(issuer.Grant{Subject: sub, ClientID: "client_app"})
	f.do("PUT", path+"/password", `{"password":"another good password"}`).want(t, 204)
	f.do("POST", path+"/logout", "").want(t, 204)
	f.wantEvents(sub, "subject.created", "account.created", "subject.changed", "subject.disabled", "subject.enabled", "password.set", "subject.logged_out")
}

// TestAudit: an event says who, from where, in which request, and which members; never which values.
func TestAudit(t *testing.T) {
	f := newFixture(t)
	f.do("POST", "/admin/v1/subjects", `{"sub":"u1","claims":{"role":"a-private-value","old":1}}`).want(t, 201)
	answer := f.as(f.token, "PATCH", "/admin/v1/subjects/u1", `{"claims":{"role":"another","new":[1]},"scope":"pets:read"}`, "User-Agent", "test/1")
	answer.want(t, 200)
	events := f.do("GET", "/admin/v1/events?sub=u1", "").want(t, 200)["events"].([]any)
	e := events[0].(map[string]any)
	if e["kind"] != "subject.changed" || e["actor"] != f.root || e["actor_client_id"] != "client_jot" || e["address"] != "127.0.0.1" ||
		e["request_id"] != answer.header.Get("Jot-Request-Id") || e["detail"] != "claims new, old, role; won scope pets:read" {
		t.Errorf("event %v", e)
	}
	if text := fmt.Sprint(events); strings.Contains(text, "private") || strings.Contains(text, password) {
		t.Errorf("the events tell values: %s", text)
	}
}

// wantEvents checks the kinds of all events about a subject, in order.
func (f *fixture) wantEvents(sub string, kinds ...string) {
	f.Helper()
	lines := f.as(f.token, "GET", "/admin/v1/events?sub="+url.QueryEscape(sub), "", "Accept", "application/jsonl")
	var got []string
	for line := range strings.Lines(lines.body) {
		_, rest, _ := strings.Cut(line, `"kind":"`)
		kind, _, _ := strings.Cut(rest, `"`)
		got = append(got, kind)
	}
	if fmt.Sprint(got) != fmt.Sprint(kinds) {
		f.Errorf("events %v, want %v", got, kinds)
	}
}

// TestSubjectPages: pages hold every subject once, also when others are added while somebody turns them.
func TestSubjectPages(t *testing.T) {
	f := newFixture(t)
	want := map[string]bool{f.root: true}
	for n := range 7 {
		id := fmt.Sprintf("user %d/ü", n)
		f.do("POST", "/admin/v1/subjects", webtest.Object(t, map[string]any{"sub": id})).want(t, 201)
		want[id] = true
	}
	next, pages := "", 0
	for {
		page := f.do("GET", "/admin/v1/subjects?limit=3&after="+url.QueryEscape(next), "").want(t, 200)
		for _, s := range page["subjects"].([]any) {
			id := s.(map[string]any)["sub"].(string)
			if !want[id] {
				t.Errorf("%s came twice, or wasn't there at the beginning", id)
			}
			delete(want, id)
		}
		f.do("POST", "/admin/v1/subjects", fmt.Sprintf(`{"sub":"late %d"}`, pages)).want(t, 201)
		pages++
		if page["next"] == nil {
			break
		}
		next = page["next"].(string)
	}
	if len(want) != 0 || pages != 3 {
		t.Errorf("%d pages; missing %v", pages, want)
	}
	if got := f.do("GET", "/admin/v1/subjects/"+url.PathEscape("user 3/ü"), "").want(t, 200)["sub"]; got != "user 3/ü" {
		t.Errorf("found %v", got)
	}
}

// TestSubjectsByName: accounts are found by the beginning of their name, whatever its case, in order and page by page.
func TestSubjectsByName(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"bob", "bo-peep", "boris", "bzz", "abo"} {
		f.do("POST", "/admin/v1/subjects", `{"username":"`+name+`","password":"`+password+`"}`).want(t, 201)
	}
	var got []string
	next := ""
	for range 2 {
		page := f.do("GET", "/admin/v1/subjects?limit=2&username=BO&after="+next, "").want(t, 200)
		for _, s := range page["subjects"].([]any) {
			got = append(got, s.(map[string]any)["username"].(string))
		}
		next, _ = page["next"].(string)
	}
	if fmt.Sprint(got) != "[bo-peep bob boris]" || next != "" {
		t.Errorf("found %v, next %q", got, next)
	}
}

// TestFactorIsThere: whoever moves a second factor in once more is told what is there, which is no name.
func TestFactorIsThere(t *testing.T) {
	f := newFixture(t)
	f.do("POST", "/admin/v1/subjects", `{"sub":"bob","username":"bob","password":"`+password+`"}`).want(t, 201)
	const path, codes = "/admin/v1/subjects/bob/factors/totp", `{"totp_secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}`
	f.do("PUT", path, codes).want(t, 204)
	if there := f.do("PUT", path, codes).want(t, 409); there["title"] != "The account has one-time codes already" || there["type"] != "urn:jot:problem:taken" {
		t.Errorf("answered %v", there)
	}
}

// TestLastAdmin: nobody takes the last administrator out of office, itself included.
func TestLastAdmin(t *testing.T) {
	f := newFixture(t)
	path := "/admin/v1/subjects/" + f.root
	for _, change := range []string{`{"disabled":true}`, `{"scope":""}`, `{"scope":"pets:read"}`} {
		if got := f.do("PATCH", path, change).want(t, 409)["type"]; got != "urn:jot:problem:last-admin" {
			t.Errorf("type %v", got)
		}
	}
	f.do("PATCH", path, `{"claims":{"role":"root"}}`).want(t, 200)
	second := f.bootstrap("second")
	f.as(f.adminToken(second), "PATCH", path, `{"disabled":true}`).want(t, 200)
	f.as(f.adminToken(second), "PATCH", "/admin/v1/subjects/"+second, `{"disabled":true}`).want(t, 409)
}

// TestLastAdminRace: of administrators who disable each other at once, one stays.
func TestLastAdminRace(t *testing.T) {
	f := newFixture(t)
	for round := range 10 {
		other := f.bootstrap(fmt.Sprintf("admin-%d", round))
		subs := []string{f.root, other}
		tokens := []string{f.adminToken(f.root), f.adminToken(other)}
		var statuses [2]int
		var wait sync.WaitGroup
		for n := range 2 {
			wait.Go(func() {
				statuses[n] = f.as(tokens[n], "PATCH", "/admin/v1/subjects/"+subs[1-n], `{"disabled":true}`).status
			})
		}
		wait.Wait()
		left := ""
		for n := range 2 {
			if s, err := f.issuer.Subject(t.Context(), subs[n]); err == nil && !s.Disabled {
				left = subs[n]
			}
		}
		if left == "" || (statuses[0] == 200) == (statuses[1] == 200) {
			t.Fatalf("statuses %v, left %q", statuses, left)
		}
		f.root = left
	}
}
