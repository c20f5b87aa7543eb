package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
)

const fleetCredential = "a-feed-credential-of-at-least-32-characters"

// fleet is several servers over one PostgreSQL database, of which each request reaches another one.
type fleet struct {
	*testing.T
	config server.Config
	turn   atomic.Uint64
	mu     sync.RWMutex
	ships  []*replica
}

// replica is one server and its way to the database.
type replica struct {
	*server.Server
	proxy *pgtest.Proxy
}

func newFleet(t *testing.T, database string, size int) *fleet {
	t.Helper()
	f := &fleet{T: t, config: server.Config{
		Issuer: issuer.Config{
			URL:              "https://auth.example.com",
			Resources:        []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read"}}},
			Clients:          []issuer.Client{{ID: "client_app", Scopes: []string{"pets:read"}, FirstParty: true}},
			KeyEncryptionKey: server.NewSecret().Bytes(),
		},
		OpenSignUp: true, SignUpScope: []string{"pets:read"}, FeedCredentials: []string{fleetCredential}, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}}
	f.ships = make([]*replica, size)
	var wait sync.WaitGroup
	for n := range f.ships { // all at once, on an empty database
		proxy := pgtest.NewProxy(t, database)
		wait.Go(func() {
			if err := f.launch(n, proxy); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	t.Cleanup(func() {
		for n := range f.ships {
			f.sink(n)
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return f
}

// launch starts a replica.
func (f *fleet) launch(n int, proxy *pgtest.Proxy) error {
	config := f.config
	config.Database = proxy.URL
	s, err := server.New(f.Context(), config)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ships[n] = &replica{s, proxy}
	return nil
}

// sink ends a replica in the middle of whatever it does, as far as its database can tell.
func (f *fleet) sink(n int) *pgtest.Proxy {
	f.mu.Lock()
	lost := f.ships[n]
	f.ships[n] = nil
	f.mu.Unlock()
	if lost == nil {
		return nil
	}
	lost.proxy.Sever()
	lost.Close() // its connections are broken, which is no news
	return lost.proxy
}

// replace ends a replica and starts another, again where that one loses its connection at the start.
func (f *fleet) replace(n int) {
	proxy := f.sink(n)
	for range 5 {
		err := f.launch(n, proxy)
		if err == nil {
			return
		}
		if !errors.Is(err, issuer.ErrUnavailable) {
			f.Error(err)
		}
	}
	f.Error("a replica doesn't start any more")
}

func (f *fleet) next() *replica {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for {
		if r := f.ships[f.turn.Add(1)%uint64(len(f.ships))]; r != nil {
			return r
		}
	}
}

// post sends a request to one replica.
func (f *fleet) post(path, bearer string, body any) *httptest.ResponseRecorder {
	text, err := json.Marshal(body)
	if err != nil {
		f.Error(err)
	}
	request := httptest.NewRequestWithContext(f.Context(), http.MethodPost, path, strings.NewReader(string(text)))
	request.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	answer := httptest.NewRecorder()
	f.next().Handler().ServeHTTP(answer, request)
	return answer
}

// insist sends a request until a replica answers it, and returns the answer.
func (f *fleet) insist(path, bearer string, body any) *httptest.ResponseRecorder {
	for {
		answer := f.post(path, bearer, body)
		if answer.Code != http.StatusServiceUnavailable || f.Failed() {
			return answer
		}
		if answer.Header().Get("Retry-After") == "" {
			f.Errorf("%s: 503 without Retry-After", path)
		}
		time.Sleep(time.Millisecond)
	}
}

func (f *fleet) issue(subject string) tokens {
	f.Helper()
	for {
		granted, err := f.next().Issuer().Issue(f.Context(), issuer.Grant{Subject: subject})
		if err == nil {
			return tokens{granted.Access, granted.Refresh}
		}
		if !errors.Is(err, issuer.ErrUnavailable) && !errors.Is(err, issuer.ErrBusy) {
			f.Error(err)
			return tokens{}
		}
		time.Sleep(time.Millisecond)
	}
}

func (f *fleet) createSubject(id string) {
	f.Helper()
	if err := f.next().Issuer().CreateSubject(f.Context(), issuer.Subject{ID: id, Scope: []string{"pets:read"}}); err != nil {
		f.Fatal(err)
	}
}

// eachRefuses waits until every replica refuses an access token, which tells how long that takes.
func (f *fleet) eachRefuses(access string, want error) time.Duration {
	f.Helper()
	began := time.Now()
	for range f.ships {
		r := f.next()
		for r.Issuer().Verifier().Check(f.Context(), access) == nil {
			if time.Since(began) > patience {
				f.Fatal("a replica still accepts the token")
			}
			time.Sleep(100 * time.Microsecond)
		}
		if err := r.Issuer().Verifier().Check(f.Context(), access); !errors.Is(err, want) {
			f.Errorf("refused with %v, want %v", err, want)
		}
	}
	return time.Since(began)
}

// TestReplicas: whatever one replica acknowledged, the others do, also through a pooler that keeps no session.
func TestReplicas(t *testing.T) {
	t.Run("direct", func(t *testing.T) { testReplicas(t, pgtest.Database(t)) })
	t.Run("PgBouncer", func(t *testing.T) { testReplicas(t, pgtest.Bouncer(t, pgtest.Database(t), "transaction")) })
}

func testReplicas(t *testing.T, database string) {
	f := newFleet(t, database, 3)
	credentials := map[string]string{"username": "ada", "password": password}
	if answer := f.post("/v1/signup", "", credentials); answer.Code != http.StatusCreated {
		t.Fatalf("sign up: %d %s", answer.Code, answer.Body)
	}
	answer := f.post("/v1/login", "", credentials)
	pair := read(t, answer.Body.Bytes())
	token, err := f.next().Issuer().Verifier().Verify(t.Context(), pair.Access)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		answer = f.post("/v1/refresh", "", map[string]string{"refresh_token": pair.Refresh})
		if answer.Code != http.StatusOK {
			t.Fatalf("refresh: %d %s", answer.Code, answer.Body)
		}
		pair = read(t, answer.Body.Bytes())
	}
	if answer := f.post("/v1/logout", pair.Access, struct{}{}); answer.Code != http.StatusNoContent {
		t.Fatalf("log out: %d %s", answer.Code, answer.Body)
	}
	t.Logf("from a logout to its refusal by all replicas: %v", f.eachRefuses(pair.Access, jot.ErrRevoked))

	if _, err := f.next().Issuer().RotateKey(t.Context(), issuer.RotateOptions{}); err != nil {
		t.Fatal(err)
	}
	other := f.issue(token.Subject())
	if err := f.next().Issuer().RevokeKey(t.Context(), token.KeyID()); err != nil {
		t.Fatal(err)
	}
	t.Logf("from a revoked key to its refusal by all replicas: %v", f.eachRefuses(other.Access, jot.ErrInvalidToken))
}

// line is one session as its client sees it.
type line struct {
	tokens
	ended bool
}

// live refreshes a session through whichever replica answers, and logs out of it at the end where that's wanted.
func (f *fleet) live(l *line, rounds int, logOut bool) {
	for range rounds {
		answer := f.insist("/v1/refresh", "", map[string]string{"refresh_token": l.Refresh})
		if answer.Code != http.StatusOK {
			f.Errorf("a session is lost: %d %s", answer.Code, answer.Body)
			return
		}
		l.tokens = read(f.T, answer.Body.Bytes())
	}
	if !logOut {
		return
	}
	if answer := f.insist("/v1/logout", "", map[string]string{"refresh_token": l.Refresh}); answer.Code != http.StatusNoContent && answer.Code != http.StatusNotFound {
		f.Errorf("log out: %d %s", answer.Code, answer.Body)
	}
	l.ended = true
}

// TestLosingReplicas kills replicas, breaks their connections and loses answers of commits while clients refresh and
// log out. Nothing that was acknowledged is lost, and no session is.
func TestLosingReplicas(t *testing.T) {
	f := newFleet(t, pgtest.Database(t), 3)
	const clients, sessions, rounds = 6, 3, 16
	var lines [clients][sessions]line
	for n := range clients {
		f.createSubject(fmt.Sprint("subject", n))
	}
	var wait sync.WaitGroup
	var running atomic.Int64
	running.Store(clients)
	for n := range clients {
		wait.Go(func() {
			defer running.Add(-1)
			for s := range sessions {
				lines[n][s].tokens = f.issue(fmt.Sprint("subject", n))
				f.live(&lines[n][s], rounds, s%2 == 0)
			}
		})
	}
	losses := 0
	for ; running.Load() > 0; losses++ {
		victim := rand.IntN(len(f.ships))
		switch {
		case losses%8 == 0:
			f.replace(victim)
		case losses%2 == 0:
			f.ships[victim].proxy.LoseNextCommit()
		default:
			f.ships[victim].proxy.Sever()
		}
		time.Sleep(5 * time.Millisecond)
	}
	wait.Wait()
	t.Logf("%d losses", losses)
	f.checkLines(lines[:])
	f.checkLog()
}

func (f *fleet) checkLines(all [][3]line) {
	f.Helper()
	for _, lines := range all {
		for _, l := range lines {
			answer := f.insist("/v1/refresh", "", map[string]string{"refresh_token": l.Refresh})
			if l.ended {
				f.eachRefuses(l.Access, jot.ErrRevoked)
			}
			if l.ended && answer.Code != http.StatusUnauthorized || !l.ended && answer.Code != http.StatusOK {
				f.Errorf("refresh of a session, ended %v: %d %s", l.ended, answer.Code, answer.Body)
			}
		}
	}
}

// checkLog follows the log from its beginning: it has no gap and no fork, and tells of every session that ended.
func (f *fleet) checkLog() {
	f.Helper()
	i := f.next().Issuer()
	var head, reached revocation.Head
	var rules []revocation.Rule
	var err error
	eventually(f.T, "an answer of the database", func() bool { // over a connection that was broken last, and nobody has used since, there's none
		var err2 error
		head, err = i.LogHead(f.Context())
		rules, reached, err2 = i.LogEntries(f.Context(), 0, 10000)
		err = errors.Join(err, err2)
		return !errors.Is(err, issuer.ErrUnavailable)
	})
	if err != nil {
		f.Fatal(err)
	}
	chain := revocation.NewLog(head.LogID)
	for _, r := range rules {
		chain = chain.Append(r)
	}
	if chain != head || reached != head {
		f.Errorf("the log leads to %v, its head is %v", chain, head)
	}
}

// TestDatabaseStops: without its database a server says so and when to come back, and goes on verifying; afterwards all
// is as it was.
func TestDatabaseStops(t *testing.T) {
	for name, through := range map[string]func(t *testing.T, database string) string{
		"direct":    func(_ *testing.T, database string) string { return database },
		"PgBouncer": func(t *testing.T, database string) string { return pgtest.Bouncer(t, database, "transaction") },
	} {
		t.Run(name, func(t *testing.T) {
			cluster := pgtest.Start(t)
			testDatabaseStops(t, cluster, newFleet(t, through(t, cluster.Database(t)), 2))
		})
	}
}

func testDatabaseStops(t *testing.T, cluster *pgtest.Cluster, f *fleet) {
	f.createSubject("ann")
	live, ended := f.issue("ann"), f.issue("ann")
	if answer := f.post("/v1/logout", ended.Access, struct{}{}); answer.Code != http.StatusNoContent {
		t.Fatalf("log out: %d %s", answer.Code, answer.Body)
	}
	f.eachRefuses(ended.Access, jot.ErrRevoked)
	cluster.Stop()

	for path, body := range map[string]map[string]string{
		"/v1/refresh": {"refresh_token": live.Refresh},
		"/v1/login":   {"username": "ann", "password": password},
		"/v1/signup":  {"username": "bob", "password": password},
		"/v1/logout":  {"refresh_token": live.Refresh},
	} {
		if answer := f.post(path, "", body); answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d, Retry-After %q", path, answer.Code, answer.Header().Get("Retry-After"))
		}
	}
	for _, r := range f.ships {
		if err := r.Issuer().Verifier().Check(t.Context(), live.Access); err != nil {
			t.Error("verification stops with the database:", err)
		}
		if err := r.Issuer().Verifier().Check(t.Context(), ended.Access); !errors.Is(err, jot.ErrRevoked) {
			t.Errorf("what was revoked is refused with %v", err)
		}
		answer := httptest.NewRecorder()
		r.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/.well-known/jwks.json", nil))
		if answer.Code != http.StatusOK {
			t.Errorf("key set: %d", answer.Code)
		}
	}

	if err := cluster.Start(); err != nil {
		t.Fatal(err)
	}
	if answer := f.insist("/v1/refresh", "", map[string]string{"refresh_token": live.Refresh}); answer.Code != http.StatusOK {
		t.Errorf("refresh: %d %s", answer.Code, answer.Body)
	}
	if answer := f.insist("/v1/refresh", "", map[string]string{"refresh_token": ended.Refresh}); answer.Code != http.StatusUnauthorized {
		t.Errorf("refresh of a session that ended before: %d %s", answer.Code, answer.Body)
	}
	if answer := f.insist("/v1/logout", live.Access, struct{}{}); answer.Code != http.StatusNoContent {
		t.Errorf("log out: %d %s", answer.Code, answer.Body)
	}
	f.eachRefuses(live.Access, jot.ErrRevoked) // whoever was deaf meanwhile hears again
}
