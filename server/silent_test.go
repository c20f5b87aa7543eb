//go:build unix

package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/pgtest"
)

// TestDatabaseIsSilent: a database that takes statements and answers none, as when its machine is frozen or the line to
// it is dead, holds nobody for ever.
func TestDatabaseIsSilent(t *testing.T) {
	database, err := url.Parse(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	line := newCable(t, database.Host)
	database.Host = line.listener.Addr().String()
	listener := listenHere(t)
	address := "http://" + listener.Addr().String()
	s, log := newServer(t, address, func(c *server.Config) { c.Database = database.String() })
	if _, err := s.SignUp(t.Context(), "ada", password); err != nil {
		t.Fatal(err)
	}
	s.HurryAnswers(5 * time.Second)
	serveOn(t, s, server.Listeners{Public: listener})

	client := &http.Client{Timeout: patience}
	post := func(path string) (status int, retryAfter string) {
		answer, err := client.Post(address+path, "application/json", strings.NewReader(`{"username":"ada","password":"`+password+`"}`))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return 0, ""
		}
		defer answer.Body.Close()
		return answer.StatusCode, answer.Header.Get("Retry-After")
	}
	goesOn := func() bool { status, _ := post("/v1/login"); return status == http.StatusOK }
	eventually(t, "a login", goesOn) // leaves connections behind, of which nobody knows that they are dead
	line.sever(true)
	defer line.sever(false)
	for _, path := range []string{"/v1/login", "/v1/signup"} {
		if status, retryAfter := post(path); status != http.StatusServiceUnavailable || retryAfter == "" {
			t.Errorf("%s of a silent database: %d, Retry-After %q", path, status, retryAfter)
		}
	}
	if told := log.String(); !strings.Contains(told, "nothing was answered in time") {
		t.Errorf("the log doesn't say why: %s", told)
	}
	line.sever(false)
	eventually(t, "a login after that", goesOn)
}
