//go:build unix

package binary

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"

	root "github.com/jot-auth/jot"
)

var seed = flag.Uint64("seed", 0, "what TestKilledReplica draws by; 0: another one each time")

const (
	members       = 6 // of the fleet's users, who are at it at once
	memberRounds  = 6
	memberChanges = 1 + 5*memberRounds // see member.live
)

// Three servers over one PostgreSQL are one server: of what any of them acknowledged nothing is lost when one, chosen
// at random, gets SIGKILL in the middle of its work, and all of them know it, that one too when it's back.
func TestKilledReplica(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed %d repeats the choice", *seed)
	random := rand.New(rand.NewPCG(*seed, 0))
	f := newFleet(t)
	all, changes := f.members(), members*memberChanges
	f.acknowledged = make(chan struct{}, changes)
	var working sync.WaitGroup
	for _, m := range all {
		working.Go(m.live)
	}
	done := make(chan struct{})
	go func() { // ends with the work
		defer close(done)
		working.Wait()
	}()

	victim := random.IntN(replicas)
	f.await(changes/6+random.IntN(changes/3), done)
	f.kill(victim)
	if status, answer, _ := f.call(http.MethodPost, "/admin/v1/keys/rotate", f.admin, struct{}{}); status != http.StatusOK {
		t.Errorf("rotate: %d %v", status, answer)
	}
	f.await(changes/4, done)
	f.launch(victim)
	<-done
	t.Logf("server %d was killed, and %d connections broke", victim, f.lost.Load())
	if t.Failed() {
		return
	}

	f.checkKeys(all)
	f.checkFeed(all)
	for _, m := range all {
		m.check()
	}
	f.checkThrottle(all[0].name)
}

// member is a user with sessions, and what it was told of them.
type member struct {
	*fleet
	name, subject string
	role          string   // the last one that was acknowledged
	session       *line    // goes on
	ended         []*line  // sessions whose end was acknowledged
	stale         []string // access tokens from before a change of role that was acknowledged
}

func (f *fleet) members() []*member {
	f.Helper()
	all := make([]*member, members)
	for n := range all {
		m := &member{fleet: f, name: fmt.Sprint("member", n), role: "none"}
		status, answer, _ := f.call(http.MethodPost, "/admin/v1/subjects", f.admin,
			map[string]any{"username": m.name, "password": password, "scope": "pets:read", "claims": map[string]string{"role": m.role}})
		if m.subject = text(answer, "sub"); status != http.StatusCreated {
			f.Fatalf("make %s: %d %v", m.name, status, answer)
		}
		all[n] = m
	}
	return all
}

// live logs in and refreshes, gets other roles, and logs in elsewhere and out there.
func (m *member) live() {
	m.session = m.logIn()
	for round := 0; round < memberRounds && !m.Failed(); round++ {
		m.refresh(m.session)
		m.changeRole(fmt.Sprint("role", round))
		m.refresh(m.session)
		m.end(m.logIn(), round)
	}
}

// done counts a change that was acknowledged, while somebody listens.
func (m *member) done() {
	select {
	case m.acknowledged <- struct{}{}:
	default:
	}
}

func (m *member) logIn() *line {
	status, answer, _ := m.call(http.MethodPost, "/v1/login", "", map[string]string{"username": m.name, "password": password})
	if status != http.StatusOK {
		m.Errorf("%s logs in: %d %v", m.name, status, answer)
	}
	l := &line{text(answer, "access_token"), []string{text(answer, "refresh_token")}}
	m.checkAccess(l)
	m.done()
	return l
}

// refresh follows the one rule that a client has: while no answer comes, it sends the same token again, to whichever
// server.
func (m *member) refresh(l *line) {
	status, answer, _ := m.call(http.MethodPost, "/v1/refresh", "", map[string]string{"refresh_token": l.latest()})
	if status != http.StatusOK {
		m.Errorf("%s is logged out: %d %v", m.name, status, answer)
		return
	}
	l.access, l.given = text(answer, "access_token"), append(l.given, text(answer, "refresh_token"))
	m.checkAccess(l)
	m.done()
}

// checkAccess: a token that was just issued says what is acknowledged, and an API takes it, unless its verifier has to
// find another server first.
func (m *member) checkAccess(l *line) {
	var claims struct {
		Role string `json:"role"`
	}
	token, err := m.verifier.Verify(m.Context(), l.access)
	if errors.Is(err, root.ErrUnavailable) {
		return
	}
	if err == nil {
		err = token.Decode(&claims)
	}
	if err != nil || claims.Role != m.role {
		m.Errorf("the token of %s has the role %q, want %q, %v", m.name, claims.Role, m.role, err)
	}
}

func (m *member) changeRole(role string) {
	before := m.session.access
	status, answer, _ := m.call(http.MethodPatch, "/admin/v1/subjects/"+m.subject, m.admin, map[string]any{"claims": map[string]string{"role": role}})
	if status != http.StatusOK {
		m.Errorf("change the role of %s: %d %v", m.name, status, answer)
		return
	}
	m.role, m.stale = role, append(m.stale, before)
	m.done()
}

// end ends a session in one of three ways. Who gets no answer asks again, and may hear that there's no such session any
// more.
func (m *member) end(l *line, way int) {
	var status, gone int
	var answer map[string]any
	var again bool
	switch way % 3 {
	case 0:
		gone = http.StatusUnauthorized
		status, answer, again = m.call(http.MethodPost, "/v1/logout", l.access, struct{}{})
	case 1:
		status, answer, again = m.call(http.MethodPost, "/oauth2/revoke", "", map[string]string{"client_id": "client_app", "token": l.latest()})
	default:
		gone = http.StatusNotFound
		status, answer, again = m.call(http.MethodDelete, "/admin/v1/sessions/"+string(l.facts(m.T).SessionID), m.admin, nil)
	}
	if status != http.StatusNoContent && status != http.StatusOK && (status != gone || !again) {
		m.Errorf("end a session of %s in way %d: %d %v", m.name, way%3, status, answer)
		return
	}
	m.ended = append(m.ended, l)
	m.done()
}

// checkKeys: all servers publish the same keys, after a rotation that one of them carried out, and each takes what the
// new one signs.
func (f *fleet) checkKeys(all []*member) {
	f.Helper()
	var sets [replicas]map[string]bool
	if !eventually(func() bool {
		for n, s := range f.ships {
			sets[n] = published(f.T, s.url())
		}
		return len(sets[0]) >= 3 && maps.Equal(sets[0], sets[1]) && maps.Equal(sets[1], sets[2]) // retiring, active, next
	}) {
		f.Errorf("the servers publish %v", sets)
	}
	for _, m := range all {
		m.refresh(m.session)
	}
}

// checkFeed: every server's feed leads to the same place of the same log, and says of each session whether it goes on.
// So does that which a verifier followed all the while.
func (f *fleet) checkFeed(all []*member) {
	f.Helper()
	followers := map[string]*follower{"the balancer's verifier": f.follower}
	verifiers := map[string]*root.Verifier{"the balancer's verifier": f.verifier}
	for n, s := range f.ships {
		name := fmt.Sprint("the verifier of server ", n)
		followers[name] = newFollower(f.T, s.url()+"/feed/jwks.json", f.readerOptions(s.url(), nil))
		verifiers[name] = f.newVerifier(s.url(), nil, followers[name])
	}
	for name, follower := range followers {
		for _, m := range all {
			for _, l := range m.ended {
				follower.waitForVerdict(f.T, name, l, true)
			}
			follower.waitForVerdict(f.T, name, m.session, false)
			for _, access := range m.stale {
				f.accepts(name, verifiers[name], access, false)
			}
			f.accepts(name, verifiers[name], m.session.access, true)
		}
	}
	places := make(map[string]string)
	if !eventually(func() bool {
		for name, follower := range followers {
			state := follower.reader.State()
			places[name] = fmt.Sprint(state.LogID, ":", state.Sequence)
		}
		return len(slices.Compact(slices.Sorted(maps.Values(places)))) == 1
	}) {
		f.Errorf("the verifiers are at %v", places)
	}
}

// accepts waits until a verifier says of an access token what it has to say.
func (f *fleet) accepts(name string, verifier *root.Verifier, access string, want bool) {
	f.Helper()
	var err error
	if !eventually(func() bool {
		err = verifier.Check(f.Context(), access)
		return want && err == nil || !want && errors.Is(err, root.ErrInvalidToken)
	}) {
		f.Errorf("%s says of a token: %v; want it to be good: %v", name, err, want)
	}
}

// check: what ended is refused by every server, and what didn't goes on at each.
func (m *member) check() {
	m.Helper()
	for n, s := range m.ships {
		refused := func(what, access string) {
			m.Helper()
			if !eventually(func() bool { return me(s, access) == http.StatusUnauthorized }) {
				m.Errorf("server %d takes %s of %s: %d", n, what, m.name, me(s, access))
			}
		}
		for _, l := range m.ended {
			refused("a token of a session that ended", l.access)
			if status, answer := post(s.url()+"/v1/refresh", "", map[string]string{"refresh_token": l.latest()}); status != http.StatusUnauthorized {
				m.Errorf("server %d refreshes a session of %s that ended: %d %v", n, m.name, status, answer)
			}
		}
		for _, access := range m.stale {
			refused("a token with an old role", access)
		}
		if status := me(s, m.session.access); status != http.StatusOK {
			m.Errorf("server %d refuses %s: %d", n, m.name, status)
		}
		if status := (installation{url: s.url()}).refresh(m.session, m.session.latest()); status != http.StatusOK {
			m.Errorf("server %d has logged %s out: %d", n, m.name, status)
		}
		m.checkAccess(m.session)
	}
}

func me(s ship, access string) int {
	status, _ := send(http.MethodGet, s.url()+"/v1/me", access, nil)
	return status
}

// checkThrottle guesses at each server in turn until each of them delays the next guess. Five guesses are free; did
// each server count for itself, it would be fifteen. Between the two there are those that a slow machine makes when a
// delay is over; each of them doubles it.
func (f *fleet) checkThrottle(name string) {
	f.Helper()
	delayed := make(map[int]bool)
	for guesses := 0; len(delayed) < replicas; {
		for n, s := range f.ships {
			switch status, answer := post(s.url()+"/v1/login", "", map[string]string{"username": name, "password": "not the right one"}); status {
			case http.StatusTooManyRequests:
				delayed[n] = true
			case http.StatusUnauthorized:
				if guesses++; guesses >= 5*replicas {
					f.Fatalf("after %d guesses only %d servers delay the next one", guesses, len(delayed))
				}
			default:
				f.Fatalf("a guess: %d %v", status, answer)
			}
		}
	}
}
