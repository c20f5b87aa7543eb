package storetest

import (
	"crypto/sha256"
	"errors"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

func hashed(text string) []byte {
	hash := sha256.Sum256([]byte(text))
	return hash[:]
}

func (s *suite) assertions() {
	insert := func(id string, expires time.Time) func(issuer.Tx) error {
		return func(tx issuer.Tx) error { return tx.InsertAssertion(hashed(id), expires) }
	}
	s.update(insert("a", base))
	s.refuse(issuer.ErrTaken, insert("a", base.Add(time.Hour)))
	s.update(func(tx issuer.Tx) error {
		return errors.Join(insert("b", base)(tx), insert("c", base.Add(time.Minute))(tx))
	})
	for _, want := range []int{1, 1, 0} {
		s.count(want, func(tx issuer.Tx) (int, error) { return tx.DeleteAssertions(base.Add(time.Minute), 1) })
	}
	s.refuse(issuer.ErrTaken, insert("c", base))
	s.update(insert("a", base))
}
