package revocation

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
)

// acknowledged is what a reader said, and whether session "x" was refused at that moment.
type acknowledged struct {
	Verifier string `json:"verifier"`
	LogID    string `json:"log_id"`
	Sequence uint64 `json:"sequence"`
	refused  bool
}

// listen lets a feed take acknowledgements, after so many that are lost.
func (f *fakeFeed) listen(reader func() *Reader, lose int) *[]acknowledged {
	var all []acknowledged
	f.refuse = func(r *http.Request) *http.Response { // under the feed's lock
		if r.URL.Path != "/feed/acknowledgement" {
			return nil
		}
		var a acknowledged
		if err := json.NewDecoder(r.Body).Decode(&a); err != nil || r.Method != http.MethodPost {
			f.t.Error(r.Method, err)
		}
		verdict, err := reader().CheckRevocation(context.Background(), sessionFacts("x"))
		a.refused = err != nil || verdict == jot.Revoked
		all = append(all, a)
		if len(all) <= lose {
			return answer(http.StatusServiceUnavailable, "", nil)
		}
		return answer(http.StatusNoContent, "", nil)
	}
	return &all
}

// A reader acknowledges when it is asked, and what it acknowledges it enforces; what is lost, it says again.
func TestAcknowledge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeFeed(t)
		var w *watched
		all := f.listen(func() *Reader { return w.Reader }, 2)
		asks := false
		f.spoilFrame = func(_ int, _ *Frame, s *Statement) { s.Acknowledge = asks }
		o := f.options()
		o.VerifierID = "petstore-1"
		f.do(func() { w = watch(t, o) }) // no request is answered before it's known
		defer w.Close()
		if err := w.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.revoke(sessionRule("y"))
		synctest.Wait()
		f.do(func() {
			if len(*all) != 0 {
				t.Errorf("said without being asked: %+v", *all)
			}
			asks = true
		})
		f.revoke(sessionRule("x"))
		synctest.Wait()
		f.do(func() { asks = false })
		time.Sleep(5 * time.Second)
		f.do(func() {
			if len(*all) != 3 {
				t.Fatalf("said %d times, want 3: the first two are lost", len(*all))
			}
			for _, a := range *all {
				if !a.refused || a.Sequence != 2 || a.LogID != "log-1" || !strings.HasPrefix(a.Verifier, "petstore-1.") {
					t.Errorf("said %+v", a)
				}
			}
		})
	})
}

// One message covers all rules before it: a reader that is asked with each frame says the last one, and no more often
// than it may.
func TestAcknowledgeTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeFeed(t)
		var w *watched
		all := f.listen(func() *Reader { return w.Reader }, 0)
		f.spoilFrame = func(_ int, _ *Frame, s *Statement) { s.Acknowledge = true }
		o := f.options()
		f.do(func() { w = watch(t, o) }) // no request is answered before it's known
		defer w.Close()
		if err := w.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			f.revoke(sessionRule("x"))
			time.Sleep(time.Millisecond)
		}
		time.Sleep(acknowledgePause)
		f.do(func() {
			if last := (*all)[len(*all)-1]; len(*all) > 60 || last.Sequence != 1000 {
				t.Errorf("said %d times, at last %+v", len(*all), last)
			}
		})
	})
}

func TestVerifierID(t *testing.T) {
	for _, name := range []string{"two words", "ünïcode", "a/b", strings.Repeat("a", 65)} {
		o := newFakeFeed(t).options()
		o.VerifierID = name
		if _, err := NewReader(o); err == nil {
			t.Errorf("%q passes", name)
		}
	}
	if one, err := newVerifierID(""); err != nil || len(one) < 16 {
		t.Errorf("%q, %v", one, err)
	}
	one, _ := newVerifierID("a")
	if other, _ := newVerifierID("a"); one == other {
		t.Error("two readers of one name are the same verifier")
	}
}

// AwaitSequence waits for rules that come, and not for those of another log.
func TestAwaitSequence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeFeed(t)
		w := watch(t, f.options())
		defer w.Close()
		if err := w.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second/2, func() { f.revoke(sessionRule("x"), sessionRule("y")) })
		for _, c := range []struct {
			log      string
			sequence uint64
			wait     time.Duration
			known    bool
		}{
			{"log-1", 0, 0, true}, {"log-1", 2, time.Second / 4, false}, {"log-1", 2, time.Second, true}, {"log-1", 1, 0, true},
			{"log-1", 3, time.Second, false}, {"log-2", 0, time.Second, false},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), c.wait)
			err := w.AwaitSequence(ctx, c.log, c.sequence)
			cancel()
			if known := err == nil; known != c.known || !known && !errors.Is(err, jot.ErrUnavailable) {
				t.Errorf("%s:%d within %v: %v", c.log, c.sequence, c.wait, err)
			}
		}
		w.says("x", jot.Revoked)
	})
}
