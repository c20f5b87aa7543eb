package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
)

// Promise 7: tokens are issued and refreshed without pause while the subject's role changes. Once a change is
// acknowledged and a verifier has it, no token with an older role passes, whenever it was begun: not one that was on
// its way then, either.
func TestNoOldRolePasses(t *testing.T)         { noOldRolePasses(t, "") }
func TestNoOldRolePassesPostgres(t *testing.T) { noOldRolePasses(t, pgtest.Database(t)) }

func noOldRolePasses(t *testing.T, database string) {
	const changes, clients = 12, 4
	s := newSiteOver(t, database)
	g := s.guard(t, s.url, revocation.Closed)
	if err := g.reader.WaitFresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	i := s.server.Issuer()
	role := func(n int) json.RawMessage { return json.RawMessage(fmt.Sprintf(`{"role":%d}`, n)) }
	if err := i.CreateSubject(t.Context(), issuer.Subject{ID: "ada", Scope: []string{"pets:read"}, Claims: role(0)}); err != nil {
		t.Fatal(err)
	}
	var pool tokenPool
	var busy sync.WaitGroup
	done := make(chan struct{})
	end := sync.OnceFunc(func() { close(done); busy.Wait() })
	defer end()
	for range clients {
		busy.Go(func() { pool.fill(t, s, done) }) // ends with done
	}
	pool.waitFor(t, clients)
	for n := range changes {
		if err := i.ChangeSubject(t.Context(), "ada", issuer.Change{Claims: role(n + 1)}); err != nil {
			t.Fatal(err)
		}
		head, err := i.LogHead(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the change at the verifier", func() bool { return g.reader.State().Sequence >= head.Sequence })
		pool.check(t, g, n+1)
		pool.waitFor(t, clients*(n+2))
	}
	end()
	fresh := pool.check(t, g, changes)
	if fresh == 0 {
		t.Error("no token of the last role passes")
	}
}

// tokenPool is every access token that anybody was given.
type tokenPool struct {
	mu     sync.Mutex
	tokens []string
}

// fill logs in and refreshes by turns. A refresh may be lost to nobody: the subject only changes its claims.
func (p *tokenPool) fill(t *testing.T, s *site, done <-chan struct{}) {
	for {
		granted, err := s.server.Issuer().Issue(t.Context(), issuer.Grant{Subject: "ada"})
		if err != nil {
			t.Error(err)
			return
		}
		p.add(granted.Access)
		refreshed := granted.Refresh
		for range 3 {
			status, body := s.post(t, "/v1/refresh", "", map[string]string{"refresh_token": refreshed})
			if status != http.StatusOK {
				t.Errorf("refresh: %d %s", status, body)
				return
			}
			pair := read(t, body)
			refreshed = pair.Refresh
			p.add(pair.Access)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

func (p *tokenPool) add(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens = append(p.tokens, token)
}

func (p *tokenPool) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.tokens)
}

func (p *tokenPool) waitFor(t *testing.T, count int) {
	t.Helper()
	eventually(t, "more tokens", func() bool { return t.Failed() || p.count() >= count })
}

// check returns how many tokens pass; all of them must have the role, or a later one. What is on its way meanwhile is
// added afterwards: a slow machine would never be done.
func (p *tokenPool) check(t *testing.T, g guard, least int) (passed int) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, text := range p.tokens {
		token, err := g.Verify(t.Context(), text)
		for errors.Is(err, jot.ErrUnavailable) && g.reader.WaitFresh(t.Context()) == nil { // on a busy machine the lease ends now and then
			token, err = g.Verify(t.Context(), text)
		}
		if errors.Is(err, jot.ErrStaleClaims) {
			continue
		}
		var claims struct {
			Role int `json:"role"`
		}
		if err == nil {
			err = token.Decode(&claims)
		}
		if err != nil {
			t.Fatal(err)
		}
		if claims.Role < least {
			t.Fatalf("a token of role %d passes after the change to %d", claims.Role, least)
		}
		passed++
	}
	return passed
}
