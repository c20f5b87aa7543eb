package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	shortLease = 2 * time.Second // the shortest that a reader allows
	heartbeat  = time.Second     // of the feed
)

// guard is an API's verifier with its own way to the feed. Its keys are those of the site, by another way.
type guard struct {
	*jot.Verifier
	reader *revocation.Reader
	api    string // answers 204 to whom it accepts
}

func (s *site) guard(t *testing.T, feed string, policy revocation.Policy) guard {
	t.Helper()
	keys, err := jwks.NewSource(s.url+"/feed/jwks.json", jwks.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close() })
	reader, err := revocation.NewReader(revocation.ReaderOptions{
		URL: feed + "/feed", Issuer: s.url, Keys: keys, Credential: s.credential, MaxStaleness: shortLease, WithoutLease: policy,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	verifier, err := jot.NewVerifier(s.server.Issuer().KeySet(), jot.VerifierOptions{Issuer: s.url, Audience: "petstore", Type: "at+jwt", Revocation: reader})
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(jothttp.Protect(verifier)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })))
	t.Cleanup(api.Close)
	return guard{verifier, reader, api.URL}
}

// justHeard returns right after a heartbeat, however late that came, and how long the lease lasts from then on.
func (g guard) justHeard(t *testing.T) (from time.Time, lease time.Duration) {
	t.Helper()
	before := g.reader.State().Lease
	eventually(t, "a lease renewed by a heartbeat", func() bool {
		from, lease = time.Now(), g.reader.State().Lease
		renewed := lease > before
		before = lease
		return renewed
	})
	return from, lease
}

// ask asks until a time about a token that was revoked after the cut. It returns when it was accepted last, as of
// before the answer, and when the verifier first had no answer, as of after that.
func (g guard) ask(t *testing.T, token string, until time.Time) (accepted, silent time.Time) {
	t.Helper()
	for {
		asked := time.Now()
		err := g.Check(t.Context(), token)
		switch {
		case err == nil:
			accepted = asked
		case errors.Is(err, jot.ErrUnavailable) && silent.IsZero():
			silent = time.Now()
		case !errors.Is(err, jot.ErrUnavailable) && !errors.Is(err, jot.ErrRevoked):
			t.Fatal(err)
		}
		if asked.After(until) {
			return accepted, silent
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// Promise 3: whatever the network does, a verifier that is cut off goes on by what it knows until its lease ends, no
// longer than MaxStaleness after the cut, and by its policy from then on. The session is revoked right after the cut,
// so that the verifier can't know.
func TestVerifierThatIsCutOff(t *testing.T) {
	for name, f := range map[string]fault{
		"partition":                         {lost: true},
		"delay":                             {late: 6 * shortLease}, // a minute for the lease that is usual
		"half-close":                        {closed: true},
		"delay that keeps the stream alive": {late: shortLease + heartbeat/2}, // each frame is too old when it comes, and the next one isn't missed
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			pair, bystander := s.signUpAndLogIn(t, "ada"), s.signUpAndLogIn(t, "bob")
			if err := s.server.Issuer().CreateSubject(t.Context(), issuer.Subject{ID: "carol"}); err != nil {
				t.Fatal(err)
			}
			w := newWire(t, s.url)
			guards := map[revocation.Policy]guard{}
			for _, policy := range []revocation.Policy{revocation.Closed, revocation.AgeLimit, revocation.Open} {
				guards[policy] = s.guard(t, w.url, policy)
				if err := guards[policy].reader.WaitFresh(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			closed := guards[revocation.Closed]
			heard, lease := closed.justHeard(t)
			w.suffer(f)
			cut := time.Now()
			if status, body := s.post(t, "/v1/logout", pair.Access, struct{}{}); status != http.StatusNoContent {
				t.Fatalf("log out: %d %s", status, body)
			}
			accepted, silent := closed.ask(t, pair.Access, cut.Add(shortLease+heartbeat))
			if accepted.After(cut.Add(shortLease)) {
				t.Errorf("accepted %v after the cut, with a lease of %v", accepted.Sub(cut), shortLease)
			}
			if early := heard.Add(lease).Sub(silent); early > 0 {
				t.Errorf("no answer %v before the lease ended", early)
			}
			for until := time.Now().Add(heartbeat); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
				if err := closed.Check(t.Context(), bystander.Access); !errors.Is(err, jot.ErrUnavailable) {
					t.Fatalf("Closed, without a lease: %v", err)
				}
			}
			if status, retry := statusOf(t, closed.api, pair.Access); status != http.StatusServiceUnavailable || retry == "" {
				t.Errorf("Closed: the API answers %d, Retry-After %q", status, retry)
			}
			young, err := s.server.Issuer().Issue(t.Context(), issuer.Grant{Subject: "carol"})
			if err != nil {
				t.Fatal(err)
			}
			for _, policy := range []revocation.Policy{revocation.AgeLimit, revocation.Open} {
				if err := guards[policy].Check(t.Context(), young.Access); err != nil {
					t.Errorf("policy %d: %v", policy, err)
				}
			}
			w.heal()
			for policy, g := range guards {
				eventually(t, fmt.Sprintf("the refusal after the cut under policy %d", policy), func() bool {
					status, _ := statusOf(t, g.api, pair.Access)
					return status == http.StatusUnauthorized && errors.Is(g.Check(t.Context(), pair.Access), jot.ErrRevoked)
				})
			}
		})
	}
}

// Bytes that arrive twice cut nobody off for good, and let nobody in.
func TestVerifierWhoseBytesAreDoubled(t *testing.T) {
	s := newSite(t)
	w := newWire(t, s.url)
	g := s.guard(t, w.url, revocation.Closed)
	if err := g.reader.WaitFresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.suffer(fault{doubled: true})
	for _, name := range []string{"ada", "bob"} { // the second finds the stream as the first left it
		pair := s.signUpAndLogIn(t, name)
		if status, body := s.post(t, "/v1/logout", pair.Access, struct{}{}); status != http.StatusNoContent {
			t.Fatalf("log out: %d %s", status, body)
		}
		revoked := time.Now()
		if accepted, _ := g.ask(t, pair.Access, revoked.Add(shortLease+heartbeat)); accepted.After(revoked.Add(shortLease)) {
			t.Errorf("accepted %v after it was revoked", accepted.Sub(revoked))
		}
	}
	w.heal()
	eventually(t, "a lease", func() bool { return g.reader.State().Lease > 0 })
}

// Promise 4, its first half: a verifier that starts, or starts again, answers 503 to everybody until the feed is proven
// fresh.
func TestRestartedVerifierKnowsNothing(t *testing.T) {
	s := newSite(t)
	pair := s.signUpAndLogIn(t, "ada")
	w := newWire(t, s.url)
	first := s.guard(t, w.url, revocation.Open)
	waitFor(t, func() int { status, _ := statusOf(t, first.api, pair.Access); return status }, http.StatusNoContent)
	first.reader.Close()
	for _, f := range []fault{{lost: true}, {late: time.Hour}, {closed: true}} {
		w.suffer(f)
		again := s.guard(t, w.url, revocation.Open)
		for deadline := time.Now().Add(heartbeat); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if status, retry := statusOf(t, again.api, pair.Access); status != http.StatusServiceUnavailable || retry == "" {
				t.Fatalf("under %+v a verifier that has just started answers %d, Retry-After %q", f, status, retry)
			}
		}
		w.heal()
		waitFor(t, func() int { status, _ := statusOf(t, again.api, pair.Access); return status }, http.StatusNoContent)
	}
}
