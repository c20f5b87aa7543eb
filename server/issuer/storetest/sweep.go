package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

// count runs an update that returns how many records it took.
func (s *suite) count(want int, f func(issuer.Tx) (int, error)) {
	s.Helper()
	s.update(func(tx issuer.Tx) error {
		got, err := f(tx)
		if err == nil && got != want {
			s.Errorf("%d records, want %d", got, want)
		}
		return err
	})
}

func (s *suite) endSessions() {
	earlier := session("ended", "one")
	earlier.Ended, earlier.EndReason = base, issuer.EndedByLogout
	newer := session("newer", "one")
	newer.Generation = 6
	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.InsertSubject(subject("one")), tx.InsertSubject(subject("two")), tx.InsertSession(earlier), tx.InsertSession(newer),
			tx.InsertSession(session("a", "one")), tx.InsertSession(session("b", "one")), tx.InsertSession(session("c", "two")))
	})
	ending := issuer.Ending{Before: 6, At: base.Add(time.Minute), Why: issuer.EndedEverywhere}
	var ended []issuer.Session
	for _, want := range []int{1, 1, 0} {
		s.count(want, func(tx issuer.Tx) (int, error) {
			some, err := tx.EndSessions("one", ending, 1)
			ended = append(ended, some...)
			return len(some), err
		})
	}
	slices.SortFunc(ended, func(a, b issuer.Session) int { return strings.Compare(a.ID, b.ID) })
	for n, id := range []string{"a", "b"} {
		want := session(id, "one")
		want.Ended, want.EndReason = ending.At, issuer.EndedEverywhere
		s.equal(read(s, findSession(id)), want)
		s.equal(ended[n], want)
	}
	s.equal(read(s, findSession("ended")), earlier)
	s.equal(read(s, findSession("newer")), newer)
	s.equal(read(s, findSession("c")), session("c", "two"))
	s.count(0, func(tx issuer.Tx) (int, error) {
		none, err := tx.EndSessions("nobody", ending, 10)
		return len(none), err
	})
}

func (s *suite) pendingSubjects() {
	quiet := subject("quiet")
	quiet.Ending.Pending = false
	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.InsertSubject(subject("a")), tx.InsertSubject(quiet), tx.InsertSubject(subject("b")))
	})
	s.update(func(tx issuer.Tx) error {
		all, err := tx.PendingSubjects(10)
		slices.Sort(all)
		s.equal(all, []string{"a", "b"})
		some, err2 := tx.PendingSubjects(1)
		s.equal(len(some), 1)
		return errors.Join(err, err2)
	})
}

func (s *suite) sweepSessions() {
	limit := base.Add(time.Hour)
	s.update(func(tx issuer.Tx) error {
		err := tx.InsertSubject(subject("sub"))
		for id, times := range map[string][2]time.Time{ // when it expires, and when it ended
			"expired":      {limit.Add(-time.Millisecond), {}},
			"ended":        {limit.Add(time.Hour), limit.Add(-time.Millisecond)},
			"just expired": {limit, {}},
			"just ended":   {limit.Add(time.Hour), limit},
			"lives":        {limit.Add(time.Hour), {}},
		} {
			one := session(id, "sub")
			one.Expires, one.Ended = times[0], times[1]
			err = errors.Join(err, tx.InsertSession(one))
		}
		return err
	})
	for _, want := range []int{1, 1, 0} {
		s.count(want, func(tx issuer.Tx) (int, error) { return tx.DeleteSessions(limit, 1) })
	}
	missing(s, findSession("expired"))
	missing(s, findSession("ended"))
	for _, id := range []string{"just expired", "just ended", "lives"} {
		read(s, findSession(id))
	}
}

func (s *suite) sweepRules() {
	never := revocation.Rule{Kind: revocation.Key, Issuer: "https://auth.example.com", Value: "kid"}
	s.update(func(tx issuer.Tx) error {
		err := tx.PutLogHead(revocation.NewLog("log"))
		for _, r := range []revocation.Rule{rule("1", base.Unix()-5), never, rule("3", base.Unix()-9), rule("4", base.Unix()), rule("5", base.Unix()-7)} {
			err = errors.Join(err, appendRule(tx, r))
		}
		return err
	})
	for _, want := range []uint64{3, 1, 0} { // those that expired first go first; 5 is too new
		s.update(func(tx issuer.Tx) error {
			highest, err := tx.DeleteRules(base, 4, 1)
			s.equal(highest, want)
			return err
		})
	}
	var left []uint64
	for _, e := range read(s, logEntries(0, 10)) {
		left = append(left, e.Sequence)
	}
	s.equal(left, []uint64{2, 4, 5})
}

func (s *suite) sweepEvents() {
	s.update(func(tx issuer.Tx) error {
		var err error
		for n := range 6 {
			err = errors.Join(err, tx.InsertEvent(issuer.Event{Time: base.Add(time.Duration(n) * time.Second), Detail: fmt.Sprint(n)}))
		}
		return err
	})
	for _, want := range []int{2, 1, 0} {
		s.count(want, func(tx issuer.Tx) (int, error) { return tx.DeleteEvents(base.Add(3*time.Second), 2) })
	}
	left := read(s, func(r issuer.Reader) ([]issuer.Event, error) { return r.Events(issuer.EventFilter{}, 0, 10) })
	s.equal(len(left), 3)
	s.equal(left[0].Detail, "3")
	s.update(func(tx issuer.Tx) error { return tx.InsertEvent(issuer.Event{Time: base}) })
	after := read(s, func(r issuer.Reader) ([]issuer.Event, error) { return r.Events(issuer.EventFilter{}, left[2].ID, 10) })
	s.equal(len(after), 1) // no ID is given twice
}

func (s *suite) sweepKeys() {
	s.update(func(tx issuer.Tx) error {
		var err error
		for id, state := range map[string]issuer.KeyState{"a": issuer.KeyRetired, "b": issuer.KeyRetired, "c": issuer.KeyRevoked, "d": issuer.KeyRetiring} {
			k := issuer.Key{ID: id, Purpose: issuer.PurposeAccess, State: state, Created: base, Expires: base}
			if id == "b" {
				k.Expires = base.Add(time.Hour)
			}
			err = errors.Join(err, tx.InsertKey(k))
		}
		return err
	})
	s.update(func(tx issuer.Tx) error { return tx.DeleteKeys(base.Add(time.Minute)) })
	var left []string
	for _, k := range read(s, func(r issuer.Reader) ([]issuer.Key, error) { return r.Keys() }) {
		left = append(left, k.ID)
	}
	slices.Sort(left)
	s.equal(left, []string{"b", "c", "d"})
}

func (s *suite) sweepSubjects() {
	s.update(func(tx issuer.Tx) error {
		var err error
		for id, deleted := range map[string]time.Time{"a": base, "b": base, "with sessions": base, "later": base.Add(time.Hour), "lives": {}} {
			one := subject(id)
			one.Deleted = deleted
			err = errors.Join(err, tx.InsertSubject(one))
		}
		return errors.Join(err, tx.InsertSession(session("s", "with sessions")))
	})
	for _, want := range []int{1, 1, 0} {
		s.count(want, func(tx issuer.Tx) (int, error) { return tx.DeleteSubjects(base.Add(time.Minute), 1) })
	}
	missing(s, findSubject("a"))
	missing(s, findSubject("b"))
	for _, id := range []string{"with sessions", "later", "lives"} {
		read(s, findSubject(id))
	}
}
