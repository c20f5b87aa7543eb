package revocation

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
)

// What a statement is good for, by when it was asked for, what time it names and when it arrives. All
// numbers are milliseconds; the first statement of each connection names 0 on the issuer's clock.
func TestLease(t *testing.T) {
	type arrival struct {
		says, at, wall int64
		until          int64
		err            error
	}
	for name, arrivals := range map[string][]arrival{
		"at once":                          {{0, 0, 0, 10_000, nil}, {1000, 1000, 1000, 11_000, nil}},
		"the answer took a second":         {{0, 1000, 1000, 10_000, nil}, {1000, 2000, 2000, 11_000, nil}},
		"all is late by a minute":          {{0, 60_000, 60_000, 10_000, nil}, {1000, 61_000, 61_000, 11_000, nil}},
		"the second is late":               {{0, 0, 0, 10_000, nil}, {1000, 9000, 9000, 11_000, nil}},
		"said twice":                       {{0, 0, 0, 10_000, nil}, {0, 5000, 5000, 10_000, nil}},
		"the issuer's clock is fast":       {{0, 0, 0, 10_000, nil}, {1900, 1000, 1000, 11_000, nil}},
		"the issuer's clock was set ahead": {{0, 0, 0, 10_000, nil}, {2001, 1000, 1000, 0, errRemap}},
		"the issuer's clock was set back":  {{0, 0, 0, 10_000, nil}, {-1, 1000, 1000, 0, errBackwards}},
		"the wall clock was set back":      {{0, 0, 0, 10_000, nil}, {1000, 1000, -99_000, 11_000, nil}},
		"the wall clock is a little fast":  {{0, 0, 0, 10_000, nil}, {1000, 1000, 2000, 11_000, nil}},
		"it gains in small steps":          {{0, 0, 0, 10_000, nil}, {1000, 1000, 1900, 11_000, nil}, {2000, 2000, 3800, 12_000, nil}},
		"suspended":                        {{0, 0, 0, 10_000, nil}, {1000, 1000, 2001, 0, errSuspended}},
		"suspended before the answer":      {{0, 0, 5000, 0, errSuspended}},
	} {
		l := newLink("nonce", instant{})
		for n, a := range arrivals {
			now := instant{time.Duration(a.at) * time.Millisecond, time.Duration(a.wall) * time.Millisecond}
			got, err := l.lease(time.UnixMilli(a.says), now, 10*time.Second)
			if !errors.Is(err, a.err) || got.until.Milliseconds() != a.until {
				t.Errorf("%s: statement %d: until %v, %v, want %d ms, %v", name, n, got.until, err, a.until, a.err)
			}
		}
	}
}

// A longer lease from an earlier connection stays good for the same rules, unless the machine was suspended since.
func TestLongerLeaseStays(t *testing.T) {
	set := NewSet()
	for name, c := range map[string]struct {
		before, until time.Duration // the leases' ends
		now           instant
		rules         *Set
		want          time.Duration
	}{
		"a longer one":  {20 * time.Second, 15 * time.Second, instant{time.Second, time.Second}, set, 20 * time.Second},
		"a shorter one": {12 * time.Second, 15 * time.Second, instant{time.Second, time.Second}, set, 15 * time.Second},
		"other rules":   {20 * time.Second, 15 * time.Second, instant{time.Second, time.Second}, NewSet(), 15 * time.Second},
		"a suspension":  {20 * time.Second, 15 * time.Second, instant{time.Second, 3 * time.Second}, set, 15 * time.Second},
	} {
		r := &Reader{status: newStatus(), options: ReaderOptions{MaxStaleness: 10 * time.Second, Now: time.Now}}
		r.grant.Store(&grant{set: set, lease: lease{until: c.before}})
		r.renew(Statement{}, c.now, &grant{set: c.rules, lease: lease{until: c.until, granted: c.now}})
		if g := r.grant.Load(); g.lease.until != c.want || g.set != c.rules {
			t.Errorf("%s: until %v, want %v", name, g.lease.until, c.want)
		}
	}
}

// Clocks that are set don't matter to a connected reader, on the issuer's side or on its own.
func TestClocksThatAreSet(t *testing.T) {
	for _, step := range []time.Duration{5 * time.Minute, -5 * time.Minute, 3 * time.Second, -3 * time.Second} {
		bubble(t, func(t *testing.T, f *fakeFeed) { // the issuer's
			r := watch(t, f.options())
			defer r.Close()
			time.Sleep(5500 * time.Millisecond)
			f.do(func() { f.offset = step })
			for range 100 {
				time.Sleep(100 * time.Millisecond)
				if lease := r.State().Lease; lease < 7*time.Second || lease > 10*time.Second {
					t.Fatalf("the issuer's clock is set by %v: a lease of %v", step, lease)
				}
			}
			f.revoke(sessionRule("s"))
			synctest.Wait()
			r.says("s", jot.Revoked)
			f.do(func() { f.spoilBytes = func(int, []byte) [][]byte { return nil } })
			time.Sleep(10*time.Second + time.Millisecond)
			r.saysNothing()
		})
		bubble(t, func(t *testing.T, f *fakeFeed) { // its own, before it starts
			o := f.options()
			o.Now = func() time.Time { return time.Now().Add(step) }
			r := watch(t, o)
			defer r.Close()
			time.Sleep(5500 * time.Millisecond)
			r.says("s", jot.Current)
			f.revoke(sessionRule("s"))
			synctest.Wait()
			r.says("s", jot.Revoked)
		})
	}
}

// A wall clock that jumps past the monotonic one means that the machine was suspended: no lease until
// the issuer has answered again, even when the wall clock is set back.
func TestSuspensionEndsTheLease(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		var jump atomic.Int64
		start := time.Now()
		r := watchClock(t, f.options(), func() instant {
			elapsed := time.Since(start)
			return instant{monotonic: elapsed, wall: elapsed + time.Duration(jump.Load())}
		})
		defer r.Close()
		time.Sleep(5500 * time.Millisecond)
		for _, step := range []time.Duration{-5 * time.Minute, 900 * time.Millisecond} {
			jump.Add(int64(step))
			r.says("s", jot.Current)
			time.Sleep(1500 * time.Millisecond)
			r.says("s", jot.Current)
		}
		_, before := f.asked()
		jump.Add(int64(time.Hour))
		r.saysNothing()
		jump.Add(-int64(time.Hour))
		r.saysNothing()
		jump.Add(int64(time.Hour))
		f.revoke(sessionRule("while it slept"))
		time.Sleep(3 * time.Second)
		r.says("while it slept", jot.Revoked)
		if _, streams := f.asked(); streams != before+1 || !strings.Contains(r.told(), "suspension") {
			t.Errorf("%d new streams; the operator was told %q", streams-before, r.told())
		}
	})
}
