package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

// eventOrder: the IDs of events ascend in the order of the commits, so that a reader with a cursor misses none.
func (s *suite) eventOrder() {
	const rounds = 10
	var followed []issuer.Event
	var follower sync.WaitGroup
	follower.Go(func() {
		for len(followed) < writers*rounds && !s.Failed() {
			after := uint64(0)
			if len(followed) > 0 {
				after = followed[len(followed)-1].ID
			}
			followed = append(followed, read(s, func(r issuer.Reader) ([]issuer.Event, error) { return r.Events(issuer.EventFilter{}, after, 5) })...)
		}
	})
	s.parallel(func(n int) error {
		for round := range rounds {
			err := s.store.Update(s.Context(), func(tx issuer.Tx) error {
				err := tx.InsertEvent(issuer.Event{Time: base, Session: fmt.Sprint(n, "-", round)})
				return errors.Join(err, tx.PutSetting(fmt.Sprint(n), int64(round))) // so that the commit comes later
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	follower.Wait()
	seen := make(map[string]bool)
	for _, e := range followed {
		seen[e.Session] = true
	}
	s.equal(len(seen), writers*rounds)
}

// ownEvents: an Update reads the events that it wrote, after all others.
func (s *suite) ownEvents() {
	s.update(func(tx issuer.Tx) error { return tx.InsertEvent(issuer.Event{Time: base, Detail: "before"}) })
	s.update(func(tx issuer.Tx) error {
		err := tx.InsertEvent(issuer.Event{Time: base, Detail: "own"})
		events, err1 := tx.Events(issuer.EventFilter{}, 0, 10)
		if len(events) != 2 || events[1].Detail != "own" || events[1].ID <= events[0].ID {
			s.Errorf("events %+v", events)
		}
		return errors.Join(err, err1, tx.InsertEvent(issuer.Event{Time: base, Detail: "later"}))
	})
	s.equal(len(read(s, func(r issuer.Reader) ([]issuer.Event, error) { return r.Events(issuer.EventFilter{}, 0, 10) })), 3)
}

// loginOrDisable: a login that runs beside the end of all sessions either sees that its subject is disabled, or its
// session is ended.
func (s *suite) loginOrDisable() {
	s.update(func(tx issuer.Tx) error { return tx.InsertSubject(subject("sub")) })
	s.parallel(func(n int) error {
		if n == writers/2 {
			return s.store.Update(s.Context(), func(tx issuer.Tx) error {
				found, err := tx.Subject("sub")
				found.Disabled = true
				return errors.Join(err, tx.UpdateSubject(found), endAll(tx, issuer.EndedByDisable))
			})
		}
		for round := range 5 {
			err := s.store.Update(s.Context(), func(tx issuer.Tx) error {
				found, err := tx.Subject("sub")
				if err != nil || found.Disabled {
					return err
				}
				return tx.InsertSession(session(fmt.Sprint(n, "-", round), "sub"))
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	for n := range writers {
		for round := range 5 {
			err := s.store.View(s.Context(), func(r issuer.Reader) error {
				found, _, err := r.Session(fmt.Sprint(n, "-", round))
				if err == nil && found.Ended.IsZero() {
					s.Errorf("session %s of a disabled subject lives", found.ID)
				}
				return err
			})
			if err != nil && !errors.Is(err, issuer.ErrNotFound) {
				s.Error(err)
			}
		}
	}
}

// endAll ends all sessions of the subject "sub".
func endAll(tx issuer.Tx, why issuer.EndReason) error {
	_, err := tx.EndSessions("sub", issuer.Ending{Before: 1 << 62, At: base, Why: why}, 1000)
	return err
}

// crossing: a refresh goes from a session to its subject, and a logout everywhere from the subject to its sessions.
// Neither fails for the other, and no change of either is lost.
func (s *suite) crossing() {
	const rounds = 20
	first := session("s", "sub")
	first.Counters = issuer.Counters{Current: 1, RotatedAt: base}
	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.InsertSubject(subject("sub")), tx.InsertSession(first), tx.PutLogHead(revocation.NewLog("log")))
	})
	s.parallel(func(n int) error {
		for range rounds {
			err := s.store.Update(s.Context(), func(tx issuer.Tx) error {
				if n%2 == 0 {
					return refresh(tx)
				}
				return logOutEverywhere(tx)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	s.equal(read(s, findSession("s")).Counters.Current, uint64(1+writers/2*rounds))
	s.equal(read(s, findSubject("sub")).Generation, uint64(7+writers/2*rounds))
	s.equal(read(s, logHead).Sequence, uint64(writers/2*rounds))
}

func refresh(tx issuer.Tx) error {
	found, _, err := tx.Session("s")
	if err != nil {
		return err
	}
	if _, err := tx.Subject(found.Subject); err != nil {
		return err
	}
	found.Counters.Current++
	return errors.Join(tx.InsertEvent(issuer.Event{Time: base}), tx.UpdateSession(found))
}

func logOutEverywhere(tx issuer.Tx) error {
	found, err := tx.Subject("sub")
	if err != nil {
		return err
	}
	found.Generation++
	return errors.Join(tx.InsertEvent(issuer.Event{Time: base}), tx.UpdateSubject(found), endAll(tx, issuer.EndedEverywhere),
		appendRule(tx, rule("sub", base.Unix())))
}

// firstStart: of many that find nothing and make what is missing, one does.
func (s *suite) firstStart() {
	var made, begun atomic.Int64
	s.parallel(func(n int) error {
		return s.store.Update(s.Context(), func(tx issuer.Tx) error {
			keys, err := tx.Keys()
			if err != nil {
				return err
			}
			if len(keys) == 0 {
				made.Add(1)
				err = tx.InsertKey(issuer.Key{ID: fmt.Sprint(n), Purpose: issuer.PurposeAccess, State: issuer.KeyActive, Created: base})
			}
			if _, missing := tx.LogHead(); errors.Is(missing, issuer.ErrNotFound) {
				begun.Add(1)
				err = errors.Join(err, tx.PutLogHead(revocation.NewLog(fmt.Sprint(n))))
			}
			return err
		})
	})
	s.equal(made.Load(), int64(1))
	s.equal(begun.Load(), int64(1))
}

// raisedSetting: of many that raise a setting which nobody has set yet, the highest stays.
func (s *suite) raisedSetting() {
	s.parallel(func(n int) error {
		return s.store.Update(s.Context(), func(tx issuer.Tx) error {
			value, err := tx.Setting("highest")
			if err != nil && !errors.Is(err, issuer.ErrNotFound) {
				return err
			}
			if value >= int64(n) {
				return nil
			}
			return tx.PutSetting("highest", int64(n))
		})
	})
	s.equal(read(s, setting("highest")), int64(writers-1))
}

// sameSubject: of many that make one subject, one does, and the others are told.
func (s *suite) sameSubject() {
	var made atomic.Int64
	s.parallel(func(int) error {
		err := s.store.Update(s.Context(), func(tx issuer.Tx) error { return tx.InsertSubject(subject("sub")) })
		if errors.Is(err, issuer.ErrTaken) {
			return nil
		}
		made.Add(1)
		return err
	})
	s.equal(made.Load(), int64(1))
}

// changedClient: of many that read a client and write it back changed, no one's change is lost; who only reads it isn't
// held up for long.
func (s *suite) changedClient() {
	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.InsertClient(issuer.Client{ID: "client_a"}), tx.InsertSubject(subject("sub")))
	})
	s.parallel(func(n int) error {
		return s.store.Update(s.Context(), func(tx issuer.Tx) error {
			c, err := tx.Client("client_a")
			if err != nil {
				return err
			}
			if n%4 != 0 {
				return tx.InsertSession(session(fmt.Sprint(n), "sub"))
			}
			c.AccessTTL += time.Second
			return tx.UpdateClient(c)
		})
	})
	changed := read(s, func(r issuer.Reader) (issuer.Client, error) { return r.Client("client_a") })
	s.equal(changed.AccessTTL, writers/4*time.Second)
}
