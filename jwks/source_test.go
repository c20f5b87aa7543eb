package jwks_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwks"
)

// slowly delays an answer, so that look-ups can meet while it is under way.
func slowly(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(time.Second):
			serve(w, r)
		case <-r.Context().Done():
		}
	}
}

func TestColdSourceFetchesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &issuer{}
		issuer.answer(slowly(set(t, "", newKey(t, "a"))))
		source := issuer.source(t, jwks.Options{})
		issuer.expect(t, 0)

		var group sync.WaitGroup
		for range 100 {
			group.Go(func() {
				if got, err := lookUp(source, "a"); got != "a" {
					t.Errorf("got %s (%v), want a", got, err)
				}
			})
		}
		group.Wait()
		issuer.expect(t, 1)
	})
}

func TestCancelledCallerLeavesTheFetchToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &issuer{}
		issuer.answer(slowly(set(t, "", newKey(t, "a"))))
		source := issuer.source(t, jwks.Options{})

		ctx, cancel := context.WithCancelCause(t.Context())
		first := make(chan error)
		go func() {
			_, err := source.VerificationKeys(ctx, jot.EdDSA, "a")
			first <- err
		}()
		synctest.Wait()
		second := make(chan string)
		go func() {
			got, _ := lookUp(source, "a")
			second <- got
		}()
		synctest.Wait()

		reason := errors.New("the client went away")
		cancel(reason)
		if err := <-first; !errors.Is(err, reason) || !errors.Is(err, jot.ErrUnavailable) {
			t.Errorf("cancelled caller: %v, want its cause and ErrUnavailable", err)
		}
		if got := <-second; got != "a" {
			t.Errorf("other caller: %s, want a", got)
		}
		issuer.expect(t, 1)
	})
}

func TestUnknownKeyStormIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publish(t, "max-age=600", newKey(t, "a"))
		source := issuer.source(t, jwks.Options{MinRefresh: 10 * time.Second})
		want(t, source, "a", "a")

		start := time.Now()
		for n := 0; time.Since(start) < 100*time.Second; n++ {
			want(t, source, fmt.Sprint("forged-", n), "none")
			time.Sleep(20 * time.Millisecond)
		}
		// One fetch at the start, then at most one each 10 s.
		issuer.expect(t, 10)
	})
}

func TestUnknownKeyIsRememberedAsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publish(t, "max-age=600", newKey(t, "a"))
		source := issuer.source(t, jwks.Options{MinRefresh: 10 * time.Second})
		want(t, source, "a", "a")
		time.Sleep(10 * time.Second)

		for range 55 { // seconds, less than the minute for which it counts as missing
			want(t, source, "dead", "none")
			time.Sleep(time.Second)
		}
		issuer.expect(t, 2)
		time.Sleep(10 * time.Second)
		want(t, source, "dead", "none")
		issuer.expect(t, 3)
	})
}

func TestNewKeyIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newKey(t, "a"), newKey(t, "b")
		issuer := publish(t, "max-age=600", a)
		source := issuer.source(t, jwks.Options{MinRefresh: 10 * time.Second})
		want(t, source, "a", "a")
		issuer.answer(set(t, "max-age=600", a, b))

		want(t, source, "b", "none") // in the cool-down
		issuer.expect(t, 1)
		time.Sleep(10 * time.Second)
		want(t, source, "b", "b")
		want(t, source, "a", "a")
		issuer.expect(t, 2)
	})
}

func TestNewKeyWhileFetchesFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publish(t, "max-age=600", newKey(t, "a"))
		source := issuer.source(t, jwks.Options{MinRefresh: 10 * time.Second})
		want(t, source, "a", "a")
		issuer.answer(broken)
		time.Sleep(10 * time.Second)
		for range 2 { // the fetch that fails, and the cool-down after it
			if _, err := lookUp(source, "b"); !errors.Is(err, jot.ErrUnavailable) {
				t.Errorf("unknown key: %v, want ErrUnavailable", err)
			}
			want(t, source, "a", "a")
		}
		issuer.expect(t, 2)
	})
}

func TestRemovedKeyIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newKey(t, "a"), newKey(t, "b")
		issuer := publish(t, "max-age=60", a, b)
		source := issuer.source(t, jwks.Options{})
		want(t, source, "a", "a")
		issuer.answer(set(t, "max-age=60", b))
		time.Sleep(time.Minute)
		want(t, source, "a", "none")
		want(t, source, "b", "b")

		issuer.answer(set(t, "max-age=60")) // an empty set is an answer too
		time.Sleep(time.Minute)
		want(t, source, "b", "none")
	})
}

func TestTokenWithoutKeyIDCausesNoFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, keys := range [][]*jot.PublicKey{{newKey(t, "a")}, nil} {
			issuer := publish(t, "max-age=600", keys...)
			source := issuer.source(t, jwks.Options{})
			for range 5 {
				if got, err := source.VerificationKeys(t.Context(), jot.EdDSA, ""); len(got) != len(keys) || err != nil {
					t.Fatalf("%v, %v", got, err)
				}
				time.Sleep(time.Minute)
			}
			issuer.expect(t, 1)
		}
	})
}

func TestRefreshAheadKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publish(t, "max-age=100", newKey(t, "a"))
		source := issuer.source(t, jwks.Options{})
		want(t, source, "a", "a")
		issuer.answer(slowly(set(t, "max-age=100", newKey(t, "a"))))

		time.Sleep(69 * time.Second)
		want(t, source, "a", "a")
		issuer.expect(t, 1)
		time.Sleep(12 * time.Second) // 81 % of the lifetime
		before := time.Now()
		want(t, source, "a", "a")
		if waited := time.Since(before); waited != 0 {
			t.Errorf("waited %v for a refresh ahead", waited)
		}
		if !source.State().Fetching {
			t.Error("no fetch is under way")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		issuer.expect(t, 2)
		if fetched := source.State().Fetched; !fetched.Equal(before) {
			t.Errorf("the refreshed set counts from %v, want %v", fetched, before)
		}
	})
}

func TestStaleOnErrorUntilMaxStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publish(t, "max-age=60", newKey(t, "a"))
		source := issuer.source(t, jwks.Options{MinRefresh: 10 * time.Second, MaxAge: time.Minute, MaxStale: 5 * time.Minute})
		want(t, source, "a", "a")
		issuer.answer(broken)
		for range 299 {
			time.Sleep(time.Second)
			want(t, source, "a", "a")
		}
		if n := issuer.requests.Load(); n > 1+30 {
			t.Errorf("%d requests in 5 minutes of failure, want at most one each 10 s", n)
		}
		if err := source.State().LastError; !errors.Is(err, jot.ErrUnavailable) || !strings.Contains(err.Error(), "500") {
			t.Errorf("last error: %v", err)
		}
		_, err := lookUp(source, "new") // which key it is can't be known now
		if !errors.Is(err, jot.ErrUnavailable) {
			t.Errorf("unknown key while fetches fail: %v, want ErrUnavailable", err)
		}

		time.Sleep(time.Second)
		_, err = lookUp(source, "a")
		if !errors.Is(err, jot.ErrUnavailable) || errors.Is(err, jot.ErrInvalidToken) {
			t.Errorf("past MaxStale: %v, want ErrUnavailable alone", err)
		}
		if keys := source.State().Keys; len(keys) != 0 {
			t.Errorf("past MaxStale the state still lists %v", keys)
		}

		issuer.answer(set(t, "max-age=60", newKey(t, "a")))
		time.Sleep(10 * time.Second)
		want(t, source, "a", "a")

		issuer.answer(set(t, "max-age=60")) // recovered: stale sets are waited for again
		time.Sleep(time.Minute)
		want(t, source, "a", "none")
	})
}

func TestStaleSetServesWhileTheIssuerHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publish(t, "max-age=60", newKey(t, "a"))
		source := issuer.source(t, jwks.Options{Timeout: 2 * time.Second})
		want(t, source, "a", "a")
		issuer.answer(hanging)
		time.Sleep(time.Minute)

		start := time.Now()
		want(t, source, "a", "a") // the first waits for a refresh
		if waited := time.Since(start); waited != 2*time.Second {
			t.Errorf("waited %v, want the time-out", waited)
		}
		start = time.Now()
		for range 60 { // the later ones don't, though it's tried again
			before := time.Now()
			want(t, source, "a", "a")
			if waited := time.Since(before); waited != 0 {
				t.Fatalf("waited %v after %v", waited, before.Sub(start))
			}
			time.Sleep(time.Second)
		}
		if n := issuer.requests.Load(); n < 3 {
			t.Errorf("%d requests: it was not tried again", n)
		}
	})
}

func TestHangingIssuerIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &issuer{}
		issuer.answer(hanging)
		source := issuer.source(t, jwks.Options{Timeout: 3 * time.Second})
		start := time.Now()
		_, err := lookUp(source, "a")
		if waited := time.Since(start); waited != 3*time.Second {
			t.Errorf("waited %v, want 3 s", waited)
		}
		if !errors.Is(err, jot.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want ErrUnavailable and DeadlineExceeded", err)
		}
	})
}

func TestColdFailuresBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &issuer{}
		issuer.answer(broken)
		source := issuer.source(t, jwks.Options{MinRefresh: 10 * time.Second})
		var at []string
		start := time.Now()
		for seen := int32(0); time.Since(start) < 40*time.Second; time.Sleep(500 * time.Millisecond) {
			want(t, source, "a", "error")
			if n := issuer.requests.Load(); n != seen {
				seen = n
				at = append(at, time.Since(start).String())
			}
		}
		if got := strings.Join(at, " "); got != "0s 1s 3s 7s 15s 25s 35s" {
			t.Errorf("fetched at %s", got)
		}
	})
}

func TestState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publish(t, "max-age=60", newKey(t, "a"), newKey(t, "b"))
		source := issuer.source(t, jwks.Options{})
		if state := source.State(); state.URL != setURL || !state.Fetched.IsZero() || state.Keys != nil {
			t.Errorf("before the first look-up: %+v", state)
		}
		want(t, source, "a", "a")
		state, now := source.State(), time.Now()
		if len(state.Keys) != 2 || state.Keys[1].KeyID() != "b" {
			t.Errorf("keys %v", state.Keys)
		}
		if !state.Fetched.Equal(now) || !state.FreshUntil.Equal(now.Add(time.Minute)) || !state.StaleUntil.Equal(now.Add(time.Hour)) {
			t.Errorf("dates %v %v %v", state.Fetched, state.FreshUntil, state.StaleUntil)
		}
	})
}

func TestKnownKeyAllocatesNothing(t *testing.T) {
	issuer := publish(t, "", newKey(t, "a"))
	source := issuer.source(t, jwks.Options{})
	want(t, source, "a", "a")
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		if keys, err := source.VerificationKeys(ctx, jot.EdDSA, "a"); err != nil || len(keys) != 1 {
			t.Fatal(keys, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestRefreshAheadThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publish(t, "max-age=100", newKey(t, "a"))
		source := issuer.source(t, jwks.Options{MinRefresh: 10 * time.Second})
		want(t, source, "a", "a")
		issuer.answer(broken)
		time.Sleep(80 * time.Second)
		want(t, source, "a", "a")
		synctest.Wait()
		issuer.expect(t, 2)
		time.Sleep(9 * time.Second)
		want(t, source, "a", "a")
		synctest.Wait()
		issuer.expect(t, 2)

		issuer.answer(set(t, "max-age=100", newKey(t, "a")))
		time.Sleep(time.Second)
		want(t, source, "a", "a")
		synctest.Wait()
		issuer.expect(t, 3)
		if state := source.State(); state.LastError != nil || !state.Fetched.Equal(time.Now()) {
			t.Errorf("not refreshed: %+v", state)
		}
	})
}

func BenchmarkVerificationKeys(b *testing.B) {
	private, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		b.Fatal(err)
	}
	text, err := jot.NewKeySet(private.Public()).MarshalJSON()
	if err != nil {
		b.Fatal(err)
	}
	issuer := &issuer{}
	issuer.answer(func(w http.ResponseWriter, _ *http.Request) { w.Write(text) })
	source, err := jwks.NewSource(setURL, jwks.Options{Client: &http.Client{Transport: issuer}})
	if err != nil {
		b.Fatal(err)
	}
	defer source.Close()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if keys, err := source.VerificationKeys(context.Background(), jot.EdDSA, private.KeyID()); err != nil || len(keys) != 1 {
				b.Error(keys, err)
				return
			}
		}
	})
}
