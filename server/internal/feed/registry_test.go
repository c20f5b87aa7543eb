package feed

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// A verifier that comes once more while it's being written, and trusts for longer, is written again: each of the two
// streams begins when its own is.
func TestVerifierComesTwiceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		database := &fakeVerifiers{slow: time.Second}
		r := startRegistry(database, Config{MaxStaleness: time.Minute, Logger: slog.New(slog.DiscardHandler)})
		defer r.close()
		began := time.Now()
		enter := func(maxStaleness time.Duration) (took chan time.Duration) {
			took = make(chan time.Duration, 1)
			go func() {
				if _, err := r.enter(t.Context(), holder{}, "verifier", maxStaleness); err != nil {
					t.Errorf("%v: %v", maxStaleness, err)
				}
				took <- time.Since(began)
			}()
			return took
		}
		first := enter(time.Second)
		time.Sleep(500 * time.Millisecond)
		second := enter(2 * time.Second)
		if one, two := <-first, <-second; one >= two || two < 2*time.Second {
			t.Errorf("written after %v and %v", one, two)
		}
	})
}

// Where no other server has the database, nobody forgets a verifier but this one: it comes back while nothing can be
// written, as on a full disk. On a database of several servers it doesn't: another may have forgotten it.
func TestVerifierComesBackWhileNothingCanBeWritten(t *testing.T) {
	full := errors.New("the disk is full")
	for _, alone := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			database := new(fakeVerifiers)
			r := startRegistry(database, Config{Alone: alone, MaxStaleness: time.Minute, Logger: slog.New(slog.DiscardHandler)})
			defer r.close()
			enter := func(id string, maxStaleness time.Duration) error {
				p, err := r.enter(t.Context(), holder{}, id, maxStaleness)
				if err == nil {
					r.leave(p)
				}
				return err
			}
			setBroken := func(err error) {
				database.mu.Lock()
				defer database.mu.Unlock()
				database.broken = err
			}
			p, err := r.enter(t.Context(), holder{}, "known", time.Second)
			if err != nil {
				t.Fatal(err)
			}
			setBroken(full)
			time.Sleep(streamLife)
			if err := enter("known", time.Second); (err == nil) != alone {
				t.Errorf("alone: %v: who is written: %v", alone, err)
			}
			if err := enter("known", 2*time.Second); !errors.Is(err, full) {
				t.Errorf("alone: %v: who would trust for longer than is written: %v", alone, err)
			}
			if err := enter("stranger", time.Second); !errors.Is(err, full) {
				t.Errorf("alone: %v: who isn't written: %v", alone, err)
			}
			r.leave(p)
			time.Sleep(2*time.Second + leaseMargin + time.Second)
			if err := enter("known", time.Second); !errors.Is(err, full) {
				t.Errorf("alone: %v: who was forgotten: %v", alone, err)
			}
			setBroken(nil)
			time.Sleep(recall)
			if err := enter("known", 2*time.Second); err != nil {
				t.Errorf("alone: %v: with room again: %v", alone, err)
			}
		})
	}
}
