//go:build unix

package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
)

// staleness is that of the verifiers in these tests: less than the feed allows, and more than heartbeats are late on a
// busy machine.
const staleness = 4 * time.Second

// world is a few replicas over one database, each at an address of its own.
type world struct {
	*testing.T
	helper
	replicas []*server.Server
	urls     []string
}

func newWorld(t *testing.T, database string, size int) *world {
	t.Helper()
	w := &world{T: t, helper: helper{Issuer: "https://auth.example.com", Credential: server.NewSecret().Text(), Database: database, Key: server.NewSecret().Bytes()}}
	for range size {
		c := w.config()
		if database == "" {
			c.DataDir = filepath.Join(t.TempDir(), "data")
		}
		s, err := server.New(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		listening := httptest.NewServer(s.Handler())
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			listening.Close()
		})
		w.replicas, w.urls = append(w.replicas, s), append(w.urls, listening.URL)
	}
	return w
}

// logIn begins a session of a new subject.
func (w *world) logIn(name string) issuer.Tokens {
	w.Helper()
	subject, err := issuer.NewSubject(nil, []string{"pets:read"})
	if err != nil {
		w.Fatal(err)
	}
	subject.ID = name
	i := w.replicas[0].Issuer()
	if err := i.CreateSubject(w.Context(), subject); err != nil {
		w.Fatal(err)
	}
	tokens, err := i.Issue(w.Context(), issuer.Grant{Subject: name, AMR: []string{"pwd"}, ClientID: "client_app"})
	if err != nil {
		w.Fatal(err)
	}
	return tokens
}

// verifierAt follows the feed at an address, and is fresh.
func (w *world) verifierAt(url string) *jot.Verifier {
	w.Helper()
	h := w.helper
	h.Feed = url
	reader, verifier, err := h.follow()
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { reader.Close() })
	if err := reader.WaitFresh(w.Context()); err != nil {
		w.Fatal(err)
	}
	return verifier
}

// call sends a request to the first replica, and returns status, cursor and body.
func (w *world) call(method, path, bearer string, body any) (int, string, string) {
	w.Helper()
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			w.Fatal(err)
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(w.Context(), method, w.urls[0]+path, sent)
	if err != nil {
		w.Fatal(err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		w.Fatal(err)
	}
	return response.StatusCode, response.Header.Get(jothttp.CursorHeader), string(answer)
}

// TestEnforced is promise 2 of revocation: after the answer to ?wait=enforced, no verifier under the policy Closed
// accepts. Not those that listen at whichever replica, nor one that a partition cut off, nor one that is suspended, nor
// one whose replica was killed.
func TestEnforced(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		testEnforced(t, newWorld(t, "", 1))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		testEnforced(t, newWorld(t, pgtest.Database(t), 2))
	})
}

func testEnforced(t *testing.T, w *world) {
	token := w.logIn("victim")
	verifiers := make(map[string]*jot.Verifier)
	for n, url := range w.urls {
		verifiers[fmt.Sprint("connected to ", n)] = w.verifierAt(url)
	}
	w.enforcedAtOnce(t, verifiers)

	last := w.urls[len(w.urls)-1]
	partition := newCable(t, last)
	verifiers["partitioned"] = w.verifierAt(partition.url())
	h := w.helper
	h.Feed, h.Token = last, token.Access
	suspended, said := h.spawn(t)
	accepted := lastAccepted(said)
	killed := w.killedReplica(verifiers)
	for name, v := range verifiers {
		eventually(t, name+" accepts before", func() bool { return v.Check(t.Context(), token.Access) == nil })
	}
	waitFor(t, func() int { return int(min(accepted.Load(), 1)) }, 1)

	partition.sever(true)
	if err := suspended.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if killed != nil {
		killed.Kill()
	}
	began := time.Now()
	status, cursor, body := w.call(http.MethodPost, "/oauth2/revoke?wait=enforced", "", map[string]string{"token": token.Access, "client_id": "client_app"})
	answered := time.Now()
	if status != http.StatusOK || cursor == "" {
		t.Fatalf("%d %q %s", status, cursor, body)
	}
	for name, v := range verifiers {
		if err := v.Check(t.Context(), token.Access); err == nil {
			t.Errorf("%s accepts after the answer, which took %v", name, answered.Sub(began))
		}
	}
	partition.sever(false)
	if err := suspended.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		for name, v := range verifiers {
			if err := v.Check(t.Context(), token.Access); err == nil {
				t.Fatalf("%s accepts, %v after the answer", name, time.Since(answered))
			}
		}
	}
	if at := accepted.Load(); at > answered.UnixNano() {
		t.Errorf("the suspended one accepts %v after the answer", time.Duration(at-answered.UnixNano()))
	}
	t.Logf("with some out of reach: %v", answered.Sub(began))

	// Who asks again, since the answer was lost, waits as well, although nothing is new.
	if status, again, _ := w.call(http.MethodPost, "/oauth2/revoke?wait=enforced", "", map[string]string{"token": token.Access, "client_id": "client_app"}); status != http.StatusOK || again != cursor {
		t.Errorf("again: %d, %q after %q", status, again, cursor)
	}
}

// enforcedAtOnce: where all listen, none accepts after the answer.
func (w *world) enforcedAtOnce(t *testing.T, verifiers map[string]*jot.Verifier) {
	t.Helper()
	quick := w.logIn("quick")
	began := time.Now()
	if status, cursor, body := w.call(http.MethodPost, "/v1/logout?wait=enforced", quick.Access, nil); status != http.StatusNoContent || cursor == "" {
		t.Fatalf("%d %q %s", status, cursor, body)
	}
	t.Logf("with %d that listen: %v", len(verifiers), time.Since(began))
	for name, v := range verifiers {
		if err := v.Check(t.Context(), quick.Access); err == nil {
			t.Errorf("%s accepts after the answer", name)
		}
		eventually(t, name+" says why", func() bool { return errors.Is(v.Check(t.Context(), quick.Access), jot.ErrRevoked) })
	}
}

// killedReplica is a process that can be killed, on PostgreSQL, with a verifier.
func (w *world) killedReplica(verifiers map[string]*jot.Verifier) *os.Process {
	w.Helper()
	if w.Database == "" {
		return nil
	}
	process, said := w.spawn(w.T)
	if !said.Scan() || !strings.HasPrefix(said.Text(), "http://") {
		w.Fatalf("a replica says %q", said.Text())
	}
	verifiers["at a killed replica"] = w.verifierAt(said.Text())
	return process
}

// TestEnforcedElsewhere: what can't be waited for is refused before anything is changed; and the cursor is there
// without waiting.
func TestEnforcedElsewhere(t *testing.T) {
	w := newWorld(t, "", 1)
	tokens := w.logIn("ann")
	for path, body := range map[string]any{
		"/v1/logout?wait=":                       nil,
		"/v1/logout?wait=forever":                nil,
		"/v1/logout?wait=enforced&wait=enforced": nil,
		"/v1/password?wait=enforced":             map[string]string{"current": "x", "new": "y"},
		"/v1/password/reset/confirm?wait=now":    map[string]string{"code": "x", "new": "y"},
		"/v1/refresh?wait=enforced":              map[string]string{"refresh_token": tokens.Refresh},
		"/admin/v1/clients?wait=enforced":        map[string]string{},
		"/oauth2/revoke?wait=now":                map[string]string{"token": tokens.Refresh, "client_id": "client_app"},
	} {
		status, cursor, answer := w.call(http.MethodPost, path, tokens.Access, body)
		if oauth := strings.Contains(answer, `"invalid_request"`); status != http.StatusBadRequest || cursor != "" || oauth != strings.HasPrefix(path, "/oauth2/") {
			t.Errorf("%s: %d %q %s", path, status, cursor, answer)
		}
	}
	if err := w.replicas[0].Issuer().Verifier().Check(t.Context(), tokens.Access); err != nil {
		t.Fatal("a request that was refused revoked something:", err)
	}
	status, cursor, _ := w.call(http.MethodPost, "/v1/logout", tokens.Access, nil)
	head, err := w.replicas[0].Issuer().LogHead(t.Context())
	if err != nil || status != http.StatusNoContent || cursor != head.Cursor().String() {
		t.Errorf("%d %q, the head is at %v, %v", status, cursor, head.Cursor(), err)
	}
	if status, cursor, _ := w.call(http.MethodPost, "/v1/logout?wait=enforced", tokens.Access, nil); status != http.StatusUnauthorized || cursor != "" {
		t.Errorf("what failed has the cursor %q, %d", cursor, status)
	}
}

// TestMinCursor: a protected API that is behind waits, and then says so.
func TestMinCursor(t *testing.T) {
	w := newWorld(t, "", 1)
	way := newCable(t, w.urls[0])
	h := w.helper
	h.Feed = way.url()
	reader, verifier, err := h.follow()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := reader.WaitFresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	pets := jothttp.Options{Verifier: verifier, Follower: reader}.Protect()(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	ask := func(token, cursor string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set(jothttp.MinCursorHeader, cursor)
		answer := httptest.NewRecorder()
		pets.ServeHTTP(answer, r)
		return answer.Code
	}
	banned, friend := w.logIn("banned"), w.logIn("friend")
	_, cursor, _ := w.call(http.MethodPost, "/v1/logout", banned.Access, nil)
	if status := ask(banned.Access, cursor); status == http.StatusOK {
		t.Error("logged out at the cursor, and accepted")
	}
	waitFor(t, func() int { return ask(banned.Access, cursor) }, http.StatusUnauthorized) // at once, but for a busy machine, where the lease ends
	waitFor(t, func() int { return ask(friend.Access, cursor) }, http.StatusOK)
	way.sever(true)
	_, cursor, _ = w.call(http.MethodPost, "/v1/logout", w.logIn("another").Access, nil)
	if status := ask(friend.Access, cursor); status != http.StatusServiceUnavailable {
		t.Errorf("an API that is cut off answers %d", status)
	}
	way.sever(false)
	waitFor(t, func() int { return ask(friend.Access, cursor) }, http.StatusOK)
}
