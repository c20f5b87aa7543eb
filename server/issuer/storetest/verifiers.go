package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

func verifiers(r issuer.Reader) ([]issuer.Verifier, error) { return r.Verifiers() }

func asked(r issuer.Reader) (revocation.Cursor, error) { return r.Asked() }

func (s *suite) verifiers() {
	s.equal(len(read(s, verifiers)), 0)
	b := issuer.Verifier{ID: "b", Server: "one", MaxStaleness: 10 * time.Second, Registered: base}
	a := issuer.Verifier{ID: "a", Server: "one", MaxStaleness: 2 * time.Second, Registered: base}
	s.update(func(tx issuer.Tx) error { return errors.Join(tx.PutVerifier(b), tx.PutVerifier(a)) })
	s.equal(read(s, verifiers), []issuer.Verifier{a, b})

	five, six := revocation.Cursor{LogID: "log", Sequence: 5}, revocation.Cursor{LogID: "log", Sequence: 6}
	s.update(func(tx issuer.Tx) error { return tx.Acknowledge(six, []string{"a", "nobody"}) })
	s.update(func(tx issuer.Tx) error { return tx.Acknowledge(five, []string{"a", "b"}) })
	a.Acknowledged, b.Acknowledged = six, five
	s.equal(read(s, verifiers), []issuer.Verifier{a, b})
	other := revocation.Cursor{LogID: "another log", Sequence: 1}
	s.update(func(tx issuer.Tx) error { return tx.Acknowledge(other, []string{"b"}) })
	b.Acknowledged = other

	a.MaxStaleness, a.Registered = 3*time.Second, base.Add(time.Minute)
	elsewhere := issuer.Verifier{ID: "a", Server: "two", MaxStaleness: time.Second, Registered: base}
	s.update(func(tx issuer.Tx) error { return errors.Join(tx.PutVerifier(elsewhere), tx.PutVerifier(a)) })
	s.equal(read(s, verifiers), []issuer.Verifier{a, elsewhere, b})
	seven := revocation.Cursor{LogID: "log", Sequence: 7}
	s.update(func(tx issuer.Tx) error { return tx.Acknowledge(seven, []string{"a"}) })
	a.Acknowledged, elsewhere.Acknowledged = seven, seven

	before := a
	before.Registered = base
	s.update(func(tx issuer.Tx) error { return errors.Join(tx.DoubtVerifier(before), tx.DeleteVerifier(before)) })
	s.equal(read(s, verifiers), []issuer.Verifier{a, elsewhere, b})
	doubted := a
	doubted.Registered = time.Time{}
	s.update(func(tx issuer.Tx) error { return errors.Join(tx.DoubtVerifier(a), tx.DeleteVerifier(a)) })
	s.equal(read(s, verifiers), []issuer.Verifier{doubted, elsewhere, b})
	s.update(func(tx issuer.Tx) error { return tx.PutVerifier(a) })
	s.update(func(tx issuer.Tx) error { return tx.DeleteVerifier(doubted) })
	s.equal(read(s, verifiers), []issuer.Verifier{a, elsewhere, b})
	s.update(func(tx issuer.Tx) error { return errors.Join(tx.DoubtVerifier(a), tx.DeleteVerifier(doubted)) })
	s.equal(read(s, verifiers), []issuer.Verifier{elsewhere, b})
}

func (s *suite) manyVerifiers() {
	var ids []string
	s.update(func(tx issuer.Tx) error {
		ids = nil
		for n := range 1001 {
			ids = append(ids, fmt.Sprint(n))
			if err := tx.PutVerifier(issuer.Verifier{ID: ids[n], Server: "one", MaxStaleness: time.Second, Registered: base}); err != nil {
				return err
			}
		}
		return nil
	})
	last := revocation.Cursor{LogID: "log", Sequence: 1<<63 - 1}
	s.update(func(tx issuer.Tx) error { return tx.Acknowledge(last, ids) })
	all := read(s, verifiers)
	s.equal(len(all), 1001)
	for _, v := range all {
		s.equal(v.Acknowledged, last)
	}
}

func (s *suite) asked() {
	s.equal(read(s, asked), revocation.Cursor{})
	for _, c := range []revocation.Cursor{{LogID: "log", Sequence: 5}, {LogID: "log", Sequence: 3}, {LogID: "another log", Sequence: 1 << 62}} {
		s.update(func(tx issuer.Tx) error { return tx.PutAsked(c) })
		s.equal(read(s, asked), c)
	}
}

// parallelAsked: of many who raise what is asked, the highest stands.
func (s *suite) parallelAsked() {
	var wait sync.WaitGroup
	for n := range 8 {
		wait.Go(func() {
			s.update(func(tx issuer.Tx) error {
				until := revocation.Cursor{LogID: "log", Sequence: uint64(n + 1)}
				if now, err := tx.Asked(); err != nil || now.Covers(until) {
					return err
				}
				return tx.PutAsked(until)
			})
		})
	}
	wait.Wait()
	s.equal(read(s, asked), revocation.Cursor{LogID: "log", Sequence: 8})
}
