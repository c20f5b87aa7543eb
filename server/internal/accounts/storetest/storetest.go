// Package storetest is the contract of accounts.Store: every store passes Run.
package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/issuer"
)

// Store is what a database offers to accounts and issuer together.
type Store interface {
	accounts.Store
	issuer.Store
}

// base is a time that every database can hold.
var base = time.Date(2030, 1, 2, 3, 4, 5, 678e6, time.UTC)

// Run checks a store against the contract. open opens an empty database that belongs to the given test. Run closes what
// it opens.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for name, check := range map[string]func(*suite){
		"Accounts":            (*suite).accounts,
		"SignUpRace":          (*suite).signUpRace,
		"Password":            (*suite).password,
		"Throttles":           (*suite).throttles,
		"Sweep":               (*suite).sweep,
		"Rollback":            (*suite).rollback,
		"OneTransaction":      (*suite).oneTransaction,
		"CountRace":           (*suite).countRace,
		"Clock":               (*suite).clock,
		"Tickets":             (*suite).tickets,
		"TicketPages":         (*suite).ticketPages,
		"TicketRace":          (*suite).ticketRace,
		"TicketsOfTheDeleted": (*suite).ticketsOfTheDeleted,
		"Emails":              (*suite).emails,
		"Factors":             (*suite).factors,
		"RecoveryCodes":       (*suite).recoveryCodes,
		"SpendRace":           (*suite).spendRace,
		"Passkeys":            (*suite).passkeys,
		"PasskeyCounter":      (*suite).passkeyCounter,
		"PasskeysOfDeleted":   (*suite).passkeysOfTheDeleted,
		"PasskeyRace":         (*suite).passkeyRace,
	} {
		t.Run(name, func(t *testing.T) {
			s := &suite{T: t, store: open(t)}
			defer s.store.Close()
			check(s)
		})
	}
}

// suite is one test over one database.
type suite struct {
	*testing.T
	store Store
}

func (s *suite) do(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *suite) wantError(err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Fatalf("error %v, want %v", err, want)
	}
}

func (s *suite) update(f func(accounts.Tx) error) {
	s.Helper()
	s.do(s.store.UpdateAccounts(s.Context(), f))
}

// create makes an account with a subject of its own.
func (s *suite) create(name string) (accounts.Account, error) {
	subject, err := issuer.NewSubject(nil, []string{"pets:read"})
	s.do(err)
	account := accounts.Account{Name: name, Display: strings.ToUpper(name), Subject: subject.ID, PasswordHash: "$argon2id$…", Created: base}
	subject.Created = base
	return account, s.store.Update(s.Context(), func(tx issuer.Tx) error {
		if err := tx.InsertSubject(subject); err != nil {
			return err
		}
		return s.store.AccountsTx(tx).InsertAccount(account)
	})
}

// read returns what a View finds.
func read[T any](s *suite, f func(accounts.Reader) (T, error)) (T, error) {
	var found T
	err := s.store.ViewAccounts(s.Context(), func(r accounts.Reader) (err error) {
		found, err = f(r)
		return err
	})
	return found, err
}

func byName(name string) func(accounts.Reader) (accounts.Account, error) {
	return func(r accounts.Reader) (accounts.Account, error) { return r.AccountByName(name) }
}

func ofSubject(subject string) func(accounts.Reader) (accounts.Account, error) {
	return func(r accounts.Reader) (accounts.Account, error) { return r.AccountOfSubject(subject) }
}

func throttle(slot int64) func(accounts.Reader) (accounts.Throttle, error) {
	return func(r accounts.Reader) (accounts.Throttle, error) { return r.Throttle(slot) }
}

func (s *suite) subject(id string) (issuer.Subject, error) {
	var subject issuer.Subject
	err := s.store.View(s.Context(), func(r issuer.Reader) (err error) {
		subject, err = r.Subject(id)
		return err
	})
	return subject, err
}

// accounts: name and subject find what was created, and a refused sign-up leaves no subject behind.
func (s *suite) accounts() {
	_, err := read(s, byName("ann"))
	s.wantError(err, issuer.ErrNotFound)
	ann, err := s.create("ann")
	s.do(err)
	for _, find := range []func(accounts.Reader) (accounts.Account, error){byName("ann"), ofSubject(ann.Subject)} {
		if found, err := read(s, find); err != nil || found != ann {
			s.Errorf("account %+v, %v, want %+v", found, err, ann)
		}
	}
	if subject, err := s.subject(ann.Subject); err != nil || !subject.Created.Equal(base) || subject.Scope[0] != "pets:read" {
		s.Errorf("subject %+v, %v", subject, err)
	}
	again, err := s.create("ann")
	s.wantError(err, issuer.ErrTaken)
	_, err = s.subject(again.Subject)
	s.wantError(err, issuer.ErrNotFound)
	_, err = read(s, ofSubject(again.Subject))
	s.wantError(err, issuer.ErrNotFound)
	if found, err := read(s, byName("ann")); err != nil || found != ann {
		s.Errorf("account %+v, %v, want %+v", found, err, ann)
	}
}

// signUpRace: of many that sign up under one name, one does.
func (s *suite) signUpRace() {
	s.oneWins(issuer.ErrTaken, func() error {
		_, err := s.create("ann")
		return err
	})
}

// oneWins lets many try the same at once: one succeeds, and all others fail with an error.
func (s *suite) oneWins(others error, try func() error) {
	s.Helper()
	var won atomic.Int32
	s.parallel(16, func(int) error {
		err := try()
		if err == nil {
			won.Add(1)
		} else if errors.Is(err, others) {
			err = nil
		}
		return err
	})
	if won.Load() != 1 {
		s.Errorf("%d succeeded", won.Load())
	}
}

// parallel runs f in so many goroutines at once.
func (s *suite) parallel(count int, f func(n int) error) {
	s.Helper()
	var wait sync.WaitGroup
	for n := range count {
		wait.Go(func() {
			if err := f(n); err != nil {
				s.Error(err)
			}
		})
	}
	wait.Wait()
}

func (s *suite) password() {
	ann, err := s.create("ann")
	s.do(err)
	_, err = s.create("bob")
	s.do(err)
	s.wantError(s.store.UpdateAccounts(s.Context(), func(tx accounts.Tx) error { return tx.UpdatePassword("nobody", "x") }), issuer.ErrNotFound)
	s.update(func(tx accounts.Tx) error { return tx.UpdatePassword(ann.Subject, "changed") })
	ann.PasswordHash = "changed"
	if found, err := read(s, byName("ann")); err != nil || found != ann {
		s.Errorf("account %+v, %v, want %+v", found, err, ann)
	}
	if found, err := read(s, byName("bob")); err != nil || found.PasswordHash == "changed" {
		s.Errorf("account %+v, %v", found, err)
	}
}

func (s *suite) throttles() {
	first := accounts.Throttle{Slot: 5<<20 | 1<<20 - 1, Cleared: base, Next: base.Add(time.Second)}
	_, err := read(s, throttle(first.Slot))
	s.wantError(err, issuer.ErrNotFound)
	for _, t := range []accounts.Throttle{first, {Slot: first.Slot, Cleared: base.Add(time.Hour), Next: base}} {
		s.update(func(tx accounts.Tx) error {
			return errors.Join(tx.PutThrottle(t), tx.PutThrottle(accounts.Throttle{Slot: 7, Cleared: base}))
		})
		if found, err := read(s, throttle(t.Slot)); err != nil || found != t {
			s.Errorf("throttle %+v, %v, want %+v", found, err, t)
		}
	}
	s.update(func(tx accounts.Tx) error {
		return errors.Join(tx.DeleteThrottle(first.Slot), tx.DeleteThrottle(first.Slot))
	})
	_, err = read(s, throttle(first.Slot))
	s.wantError(err, issuer.ErrNotFound)
	_, err = read(s, throttle(7))
	s.do(err)
}

// sweep removes those that have run out, the oldest first and no more than it's told to.
func (s *suite) sweep() {
	s.update(func(tx accounts.Tx) error {
		var errs []error
		for n := range 10 {
			errs = append(errs, tx.PutThrottle(accounts.Throttle{Slot: int64(100 - n), Cleared: base.Add(time.Duration(n) * time.Second), Next: base}))
		}
		return errors.Join(append(errs, tx.PutThrottle(accounts.Throttle{Slot: 1, Cleared: base, Next: base.Add(time.Hour)}))...)
	})
	left := func() (slots []int64) {
		for slot := range int64(101) {
			if _, err := read(s, throttle(slot)); err == nil {
				slots = append(slots, slot)
			}
		}
		return slots
	}
	for _, c := range []struct {
		at    time.Duration
		limit int
		want  string
	}{
		{-time.Second, 100, "[1 91 92 93 94 95 96 97 98 99 100]"},
		{5 * time.Second, 4, "[1 91 92 93 94 95 96]"},
		{5 * time.Second, 100, "[1 91 92 93 94]"},
		{time.Hour, 100, "[]"},
	} {
		s.update(func(tx accounts.Tx) error { return tx.SweepThrottles(base.Add(c.at), c.limit) })
		if got := fmt.Sprint(left()); got != c.want {
			s.Errorf("after a sweep of %d at %v: %v, want %v", c.limit, c.at, got, c.want)
		}
	}
}

// rollback: a failed update leaves nothing.
func (s *suite) rollback() {
	ann, err := s.create("ann")
	s.do(err)
	failure := errors.New("no")
	s.wantError(s.store.UpdateAccounts(s.Context(), func(tx accounts.Tx) error {
		s.do(errors.Join(tx.UpdatePassword(ann.Subject, "changed"), tx.PutThrottle(accounts.Throttle{Slot: 7, Cleared: base})))
		if found, err := tx.AccountByName("ann"); err != nil || found.PasswordHash != "changed" {
			s.Errorf("a transaction doesn't read what it wrote: %+v, %v", found, err)
		}
		return failure
	}), failure)
	if found, err := read(s, byName("ann")); err != nil || found != ann {
		s.Errorf("account %+v, %v, want %+v", found, err, ann)
	}
	_, err = read(s, throttle(7))
	s.wantError(err, issuer.ErrNotFound)
}

// oneTransaction: what is written through an issuer's transaction is committed with it, and undone with it.
func (s *suite) oneTransaction() {
	ann, err := s.create("ann")
	s.do(err)
	failure := errors.New("no")
	for _, end := range []error{failure, nil} {
		s.wantError(s.store.Update(s.Context(), func(tx issuer.Tx) error {
			s.do(errors.Join(s.store.AccountsTx(tx).UpdatePassword(ann.Subject, "changed"), tx.PutSetting("a", 1)))
			return end
		}), end)
		found, err := read(s, byName("ann"))
		s.do(err)
		if changed := found.PasswordHash == "changed"; changed != (end == nil) {
			s.Errorf("changed %v after an end with %v", changed, end)
		}
	}
}

// countRace: of many that count in one slot at once none is lost, the first ones included, which find it empty, and
// whoever sweeps beside them removes nothing that counts. Each counts in a second slot too, and always in the same
// order.
func (s *suite) countRace() {
	const many = 32
	add := func(tx accounts.Tx, slot int64) error {
		t, err := tx.Throttle(slot)
		if errors.Is(err, issuer.ErrNotFound) {
			t, err = accounts.Throttle{Slot: slot, Cleared: base}, nil
		}
		if err != nil {
			return err
		}
		t.Cleared = t.Cleared.Add(time.Second)
		return tx.PutThrottle(t)
	}
	s.parallel(many, func(n int) error {
		return s.store.UpdateAccounts(s.Context(), func(tx accounts.Tx) error {
			return errors.Join(add(tx, int64(3<<20+n%3)), add(tx, 1<<20), tx.SweepThrottles(base, 10))
		})
	})
	var total time.Duration
	for n := range int64(3) {
		t, err := read(s, throttle(3<<20+n))
		s.do(err)
		total += t.Cleared.Sub(base)
	}
	if t, err := read(s, throttle(1<<20)); err != nil || t.Cleared.Sub(base) != many*time.Second || total != many*time.Second {
		s.Errorf("%v and %v of %d s were counted, %v", t.Cleared.Sub(base), total, many, err)
	}
}

// clock: the time is the database's, in whole milliseconds.
func (s *suite) clock() {
	now, err := read(s, func(r accounts.Reader) (time.Time, error) { return r.Now() })
	s.do(err)
	if now.Location() != time.UTC || !now.Equal(now.Truncate(time.Millisecond)) || now.Before(base.AddDate(-20, 0, 0)) {
		s.Errorf("the clock shows %v", now)
	}
}
