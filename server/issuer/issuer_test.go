package issuer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// clock is a clock that stands still until it is moved.
type clock struct{ now atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.now.Store(time.Date(2030, 1, 2, 3, 4, 5, 678e6, time.UTC).UnixMilli())
	return c
}

func (c *clock) Now() time.Time          { return time.UnixMilli(c.now.Load()).UTC() }
func (c *clock) Advance(d time.Duration) { c.now.Add(d.Milliseconds()) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func config() issuer.Config {
	return issuer.Config{
		URL: "https://auth.example.com",
		Resources: []issuer.Resource{
			{Audience: "petstore", Scopes: []string{"pets:read", "pets:write", "pets:admin"}},
			{Audience: "zoo", Scopes: []string{"zoo:visit", "pets:read"}, AccessTTL: time.Minute},
		},
		Clients: []issuer.Client{
			{ID: "client_guest", Scopes: []string{"pets:read"}},
			{ID: "client_web", Scopes: []string{"pets:read", "pets:write", "zoo:visit"}, FirstParty: true},
		},
		KeyEncryptionKey: bytes.Repeat([]byte{7}, 32),
		Logger:           quiet,
	}
}

// fixture is an issuer over a database in a file, with one subject, "ann".
type fixture struct {
	*testing.T
	*issuer.Issuer
	config issuer.Config
	clock  *clock
	path   string
	store  issuer.Store // the one that was opened last
}

// newFixture opens an issuer on a clock that stands still; inside a synctest bubble, on the bubble's.
func newFixture(t *testing.T, c issuer.Config) *fixture {
	f := &fixture{T: t, config: c, clock: newClock(), path: filepath.Join(t.TempDir(), "data", "jot.db")}
	f.config.Now = f.clock.Now
	f.start()
	f.createSubject("ann")
	return f
}

func newBubbleFixture(t *testing.T, c issuer.Config) *fixture {
	f := &fixture{T: t, config: c, path: filepath.Join(t.TempDir(), "data", "jot.db")}
	f.start()
	f.createSubject("ann")
	return f
}

func (f *fixture) start() {
	f.Helper()
	i, err := f.open(f.config)
	if err != nil {
		f.Fatal(err)
	}
	f.Issuer = i
}

// open starts one more issuer on the database.
func (f *fixture) open(c issuer.Config) (*issuer.Issuer, error) {
	f.Helper()
	store, err := sqlstore.Open(f.Context(), f.path, sqlstore.Options{Now: c.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.store = store
	i, err := issuer.New(f.Context(), store, c)
	f.Cleanup(func() {
		if i != nil {
			i.Close()
		}
		store.Close()
	})
	return i, err
}

func (f *fixture) restart() {
	f.Helper()
	f.Close()
	f.start()
}

func (f *fixture) createSubject(id string) {
	f.Helper()
	claims := json.RawMessage(`{"roles": ["keeper"], "licensedFeatures": []}`)
	if err := f.CreateSubject(f.Context(), issuer.Subject{ID: id, Claims: claims, Scope: []string{"pets:read", "pets:write"}}); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) issue(g issuer.Grant) issuer.Tokens {
	f.Helper()
	tokens, err := f.Issue(f.Context(), g)
	if err != nil {
		f.Fatal(err)
	}
	return tokens
}

func (f *fixture) login() issuer.Tokens {
	f.Helper()
	return f.issue(issuer.Grant{Subject: "ann", AMR: []string{"pwd"}, UserAgent: "phone", Address: "192.0.2.1"})
}

func (f *fixture) refresh(token string) issuer.Tokens {
	f.Helper()
	tokens, err := f.tryRefresh(token)
	if err != nil {
		f.Fatal(err)
	}
	return tokens
}

func (f *fixture) tryRefresh(token string) (issuer.Tokens, error) {
	return f.Refresh(f.Context(), issuer.RefreshRequest{Token: token, UserAgent: "phone", Address: "192.0.2.1"})
}

// refuseRefresh checks that a refresh token isn't accepted.
func (f *fixture) refuseRefresh(token string) {
	f.Helper()
	if tokens, err := f.tryRefresh(token); !errors.Is(err, issuer.ErrInvalidGrant) {
		f.Fatalf("got %+v, %v, want ErrInvalidGrant", tokens, err)
	}
}

func (f *fixture) accept(access string) *jot.Token {
	f.Helper()
	token, err := f.Verifier().Verify(f.Context(), access)
	if err != nil {
		f.Fatal(err)
	}
	return token
}

// refuse checks that an access token is refused for a reason.
func (f *fixture) refuse(access string, want error) {
	f.Helper()
	if err := f.Verifier().Check(f.Context(), access); !errors.Is(err, want) {
		f.Fatalf("error %v, want %v", err, want)
	}
}

// do fails the test on an error.
func (f *fixture) do(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// events returns the kinds of all events but those that an administrator causes.
func (f *fixture) events() []issuer.EventKind {
	f.Helper()
	events, err := f.Events(f.Context(), issuer.EventFilter{}, 0, 1000)
	f.do(err)
	var kinds []issuer.EventKind
	for _, e := range events {
		if strings.HasPrefix(string(e.Kind), "refresh.") || strings.HasPrefix(string(e.Kind), "database.") {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

func TestRestart(t *testing.T) {
	f := newFixture(t, config())
	f.createSubject("bob")
	live, ended := f.login(), f.login()
	f.do(f.EndSession(t.Context(), "ann", ended.SessionID))
	banned := f.issue(issuer.Grant{Subject: "bob"})
	f.do(f.DisableSubject(t.Context(), "bob"))
	head, err := f.LogHead(t.Context())
	f.do(err)

	f.restart()
	f.accept(live.Access)
	f.refuse(ended.Access, jot.ErrRevoked)
	f.refuse(banned.Access, jot.ErrStaleClaims)
	f.refuseRefresh(ended.Refresh)
	f.refuseRefresh(banned.Refresh)
	f.accept(f.refresh(live.Refresh).Access)
	if again, err := f.LogHead(t.Context()); err != nil || again != head {
		t.Errorf("the log's head was %v and is %v, %v", head, again, err)
	}
}

// TestStartRace starts several issuers on one empty database: they must agree on keys and log, or tokens of one would
// be refused by another.
func TestStartRace(t *testing.T) {
	f := &fixture{T: t, config: config(), path: filepath.Join(t.TempDir(), "data", "jot.db")}
	const servers = 4
	issuers := make([]*issuer.Issuer, servers)
	var wait sync.WaitGroup
	for n := range issuers {
		wait.Go(func() {
			store, err := sqlstore.Open(t.Context(), f.path, sqlstore.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { store.Close() })
			if issuers[n], err = issuer.New(t.Context(), store, f.config); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if t.Failed() {
		return
	}
	for _, i := range issuers {
		defer i.Close()
	}
	f.Issuer = issuers[0]
	f.createSubject("ann")
	tokens := f.login()
	for _, i := range issuers {
		f.Issuer = i
		f.accept(tokens.Access)
		tokens = f.refresh(tokens.Refresh)
		if keys := len(i.KeySet().Keys()); keys != 2 {
			t.Errorf("%d keys are published, want 2", keys)
		}
	}
}

func TestWrongKeyEncryptionKey(t *testing.T) {
	f := newFixture(t, config())
	f.Close()
	wrong := f.config
	wrong.KeyEncryptionKey = bytes.Repeat([]byte{8}, 32)
	_, err := f.open(wrong)
	if err == nil || !strings.Contains(err.Error(), "start with the key-encryption key that this database was made with") {
		t.Fatalf("error %v doesn't say what to do", err)
	}
}

// TestReady: ready is who can write. An answer stands for a second, so that asking doesn't keep the disk busy.
func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		defer f.Close()
		f.do(f.Ready(t.Context()))
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		time.Sleep(time.Second)
		f.do(f.Ready(gone)) // whoever asked is gone, and the answer is for all
		f.do(f.openStore().Update(t.Context(), func(issuer.Tx) error {
			f.do(f.Ready(t.Context()))
			time.Sleep(time.Second)
			if err := f.Ready(t.Context()); !errors.Is(err, issuer.ErrUnavailable) {
				t.Errorf("while another process keeps the database locked: error %v, want ErrUnavailable", err)
			}
			return nil
		}))
		time.Sleep(time.Second)
		f.do(f.Ready(t.Context()))
		f.store.Close()
		time.Sleep(time.Second)
		if err := f.Ready(t.Context()); !errors.Is(err, issuer.ErrUnavailable) {
			t.Errorf("error %v, want ErrUnavailable", err)
		}
		if _, err := f.Issue(t.Context(), issuer.Grant{Subject: "ann"}); !errors.Is(err, issuer.ErrUnavailable) {
			t.Errorf("error %v, want ErrUnavailable", err)
		}
	})
}

// TestClose makes sure that the issuer's goroutine ends with it: a bubble waits for every goroutine in it.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		time.Sleep(time.Hour)
		f.do(f.Close())
	})
}

// TestContextOfNew: the context given to New is for starting only.
func TestContextOfNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		ctx, cancel := context.WithCancel(t.Context())
		c := config()
		c.KeyLifetime = time.Hour
		i, err := issuer.New(ctx, store, c)
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		cancel()
		f := &fixture{T: t, Issuer: i}
		f.createSubject("ann")
		before := f.next()
		time.Sleep(75 * time.Minute)
		if active := f.active(); active != before {
			t.Errorf("after its lifetime key %s signs, want %s", active, before)
		}
	})
}
