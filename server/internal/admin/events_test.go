package admin_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestEventExport: an export holds every event that matches once, oldest first, however many batches it takes.
func TestEventExport(t *testing.T) {
	f := newFixture(t)
	const made = 1203
	err := f.store.Update(t.Context(), func(tx issuer.Tx) error {
		now, err := tx.Now()
		for n := range made {
			if err == nil {
				err = tx.InsertEvent(issuer.Event{Time: now.Add(time.Duration(n) * time.Second), Kind: "test.made", Subject: fmt.Sprint("u", n%3), Detail: "line\nfeed"})
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	export := func(query string) []map[string]any {
		t.Helper()
		got := f.as(f.token, "GET", "/admin/v1/events?"+query, "", "Accept", "text/html, application/jsonl;q=0.5")
		if got.status != 200 || got.header.Get("Content-Type") != "application/jsonl" {
			t.Fatalf("%d %s", got.status, got.body)
		}
		var events []map[string]any
		last := 0.0
		for line := range strings.Lines(got.body) {
			var e map[string]any
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
			if e["id"].(float64) <= last {
				t.Fatalf("event %v follows %v", e["id"], last)
			}
			last = e["id"].(float64)
			events = append(events, e)
		}
		return events
	}
	if got := len(export("kind=test.made")); got != made {
		t.Errorf("%d events", got)
	}
	if got := len(export("kind=test.made&sub=u1")); got != made/3 {
		t.Errorf("%d events of one subject", got)
	}
	all := export("kind=test.made")
	from, to := all[100]["time"].(string), all[110]["time"].(string)
	if got := export("kind=test.made&since=" + url.QueryEscape(from) + "&until=" + url.QueryEscape(to)); len(got) != 10 || got[0]["time"] != from {
		t.Errorf("%d events in ten seconds", len(got))
	}
	if got := f.as(f.token, "GET", "/admin/v1/events?limit=3", "", "Accept", "application/jsonl"); got.status != 400 {
		t.Errorf("an export with a page: %d", got.status)
	}

	page := f.do("GET", "/admin/v1/events?kind=test.made&limit=2", "").want(t, 200)
	first := page["events"].([]any)
	second := f.do("GET", "/admin/v1/events?kind=test.made&limit=2&after="+url.QueryEscape(page["next"].(string)), "").want(t, 200)["events"].([]any)
	id := func(e any) float64 { return e.(map[string]any)["id"].(float64) }
	if id(first[0]) != all[made-1]["id"] || id(first[1])-1 != id(second[0]) {
		t.Errorf("pages begin with %v and %v", first[0], second[0])
	}
}

// TestSessionList: sessions are found by subject, client and whether they live, and ended one by one.
func TestSessionList(t *testing.T) {
	f := newFixture(t)
	for _, id := range []string{"u1", "u2"} {
		f.do("POST", "/admin/v1/subjects", `{"sub":"`+id+`","scope":"pets:read"}`).want(t, 201)
	}
	first := f.issue(issuer.Grant{Subject: "u1", ClientID: "client_app", UserAgent: "phone", AMR: []string{"pwd"}})
	f.issue(issuer.Grant{Subject: "u1", ClientID: "client_backend"})
	f.issue(issuer.Grant{Subject: "u2", ClientID: "client_app"})
	list := func(query string) []any {
		t.Helper()
		return f.do("GET", "/admin/v1/sessions?"+query, "").want(t, 200)["sessions"].([]any)
	}
	for query, want := range map[string]int{"": 4, "sub=u1": 2, "client_id=client_app": 2, "sub=u1&client_id=client_app": 1, "sub=nobody": 0} {
		if got := len(list(query)); got != want {
			t.Errorf("%q: %d sessions, want %d", query, got, want)
		}
	}
	f.do("DELETE", "/admin/v1/sessions/"+first.SessionID, "").want(t, 204)
	if got := len(list("sub=u1&live=true")); got != 1 {
		t.Errorf("%d live sessions", got)
	}
	ended := f.do("GET", "/admin/v1/sessions/"+first.SessionID, "").want(t, 200)
	if ended["end_reason"] != "admin" || ended["ended"] == nil || ended["user_agent"] != "phone" {
		t.Errorf("session %v", ended)
	}
	if _, err := f.issuer.Verifier().Verify(t.Context(), first.Access); err == nil {
		t.Error("the ended session's token is still good")
	}
	f.wantEvents("u1", "subject.created", "session.ended")
}
