package server_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/logtest"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
)

func waitingConfig(log io.Writer, url, database string, wait time.Duration) server.Config {
	return server.Config{
		Issuer: issuer.Config{
			URL:              url,
			Resources:        []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read"}}},
			Clients:          []issuer.Client{{ID: "client_app", Scopes: []string{"pets:read"}, FirstParty: true}},
			KeyEncryptionKey: server.NewSecret().Bytes(),
		},
		Database: database, DatabaseWait: wait, Logger: slog.New(slog.NewJSONHandler(log, nil)),
	}
}

// nobody is where nobody listens. A port that was just let go, somebody else may be given.
const nobody = "127.0.0.1:1"

// askedStatus asks until there is an answer: a connection may be cut between the waiting room and the server.
func askedStatus(t *testing.T, method, address string) (status int, retryAfter string) {
	t.Helper()
	eventually(t, "an answer of "+address, func() bool {
		request, err := http.NewRequestWithContext(t.Context(), method, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			return false
		}
		defer response.Body.Close()
		status, retryAfter = response.StatusCode, response.Header.Get("Retry-After")
		return true
	})
	return status, retryAfter
}

// TestDatabaseComesLater: a server that starts before its database is there, or while it's migrated, lives, isn't
// ready, and serves on the same listeners once it can.
func TestDatabaseComesLater(t *testing.T) {
	t.Run("it can't be reached", func(t *testing.T) {
		cluster := pgtest.Start(t)
		database := cluster.Database(t)
		cluster.Stop()
		log := testLateStart(t, database, func() {
			if err := cluster.Start(); err != nil {
				t.Fatal(err)
			}
		})
		if text := log.String(); !strings.Contains(text, "can't be reached") || strings.Contains(text, passwordOf(t, database)) {
			t.Errorf("the log says %s", text)
		}
	})
	t.Run("a migration waits for its lock", func(t *testing.T) {
		database := pgtest.Database(t)
		testLateStart(t, database, pgtest.Hold(t, database, "SELECT pg_advisory_xact_lock(x'6a6f74'::integer, 0)"))
	})
}

// testLateStart starts a server that can't be up until release is called.
func testLateStart(t *testing.T, database string, release func()) *logtest.Buffer {
	listeners := server.Listeners{Public: listenHere(t), Admin: listenHere(t), Redirect: listenHere(t), Challenges: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/.well-known/acme-challenge/token" {
				next.ServeHTTP(w, r)
			}
		})
	}}
	public, admin, plain := "http://"+listeners.Public.Addr().String(), "http://"+listeners.Admin.Addr().String(), "http://"+listeners.Redirect.Addr().String()
	log := &logtest.Buffer{}
	type result struct {
		server *server.Server
		err    error
	}
	made := make(chan result, 1)
	go func() { // ends when the database is there
		s, err := server.NewOn(t.Context(), waitingConfig(log, public+"/auth", database, time.Hour), listeners)
		made <- result{s, err}
	}()
	for _, asked := range []struct {
		method, address string
		want            int
	}{
		{"GET", admin + "/healthz", 200}, {"GET", public + "/auth/healthz", 200}, {"GET", admin + "/readyz", 503}, {"GET", public + "/auth/readyz", 503},
		{"GET", public + "/healthz", 503}, {"POST", public + "/auth/v1/login", 503}, {"POST", admin + "/healthz", 503}, {"GET", admin + "/metrics", 503},
		{"GET", plain + "/.well-known/acme-challenge/token", 200}, {"GET", plain + "/auth/healthz", 301},
	} {
		status, retryAfter := askedStatus(t, asked.method, asked.address)
		if status != asked.want || (status == 503) != (retryAfter != "") {
			t.Errorf("%s %s: %d, Retry-After %q, want %d", asked.method, asked.address, status, retryAfter, asked.want)
		}
	}
	release()
	up := <-made
	if up.err != nil {
		t.Fatal(up.err)
	}
	defer up.server.Close()
	serveOn(t, up.server, listeners)
	for _, address := range []string{admin + "/readyz", public + "/auth/readyz", plain + "/.well-known/acme-challenge/token"} {
		if status, _ := askedStatus(t, "GET", address); status != 200 {
			t.Errorf("%s: %d, want 200", address, status)
		}
	}
	return log
}

func passwordOf(t *testing.T, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	return password
}

// TestDatabaseNeverComes: what waiting doesn't mend is said at once, and no wait is endless.
func TestDatabaseNeverComes(t *testing.T) {
	const gone = "postgres://jot@" + nobody + "/jot"
	live, err := url.Parse(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	wrong, missing := *live, *live
	wrong.User, missing.Path = url.UserPassword("jot", "wrong"), "/missing"
	for name, c := range map[string]struct {
		database string
		wait     time.Duration
		want     string
	}{
		"no time":          {gone, 0, "connect"},
		"a short time":     {gone, time.Millisecond, "waited for during 1ms"},
		"a wrong password": {wrong.String(), time.Hour, "password"},
		"no such database": {missing.String(), time.Hour, "does not exist"},
		"too long a time":  {gone, 2 * time.Hour, "at most 1h"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := server.New(t.Context(), waitingConfig(io.Discard, "https://auth.example.com", c.database, c.wait))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestEndWhileWaiting: a server that is told to end doesn't wait, and gives its listeners back.
func TestEndWhileWaiting(t *testing.T) {
	listener := listenHere(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		c := waitingConfig(io.Discard, "http://"+listener.Addr().String(), "postgres://jot@"+nobody+"/jot", time.Hour)
		_, err := server.NewOn(ctx, c, server.Listeners{Public: listener})
		ended <- err
	}()
	askedStatus(t, "GET", "http://"+listener.Addr().String()+"/healthz")
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want Canceled", err)
	}
	accepted := make(chan error, 1)
	go func() {
		connection, err := listener.Accept()
		if err == nil {
			err = connection.Close()
		}
		accepted <- err
	}()
	connection, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if err := <-accepted; err != nil {
		t.Error(err)
	}
}
