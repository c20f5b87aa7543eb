package storetest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/issuer"
)

// newTicket is a ticket with a hash that is made of a text.
func newTicket(text, subject string, p accounts.Purpose, expires time.Time) accounts.Ticket {
	return accounts.Ticket{Hash: sha256.Sum256([]byte(text)), Purpose: p, Subject: subject, Detail: text, Created: base, Expires: expires}
}

// has reports whether a ticket is there.
func (s *suite) has(t accounts.Ticket) bool {
	found, err := read(s, func(r accounts.Reader) (accounts.Ticket, error) { return r.Ticket(t.Hash) })
	if err == nil && found != t {
		s.Errorf("ticket %+v, want %+v", found, t)
	}
	if err != nil && !errors.Is(err, issuer.ErrNotFound) {
		s.Error(err)
	}
	return err == nil
}

// insert adds tickets.
func (s *suite) insert(tickets ...accounts.Ticket) {
	s.update(func(tx accounts.Tx) error {
		for _, t := range tickets {
			if err := tx.InsertTicket(t); err != nil {
				return err
			}
		}
		return nil
	})
}

// tickets: each is found by its hash alone, lists are those of one subject and purpose, and what goes is what was
// named.
func (s *suite) tickets() {
	reset := newTicket("a", "ann", accounts.ToReset, base.Add(time.Hour))
	other := newTicket("b", "ann", accounts.ToReset, base.Add(time.Minute))
	verify := newTicket("c", "ann", accounts.ToVerify, base.Add(time.Hour))
	ofBob := newTicket("d", "bob", accounts.ToReset, base.Add(time.Hour))
	s.insert(reset, other, verify, ofBob)
	s.wantError(s.store.UpdateAccounts(s.Context(), func(tx accounts.Tx) error { return tx.InsertTicket(reset) }), issuer.ErrTaken)
	for _, t := range []accounts.Ticket{reset, other, verify, ofBob} {
		if !s.has(t) {
			s.Errorf("there is no ticket %+v", t)
		}
	}
	s.update(func(tx accounts.Tx) error { return tx.DeleteTicket(reset.Hash) })
	s.wantError(s.store.UpdateAccounts(s.Context(), func(tx accounts.Tx) error { return tx.DeleteTicket(reset.Hash) }), issuer.ErrNotFound)
	s.update(func(tx accounts.Tx) error { return tx.DeleteTickets("ann", accounts.ToReset) })
	if s.has(reset) || s.has(other) || !s.has(verify) || !s.has(ofBob) {
		s.Error("other tickets are gone than were deleted")
	}
	s.update(func(tx accounts.Tx) error { return tx.SweepTickets(base.Add(time.Hour), 10) })
	if !s.has(verify) {
		s.Error("a ticket went before it had expired")
	}
	s.update(func(tx accounts.Tx) error { return tx.SweepTickets(base.Add(time.Hour+time.Millisecond), 1) })
	if s.has(verify) == s.has(ofBob) {
		s.Error("a sweep of one ticket didn't take one")
	}
}

// ticketPages: a list goes by hash, from after one on.
func (s *suite) ticketPages() {
	var want []accounts.Ticket
	for n := range 7 {
		want = append(want, newTicket(fmt.Sprint(n), "", accounts.ToSignUp, base))
	}
	s.insert(append(slices.Clone(want), newTicket("x", "ann", accounts.ToSignUp, base), newTicket("y", "", accounts.ToReset, base))...)
	slices.SortFunc(want, func(a, b accounts.Ticket) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
	var got []accounts.Ticket
	var after []byte
	for {
		page, err := read(s, func(r accounts.Reader) ([]accounts.Ticket, error) { return r.Tickets("", accounts.ToSignUp, after, 3) })
		s.do(err)
		if len(page) == 0 {
			break
		}
		got, after = append(got, page...), page[len(page)-1].Hash[:]
	}
	if !slices.Equal(got, want) {
		s.Errorf("tickets %v, want %v", got, want)
	}
}

// ticketRace: of many that use one ticket at once, one does.
func (s *suite) ticketRace() {
	ticket := newTicket("a", "ann", accounts.ToReset, base.Add(time.Hour))
	s.insert(ticket)
	s.oneWins(issuer.ErrNotFound, func() error {
		return s.store.UpdateAccounts(s.Context(), func(tx accounts.Tx) error {
			if _, err := tx.Ticket(ticket.Hash); err != nil {
				return err
			}
			return tx.DeleteTicket(ticket.Hash)
		})
	})
}

// ticketsOfTheDeleted: who is deleted leaves no ticket behind.
func (s *suite) ticketsOfTheDeleted() {
	ann, err := s.create("ann")
	s.do(err)
	his := newTicket("a", ann.Subject, accounts.ToReset, base.Add(time.Hour))
	other := newTicket("b", "bob", accounts.ToReset, base.Add(time.Hour))
	s.insert(his, other)
	s.do(s.store.Update(s.Context(), func(tx issuer.Tx) error { return tx.DeleteAccount(ann.Subject) }))
	if s.has(his) || !s.has(other) {
		s.Error("other tickets are gone than those of the deleted")
	}
}

// emails: an address that is verified is one account's alone; one that isn't may be anybody's.
func (s *suite) emails() {
	ann, err := s.create("ann")
	s.do(err)
	bob, err := s.create("bob")
	s.do(err)
	byEmail := func(key string) (accounts.Account, error) {
		return read(s, func(r accounts.Reader) (accounts.Account, error) { return r.AccountByEmail(key) })
	}
	set := func(subject string, e accounts.Email) error {
		return s.store.UpdateAccounts(s.Context(), func(tx accounts.Tx) error { return tx.UpdateEmail(subject, e) })
	}
	claimed := accounts.Email{Address: "Ann@example.com", Key: "ann@example.com"}
	verified := claimed
	verified.Verified = true
	s.do(errors.Join(set(ann.Subject, claimed), set(bob.Subject, claimed)))
	_, err = byEmail(claimed.Key)
	s.wantError(err, issuer.ErrNotFound)
	s.do(set(ann.Subject, verified))
	ann.Email = verified
	if found, err := byEmail(claimed.Key); err != nil || found != ann {
		s.Errorf("account %+v, %v, want %+v", found, err, ann)
	}
	s.wantError(set(bob.Subject, verified), issuer.ErrTaken)
	s.wantError(set("nobody", claimed), issuer.ErrNotFound)
	s.do(set(ann.Subject, accounts.Email{}))
	s.do(set(bob.Subject, verified))
	if found, err := byEmail(claimed.Key); err != nil || found.Subject != bob.Subject {
		s.Errorf("account %+v, %v, want bob's", found, err)
	}
}
