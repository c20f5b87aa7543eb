package storetest

import (
	"bytes"
	"errors"
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/issuer"
)

func totp(subject string) func(accounts.Reader) (accounts.TOTP, error) {
	return func(r accounts.Reader) (accounts.TOTP, error) { return r.TOTP(subject) }
}

// wantTOTP is what a subject must have.
func (s *suite) wantTOTP(want accounts.TOTP) {
	s.Helper()
	found, err := read(s, totp(want.Subject))
	sealed := bytes.Equal(found.Sealed, want.Sealed)
	if found.Sealed, want.Sealed = nil, nil; err != nil || !sealed || found.Subject != want.Subject || found.Step != want.Step || found.Confirmed != want.Confirmed || !found.Created.Equal(want.Created) {
		s.Errorf("TOTP %+v, %v, want %+v", found, err, want)
	}
}

// codes counts the recovery codes that a subject has left.
func (s *suite) codes(subject string) int {
	s.Helper()
	left, err := read(s, func(r accounts.Reader) ([][32]byte, error) { return r.RecoveryHashes(subject) })
	s.do(err)
	return len(left)
}

// factors: each is its subject's alone; a step goes forward only, and what was sealed anew meanwhile stays.
func (s *suite) factors() {
	_, err := read(s, totp("ann"))
	s.wantError(err, issuer.ErrNotFound)
	s.wantError(s.store.UpdateAccounts(s.Context(), func(tx accounts.Tx) error { return tx.SpendTOTP("ann", 1) }), issuer.ErrNotFound)
	first := accounts.TOTP{Subject: "ann", Sealed: []byte{0, 255}, Created: base}
	second := accounts.TOTP{Subject: "ann", Sealed: []byte{1}, Step: 1 << 40, Confirmed: true, Created: base.Add(time.Second)}
	bob := accounts.TOTP{Subject: "bob", Sealed: []byte{2}, Created: base}
	for _, f := range []accounts.TOTP{first, second, bob} {
		s.update(func(tx accounts.Tx) error { return tx.PutTOTP(f) })
		s.wantTOTP(f)
	}
	for _, step := range []int64{second.Step, second.Step - 1} {
		s.wantError(s.store.UpdateAccounts(s.Context(), func(tx accounts.Tx) error { return tx.SpendTOTP("ann", step) }), issuer.ErrNotFound)
	}
	second.Step++
	s.update(func(tx accounts.Tx) error {
		return errors.Join(tx.SpendTOTP("ann", second.Step), tx.ResealTOTP(first, []byte("lost")))
	})
	s.wantTOTP(second)
	s.update(func(tx accounts.Tx) error { return tx.ResealTOTP(second, []byte("anew")) })
	second.Sealed = []byte("anew")
	s.wantTOTP(second)
	s.wantTOTP(bob)
	page, err := read(s, func(r accounts.Reader) ([]accounts.TOTP, error) { return r.TOTPs("ann", 5) })
	if err != nil || len(page) != 1 || page[0].Subject != "bob" {
		s.Errorf("page %+v, %v", page, err)
	}
}

// recoveryCodes: each is good once, for its subject, and goes with the factors and with the account.
func (s *suite) recoveryCodes() {
	ann, err := s.create("ann")
	s.do(err)
	s.update(func(tx accounts.Tx) error {
		return errors.Join(tx.InsertRecoveryCode(ann.Subject, [32]byte{1}), tx.InsertRecoveryCode(ann.Subject, [32]byte{255, 0}), tx.InsertRecoveryCode("bob", [32]byte{1}),
			tx.PutTOTP(accounts.TOTP{Subject: ann.Subject, Sealed: []byte{1}}))
	})
	spend := func(subject string, hash [32]byte) error {
		return s.store.UpdateAccounts(s.Context(), func(tx accounts.Tx) error { return tx.SpendRecoveryCode(subject, hash) })
	}
	s.wantError(spend("bob", [32]byte{255, 0}), issuer.ErrNotFound)
	s.do(spend(ann.Subject, [32]byte{255, 0}))
	s.wantError(spend(ann.Subject, [32]byte{255, 0}), issuer.ErrNotFound)
	if s.codes(ann.Subject) != 1 || s.codes("bob") != 1 {
		s.Error("other codes are gone than were used")
	}
	s.update(func(tx accounts.Tx) error { return tx.DeleteTOTP(ann.Subject) })
	s.wantError(s.try(func(tx accounts.Tx) error { return tx.DeleteTOTP(ann.Subject) }), issuer.ErrNotFound)
	if s.codes(ann.Subject) != 1 {
		s.Error("the recovery codes went with the one-time codes")
	}
	s.update(func(tx accounts.Tx) error { return tx.DeleteRecoveryCodes(ann.Subject) })
	if s.codes(ann.Subject) != 0 || s.codes("bob") != 1 {
		s.Error("other codes are gone than were deleted")
	}
	s.update(func(tx accounts.Tx) error {
		return errors.Join(tx.PutTOTP(accounts.TOTP{Subject: ann.Subject, Sealed: []byte{1}}), tx.InsertRecoveryCode(ann.Subject, [32]byte{1}))
	})
	s.do(s.store.Update(s.Context(), func(tx issuer.Tx) error { return tx.DeleteAccount(ann.Subject) }))
	_, err = read(s, totp(ann.Subject))
	s.wantError(err, issuer.ErrNotFound)
	if s.codes(ann.Subject) != 0 || s.codes("bob") != 1 {
		s.Error("other codes are gone than those of the deleted")
	}
}

// spendRace: of many that spend one step at once, or one recovery code, one does.
func (s *suite) spendRace() {
	s.update(func(tx accounts.Tx) error {
		return errors.Join(tx.PutTOTP(accounts.TOTP{Subject: "ann", Sealed: []byte{1}, Created: base}), tx.InsertRecoveryCode("ann", [32]byte{1}))
	})
	for _, spend := range []func(accounts.Tx) error{
		func(tx accounts.Tx) error { return tx.SpendTOTP("ann", 7) },
		func(tx accounts.Tx) error { return tx.SpendRecoveryCode("ann", [32]byte{1}) },
	} {
		s.oneWins(issuer.ErrNotFound, func() error { return s.store.UpdateAccounts(s.Context(), spend) })
	}
}
