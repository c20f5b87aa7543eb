package revocation

import (
	"net/http"
	"testing"
	"time"
)

// outage refuses everything for a while and returns when the reader asked, since the outage began.
func (f *fakeFeed) outage(d time.Duration) []time.Duration {
	var at []time.Duration
	began := time.Now()
	f.do(func() {
		f.refuse = func(*http.Request) *http.Response {
			at = append(at, time.Since(began))
			return answer(http.StatusServiceUnavailable, "", nil)
		}
	})
	f.restart()
	time.Sleep(d)
	f.do(func() { f.refuse = nil })
	return at
}

// Attempts come at growing, bounded, uneven intervals, and begin anew after a good connection.
func TestBackoff(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		r := watch(t, f.options())
		defer r.Close()
		seen := map[time.Duration]bool{}
		for range 3 {
			if err := r.WaitFresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
			last, at := time.Duration(0), f.outage(time.Minute)
			for i, now := range at {
				gap, most := now-last, min(firstDelay<<min(i, 10), maxDelay)
				if gap < most/2 || gap > most {
					t.Errorf("the gap before attempt %d is %v, want %v to %v", i, gap, most/2, most)
				}
				seen[gap], last = true, now
			}
			if len(at) < 12 {
				t.Errorf("%d attempts in a minute, at %v", len(at), at)
			}
		}
		if len(seen) < 30 {
			t.Errorf("%d different gaps", len(seen))
		}
	})
}
