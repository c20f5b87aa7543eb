package issuer_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/logtest"
	"github.com/jot-auth/jot/server/issuer"
)

const grace = 30 * time.Second

func TestRefresh(t *testing.T) {
	f := newFixture(t, config())
	first := f.login()
	f.clock.Advance(time.Minute)
	second := f.refresh(first.Refresh)
	if second.Refresh == first.Refresh || second.Access == first.Access {
		t.Error("a refresh gave the same tokens again")
	}
	if second.SessionID != first.SessionID || second.SessionExpiresIn != first.SessionExpiresIn-time.Minute || second.Subject != "ann" {
		t.Errorf("got %+v, want the session of %+v", second, first)
	}
	a, b := f.accept(first.Access), f.accept(second.Access)
	if !a.AuthTime().Equal(b.AuthTime()) || !b.IssuedAt().After(a.IssuedAt()) || a.SessionID() != b.SessionID() {
		t.Errorf("auth_time %v and %v, iat %v and %v", a.AuthTime(), b.AuthTime(), a.IssuedAt(), b.IssuedAt())
	}
	third := f.refresh(second.Refresh)
	f.refresh(third.Refresh)
	if kinds := f.events(); len(kinds) != 0 {
		t.Errorf("events %v of an ordinary life", kinds)
	}
}

// TestRefreshAgainWithinGrace: a tab that lost the race gets what the winner got.
func TestRefreshAgainWithinGrace(t *testing.T) {
	f := newFixture(t, config())
	first := f.login()
	second := f.refresh(first.Refresh)
	f.clock.Advance(grace)
	again := f.refresh(first.Refresh)
	if again.Refresh != second.Refresh {
		t.Error("one refresh token has two successors")
	}
	f.accept(again.Access)
	f.refresh(second.Refresh)
	if kinds := f.events(); len(kinds) != 0 {
		t.Errorf("events %v of one device", kinds)
	}
}

func TestRefreshAgainFromElsewhere(t *testing.T) {
	for name, other := range map[string]issuer.RefreshRequest{
		"agent":   {UserAgent: "curl", Address: "192.0.2.1"},
		"address": {UserAgent: "phone", Address: "198.51.100.7"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, config())
			first := f.login()
			second := f.refresh(first.Refresh)
			other.Token = first.Refresh
			again, err := f.Refresh(t.Context(), other)
			f.do(err)
			if again.Refresh != second.Refresh {
				t.Error("one refresh token has two successors")
			}
			events, err := f.Events(t.Context(), issuer.EventFilter{Kind: issuer.EventRefreshElsewhere}, 0, 10)
			f.do(err)
			if len(events) != 1 || events[0].Kind != issuer.EventRefreshElsewhere || events[0].Address != other.Address ||
				events[0].UserAgent != other.UserAgent || events[0].Session != first.SessionID || events[0].Subject != "ann" {
				t.Errorf("events %+v", events)
			}
		})
	}
}

// TestRefreshAfterLostReply: a client that never saw its answer goes on, as often as it takes, and what it never saw is
// burned.
func TestRefreshAfterLostReply(t *testing.T) {
	f := newFixture(t, config())
	seen := f.login()
	lost := []issuer.Tokens{f.refresh(seen.Refresh)}
	for range 3 {
		f.clock.Advance(grace + time.Millisecond)
		lost = append(lost, f.refresh(seen.Refresh))
	}
	for n, tokens := range lost[1:] {
		if tokens.Refresh == lost[n].Refresh {
			t.Errorf("try %d gave a token that was to be burned", n)
		}
	}
	if kinds := f.events(); !slices.Equal(kinds, slices.Repeat([]issuer.EventKind{issuer.EventReplyLost}, 3)) {
		t.Errorf("events %v", kinds)
	}
	arrived := f.refresh(lost[len(lost)-1].Refresh)
	f.clock.Advance(time.Second)
	f.accept(f.refresh(arrived.Refresh).Access)
}

// TestRefreshTabsAfterLostReply: tabs that share a store, and refresh at once long after a reply was lost to all of
// them, go on with one line of tokens.
func TestRefreshTabsAfterLostReply(t *testing.T) {
	f := newFixture(t, config())
	stored := f.login()
	for range 3 {
		f.refresh(stored.Refresh) // lost
		f.clock.Advance(grace + time.Millisecond)
		one := f.refresh(stored.Refresh)
		f.clock.Advance(grace)
		other := f.refresh(stored.Refresh)
		if one.Refresh != other.Refresh {
			t.Error("two tabs have two lines of tokens")
		}
		f.accept(one.Access)
		f.accept(other.Access)
		stored = other
	}
}

// TestRefreshReuse: every spent token ends its session and refuses its access tokens, and an event says why.
func TestRefreshReuse(t *testing.T) {
	for name, spend := range map[string]func(*fixture, issuer.Tokens) (spent string, latest issuer.Tokens){
		"rotated away": func(f *fixture, first issuer.Tokens) (string, issuer.Tokens) {
			return first.Refresh, f.refresh(f.refresh(first.Refresh).Refresh)
		},
		"burned": func(f *fixture, first issuer.Tokens) (string, issuer.Tokens) {
			burned := f.refresh(first.Refresh)
			f.clock.Advance(grace + time.Millisecond)
			return burned.Refresh, f.refresh(first.Refresh)
		},
		"burned, and used since": func(f *fixture, first issuer.Tokens) (string, issuer.Tokens) {
			burned := f.refresh(first.Refresh)
			f.clock.Advance(grace + time.Millisecond)
			return burned.Refresh, f.refresh(f.refresh(first.Refresh).Refresh)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, config())
			first, other := f.login(), f.login()
			spent, latest := spend(f, first)
			f.accept(latest.Access)
			f.refuseRefresh(spent)
			f.refuse(latest.Access, jot.ErrRevoked)
			f.refuse(first.Access, jot.ErrRevoked)
			f.refuseRefresh(latest.Refresh)
			f.refuseRefresh(spent)
			session, err := f.Session(t.Context(), first.SessionID)
			if err != nil || session.EndReason != issuer.EndedByReuse || session.Ended.IsZero() {
				t.Errorf("session %+v, %v", session, err)
			}
			if kinds := f.events(); kinds[len(kinds)-1] != issuer.EventRefreshReused || countReused(kinds) != 1 {
				t.Errorf("events %v", kinds)
			}
			f.accept(other.Access)
			f.refresh(other.Refresh)
		})
	}
}

func countReused(kinds []issuer.EventKind) int {
	count := 0
	for _, kind := range kinds {
		if kind == issuer.EventRefreshReused {
			count++
		}
	}
	return count
}

// TestRefreshRewound: a genuine token that the database doesn't know of raises the alarm, and nothing else.
func TestRefreshRewound(t *testing.T) {
	c, log := config(), new(logtest.Buffer)
	c.Logger = slog.New(slog.NewTextHandler(log, nil))
	f := newFixture(t, c)
	first := f.login()
	store := f.openStore()
	ahead := f.refresh(f.refresh(first.Refresh).Refresh)
	f.do(store.Update(t.Context(), func(tx issuer.Tx) error {
		session, _, err := tx.Session(first.SessionID)
		session.Counters = issuer.Counters{Current: 1, RotatedAt: session.Created}
		return errors.Join(err, tx.UpdateSession(session))
	}))
	for range 2 {
		f.refuseRefresh(ahead.Refresh)
	}
	if kinds := f.events(); !slices.Equal(kinds, []issuer.EventKind{issuer.EventDatabaseRewound}) {
		t.Errorf("events %v", kinds)
	}
	if text := log.String(); strings.Count(text, "level=ERROR") != 1 || !strings.Contains(text, "database rewound") {
		t.Errorf("logged %q, want one alarm", text)
	}
	f.accept(ahead.Access)
	f.refresh(first.Refresh)
}

// TestRefreshRefused: what isn't this client's genuine token changes nothing.
func TestRefreshRefused(t *testing.T) {
	f := newFixture(t, config())
	first := f.login()
	f.refresh(first.Refresh)
	old := f.refresh(f.login().Refresh)
	before, err := f.Session(t.Context(), first.SessionID)
	f.do(err)
	broken := []byte(first.Refresh)
	broken[len(broken)-10] ^= 1
	for name, r := range map[string]issuer.RefreshRequest{
		"broken MAC":     {Token: string(broken)},
		"another client": {Token: first.Refresh, ClientID: "client_guest"},
		"access token":   {Token: old.Access},
		"nothing":        {},
	} {
		if _, err := f.Refresh(t.Context(), r); !errors.Is(err, issuer.ErrInvalidGrant) {
			t.Errorf("%s: error %v, want ErrInvalidGrant", name, err)
		}
	}
	if _, err := f.Refresh(t.Context(), issuer.RefreshRequest{Token: first.Refresh, ClientID: "client_unknown"}); !errors.Is(err, issuer.ErrInvalidClient) {
		t.Errorf("unknown client: error %v, want ErrInvalidClient", err)
	}
	after, err := f.Session(t.Context(), first.SessionID)
	f.do(err)
	if before.Counters != after.Counters || !after.Ended.IsZero() || len(f.events()) != 0 {
		t.Errorf("the session was %+v and is %+v", before, after)
	}
}

// TestRefreshThatWaits: a request that came in time and would be decided after the grace window isn't decided at all,
// for it would burn the token that its client got meanwhile.
func TestRefreshThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		defer f.Close()
		first := f.login()
		second := f.refresh(first.Refresh)
		var wait sync.WaitGroup
		locked := make(chan struct{})
		wait.Go(func() {
			f.do(f.store.Update(t.Context(), func(issuer.Tx) error {
				close(locked)
				time.Sleep(grace + time.Second)
				return nil
			}))
		})
		<-locked
		start := time.Now()
		if tokens, err := f.tryRefresh(first.Refresh); !errors.Is(err, issuer.ErrBusy) || time.Since(start) > grace/2 {
			t.Errorf("after %v: %+v, %v, want ErrBusy", time.Since(start), tokens, err)
		}
		wait.Wait()
		f.refresh(second.Refresh)
		if kinds := f.events(); len(kinds) != 0 {
			t.Errorf("events %v of one device", kinds)
		}
	})
}

// TestRefreshEventsAreBounded: what a client can repeat is told once, until the session moves on.
func TestRefreshEventsAreBounded(t *testing.T) {
	f := newFixture(t, config())
	elsewhere := func(token string) {
		for range 5 {
			_, err := f.Refresh(t.Context(), issuer.RefreshRequest{Token: token, UserAgent: "curl"})
			f.do(err)
		}
	}
	first := f.login()
	second := f.refresh(first.Refresh)
	elsewhere(first.Refresh)
	third := f.refresh(second.Refresh)
	elsewhere(second.Refresh)
	ahead := f.refresh(third.Refresh)
	f.do(f.openStore().Update(t.Context(), func(tx issuer.Tx) error {
		session, _, err := tx.Session(first.SessionID)
		f.do(err)
		session.Counters = issuer.Counters{Current: 2, Previous: 1, RotatedAt: session.LastUsed}
		return tx.UpdateSession(session)
	}))
	for range 5 {
		elsewhere(first.Refresh)
		f.refuseRefresh(ahead.Refresh)
	}
	want := []issuer.EventKind{issuer.EventRefreshElsewhere, issuer.EventRefreshElsewhere, issuer.EventRefreshElsewhere, issuer.EventDatabaseRewound}
	if kinds := f.events(); !slices.Equal(kinds, want) {
		t.Errorf("events %v, want %v", kinds, want)
	}
}

// TestRefreshParallel presents one token many times at once: every answer has the same successor, and one line of
// descent goes on.
func TestRefreshParallel(t *testing.T) {
	f := newFixture(t, config())
	token := f.login().Refresh
	for range 4 {
		const clients = 50
		var successors, accesses sync.Map
		var wait sync.WaitGroup
		for range clients {
			wait.Go(func() {
				tokens, err := f.tryRefresh(token)
				if err != nil {
					t.Error(err)
					return
				}
				successors.Store(tokens.Refresh, true)
				accesses.Store(tokens.Access, true)
			})
		}
		wait.Wait()
		next := keysOf(&successors)
		if len(next) != 1 || len(keysOf(&accesses)) != clients {
			t.Fatalf("%d refreshes of one token gave %d successors and %d access tokens", clients, len(next), len(keysOf(&accesses)))
		}
		accesses.Range(func(access, _ any) bool { f.accept(access.(string)); return true })
		token = next[0]
		f.clock.Advance(time.Minute)
	}
	f.refresh(token)
	if kinds := f.events(); len(kinds) != 0 {
		t.Errorf("events %v", kinds)
	}
}

func keysOf(m *sync.Map) []string {
	var keys []string
	m.Range(func(key, _ any) bool { keys = append(keys, key.(string)); return true })
	return keys
}

// TestRefreshAgainstLogout: whichever comes first, no token of the session is good afterwards.
func TestRefreshAgainstLogout(t *testing.T) {
	f := newFixture(t, config())
	for range 20 {
		first := f.login()
		var second issuer.Tokens
		var refreshed, ended error
		var wait sync.WaitGroup
		wait.Go(func() { second, refreshed = f.tryRefresh(first.Refresh) })
		wait.Go(func() { ended = f.EndSession(t.Context(), "ann", first.SessionID) })
		wait.Wait()
		f.do(ended)
		f.refuse(first.Access, jot.ErrRevoked)
		f.refuseRefresh(first.Refresh)
		if refreshed != nil {
			if !errors.Is(refreshed, issuer.ErrInvalidGrant) {
				t.Fatal(refreshed)
			}
			continue
		}
		f.refuse(second.Access, jot.ErrRevoked)
		f.refuseRefresh(second.Refresh)
	}
}

func TestSessionExpiry(t *testing.T) {
	c := config()
	c.IdleTTL, c.AbsoluteTTL = time.Hour, 150*time.Minute
	f := newFixture(t, c)
	idle, used := f.login(), f.login()
	f.clock.Advance(time.Hour - time.Millisecond)
	used = f.refresh(used.Refresh)
	f.clock.Advance(time.Millisecond)
	f.refuseRefresh(idle.Refresh)
	f.clock.Advance(45 * time.Minute)
	used = f.refresh(used.Refresh)
	f.clock.Advance(40 * time.Minute)
	used = f.refresh(used.Refresh)
	if token := f.accept(used.Access); token.Expires().After(f.clock.Now().Add(used.SessionExpiresIn)) || used.ExpiresIn > 6*time.Minute {
		t.Errorf("a token of a session that ends in %v expires %v, in %v", used.SessionExpiresIn, token.Expires(), used.ExpiresIn)
	}
	f.clock.Advance(5 * time.Minute)
	f.refuseRefresh(used.Refresh)
}

func TestRefreshScope(t *testing.T) {
	f := newFixture(t, config())
	tokens := f.login()
	narrow := func(scope ...string) (issuer.Tokens, error) {
		return f.Refresh(t.Context(), issuer.RefreshRequest{Token: tokens.Refresh, Scope: scope})
	}
	for _, wider := range [][]string{{"pets:admin"}, {"pets:read", "zoo:visit"}, {"unheard:of"}, {"pets:read", "pets:read"}, {"a b"}} {
		if _, err := narrow(wider...); !errors.Is(err, issuer.ErrInvalidScope) {
			t.Errorf("scope %q: error %v, want ErrInvalidScope", wider, err)
		}
	}
	session, err := f.Session(t.Context(), tokens.SessionID)
	f.do(err)
	if session.Counters.Current != 1 {
		t.Error("a refused scope used up the refresh token")
	}
	narrowed, err := narrow("pets:read")
	f.do(err)
	if token := f.accept(narrowed.Access); token.Scope() != "pets:read" || !slices.Equal(narrowed.Scope, []string{"pets:read"}) {
		t.Errorf("scope %q, %q", token.Scope(), narrowed.Scope)
	}
	if token := f.accept(f.refresh(narrowed.Refresh).Access); token.Scope() != "pets:read pets:write" {
		t.Errorf("the next token has scope %q, want the session's", token.Scope())
	}
}

// TestRefreshResource: a session is for one resource, and asking for another one uses up nothing.
func TestRefreshResource(t *testing.T) {
	f := newFixture(t, config())
	tokens := f.login()
	for _, other := range []string{"zoo", "moon"} {
		if _, err := f.Refresh(t.Context(), issuer.RefreshRequest{Token: tokens.Refresh, Resource: other}); !errors.Is(err, issuer.ErrInvalidTarget) {
			t.Errorf("%s: error %v, want ErrInvalidTarget", other, err)
		}
	}
	same, err := f.Refresh(t.Context(), issuer.RefreshRequest{Token: tokens.Refresh, Resource: "petstore"})
	f.do(err)
	f.refresh(same.Refresh)
}

// deserted is a store whose subjects are all deleted.
type deserted struct{ issuer.Store }

func (s deserted) Update(ctx context.Context, f func(issuer.Tx) error) error {
	return s.Store.Update(ctx, func(tx issuer.Tx) error { return f(nobody{tx}) })
}

type nobody struct{ issuer.Tx }

func (n nobody) Session(id string) (issuer.Session, issuer.Subject, error) {
	session, subject, err := n.Tx.Session(id)
	subject.Deleted = session.Created
	return session, subject, err
}

// TestRefreshWithoutSubject: the tokens of a subject that is gone are of no use.
func TestRefreshWithoutSubject(t *testing.T) {
	f := newFixture(t, config())
	tokens := f.login()
	lost, err := issuer.New(t.Context(), deserted{f.openStore()}, f.config)
	f.do(err)
	defer lost.Close()
	f.Issuer = lost
	f.refuseRefresh(tokens.Refresh)
}

// TestRefreshNewIssuerURL: refresh tokens are bound to the issuer.
func TestRefreshNewIssuerURL(t *testing.T) {
	f := newFixture(t, config())
	tokens := f.login()
	f.config.URL = "https://login.example.com"
	f.restart()
	f.refuseRefresh(tokens.Refresh)
}
