package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/issuer"
)

func passkey(id, subject string) issuer.Passkey {
	return issuer.Passkey{
		ID: id, Subject: subject, Name: "Ann’s phone", Credential: []byte("\x00\xff" + id), PublicKey: []byte{0, 255}, SignCount: 1<<32 - 2,
		Transports: []string{"internal", "hybrid"}, BackupEligible: true, Created: base,
	}
}

// wantPasskeys is what a subject must have, in order.
func (s *suite) wantPasskeys(subject string, want ...issuer.Passkey) {
	s.Helper()
	found, err := read(s, func(r accounts.Reader) ([]issuer.Passkey, error) { return r.Passkeys(subject) })
	same := func(a, b issuer.Passkey) bool {
		alike := bytes.Equal(a.Credential, b.Credential) && bytes.Equal(a.PublicKey, b.PublicKey) && bytes.Equal(a.UserHandle, b.UserHandle) && slices.Equal(a.Transports, b.Transports)
		for _, p := range []*issuer.Passkey{&a, &b} {
			p.Credential, p.PublicKey, p.UserHandle, p.Transports = nil, nil, nil, nil
		}
		return alike && fmt.Sprint(a) == fmt.Sprint(b)
	}
	if err != nil || !slices.EqualFunc(found, want, same) {
		s.Errorf("%s has %+v, %v, want %+v", subject, found, err, want)
	}
}

func (s *suite) try(f func(accounts.Tx) error) error {
	return s.store.UpdateAccounts(s.Context(), f)
}

// passkeys: each is its owner's alone, and an authenticator's name for one names no other.
func (s *suite) passkeys() {
	first, second, bob := passkey("b", "ann"), passkey("a", "ann"), passkey("c", "bob")
	second.Created, second.LastUsed, second.BackedUp, second.Transports = base.Add(time.Second), base.Add(time.Minute), true, nil
	second.UserHandle = []byte{0, 255}
	s.update(func(tx accounts.Tx) error {
		return errors.Join(tx.InsertPasskey(second), tx.InsertPasskey(first), tx.InsertPasskey(bob))
	})
	s.wantPasskeys("ann", first, second)
	s.wantPasskeys("nobody")
	found, err := read(s, func(r accounts.Reader) (issuer.Passkey, error) { return r.PasskeyOfCredential(bob.Credential) })
	if err != nil || found.ID != bob.ID {
		s.Errorf("found %+v, %v", found, err)
	}
	_, err = read(s, func(r accounts.Reader) (issuer.Passkey, error) { return r.PasskeyOfCredential([]byte("b")) })
	s.wantError(err, issuer.ErrNotFound)
	again := passkey("d", "bob")
	again.Credential = first.Credential
	s.wantError(s.try(func(tx accounts.Tx) error { return tx.InsertPasskey(again) }), issuer.ErrTaken)

	s.wantError(s.try(func(tx accounts.Tx) error { return tx.RenamePasskey("bob", first.ID, "mine") }), issuer.ErrNotFound)
	s.wantError(s.try(func(tx accounts.Tx) error { return tx.DeletePasskey("bob", first.ID) }), issuer.ErrNotFound)
	s.update(func(tx accounts.Tx) error {
		return errors.Join(tx.RenamePasskey("ann", first.ID, "old"), tx.DeletePasskey("ann", second.ID))
	})
	first.Name = "old"
	s.wantPasskeys("ann", first)
	page, err := read(s, func(r accounts.Reader) ([]issuer.Passkey, error) { return r.PasskeyPage("b", 5) })
	if err != nil || len(page) != 1 || page[0].ID != bob.ID {
		s.Errorf("page %+v, %v", page, err)
	}
	s.update(func(tx accounts.Tx) error { return tx.DeleteFactors("ann") })
	s.wantPasskeys("ann")
	s.wantPasskeys("bob", bob)
}

// passkeyCounter goes up only, unless it isn't used at all.
func (s *suite) passkeyCounter() {
	counts, still := passkey("a", "ann"), passkey("b", "ann")
	still.SignCount = 0
	s.update(func(tx accounts.Tx) error { return errors.Join(tx.InsertPasskey(counts), tx.InsertPasskey(still)) })
	use := func(p issuer.Passkey, count uint32) error {
		p.SignCount, p.BackedUp, p.LastUsed, p.Name = count, true, base.Add(time.Hour), "not this"
		return s.try(func(tx accounts.Tx) error { return tx.UsePasskey(p) })
	}
	for _, count := range []uint32{0, 1, counts.SignCount} {
		s.wantError(use(counts, count), issuer.ErrNotFound)
	}
	s.wantError(use(passkey("c", "ann"), 1<<32-1), issuer.ErrNotFound)
	s.do(use(counts, 1<<32-1))
	s.do(use(still, 0))
	s.do(use(still, 0))
	counts.SignCount = 1<<32 - 1
	for _, p := range []*issuer.Passkey{&counts, &still} {
		p.BackedUp, p.LastUsed = true, base.Add(time.Hour)
	}
	s.wantPasskeys("ann", counts, still)
}

// passkeysOfTheDeleted are gone with the account.
func (s *suite) passkeysOfTheDeleted() {
	ann, err := s.create("ann")
	s.do(err)
	s.update(func(tx accounts.Tx) error { return tx.InsertPasskey(passkey("a", ann.Subject)) })
	s.do(s.store.Update(s.Context(), func(tx issuer.Tx) error { return tx.DeleteAccount(ann.Subject) }))
	s.wantPasskeys(ann.Subject)
}

// passkeyRace: of many that bring one counter at once, one does, and of many that add one credential.
func (s *suite) passkeyRace() {
	p := passkey("a", "ann")
	p.SignCount = 7
	s.update(func(tx accounts.Tx) error { return tx.InsertPasskey(p) })
	p.SignCount = 8
	for what, try := range map[string]func(n int) error{
		"used": func(int) error { return s.try(func(tx accounts.Tx) error { return tx.UsePasskey(p) }) },
		"added": func(n int) error {
			other := passkey(fmt.Sprint("x", n), "ann")
			other.Credential = []byte("one")
			return s.try(func(tx accounts.Tx) error { return tx.InsertPasskey(other) })
		},
	} {
		var won atomic.Int32
		s.parallel(16, func(n int) error {
			err := try(n)
			if err == nil {
				won.Add(1)
			} else if errors.Is(err, issuer.ErrNotFound) || errors.Is(err, issuer.ErrTaken) {
				err = nil
			}
			return err
		})
		if won.Load() != 1 {
			s.Errorf("%d %s", won.Load(), what)
		}
	}
}
