package feed_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/feed"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

const (
	audience   = "petstore"
	credential = "a-credential-of-at-least-32-characters"
	patience   = time.Minute // how long a test waits for what must happen, on a machine that others keep busy
)

// place is where a server stands, over restarts: its database and its address.
type place struct {
	file, address string
	snapshots     atomic.Int64
}

// server is the real thing: SQLite on disk, an issuer, the feed, HTTP over loopback.
type server struct {
	tb     testing.TB
	store  *sqlstore.Store
	issuer *issuer.Issuer
	feed   *feed.Server
	http   *http.Server
}

func newPlace(tb testing.TB) *place {
	return &place{file: filepath.Join(tb.TempDir(), "jot.db"), address: "127.0.0.1:0"}
}

func (p *place) start(tb testing.TB) *server {
	tb.Helper()
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		tb.Fatal(err)
	}
	p.address = listener.Addr().String()
	s := &server{tb: tb}
	if s.store, err = sqlstore.Open(tb.Context(), p.file, sqlstore.Options{}); err != nil {
		tb.Fatal(err)
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	s.issuer, err = issuer.New(tb.Context(), s.store, issuer.Config{
		URL: "http://" + p.address, Resources: []issuer.Resource{{Audience: audience}},
		Clients: []issuer.Client{{ID: "client_app", FirstParty: true}}, KeyEncryptionKey: make([]byte, 32), Logger: quiet,
	})
	if err != nil {
		tb.Fatal(err)
	}
	if s.feed, err = feed.New(s.issuer, feed.Config{Credentials: []string{credential}, Logger: quiet}); err != nil {
		tb.Fatal(err)
	}
	mux := http.NewServeMux()
	s.feed.Register(mux)
	s.http = &http.Server{ReadTimeout: time.Second, WriteTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/feed/snapshot" { // it redirects
			p.snapshots.Add(1)
		}
		mux.ServeHTTP(w, r)
	})}
	go s.http.Serve(listener)
	return s
}

func (s *server) stop() {
	s.tb.Helper()
	s.feed.EndStreams()
	if err := errors.Join(s.http.Shutdown(context.Background()), s.feed.Close(), s.issuer.Close(), s.store.Close()); err != nil {
		s.tb.Error(err)
	}
}

// verifier is an API's: it knows the issuer's public keys, and follows its feed.
type verifier struct {
	*jot.Verifier
	*revocation.Reader
}

func (s *server) verifier() verifier {
	s.tb.Helper()
	reader, err := revocation.NewReader(revocation.ReaderOptions{
		URL: s.issuer.URL() + "/feed", Issuer: s.issuer.URL(), Keys: s.issuer.FeedKeySet(), Credential: credential, MaxStaleness: time.Minute, // no busy machine ends that
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	v, err := jot.NewVerifier(s.issuer.KeySet(), jot.VerifierOptions{
		Issuer: s.issuer.URL(), Audience: audience, Type: "at+jwt", Revocation: reader,
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	return verifier{v, reader}
}

// logIn makes a subject with a session.
func (s *server) logIn() issuer.Tokens {
	s.tb.Helper()
	subject, err := issuer.NewSubject(nil, nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	if err := s.issuer.CreateSubject(s.tb.Context(), subject); err != nil {
		s.tb.Fatal(err)
	}
	tokens, err := s.issuer.Issue(s.tb.Context(), issuer.Grant{Subject: subject.ID, AMR: []string{"pwd"}})
	if err != nil {
		s.tb.Fatal(err)
	}
	return tokens
}

// untilRefused returns how long it takes until the verifier refuses the token because of a rule.
func untilRefused(ctx context.Context, v verifier, token string) (time.Duration, error) {
	for began := time.Now(); ; {
		err := v.Check(ctx, token)
		took := time.Since(began)
		switch {
		case errors.Is(err, jot.ErrRevoked), errors.Is(err, jot.ErrStaleClaims):
			return took, nil
		case err != nil:
			return took, err
		case took > patience:
			return took, fmt.Errorf("accepted for %v", took)
		}
		time.Sleep(50 * time.Microsecond)
	}
}

func TestRevokedEverywhere(t *testing.T) {
	before := runtime.NumGoroutine()
	s := newPlace(t).start(t)
	var verifiers []verifier
	for range 5 {
		verifiers = append(verifiers, s.verifier())
	}
	for _, v := range verifiers {
		if err := v.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	revocations := map[string]func(issuer.Tokens) error{
		"token":      func(g issuer.Tokens) error { return s.issuer.RevokeToken(t.Context(), g.Access, "client_app") },
		"session":    func(g issuer.Tokens) error { return s.issuer.EndSession(t.Context(), g.Subject, g.SessionID) },
		"everywhere": func(g issuer.Tokens) error { return s.issuer.EndSessions(t.Context(), g.Subject) },
		"ban":        func(g issuer.Tokens) error { return s.issuer.DisableSubject(t.Context(), g.Subject) },
		"refresh":    func(g issuer.Tokens) error { return s.issuer.RevokeToken(t.Context(), g.Refresh, "client_app") },
	}
	for name, revoke := range revocations {
		victim, bystander := s.logIn(), s.logIn()
		if err := verifiers[0].Check(t.Context(), victim.Access); err != nil {
			t.Fatalf("%s: before: %v", name, err)
		}
		if err := revoke(victim); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, v := range verifiers {
			if took, err := untilRefused(t.Context(), v, victim.Access); err != nil {
				t.Errorf("%s: after %v: %v", name, took, err)
			}
			if err := v.Check(t.Context(), bystander.Access); err != nil {
				t.Errorf("%s: somebody else's token: %v", name, err)
			}
		}
	}
	for _, v := range verifiers {
		v.Close()
	}
	s.stop()
	goroutinesEnd(t, before)
}

// goroutinesEnd checks that no more goroutines are left than there were.
func goroutinesEnd(t *testing.T, before int) {
	t.Helper()
	var left int
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if left = runtime.NumGoroutine(); left <= before {
			return
		}
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("%d goroutines are left of %d:\n%s", left, before, stacks[:runtime.Stack(stacks, true)])
}

// No rule waits for a heartbeat: it would wait for almost a second each time, since each is revoked right after one. A
// machine that is busy may take as long, but not every time. How short the delay is, on a machine that has nothing else
// to do, is measured by make bench-revocation.
func TestDelayToRefusal(t *testing.T) {
	s := newPlace(t).start(t)
	defer s.stop()
	v := s.verifier()
	defer v.Close()
	if err := v.WaitFresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	var delays []time.Duration
	for range 30 {
		delays = append(delays, delayToRefusal(t, s, v, func() { heartbeat(t, v) }))
		if delays[len(delays)-1] < time.Second/2 { // heartbeats are a second apart
			return
		}
	}
	t.Errorf("%v, as if rules waited for the heartbeat", delays)
}

// heartbeat waits for the next one.
func heartbeat(t *testing.T, v verifier) {
	t.Helper()
	before := v.State().Lease
	eventually(t, func() bool {
		lease := v.State().Lease
		longer := lease > before
		before = lease
		return longer
	})
}

// delayToRefusal logs somebody in, and out again at a moment that is waited for.
func delayToRefusal(tb testing.TB, s *server, v verifier, await func()) time.Duration {
	tb.Helper()
	tokens := s.logIn()
	if err := v.Check(tb.Context(), tokens.Access); err != nil {
		tb.Fatal(err)
	}
	await()
	if err := s.issuer.EndSession(tb.Context(), tokens.Subject, tokens.SessionID); err != nil {
		tb.Fatal(err)
	}
	delay, err := untilRefused(tb.Context(), v, tokens.Access)
	if err != nil {
		tb.Fatal(err)
	}
	return delay
}

func BenchmarkDelayToRefusal(b *testing.B) {
	for _, others := range []int{0, 99} {
		b.Run(fmt.Sprint(others+1, "-verifiers"), func(b *testing.B) {
			s := newPlace(b).start(b)
			defer s.stop()
			var v verifier
			for range others + 1 {
				v = s.verifier()
				defer v.Close()
				if err := v.WaitFresh(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			var delays []time.Duration
			for b.Loop() {
				delays = append(delays, delayToRefusal(b, s, v, func() {}))
			}
			slices.Sort(delays)
			b.ReportMetric(float64(delays[len(delays)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(delays[len(delays)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// A restarted server is the same log: its readers go on where they were, without a snapshot, and what was
// revoked while they were apart is refused.
func TestServerRestart(t *testing.T) {
	p := newPlace(t)
	s := p.start(t)
	v := s.verifier()
	defer v.Close()
	if err := v.WaitFresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	first, second := s.logIn(), s.logIn()
	if err := s.issuer.EndSession(t.Context(), first.Subject, first.SessionID); err != nil {
		t.Fatal(err)
	}
	if _, err := untilRefused(t.Context(), v, first.Access); err != nil {
		t.Fatal(err)
	}
	before := p.snapshots.Load() // one, but for a machine that is so busy that the first one broke off
	s.stop()
	if err := v.Check(t.Context(), first.Access); !errors.Is(err, jot.ErrRevoked) {
		t.Errorf("without the server: %v", err)
	}
	s = p.start(t)
	defer s.stop()
	if err := s.issuer.EndSession(t.Context(), second.Subject, second.SessionID); err != nil {
		t.Fatal(err)
	}
	if took, err := untilRefused(t.Context(), v, second.Access); err != nil {
		t.Errorf("after %v: %v; %+v", took, err, v.State())
	}
	if n := p.snapshots.Load(); n != before {
		t.Errorf("%d snapshots after the restart, want none", n-before)
	}
}

// A rule that another process writes over the same database reaches the readers too.
func TestTwoIssuersOverOneDatabase(t *testing.T) {
	p := newPlace(t)
	s := p.start(t)
	defer s.stop()
	v := s.verifier()
	defer v.Close()
	if err := v.WaitFresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	store, err := sqlstore.Open(t.Context(), p.file, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	other, err := issuer.New(t.Context(), store, issuer.Config{
		URL: s.issuer.URL(), Resources: s.issuer.Resources(), Clients: s.issuer.Clients(), KeyEncryptionKey: make([]byte, 32),
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tokens := s.logIn()
	if err := other.EndSession(t.Context(), tokens.Subject, tokens.SessionID); err != nil {
		t.Fatal(err)
	}
	if took, err := untilRefused(t.Context(), v, tokens.Access); err != nil {
		t.Errorf("after %v: %v", took, err)
	}
}

// Changed claims are stale at once when the change is hard, and a refresh is advised when it's soft.
func TestChangedClaims(t *testing.T) {
	s := newPlace(t).start(t)
	defer s.stop()
	v := s.verifier()
	defer v.Close()
	if err := v.WaitFresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	tokens := s.logIn()
	if err := s.issuer.ChangeSubject(t.Context(), tokens.Subject, issuer.Change{Claims: []byte(`{"plan":"pro"}`), Soft: true}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		token, err := v.Verify(t.Context(), tokens.Access)
		return err == nil && token.RefreshAdvised()
	})
	if err := s.issuer.ChangeSubject(t.Context(), tokens.Subject, issuer.Change{Claims: []byte(`{"plan":"free"}`)}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return errors.Is(v.Check(t.Context(), tokens.Access), jot.ErrStaleClaims) })
}

func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Errorf("not within %v", patience)
}
