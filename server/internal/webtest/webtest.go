// Package webtest is what the tests of the HTTP packages share: how an answer is read, a body
// written, and a deadline noted.
package webtest

import (
	"encoding/json"
	"net/http"
	"testing"
)

// Members ends the test unless an answer has the status that is wanted, and reads its JSON body. No answer may be
// stored by caches.
func Members(t *testing.T, status, want int, header http.Header, body string) map[string]any {
	t.Helper()
	if status != want {
		t.Fatalf("status %d, want %d: %s", status, want, body)
	}
	if got := header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	if body == "" {
		return nil
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(body), &members); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return members
}

// Object is a JSON object with the members.
func Object(t *testing.T, members map[string]any) string {
	t.Helper()
	body, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
