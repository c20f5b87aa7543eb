package binary

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/interop/machine"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
)

const (
	sessions           = 20
	refreshesEach      = 10
	killAfterRefreshes = sessions * refreshesEach / 2
	password           = "correct horse battery staple"
)

// installation is a configured server whose process may come and go.
type installation struct{ url, address, data string }

func newInstallation(t *testing.T) installation {
	address := machine.FreeAddress(t)
	return installation{"http://" + address, address, filepath.Join(t.TempDir(), "data")}
}

func (i installation) start(t *testing.T) *running {
	t.Helper()
	return start(t, "jot serves", "serve", "--issuer", i.url, "--listen", i.address, "--admin-listen", "", "--data", i.data,
		"--resource", "petstore=pets:read", "--signup-scope", "pets:read", "--open-signup")
}

// line is one session as its client sees it: the refresh tokens that it was given, the latest last.
type line struct {
	access string
	given  []string
}

func (i installation) signUp(t *testing.T, name string) {
	t.Helper()
	if status, answer := post(i.url+"/v1/signup", "", map[string]string{"username": name, "password": password}); status != http.StatusCreated {
		t.Fatalf("sign up: %d %v", status, answer)
	}
}

func (i installation) logIn(t *testing.T) *line {
	t.Helper()
	status, answer := post(i.url+"/v1/login", "", map[string]string{"username": "ada", "password": password})
	if status != http.StatusOK {
		t.Fatalf("log in: %d %v", status, answer)
	}
	return &line{text(answer, "access_token"), []string{text(answer, "refresh_token")}}
}

// logInOften makes the account, and sessions of it.
func (i installation) logInOften(t *testing.T, sessions int) []*line {
	t.Helper()
	i.signUp(t, "ada")
	lines := make([]*line, sessions)
	for n := range lines {
		lines[n] = i.logIn(t)
	}
	return lines
}

func (i installation) refresh(l *line, token string) int {
	status, answer := post(i.url+"/v1/refresh", "", map[string]string{"refresh_token": token})
	if status == http.StatusOK {
		l.access = text(answer, "access_token")
		l.given = append(l.given, text(answer, "refresh_token"))
	}
	return status
}

func (l *line) latest() string { return l.given[len(l.given)-1] }

// SIGKILL in the middle of 200 refreshes. After the restart, a client that kept its latest token goes on, one that
// presents an older one ends the session, no token leads into two lines, and the log of revocations goes on where it
// was.
func TestKilledWhileRefreshing(t *testing.T) {
	site := newInstallation(t)
	server := site.start(t)
	lines := site.logInOften(t, sessions)
	follower := site.follow(t)
	if status, _ := post(site.url+"/v1/logout", site.logIn(t).access, struct{}{}); status != http.StatusNoContent {
		t.Fatalf("log out: %d", status)
	}

	var acknowledged atomic.Int64
	var all sync.WaitGroup
	reached := make(chan struct{})
	for _, l := range lines {
		all.Go(func() { // ends after its refreshes, or with the server
			for range refreshesEach {
				switch status := site.refresh(l, l.latest()); status {
				case http.StatusOK:
					if acknowledged.Add(1) == killAfterRefreshes {
						close(reached)
					}
				case 0:
					return // the server is dead
				default:
					t.Errorf("refresh: %d", status)
					return
				}
			}
		})
	}
	<-reached
	server.kill(t)
	all.Wait()

	site.start(t)
	for _, l := range lines {
		site.checkLine(t, l)
	}
	follower.waitFor(t, sessions) // each of the lines ended in a replay, and so in a rule
}

// checkLine presents the latest token, as a client does whose last answer was lost, and then plays a thief.
func (i installation) checkLine(t *testing.T, l *line) {
	t.Helper()
	latest := l.latest()
	if status := i.refresh(l, latest); status != http.StatusOK {
		t.Errorf("after %d refreshes, the latest token: %d", len(l.given), status)
		return
	}
	successor := l.latest()
	if status := i.refresh(l, latest); status != http.StatusOK || l.latest() != successor {
		t.Errorf("a second try: %d, the same successor: %v", status, l.latest() == successor)
	}
	if status := i.refresh(l, successor); status != http.StatusOK {
		t.Errorf("the successor: %d", status)
	}
	if status := i.refresh(l, latest); status != http.StatusUnauthorized {
		t.Errorf("a token from two generations ago: %d", status)
	}
	if status := i.refresh(l, l.latest()); status != http.StatusUnauthorized {
		t.Errorf("the session goes on after a replay: %d", status)
	}
}

// follower is a verifier's feed reader, which lives through the crash.
type follower struct {
	reader *revocation.Reader
	errors *syncErrors
}

// syncErrors gathers what the reader complains of.
type syncErrors struct {
	mu   sync.Mutex
	text []string
}

func (e *syncErrors) add(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.text = append(e.text, err.Error())
}

func (e *syncErrors) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.text, "\n")
}

func (i installation) follow(t *testing.T) *follower {
	t.Helper()
	return i.followBy(t, i.url)
}

// followBy reaches the feed at another address.
func (i installation) followBy(t *testing.T, url string) *follower {
	t.Helper()
	credential, err := os.ReadFile(filepath.Join(i.data, "feed.credential"))
	if err != nil {
		t.Fatal(err)
	}
	return newFollower(t, i.url+"/feed/jwks.json", revocation.ReaderOptions{URL: url + "/feed", Issuer: i.url, Credential: strings.TrimSpace(string(credential))})
}

// newFollower is fresh. It asks for the keys by the client of the reader.
func newFollower(t *testing.T, keySet string, o revocation.ReaderOptions) *follower {
	t.Helper()
	keys, err := jwks.NewSource(keySet, jwks.Options{Client: o.Client})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close() })
	f := &follower{errors: &syncErrors{}}
	o.Keys, o.OnError = keys, f.errors.add
	if f.reader, err = revocation.NewReader(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.reader.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := f.reader.WaitFresh(ctx); err != nil {
		t.Fatalf("%v; the reader complained:\n%s", err, f.errors)
	}
	return f
}

// waitFor waits until the reader has taken in that many rules since the crash, and one from before. The reader checks
// every sequence number and hash on the way: a gap or a fork would have made it complain.
func (f *follower) waitFor(t *testing.T, rules int) {
	t.Helper()
	if eventually(func() bool {
		state := f.reader.State()
		return state.Sequence == uint64(rules)+1 && state.Rules == rules+1
	}) {
		return
	}
	t.Errorf("the reader is at %+v, want %d rules; it complained:\n%s", f.reader.State(), rules+1, f.errors)
	for _, word := range []string{"fork", "gap", "rollback"} {
		if strings.Contains(fmt.Sprint(f.errors), word) {
			t.Errorf("the log was seen to have a %s", word)
		}
	}
}
