package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

// odd is a text that breaks what is pasted into SQL, JSON or a pattern.
const odd = `Ω'"; DROP TABLE subjects; --%_\ 雪`

func subject(id string) issuer.Subject {
	return issuer.Subject{
		ID: id, Generation: 7, Claims: json.RawMessage(`{"name":"` + "O'Neil 雪" + `","n":[1,{}]}`), Scope: []string{"b:2", "a:1"},
		Created: base, Deleted: base.Add(time.Second), Ending: issuer.Ending{Before: 7, At: base.Add(time.Minute), Why: issuer.EndedByDisable, Pending: true},
	}
}

func session(id, of string) issuer.Session {
	return issuer.Session{
		ID: id, Subject: of, Generation: 5, ClientID: "client_web", Resource: "https://api.example.com/" + odd, Scope: []string{"b:2", "a:1"},
		AMR: []string{"pwd", "otp"}, AuthTime: base, UserAgent: odd, Address: "2001:db8::1", Created: base, LastUsed: base.Add(time.Second),
		IdleExpires: base.Add(time.Hour), Expires: base.Add(48 * time.Hour),
		Counters:      issuer.Counters{Current: 1<<62 + 1, Previous: 1 << 62, RotatedAt: base.Add(time.Millisecond)},
		KeyThumbprint: "jkt", RevokedTokens: 7, Reported: issuer.EventRefreshElsewhere, SignIn: "sign-in",
	}
}

func findSubject(id string) func(issuer.Reader) (issuer.Subject, error) {
	return func(r issuer.Reader) (issuer.Subject, error) { return r.Subject(id) }
}

func findSession(id string) func(issuer.Reader) (issuer.Session, error) {
	return func(r issuer.Reader) (issuer.Session, error) {
		session, _, err := r.Session(id)
		return session, err
	}
}

func (s *suite) subjects() {
	first := subject(odd)
	missing(s, findSubject(first.ID))
	s.refuse(issuer.ErrNotFound, func(tx issuer.Tx) error { return tx.UpdateSubject(first) })
	s.update(func(tx issuer.Tx) error { return tx.InsertSubject(first) })
	s.equal(read(s, findSubject(first.ID)), first)
	s.refuse(issuer.ErrTaken, func(tx issuer.Tx) error { return tx.InsertSubject(first) })

	changed := issuer.Subject{ID: first.ID, Generation: 8, Claims: json.RawMessage(`{}`), Scope: []string{}, Disabled: true, Created: base.Add(time.Hour)}
	s.update(func(tx issuer.Tx) error { return tx.UpdateSubject(changed) })
	s.equal(read(s, findSubject(first.ID)), changed)
	missing(s, findSubject("Ω"))
	s.update(func(tx issuer.Tx) error { return tx.DeleteAccount(first.ID) }) // there is none
}

func (s *suite) sessions() {
	first := session("s1", "sub")
	s.refuse(issuer.ErrNotFound, func(tx issuer.Tx) error { return tx.InsertSession(first) })
	s.update(func(tx issuer.Tx) error { return tx.InsertSubject(subject("sub")) })
	missing(s, findSession("s1"))
	s.refuse(issuer.ErrNotFound, func(tx issuer.Tx) error { return tx.UpdateSession(first) })
	s.update(func(tx issuer.Tx) error { return tx.InsertSession(first) })
	s.equal(read(s, findSession("s1")), first)
	s.refuse(issuer.ErrTaken, func(tx issuer.Tx) error { return tx.InsertSession(first) })

	s.refuse(issuer.ErrTaken, func(tx issuer.Tx) error { // which may be told late, and is never taken for the outcome of what comes after
		if err := tx.InsertSession(first); err != nil {
			return err
		}
		if _, err := tx.Subject("sub"); err == nil || errors.Is(err, issuer.ErrTaken) || errors.Is(err, issuer.ErrNotFound) {
			s.Errorf("after a session that is taken, reading fails with %v", err)
		}
		return tx.InsertSubject(subject("other"))
	})
	missing(s, findSubject("other"))

	changed := first
	changed.UserAgent, changed.Address, changed.LastUsed, changed.IdleExpires = "", "192.0.2.1", base.Add(time.Minute), base.Add(2*time.Hour)
	changed.Counters = issuer.Counters{Current: 2, Previous: 1, RotatedAt: base.Add(time.Minute)}
	changed.Ended, changed.EndReason = base.Add(time.Minute), issuer.EndedByReuse
	changed.RevokedTokens, changed.Reported, changed.Generation = 8, "", 6
	s.update(func(tx issuer.Tx) error { return tx.UpdateSession(changed) })
	s.equal(read(s, findSession("s1")), changed)
	s.update(func(tx issuer.Tx) error {
		err := tx.HoldSessions(append(make([]string, 29), "s1", "s2", "\x00"))
		for revoked := range 2 { // as it was, and then as it has become
			held, owner, failed := tx.Session("s1")
			changed.RevokedTokens = 8 + revoked
			s.equal(held, changed)
			s.equal(owner, subject("sub"))
			held.RevokedTokens++
			err = errors.Join(err, failed, tx.UpdateSession(held))
		}
		_, _, missing := tx.Session("s2")
		s.equal(missing, issuer.ErrNotFound)
		return err
	})
}

func (s *suite) sessionsOf() {
	ended, expired := session("b", "one"), session("c", "one")
	ended.Ended, ended.EndReason = base, issuer.EndedByLogout
	expired.Expires, expired.IdleExpires = base, base
	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.InsertSubject(subject("one")), tx.InsertSubject(subject("two")), tx.InsertSession(session("d", "one")), tx.InsertSession(ended),
			tx.InsertSession(session("B", "one")), tx.InsertSession(session("a", "one")), tx.InsertSession(expired), tx.InsertSession(session("aa", "two")))
	})
	list := func(subject, after string, limit int) []issuer.Session {
		return read(s, func(r issuer.Reader) ([]issuer.Session, error) { return r.SessionsOf(subject, after, limit) })
	}
	all := []issuer.Session{session("B", "one"), session("a", "one"), expired, session("d", "one")}
	s.equal(list("one", "", 10), all)
	s.equal(list("one", "", 2), all[:2])
	s.equal(list("one", "a", 10), all[2:])
	s.equal(len(list("one", "d", 10))+len(list("nobody", "", 10)), 0)
}

// latestUse is of any session, whether it lives or not.
func (s *suite) latestUse() {
	latest := func(r issuer.Reader) (time.Time, error) { return r.LatestUse() }
	s.equal(read(s, latest), time.Time{})
	for n, id := range []string{"a", "c", "b"} {
		s.update(func(tx issuer.Tx) error {
			used := session(id, id)
			used.LastUsed, used.Expires = base.Add(time.Duration(n)*time.Minute), base
			if id == "b" {
				used.Ended, used.EndReason = base, issuer.EndedByLogout
			}
			return errors.Join(tx.InsertSubject(subject(id)), tx.InsertSession(used))
		})
		s.equal(read(s, latest), base.Add(time.Duration(n)*time.Minute))
	}
}

func (s *suite) keys() {
	allKeys := func(r issuer.Reader) ([]issuer.Key, error) { return r.Keys() }
	s.equal(len(read(s, allKeys)), 0)
	root := issuer.Key{ID: "z-root", Purpose: issuer.PurposeRefresh, State: issuer.KeyActive, Sealed: []byte{0, 1, 255}, Version: 255, Created: base, Activated: base}
	access := issuer.Key{ID: "a-key", Purpose: issuer.PurposeAccess, Algorithm: "ES256", State: issuer.KeyNext, Public: json.RawMessage(`{"kty":"EC"}`), Sealed: []byte{7}, Created: base}
	s.refuse(issuer.ErrNotFound, func(tx issuer.Tx) error { return tx.UpdateKey(root) })
	s.update(func(tx issuer.Tx) error { return errors.Join(tx.InsertKey(root), tx.InsertKey(access)) })
	s.equal(read(s, allKeys), []issuer.Key{root, access})
	s.refuse(issuer.ErrTaken, func(tx issuer.Tx) error { return tx.InsertKey(root) })

	remote := issuer.Key{ID: "remote", Purpose: issuer.PurposeAccess, Algorithm: "ES256", State: issuer.KeyNext, Public: json.RawMessage(`{}`), Remote: true, Created: base}
	s.update(func(tx issuer.Tx) error { return tx.InsertKey(remote) })
	s.equal(read(s, allKeys), []issuer.Key{root, access, remote})

	access.State, access.Sealed, access.Activated, access.Expires = issuer.KeyRetiring, nil, base.Add(time.Millisecond), base.Add(time.Hour)
	s.update(func(tx issuer.Tx) error { return tx.UpdateKey(access) })
	s.equal(read(s, allKeys), []issuer.Key{root, access, remote})
}

func logHead(r issuer.Reader) (revocation.Head, error) { return r.LogHead() }

func logEntries(after uint64, limit int) func(issuer.Reader) ([]issuer.LogEntry, error) {
	return func(r issuer.Reader) ([]issuer.LogEntry, error) { return r.LogEntries(after, limit) }
}

// appendRule writes what an issuer writes for one rule.
func appendRule(tx issuer.Tx, r revocation.Rule) error {
	head, err := tx.LogHead()
	if err != nil {
		return err
	}
	head = head.Append(r)
	return tx.AppendRule(issuer.LogEntry{Sequence: head.Sequence, Rule: r, Hash: head.Hash, Time: base})
}

func rule(value string, expires int64) revocation.Rule {
	return revocation.Rule{Kind: revocation.Session, Issuer: "https://auth.example.com", Value: value, Subject: odd, Expires: expires}
}

func (s *suite) log() {
	missing(s, logHead)
	empty := revocation.NewLog("log")
	s.update(func(tx issuer.Tx) error { return tx.PutLogHead(empty) })
	s.equal(read(s, logHead), empty)
	s.equal(len(read(s, logEntries(0, 10))), 0)

	var want []issuer.LogEntry
	head := empty
	for n := range 5 {
		r := rule(fmt.Sprint("s", n), base.Unix()+int64(n))
		head = head.Append(r)
		want = append(want, issuer.LogEntry{Sequence: head.Sequence, Rule: r, Hash: head.Hash, Time: base})
		s.update(func(tx issuer.Tx) error { return appendRule(tx, r) })
	}
	s.equal(read(s, logHead), head)
	s.equal(read(s, logEntries(0, 10)), want)
	s.equal(read(s, logEntries(1, 3)), want[1:4])
	s.equal(len(read(s, logEntries(5, 10))), 0)
	s.refuse(issuer.ErrTaken, func(tx issuer.Tx) error { return tx.AppendRule(want[2]) })
}

func (s *suite) liveRules() {
	never := revocation.Rule{Kind: revocation.Key, Issuer: "https://auth.example.com", Value: "kid"}
	generation := revocation.Rule{Kind: revocation.SubjectGeneration, Issuer: "https://auth.example.com", Value: odd, Minimum: 3, Expires: base.Unix()}
	all := []revocation.Rule{rule("past", base.Unix()-1), never, generation, rule("later", base.Unix()+1)}
	s.update(func(tx issuer.Tx) error {
		err := tx.PutLogHead(revocation.NewLog("log"))
		for _, r := range all {
			err = errors.Join(err, appendRule(tx, r))
		}
		return err
	})
	for last, want := range [][]revocation.Rule{nil, nil, {never}, {never, generation}, all[1:], all[1:]} {
		live := read(s, func(r issuer.Reader) (live []revocation.Rule, err error) {
			err = r.LiveRules(base, uint64(last), func(rule revocation.Rule) error {
				live = append(live, rule)
				return nil
			})
			return live, err
		})
		s.equal(len(live), len(want))
		for _, r := range want {
			if !slices.Contains(live, r) {
				s.Errorf("rule %+v is missing", r)
			}
		}
	}
	stop := errors.New("enough")
	count := 0
	err := s.store.View(s.Context(), func(r issuer.Reader) error {
		return r.LiveRules(base, 4, func(revocation.Rule) error { count++; return stop })
	})
	if !errors.Is(err, stop) || count != 1 {
		s.Errorf("%d rules and %v, want one and the caller's own error", count, err)
	}
}

func (s *suite) replaceLog() {
	replaced := func(id string) func(issuer.Reader) (revocation.Head, error) {
		return func(r issuer.Reader) (revocation.Head, error) { return r.ReplacedLog(id) }
	}
	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.PutLogHead(revocation.NewLog("one")), appendRule(tx, rule("a", base.Unix())), appendRule(tx, rule("b", base.Unix())))
	})
	missing(s, replaced("one"))
	one := read(s, logHead)
	s.update(func(tx issuer.Tx) error { return tx.ReplaceLog(revocation.NewLog("two")) })
	s.equal(read(s, logHead), revocation.NewLog("two"))
	s.equal(read(s, replaced("one")), one)
	s.equal(len(read(s, logEntries(0, 10))), 0)
	missing(s, replaced("two"))
	s.update(func(tx issuer.Tx) error { return appendRule(tx, rule("c", base.Unix())) })
	two := read(s, logHead)
	s.equal(two, revocation.NewLog("two").Append(rule("c", base.Unix())))
	s.update(func(tx issuer.Tx) error { return tx.ReplaceLog(revocation.NewLog("three")) })
	s.equal(read(s, replaced("one")), one)
	s.equal(read(s, replaced("two")), two)
}

func (s *suite) events() {
	allEvents := func(r issuer.Reader) ([]issuer.Event, error) { return r.Events(issuer.EventFilter{}, 0, 100) }
	s.equal(len(read(s, allEvents)), 0)
	for n := range 3 {
		s.update(func(tx issuer.Tx) error {
			return tx.InsertEvent(issuer.Event{Time: base, Kind: issuer.EventReplyLost, Subject: odd, Session: fmt.Sprint(n), ClientID: "c", UserAgent: "u", Address: "a", Detail: "d"})
		})
	}
	events := read(s, allEvents)
	s.equal(len(events), 3)
	for n, e := range events {
		if n > 0 && e.ID <= events[n-1].ID {
			s.Errorf("event IDs %d, %d don't ascend", events[n-1].ID, e.ID)
		}
		s.equal(e, issuer.Event{ID: e.ID, Time: base, Kind: issuer.EventReplyLost, Subject: odd, Session: fmt.Sprint(n), ClientID: "c", UserAgent: "u", Address: "a", Detail: "d"})
	}
	after := read(s, func(r issuer.Reader) ([]issuer.Event, error) { return r.Events(issuer.EventFilter{}, events[0].ID, 1) })
	s.equal(after, events[1:2])
}

func setting(name string) func(issuer.Reader) (int64, error) {
	return func(r issuer.Reader) (int64, error) { return r.Setting(name) }
}

func (s *suite) settings() {
	missing(s, setting("a"))
	for _, value := range []int64{1, -1 << 62, 0} {
		s.update(func(tx issuer.Tx) error { return errors.Join(tx.PutSetting("a", value), tx.PutSetting("b", 5)) })
		s.equal(read(s, setting("a")), value)
	}
	s.equal(read(s, setting("b")), int64(5))
	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.PutSetting("of:b", 2), tx.PutSetting("of:a", 1), tx.PutSetting("of:", 0), tx.PutSetting("of", 9), tx.PutSetting("og", 9))
	})
	all := func(r issuer.Reader) ([]issuer.Setting, error) { return r.Settings("of:") }
	want := []issuer.Setting{{Name: "of:"}, {Name: "of:a", Value: 1}, {Name: "of:b", Value: 2}}
	s.equal(read(s, all), want)
	s.update(func(tx issuer.Tx) error {
		found, err := all(tx)
		s.equal(found, want)
		return err
	})
}

func (s *suite) url() {
	url := func(r issuer.Reader) (string, error) { return r.URL() }
	missing(s, url)
	for _, text := range []string{"https://auth.example.com", "https://example.com/auth"} {
		s.update(func(tx issuer.Tx) error { return tx.PutURL(text) })
		s.equal(read(s, url), text)
	}
}

func (s *suite) clock() {
	now := read(s, func(r issuer.Reader) (time.Time, error) { return r.Now() })
	s.equal(now.Truncate(time.Millisecond), now)
	s.equal(now.Location(), time.UTC)
	for range 100 {
		s.update(func(tx issuer.Tx) error {
			next, err := tx.Now()
			if next.Before(now) {
				s.Errorf("the clock went from %v back to %v", now, next)
			}
			now = next
			return err
		})
	}
}
