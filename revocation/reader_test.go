package revocation

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
)

// bubble runs a test on fake time and checks that closed readers leave no goroutine: a bubble with one
// left never ends.
func bubble(t *testing.T, test func(t *testing.T, f *fakeFeed)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newFakeFeed(t)) })
}

func TestReaderFollowsTheFeed(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		f.revoke(sessionRule("before"))
		r := watch(t, f.options())
		defer r.Close()
		if err := r.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.says("before", jot.Revoked)
		r.says("later", jot.Current)
		f.revoke(sessionRule("later"), sessionRule("also"))
		synctest.Wait()
		r.says("later", jot.Revoked)
		r.says("also", jot.Revoked)
		r.says("never", jot.Current)
		time.Sleep(20 * time.Minute)
		f.revoke(sessionRule("at last"))
		synctest.Wait()
		r.says("at last", jot.Revoked)
		s := r.State()
		if s.LogID != "log-1" || s.Sequence != 4 || s.MaxTTL != time.Hour || s.Lag != 0 || s.LastError != nil || s.ConnectedSince.IsZero() {
			t.Errorf("%+v", s)
		}
		if snapshots, streams := f.asked(); snapshots != 1 || streams < 4 {
			t.Errorf("%d snapshots, %d streams in 20 min, want 1 and at least 4, to compare the clocks", snapshots, streams)
		}
	})
}

func TestReaderSaysNothingBeforeItIsFresh(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		f.do(func() { f.refuse = func(*http.Request) *http.Response { return answer(503, "", nil) } })
		r := watch(t, f.options())
		defer r.Close()
		synctest.Wait()
		r.saysNothing()
		f.honest()
		if err := r.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.says("never", jot.Current)
	})
}

func TestReaderNeverLosesItsLeaseOnAGoodFeed(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		r := watch(t, f.options())
		defer r.Close()
		if err := r.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 3000 {
			time.Sleep(333 * time.Millisecond)
			if s := r.State(); s.Lease < 8*time.Second || s.LastError != nil {
				t.Fatalf("%+v", s)
			}
		}
	})
}

func TestReaderResumesWithoutASnapshot(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		r := watch(t, f.options())
		defer r.Close()
		if err := r.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.do(func() { f.refuse = func(*http.Request) *http.Response { return answer(503, "", nil) } })
		f.restart()
		f.revoke(sessionRule("meanwhile"))
		time.Sleep(4 * time.Second)
		r.says("meanwhile", jot.Current) // the lease still holds
		f.do(func() { f.refuse = nil })
		time.Sleep(5 * time.Second)
		r.says("meanwhile", jot.Revoked)
		if snapshots, _ := f.asked(); snapshots != 1 {
			t.Errorf("%d snapshots, want 1", snapshots)
		}
	})
}

func TestLeaseEndsWhenTheFeedFallsSilent(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		r := watch(t, f.options())
		defer r.Close()
		if err := r.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5500 * time.Millisecond) // the last heartbeat is half a second old
		f.do(func() { f.spoilBytes = func(int, []byte) [][]byte { return nil } })
		f.revoke(sessionRule("silenced"))
		time.Sleep(9499 * time.Millisecond)
		r.says("silenced", jot.Current)
		time.Sleep(2 * time.Millisecond)
		r.saysNothing()
		time.Sleep(time.Minute)
		r.saysNothing()
		if told := r.told(); !strings.Contains(told, "silent") {
			t.Error(told)
		}
		f.do(func() { f.spoilBytes = nil })
		time.Sleep(10 * time.Second)
		r.says("silenced", jot.Revoked)
	})
}

// A proxy that holds everything back by a constant time proves nothing, and neither does one that holds
// back a little more with every frame.
func TestDelayRenewsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		r := watch(t, f.options())
		defer r.Close()
		if err := r.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.do(func() { f.delay = func(made time.Duration) time.Duration { return made + time.Minute } })
		f.restart()
		f.revoke(sessionRule("held back"))
		time.Sleep(10*time.Second + time.Millisecond)
		for range 200 {
			r.saysNothing()
			time.Sleep(time.Second)
		}
	})
	bubble(t, func(t *testing.T, f *fakeFeed) {
		f.delay = func(made time.Duration) time.Duration { return made * 5 / 2 }
		r := watch(t, f.options())
		defer r.Close()
		if err := r.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, before := f.asked()
		time.Sleep(6100 * time.Millisecond)
		f.revoke(sessionRule("stretched")) // arrives after 15.25 s
		time.Sleep(9 * time.Second)        // the statement that arrived last was made after 6 s
		r.says("stretched", jot.Current)
		if s := r.State(); s.Lag < 8*time.Second || s.Lease > 2*time.Second {
			t.Errorf("%+v", s)
		}
		time.Sleep(3 * time.Second) // 18.1 s: what arrived last was made after 7 s, more than 10 s ago
		r.saysNothing()
		time.Sleep(time.Minute)
		r.saysNothing()
		if _, streams := f.asked(); streams != before {
			t.Error("the stream was given up: this doesn't test what it should")
		}
	})
}

// A log of the same name and length that holds other rules is a fork.
func TestForkOfTheSameLength(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		f.revoke(sessionRule("a"), sessionRule("b"))
		r := watch(t, f.options())
		defer r.Close()
		time.Sleep(1500 * time.Millisecond)
		f.restore("log-1", sessionRule("a"), sessionRule("c"))
		time.Sleep(15 * time.Second)
		r.saysNothing()
		if told := r.told(); !strings.Contains(told, "forked") {
			t.Error(told)
		}
	})
}

// Even a snapshot that was never proven fresh is signed: no later one may go back behind it.
func TestSnapshotsDoNotGoBack(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		f.revoke(sessionRule("a"), sessionRule("b"))
		f.do(func() { f.spoilFrame = func(_ int, _ *Frame, s *Statement) { s.Nonce = "another's" } })
		r := watch(t, f.options())
		defer r.Close()
		time.Sleep(10 * time.Second)
		f.restore("log-1", f.rules[0])
		f.honest()
		time.Sleep(15 * time.Second)
		r.saysNothing()
		if told := r.told(); !strings.Contains(told, "rolled back from 2 to 1") {
			t.Error(told)
		}
	})
}

// The snapshot of another log changes nothing until the live stream has proven that log fresh.
func TestUnprovenSnapshotAnswersNothing(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		rule := sessionRule("a")
		f.revoke(rule)
		r := watch(t, f.options())
		defer r.Close()
		time.Sleep(5500 * time.Millisecond)
		f.do(func() { f.spoilFrame = func(_ int, _ *Frame, s *Statement) { s.Nonce = "old" } })
		f.restore("log-0")
		for range 90 {
			r.says("a", jot.Revoked)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Second)
		r.saysNothing()
		f.restore("log-1", rule)
		f.honest()
		time.Sleep(10 * time.Second)
		r.says("a", jot.Revoked)
	})
}

// The issuer's clock goes ahead for some seconds: what was revoked before stays revoked, while it does and
// ever after.
func TestClockThatWentAhead(t *testing.T) {
	for name, reconnect := range map[string]func(f *fakeFeed){
		"in the stream":       func(*fakeFeed) {},
		"before a connection": (*fakeFeed).restart,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fakeFeed) {
				r := watch(t, f.options())
				defer r.Close()
				f.revoke(sessionRule("gone"))
				if err := r.WaitFresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				for _, offset := range []time.Duration{24 * time.Hour, 0} {
					f.do(func() { f.offset = offset })
					reconnect(f)
					for range 600 {
						time.Sleep(10 * time.Millisecond)
						r.says("gone", jot.Revoked)
					}
				}
				r.says("never", jot.Current)
				time.Sleep(50 * time.Minute)
				r.says("gone", jot.Revoked)
			})
		})
	}
}

// A snapshot that was made while the issuer's clock was ahead lacks rules that are needed when it isn't.
func TestSnapshotOfAClockThatWentAhead(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		f.revoke(sessionRule("gone"))
		f.spoilSnapshot = func(s *Statement, _ []Rule) []Rule {
			s.Time = s.Time.Add(24 * time.Hour)
			return nil
		}
		r := watch(t, f.options())
		defer r.Close()
		time.Sleep(3 * time.Second)
		r.saysNothing()
		if told := r.told(); !strings.Contains(told, "set back") {
			t.Error(told)
		}
		f.do(func() { f.spoilSnapshot = nil })
		time.Sleep(10 * time.Second)
		r.says("gone", jot.Revoked)
	})
}

// A statement that the lease refuses drops no rule.
func TestUnjudgedTimeSweepsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		r := watch(t, f.options())
		defer r.Close()
		f.revoke(sessionRule("gone"))
		if err := r.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.do(func() { f.refuse = func(*http.Request) *http.Response { return answer(503, "", nil) } })
		f.do(func() { f.offset = 24 * time.Hour })
		time.Sleep(5 * time.Second) // the old lease still holds
		r.says("gone", jot.Revoked)
	})
}

// A token that is older than any token can be may have outlived its rule, and one from the future will.
func TestTokenThatOutlivesItsRules(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		f.offset = 48 * time.Hour // the age is judged by the issuer's clock
		o := f.options()
		o.ForeignIssuers = map[string]time.Duration{otherIssuer: 2 * time.Hour}
		r := watch(t, o)
		defer r.Close()
		time.Sleep(5500 * time.Millisecond)
		for _, c := range []struct {
			issuer string
			age    time.Duration
			want   jot.Verdict
		}{
			{testIssuer, 0, jot.Current},
			{testIssuer, time.Hour + skew, jot.Current},
			{testIssuer, time.Hour + skew + 2*time.Second, jot.Revoked},
			{testIssuer, -skew, jot.Current},
			{testIssuer, -skew - 2*time.Second, jot.Revoked},
			{otherIssuer, 2*time.Hour + skew, jot.Current}, // whose tokens live for longer
			{otherIssuer, 2*time.Hour + skew + 2*time.Second, jot.Revoked},
			{otherIssuer, -skew - 2*time.Second, jot.Revoked},
		} {
			facts := sessionFacts("s")
			facts.Issuer, facts.IssuedAt = []byte(c.issuer), time.Now().Add(f.offset-c.age).Unix()
			if got, err := r.CheckRevocation(t.Context(), facts); err != nil || got != c.want {
				t.Errorf("a token of %s, %v old: %v, %v, want %v", c.issuer, c.age, got, err, c.want)
			}
		}
	})
}

// A token that doesn't say when it was issued outlives its rule, too, and nobody can tell when.
func TestTokenOfUnknownAge(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		r := watch(t, f.options())
		defer r.Close()
		f.revoke(sessionRule("a"))
		facts := sessionFacts("a")
		facts.HasIssuedAt, facts.IssuedAt = false, 0
		for _, later := range []time.Duration{3 * time.Second, 62 * time.Minute} {
			time.Sleep(later)
			if got := r.answer(facts); got != "refused" {
				t.Errorf("%v later: %s", later, got)
			}
		}
	})
}

func TestClose(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		r := watch(t, f.options())
		if err := r.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			r.saysNothing()
		}
		if err := r.WaitFresh(t.Context()); err == nil {
			t.Error("a closed reader is fresh")
		}
		before, _ := f.asked()
		time.Sleep(time.Hour)
		if after, _ := f.asked(); after != before {
			t.Error("a closed reader asks")
		}
	})
	bubble(t, func(t *testing.T, f *fakeFeed) { // while it waits to try again
		f.refuse = func(*http.Request) *http.Response { return answer(500, "", nil) }
		r := watch(t, f.options())
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.WaitFresh(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "answered 500") {
			t.Error(err)
		}
		waiting := make(chan error)
		go func() { waiting <- r.WaitFresh(t.Context()) }()
		synctest.Wait()
		r.Close()
		if err := <-waiting; err == nil {
			t.Error("a closed reader is fresh")
		}
	})
}

func TestReaderDoesNotAllocatePerToken(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		r := watch(t, f.options())
		defer r.Close()
		if err := r.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, facts := t.Context(), sessionFacts("s")
		if n := testing.AllocsPerRun(100, func() { _, _ = r.CheckRevocation(ctx, facts) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

func TestReaderOptionsAreChecked(t *testing.T) {
	f := newFakeFeed(t)
	for name, spoil := range map[string]func(*ReaderOptions){
		"no URL":            func(o *ReaderOptions) { o.URL = "" },
		"relative URL":      func(o *ReaderOptions) { o.URL = "/feed" },
		"plain http":        func(o *ReaderOptions) { o.URL = "http://auth.example.com/feed" },
		"loopback in name":  func(o *ReaderOptions) { o.URL = "http://localhost.example.com/feed" },
		"another scheme":    func(o *ReaderOptions) { o.URL = "ftp://localhost/feed" },
		"user in URL":       func(o *ReaderOptions) { o.URL = "https://u:p@auth.example.com/feed" },
		"query in URL":      func(o *ReaderOptions) { o.URL = "https://auth.example.com/feed?a=b" },
		"fragment in URL":   func(o *ReaderOptions) { o.URL = "https://auth.example.com/feed#a" },
		"no host in URL":    func(o *ReaderOptions) { o.URL = "https:///feed" },
		"policy too low":    func(o *ReaderOptions) { o.WithoutLease = Closed - 1 },
		"policy too high":   func(o *ReaderOptions) { o.WithoutLease = Open + 1 },
		"no issuer":         func(o *ReaderOptions) { o.Issuer = "" },
		"no keys":           func(o *ReaderOptions) { o.Keys = nil },
		"no credential":     func(o *ReaderOptions) { o.Credential = "" },
		"credential, lines": func(o *ReaderOptions) { o.Credential = "a\r\nb: c" },
		"short staleness":   func(o *ReaderOptions) { o.MaxStaleness = time.Second },
		"negative bound":    func(o *ReaderOptions) { o.MaxRules = -1 },
	} {
		o := f.options()
		spoil(&o)
		if r, err := NewReader(o); err == nil {
			r.Close()
			t.Errorf("%s: accepted", name)
		}
	}
	for advice, spoil := range map[string]func(*ReaderOptions){
		"strings.TrimSpace":          func(o *ReaderOptions) { o.Credential += "\n" }, // as a file has it
		"give ReaderOptions.Issuer,": func(o *ReaderOptions) { o.Issuer = "" },
		"jot_feed_jwks_uri":          func(o *ReaderOptions) { o.Keys = nil },
	} {
		o := f.options()
		spoil(&o)
		if _, err := NewReader(o); err == nil || !strings.Contains(err.Error(), advice) {
			t.Errorf("%v, want the advice %q", err, advice)
		}
	}
	for _, url := range []string{"http://127.0.0.1:1/feed", "http://[::1]:1/feed/", "http://localhost:1/feed"} {
		o := f.options()
		o.URL = url
		o.Client = &http.Client{Transport: unreachable{}}
		r, err := NewReader(o)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		r.Close()
	}
}

type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("unreachable")
}

// A snapshot that never comes, or stops coming, is given up, so that a healed network is seen soon; one that
// comes slowly is not.
func TestSnapshotThatHangs(t *testing.T) {
	for name, hang := range map[string]func(snapshot []byte, out *io.PipeWriter){
		"at once": func([]byte, *io.PipeWriter) {},
		"midway":  func(snapshot []byte, out *io.PipeWriter) { out.Write(snapshot[:len(snapshot)/2]) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fakeFeed) {
				f.revoke(sessionRule("s"))
				f.refuse = func(r *http.Request) *http.Response { return f.pipe(r, hang) }
				r := watch(t, f.options())
				defer r.Close()
				time.Sleep(9 * time.Second)
				f.do(func() { f.refuse = nil })
				time.Sleep(2 * time.Second)
				r.says("s", jot.Revoked)
				if told := r.told(); !strings.Contains(told, "silent") {
					t.Error(told)
				}
			})
		})
	}
	bubble(t, func(t *testing.T, f *fakeFeed) {
		f.revoke(sessionRule("s"))
		f.refuse = func(r *http.Request) *http.Response {
			if r.URL.Path != "/feed/snapshot" {
				return nil
			}
			return f.pipe(r, func(snapshot []byte, out *io.PipeWriter) {
				for part := range slices.Chunk(snapshot, len(snapshot)/5+1) {
					time.Sleep(9 * time.Second)
					out.Write(part)
				}
				out.Close()
			})
		}
		r := watch(t, f.options())
		defer r.Close()
		time.Sleep(50 * time.Second)
		r.says("s", jot.Revoked)
	})
}
