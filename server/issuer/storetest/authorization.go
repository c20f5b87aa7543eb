package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

func signIn(id string) issuer.SignIn {
	return issuer.SignIn{
		ID: id, Hash: "hash of " + id, Subject: odd, Generation: 7, AMR: []string{"pwd", "otp"}, AuthTime: base, Expires: base.Add(time.Hour),
	}
}

func findSignIn(hash string) func(issuer.Reader) (issuer.SignIn, error) {
	return func(r issuer.Reader) (issuer.SignIn, error) {
		owned, _, err1 := r.SignInByHash(hash)
		s, err2 := r.SignIn(hash)
		if !reflect.DeepEqual(s, owned) {
			return s, fmt.Errorf("the sign-in is %+v, and with its subject %+v", s, owned)
		}
		return s, errors.Join(err1, err2)
	}
}

func (s *suite) signIns() {
	first := signIn("one")
	missing(s, findSignIn(first.Hash))
	s.refuse(issuer.ErrNotFound, func(tx issuer.Tx) error { return tx.UpdateSignIn(first) })
	s.refuse(issuer.ErrNotFound, func(tx issuer.Tx) error { return tx.DeleteSignIn("one") })
	s.update(func(tx issuer.Tx) error { return errors.Join(tx.InsertSubject(subject(odd)), tx.InsertSignIn(first)) })
	s.equal(read(s, findSignIn(first.Hash)), first)
	again := first
	again.ID = "two"
	s.refuse(issuer.ErrTaken, func(tx issuer.Tx) error { return tx.InsertSignIn(again) }) // its hash is

	changed := first
	changed.Hash, changed.Generation, changed.AMR, changed.AuthTime, changed.Expires = "other", 8, []string{}, base.Add(1e6), base.Add(2*time.Hour)
	s.update(func(tx issuer.Tx) error { return tx.UpdateSignIn(changed) })
	s.equal(read(s, findSignIn("other")), changed)
	missing(s, findSignIn(first.Hash))
	s.update(func(tx issuer.Tx) error { return tx.DeleteSignIn("one") })
	missing(s, findSignIn("other"))
}

func (s *suite) signInOfCode() {
	one := signIn("one")
	code := issuer.Code{Hash: "hash", SignIn: "one", Issued: base, Expires: base}
	type found struct {
		signIn  issuer.SignIn
		subject issuer.Subject
	}
	find := func(r issuer.Reader) (f found, err error) {
		f.signIn, f.subject, err = r.SignInOfCode("hash")
		return f, err
	}
	s.update(func(tx issuer.Tx) error { return errors.Join(tx.InsertSubject(subject(odd)), tx.InsertCode(code)) })
	missing(s, find)
	s.update(func(tx issuer.Tx) error { return tx.InsertSignIn(one) })
	s.equal(read(s, find), found{one, subject(odd)})
}

func (s *suite) sessionsOfSignIn() {
	s.update(func(tx issuer.Tx) error {
		err := tx.InsertSubject(subject("sub"))
		for id, of := range map[string]string{"a": "one", "c": "one", "b": "one", "d": "two", "e": "", "ended": "one"} {
			one := session(id, "sub")
			if one.SignIn = of; id == "ended" {
				one.Ended = base
			}
			err = errors.Join(err, tx.InsertSession(one))
		}
		return err
	})
	for after, want := range map[string][]string{"": {"a", "b"}, "b": {"c"}, "c": nil} {
		var ids []string
		for _, one := range read(s, func(r issuer.Reader) ([]issuer.Session, error) { return r.SessionsOfSignIn("one", after, 2) }) {
			ids = append(ids, one.ID)
		}
		s.equal(ids, want)
	}
	s.equal(len(read(s, func(r issuer.Reader) ([]issuer.Session, error) { return r.SessionsOfSignIn("", "", 9) })), 0)
	for limit, want := range map[int]int{9: 4, 3: 3} {
		s.equal(len(read(s, func(r issuer.Reader) ([]issuer.Session, error) { return r.SessionsSignedIn("sub", limit) })), want)
	}
}

func (s *suite) codes() {
	code := issuer.Code{
		Hash: "hash", ClientID: "client_web", RedirectURI: "https://app.example.com/" + odd, Challenge: "challenge", Nonce: odd, SignIn: "one",
		Resource: "https://api.example.com/" + odd, Scope: []string{"b:2", "a:1"}, Issued: base, Expires: base.Add(time.Minute),
		KeyThumbprint: "thumbprint",
	}
	find := func(r issuer.Reader) (issuer.Code, error) { return r.Code("hash") }
	missing(s, find)
	s.refuse(issuer.ErrNotFound, func(tx issuer.Tx) error { return tx.SpendCode("hash", "session") })
	s.update(func(tx issuer.Tx) error { return tx.InsertCode(code) })
	s.equal(read(s, find), code)
	s.refuse(issuer.ErrTaken, func(tx issuer.Tx) error { return tx.InsertCode(code) })
	s.update(func(tx issuer.Tx) error { return tx.SpendCode("hash", "session") })
	code.Session = "session"
	s.equal(read(s, find), code)
	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.InsertCode(issuer.Code{Hash: "later", SignIn: "one", Expires: base.Add(time.Hour)}), tx.InsertCode(issuer.Code{Hash: "another's", SignIn: "two", Expires: base.Add(time.Hour)}))
	})
	for at, want := range map[time.Time]int{base: 2, base.Add(time.Minute): 1, base.Add(time.Hour): 0} {
		s.equal(read(s, func(r issuer.Reader) (int, error) { return r.CountCodes("one", at) }), want)
	}
	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.InsertCode(issuer.Code{Hash: "unused", ClientID: "client_web", Expires: base}), tx.InsertCode(issuer.Code{Hash: "unused too", ClientID: "client_web", Expires: base}))
	})
	for _, want := range []int{1, 1, 0} { // the spent one stays
		s.count(0, func(tx issuer.Tx) (int, error) { return tx.DeleteUnusedCodes("client_other", base.Add(1e6), 1) })
		s.count(want, func(tx issuer.Tx) (int, error) { return tx.DeleteUnusedCodes("client_web", base.Add(1e6), 1) })
	}
}

func (s *suite) consents() {
	one := issuer.Consent{Subject: odd, ClientID: "client_web", Resource: "https://api.example.com/" + odd, Scope: []string{"b:2", "a:1"}, Given: base}
	find := func(r issuer.Reader) (issuer.Consent, error) {
		return r.Consent(one.Subject, one.ClientID, one.Resource)
	}
	missing(s, find)
	s.update(func(tx issuer.Tx) error { return tx.PutConsent(one) })
	s.equal(read(s, find), one)
	one.Scope, one.Given = []string{}, base.Add(time.Hour)
	other := one
	other.Subject = "other"
	s.update(func(tx issuer.Tx) error { return errors.Join(tx.PutConsent(one), tx.PutConsent(other)) })
	s.equal(read(s, find), one)
	third, fourth := other, other
	third.ClientID, fourth.ClientID, fourth.Resource = "client_b", "client_b", "another"
	s.update(func(tx issuer.Tx) error { return errors.Join(tx.PutConsent(third), tx.PutConsent(fourth)) })
	list := func(r issuer.Reader) ([]issuer.Consent, error) { return r.Consents("other") }
	s.equal(read(s, list), []issuer.Consent{fourth, third, other})
	for _, want := range []int{2, 0} {
		s.count(want, func(tx issuer.Tx) (int, error) { return tx.DeleteConsentsTo("other", "client_b") })
	}
	s.equal(read(s, list), []issuer.Consent{other})
	s.update(func(tx issuer.Tx) error { return tx.DeleteConsents(one.Subject) })
	missing(s, find)
	read(s, func(r issuer.Reader) (issuer.Consent, error) { return r.Consent("other", one.ClientID, one.Resource) })
}

func (s *suite) notices() {
	notice := func(id string, due time.Time) issuer.Notice {
		return issuer.Notice{ID: id, ClientID: "client_web", Subject: odd, Session: "session", Due: due}
	}
	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.InsertNotice(notice("late", base.Add(1e6))), tx.InsertNotice(notice("due", base)), tx.InsertNotice(notice("overdue", base.Add(-time.Hour))))
	})
	s.refuse(issuer.ErrTaken, func(tx issuer.Tx) error { return tx.InsertNotice(notice("late", base)) })
	until := base.Add(time.Minute)
	for _, want := range []string{"overdue", "due", ""} {
		s.update(func(tx issuer.Tx) error {
			claimed, err := tx.ClaimNotices(base, until, 1, []string{"client_app"})
			if want == "" {
				s.equal(len(claimed), 0)
				return err
			}
			claimedOne := notice(want, until)
			claimedOne.Attempts = 1
			s.equal(claimed, []issuer.Notice{claimedOne})
			return err
		})
	}
	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.PostponeNotice("due", base), tx.DeleteNotice("overdue"), tx.DeleteNotice("nothing"), tx.PostponeNotice("nothing", base))
	})
	s.update(func(tx issuer.Tx) error {
		claimed, err := tx.ClaimNotices(until, until, 9, []string{"client_app", "client_web"})
		s.equal(len(claimed), 0)
		if err != nil {
			return err
		}
		claimed, err = tx.ClaimNotices(until, until, 9, nil)
		s.equal(len(claimed), 2)
		return err
	})
}

func (s *suite) sweepAuthorization() {
	s.update(func(tx issuer.Tx) error {
		err := tx.InsertSubject(subject(odd))
		for id, expires := range map[string]time.Time{"gone": base.Add(-1e6), "there": base} {
			one := signIn(id)
			one.Expires = expires
			err = errors.Join(err, tx.InsertSignIn(one), tx.InsertCode(issuer.Code{Hash: id, Session: "s", Expires: expires}), tx.InsertCode(issuer.Code{Hash: "unused " + id, Expires: expires}))
		}
		return err
	})
	s.update(func(tx issuer.Tx) error {
		gone, there := deviceCode("gone"), deviceCode("there")
		gone.Expires, there.Expires = base.Add(-1e6), base
		return errors.Join(tx.InsertDeviceCode(gone), tx.InsertDeviceCode(there))
	})
	for _, want := range []int{1, 0} {
		s.count(want, func(tx issuer.Tx) (int, error) { return tx.DeleteDeviceCodes("", base, 9) })
		s.count(want, func(tx issuer.Tx) (int, error) { return tx.DeleteSignIns(base, 9) })
		s.count(want, func(tx issuer.Tx) (int, error) { return tx.DeleteUnusedCodes("", base, 9) })
		s.count(want, func(tx issuer.Tx) (int, error) { return tx.DeleteCodes(base, 9) })
	}
	for id, want := range map[string]bool{"gone": false, "unused gone": false, "there": true, "unused there": true} {
		one := func(r issuer.Reader) (issuer.Code, error) { return r.Code(id) }
		if want {
			read(s, one)
		} else {
			missing(s, one)
		}
	}
	read(s, findSignIn(signIn("there").Hash))
	missing(s, findSignIn(signIn("gone").Hash))
}
