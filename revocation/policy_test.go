package revocation

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// answer is what a reader says of a token, or "nothing".
func (w *watched) answer(f *jot.RevocationFacts) string {
	w.t.Helper()
	verdict, err := w.CheckRevocation(w.t.Context(), f)
	switch {
	case errors.Is(err, jot.ErrUnavailable) && verdict == jot.Revoked:
		return "nothing"
	case err != nil:
		w.t.Fatal(err)
	case verdict == jot.Current:
		return "accepted"
	}
	return "refused"
}

// aged is a token of a session, issued so long ago.
func aged(session string, age time.Duration) *jot.RevocationFacts {
	f := sessionFacts(session)
	f.IssuedAt = time.Now().Add(-age).Unix()
	return f
}

// Each policy answers for what it says, once the feed was proven fresh and then fell silent.
func TestPolicies(t *testing.T) {
	undated := func() *jot.RevocationFacts {
		f := sessionFacts("live")
		f.HasIssuedAt, f.IssuedAt = false, 0
		return f
	}
	for policy, want := range map[Policy][7]string{
		//         new         50 s        an hour     no iat      future      revoked    rules may be gone
		Closed:   {"nothing", "nothing", "nothing", "nothing", "nothing", "nothing", "nothing"},
		AgeLimit: {"accepted", "accepted", "nothing", "nothing", "nothing", "refused", "nothing"},
		Open:     {"accepted", "accepted", "accepted", "refused", "accepted", "refused", "refused"},
	} {
		bubble(t, func(t *testing.T, f *fakeFeed) {
			o := f.options()
			o.WithoutLease = policy
			f.do(func() { f.spoilBytes = func(int, []byte) [][]byte { return nil } })
			r := watch(t, o)
			time.Sleep(time.Minute)
			if got := r.answer(aged("live", 0)); got != "nothing" {
				t.Errorf("policy %d: %s before anything was proven", policy, got)
			}
			f.do(func() { f.spoilBytes = nil })
			if err := r.WaitFresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			f.revoke(sessionRule("revoked"))
			time.Sleep(3 * time.Second)
			r.says("revoked", jot.Revoked)
			f.do(func() { f.spoilBytes = func(int, []byte) [][]byte { return nil } })
			time.Sleep(5 * time.Minute)
			for n, facts := range []*jot.RevocationFacts{
				aged("live", 0), aged("live", 50*time.Second), aged("live", time.Hour), undated(), aged("live", -time.Hour), aged("revoked", 0),
				aged("live", 2*time.Hour),
			} {
				if got := r.answer(facts); got != want[n] {
					t.Errorf("policy %d, token %d: %s, want %s", policy, n, got, want[n])
				}
			}
			if lease := r.State().Lease; lease != 0 {
				t.Errorf("policy %d: a lease of %v", policy, lease)
			}
			r.Close()
			if got := r.answer(aged("live", 0)); got != "nothing" {
				t.Errorf("policy %d: %s after Close", policy, got)
			}
		})
	}
}

// Without a lease a token's error says what is wrong with the feed since it was good last, also to whoever gave no
// OnError, and never that the token is bad.
func TestNoLeaseSaysWhy(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		answers := func(status int) {
			f.do(func() { f.refuse = func(*http.Request) *http.Response { return answer(status, "", nil) } })
		}
		answers(401)
		r := watch(t, f.options())
		defer r.Close()
		says := func(want string) {
			t.Helper()
			time.Sleep(time.Minute)
			_, err := r.CheckRevocation(t.Context(), sessionFacts("s"))
			if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, jot.ErrUnavailable) || errors.Is(err, jot.ErrInvalidToken) {
				t.Errorf("%v, want %q", err, want)
			}
		}
		says("the issuer refused the credential")
		answers(404)
		says("the issuer answered 404: give the URL of its feed")
		_, stranger := feedKey(t)
		f.do(func() { f.refuse, f.signWith = nil, stranger })
		says("no key with this token's key ID")
		f.do(func() { f.signWith = nil })
		if err := r.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := (*r.noLease.Load()).Error(); got != "revocation: the feed is not fresh: jot: cannot verify now" {
			t.Errorf("%s, of a feed that is good again", got)
		}
		f.do(func() { f.spoilBytes = func(int, []byte) [][]byte { return nil } })
		says("the feed fell silent")
	})
}

// A machine that was suspended doesn't know how old a token is.
func TestAgeAfterSuspension(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		var jump atomic.Int64
		start := time.Now()
		o := f.options()
		o.WithoutLease = AgeLimit
		r := watchClock(t, o, func() instant {
			elapsed := time.Since(start)
			return instant{monotonic: elapsed, wall: elapsed + time.Duration(jump.Load())}
		})
		defer r.Close()
		if err := r.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.do(func() { f.spoilBytes = func(int, []byte) [][]byte { return nil } })
		time.Sleep(time.Minute)
		if got := r.answer(aged("live", 0)); got != "accepted" {
			t.Error(got)
		}
		jump.Add(int64(time.Hour))
		if got := r.answer(aged("live", 0)); got != "nothing" {
			t.Errorf("after a suspension: %s", got)
		}
	})
}
