package storetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

func (s *suite) logoutTokens() {
	one, two := [32]byte{1}, [32]byte{2}
	insert := func(hash [32]byte, expires time.Time) error {
		return s.store.Update(s.Context(), func(tx issuer.Tx) error { return tx.InsertLogoutToken(hash, expires) })
	}
	for hash, expires := range map[[32]byte]time.Time{one: base, two: base.Add(time.Minute)} {
		if err := insert(hash, expires); err != nil {
			s.Error(err)
		}
		if err := insert(hash, expires.Add(time.Hour)); !errors.Is(err, issuer.ErrTaken) {
			s.Error("taken twice:", err)
		}
	}
	s.count(0, func(tx issuer.Tx) (int, error) { return tx.DeleteLogoutTokens(base, 10) })
	s.count(1, func(tx issuer.Tx) (int, error) { return tx.DeleteLogoutTokens(base.Add(time.Hour), 1) })
	s.count(1, func(tx issuer.Tx) (int, error) { return tx.DeleteLogoutTokens(base.Add(time.Hour), 10) })
	if err := insert(one, base); err != nil {
		s.Error("after it was forgotten:", err)
	}
	s.oneTakes(func() error { return insert([32]byte{3}, base) })
}

// oneTakes: of many that insert the same at once, one does, and the others learn that.
func (s *suite) oneTakes(insert func() error) {
	s.Helper()
	var all sync.WaitGroup
	var taken atomic.Int32
	for range 8 {
		all.Go(func() {
			if err := insert(); err == nil {
				taken.Add(1)
			} else if !errors.Is(err, issuer.ErrTaken) {
				s.Error(err)
			}
		})
	}
	all.Wait()
	s.equal(taken.Load(), int32(1))
}
