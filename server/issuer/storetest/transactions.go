package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

// writers is how many write at once.
const writers = 16

// rollback: a failed Update leaves nothing, and its own reads see its own writes.
func (s *suite) rollback() {
	failure := errors.New("no")
	s.update(func(tx issuer.Tx) error { return tx.PutLogHead(revocation.NewLog("log")) })
	s.refuse(failure, func(tx issuer.Tx) error {
		err := errors.Join(tx.InsertSubject(subject("sub")), tx.InsertSession(session("s", "sub")), tx.PutSetting("a", 1),
			tx.InsertEvent(issuer.Event{Time: base}), appendRule(tx, rule("s", base.Unix())))
		if _, _, found := tx.Session("s"); err != nil || found != nil {
			s.Errorf("writing: %v; reading it back: %v", err, found)
		}
		return failure
	})
	missing(s, findSubject("sub"))
	missing(s, findSession("s"))
	missing(s, setting("a"))
	s.equal(read(s, logHead), revocation.NewLog("log"))
	s.equal(len(read(s, logEntries(0, 10))), 0)
	s.equal(len(read(s, func(r issuer.Reader) ([]issuer.Event, error) { return r.Events(issuer.EventFilter{}, 0, 10) })), 0)
}

// panics: a panic leaves nothing, and doesn't hold up the next.
func (s *suite) panics() {
	func() {
		defer func() { recover() }()
		s.update(func(tx issuer.Tx) error {
			if err := tx.PutSetting("a", 1); err != nil {
				return err
			}
			panic("no")
		})
	}()
	missing(s, setting("a"))
	s.update(func(tx issuer.Tx) error { return tx.PutSetting("a", 2) })
	s.equal(read(s, setting("a")), int64(2))
}

// snapshot: a View sees one state, whatever is committed meanwhile, and doesn't hold up who commits.
func (s *suite) snapshot() {
	s.update(func(tx issuer.Tx) error { return errors.Join(tx.PutSetting("a", 1), tx.PutSetting("b", 1)) })
	read(s, func(r issuer.Reader) (int64, error) {
		a, err := r.Setting("a")
		s.update(func(tx issuer.Tx) error { return errors.Join(tx.PutSetting("a", 2), tx.PutSetting("b", 2)) })
		b, err2 := r.Setting("b")
		if a != b {
			s.Errorf("one View saw %d and then %d", a, b)
		}
		return b, errors.Join(err, err2)
	})
	s.equal(read(s, setting("b")), int64(2))
}

// parallel runs f in many goroutines at once.
func (s *suite) parallel(f func(n int) error) {
	s.Helper()
	var wait sync.WaitGroup
	for n := range writers {
		wait.Go(func() {
			if err := f(n); err != nil {
				s.Error(err)
			}
		})
	}
	wait.Wait()
}

// serializable: read, decide, write back, and no one's write is lost.
func (s *suite) serializable() {
	first := session("s", "sub")
	first.Counters = issuer.Counters{Current: 1, RotatedAt: base}
	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.InsertSubject(subject("sub")), tx.InsertSession(first))
	})
	const rounds = 10
	s.parallel(func(int) error {
		for range rounds {
			err := s.store.Update(s.Context(), func(tx issuer.Tx) error {
				found, _, err := tx.Session("s")
				if err != nil {
					return err
				}
				found.Counters.Previous, found.Counters.Current = found.Counters.Current, found.Counters.Current+1
				return tx.UpdateSession(found)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	s.equal(read(s, findSession("s")).Counters.Current, uint64(1+writers*rounds))
}

// parallelLog: the log has no gap and no fork however many write, and a reader that follows it misses nothing.
func (s *suite) parallelLog() {
	s.update(func(tx issuer.Tx) error { return tx.PutLogHead(revocation.NewLog("log")) })
	const rounds = 10
	var followed []issuer.LogEntry
	var follower sync.WaitGroup
	follower.Go(func() { followed = s.follow(writers * rounds) })
	s.parallel(func(n int) error {
		for round := range rounds {
			r := rule(fmt.Sprintf("%d-%d", n, round), base.Unix())
			if err := s.store.Update(s.Context(), func(tx issuer.Tx) error { return appendRule(tx, r) }); err != nil {
				return err
			}
		}
		return nil
	})
	follower.Wait()
	s.equal(len(followed), writers*rounds)
	head := revocation.NewLog("log")
	seen := make(map[string]bool)
	for _, e := range followed {
		head = head.Append(e.Rule)
		if e.Sequence != head.Sequence || e.Hash != head.Hash || seen[e.Rule.Value] {
			s.Fatalf("entry %d of rule %s breaks the chain at %d", e.Sequence, e.Rule.Value, head.Sequence)
		}
		seen[e.Rule.Value] = true
	}
	s.equal(read(s, logHead), head)
}

// follow reads the log as it grows until it has so many entries.
func (s *suite) follow(entries int) []issuer.LogEntry {
	var all []issuer.LogEntry
	for len(all) < entries && s.Context().Err() == nil && !s.Failed() {
		after := uint64(0)
		if len(all) > 0 {
			after = all[len(all)-1].Sequence
		}
		err := s.store.View(s.Context(), func(r issuer.Reader) error {
			more, err := r.LogEntries(after, 7)
			all = append(all, more...)
			return err
		})
		if err != nil {
			s.Error(err)
		}
	}
	return all
}

// parallelReads: many Views run beside one another and beside an Update that is under way.
func (s *suite) parallelReads() {
	s.update(func(tx issuer.Tx) error { return tx.PutSetting("a", 1) })
	s.update(func(tx issuer.Tx) error {
		if err := tx.PutSetting("a", 2); err != nil {
			return err
		}
		s.parallel(func(int) error {
			return s.store.View(s.Context(), func(r issuer.Reader) error {
				value, err := r.Setting("a")
				if value != 1 {
					s.Errorf("a View saw %d, which isn't committed", value)
				}
				return err
			})
		})
		return nil
	})
}

// reopen: what was committed is there again, and only that.
func (s *suite) reopen() {
	key := issuer.Key{ID: "k", Purpose: issuer.PurposeAccess, Algorithm: "ES256", State: issuer.KeyActive, Public: json.RawMessage(`{}`), Sealed: []byte{1}, Created: base, Activated: base}
	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.InsertSubject(subject("sub")), tx.InsertSession(session("s", "sub")), tx.InsertKey(key), tx.PutSetting("a", 1),
			tx.PutLogHead(revocation.NewLog("log")), appendRule(tx, rule("s", base.Unix())), tx.InsertEvent(issuer.Event{Time: base}))
	})
	head := read(s, logHead)
	if err := s.store.Close(); err != nil {
		s.Fatal(err)
	}
	s.store = s.open(s.T)
	s.equal(read(s, findSubject("sub")), subject("sub"))
	s.equal(read(s, findSession("s")), session("s", "sub"))
	s.equal(read(s, func(r issuer.Reader) ([]issuer.Key, error) { return r.Keys() }), []issuer.Key{key})
	s.equal(read(s, setting("a")), int64(1))
	s.equal(read(s, logHead), head)
	s.equal(len(read(s, logEntries(0, 10))), 1)
	s.equal(len(read(s, func(r issuer.Reader) ([]issuer.Event, error) { return r.Events(issuer.EventFilter{}, 0, 10) })), 1)
}

// cancelled: a context that has ended gives its own error, writes nothing, and doesn't hold up the next.
func (s *suite) cancelled() {
	ctx, cancel := context.WithCancel(s.Context())
	err := s.store.Update(ctx, func(tx issuer.Tx) error {
		if err := tx.PutSetting("a", 1); err != nil {
			return err
		}
		cancel()
		return tx.PutSetting("b", 1)
	})
	if !errors.Is(err, context.Canceled) || errors.Is(err, issuer.ErrUnavailable) {
		s.Errorf("Update: %v, want context.Canceled", err)
	}
	if err := s.store.View(ctx, func(issuer.Reader) error { return nil }); !errors.Is(err, context.Canceled) {
		s.Errorf("View: %v, want context.Canceled", err)
	}
	missing(s, setting("a"))
	s.update(func(tx issuer.Tx) error { return tx.PutSetting("a", 2) })
}

// closed: a store that is closed is unavailable.
func (s *suite) closed() {
	if err := s.store.Close(); err != nil {
		s.Fatal(err)
	}
	err := s.store.View(s.Context(), func(issuer.Reader) error { return nil })
	if !errors.Is(err, issuer.ErrUnavailable) {
		s.Errorf("View: %v, want ErrUnavailable", err)
	}
	err = s.store.Update(s.Context(), func(issuer.Tx) error { return nil })
	if !errors.Is(err, issuer.ErrUnavailable) {
		s.Errorf("Update: %v, want ErrUnavailable", err)
	}
}
