package storetest

import (
	"errors"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// known is what foresight is about, or which of it is missing.
type known struct {
	code               issuer.Code
	signIn, byHash     issuer.SignIn
	owner, of, subject issuer.Subject
	session            issuer.Session
	client             issuer.Client
	resource           issuer.Resource
	missing            int
}

var everything = issuer.Foresight{Code: "hash", SignIn: "hash of one", Subject: odd, Session: "s", Client: "client_a", Resource: "a"}

// readAll reads what everything names.
func readAll(r issuer.Reader) (k known, err error) {
	note := func(found error) {
		if errors.Is(found, issuer.ErrNotFound) {
			k.missing++
			found = nil
		}
		err = errors.Join(err, found)
	}
	var failed error
	k.code, failed = r.Code("hash")
	note(failed)
	k.signIn, k.of, failed = r.SignInOfCode("hash")
	note(failed)
	k.byHash, _, failed = r.SignInByHash("hash of one")
	note(failed)
	k.subject, failed = r.Subject(odd)
	note(failed)
	k.session, k.owner, failed = r.Session("s")
	note(failed)
	k.client, failed = r.Client("client_a")
	note(failed)
	k.resource, failed = r.Resource("a")
	note(failed)
	return k, err
}

// foresight: what is foreseen is found as it would be without, the first time and the second, whether it exists or not.
func (s *suite) foresight() {
	seen := func(f issuer.Foresight, want known) {
		s.Helper()
		look := func(r issuer.Reader) error {
			if err := r.Foresee(f); err != nil {
				return err
			}
			now, err := r.Now()
			if err != nil || time.Since(now).Abs() > time.Hour {
				s.Errorf("the time is %v, with %v", now, err)
			}
			for range 2 {
				got, err := readAll(r)
				if err != nil {
					return err
				}
				s.equal(got, want)
			}
			return nil
		}
		s.update(func(tx issuer.Tx) error { return look(tx) })
		read(s, func(r issuer.Reader) (none struct{}, err error) { return none, look(r) })
	}
	seen(everything, known{missing: 7})
	code := issuer.Code{Hash: "hash", SignIn: "one", Scope: []string{"a"}, Issued: base, Expires: base}
	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.InsertSubject(subject(odd)), tx.InsertSession(session("s", odd)), tx.InsertSignIn(signIn("one")), tx.InsertCode(code),
			tx.InsertClient(client("client_a")), tx.InsertResource(resource("a")))
	})
	want := read(s, readAll)
	s.equal(want.missing, 0)
	for _, f := range []issuer.Foresight{{}, everything, {Subject: "somebody else", Client: "\x00", Session: "\xff"}, {Session: "s"}} {
		seen(f, want)
	}
}

// foresightWrite: what a transaction has written, or locked, since it looked ahead is read anew.
func (s *suite) foresightWrite() {
	s.update(func(tx issuer.Tx) error { return tx.InsertSubject(subject("sub")) })
	s.update(func(tx issuer.Tx) error {
		if err := tx.Foresee(issuer.Foresight{Subject: "sub", Client: "client_a"}); err != nil {
			return err
		}
		changed := subject("sub")
		changed.Generation++
		if err := errors.Join(tx.UpdateSubject(changed), tx.InsertClient(client("client_a"))); err != nil {
			return err
		}
		got, err1 := tx.Subject("sub")
		made, err2 := tx.Client("client_a")
		s.equal(got, changed)
		s.equal(made, client("client_a"))
		return errors.Join(err1, err2)
	})
}

// foresightEnd: so is what it has ended by a statement that tells which sessions these were, and what it held before it
// wrote.
func (s *suite) foresightEnd() {
	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.InsertSubject(subject("sub")), tx.InsertSession(session("s", "sub")))
	})
	for name, look := range map[string]func(issuer.Tx) error{
		"foreseen": func(tx issuer.Tx) error { return tx.Foresee(issuer.Foresight{Session: "s"}) },
		"held":     func(tx issuer.Tx) error { return tx.HoldSessions([]string{"s"}) },
	} {
		rolledBack := errors.New("rolled back")
		err := s.store.Update(s.Context(), func(tx issuer.Tx) error {
			if err := look(tx); err != nil {
				return err
			}
			all, err1 := tx.EndSessionsOf("", base.Add(time.Hour), issuer.EndedByAdmin, issuer.Position{}, 10)
			ended, _, err2 := tx.Session("s")
			if len(all) != 1 || ended.EndReason != issuer.EndedByAdmin {
				s.Errorf("%s: %d sessions were ended, and this one is %+v", name, len(all), ended)
			}
			return errors.Join(err1, err2, rolledBack)
		})
		if !errors.Is(err, rolledBack) {
			s.Errorf("%s: %v", name, err)
		}
	}
}

// foresightRace: what was foreseen can't be changed by others before the commit, so that none of many changes is lost.
func (s *suite) foresightRace() {
	first := subject("sub")
	first.Generation = 0
	s.update(func(tx issuer.Tx) error { return tx.InsertSubject(first) })
	const rounds = 10
	s.parallel(func(int) error {
		for range rounds {
			err := s.store.Update(s.Context(), func(tx issuer.Tx) error {
				if err := tx.Foresee(issuer.Foresight{Subject: "sub", Client: "client_a"}); err != nil {
					return err
				}
				found, err := tx.Subject("sub")
				if err != nil {
					return err
				}
				found.Generation++
				return tx.UpdateSubject(found)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	got := read(s, findSubject("sub"))
	s.equal(got.Generation, uint64(writers*rounds))
}
