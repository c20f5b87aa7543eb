package storetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// ids returns the IDs of a list, in its order.
func ids[T any](list []T, id func(T) string) []string {
	all := make([]string, len(list))
	for n, one := range list {
		all[n] = id(one)
	}
	return all
}

func subjectID(s issuer.Subject) string { return s.ID }
func sessionID(s issuer.Session) string { return s.ID }

// subjectLists: newest first, of one moment by falling ID, without those that are deleted.
func (s *suite) subjectLists() {
	s.update(func(tx issuer.Tx) error {
		var errs []error
		for n, id := range []string{"a", "b", "c", "d", "e", odd} {
			one := subject(id)
			one.Created = base.Add(time.Duration(n/2) * time.Millisecond)
			one.Disabled, one.Deleted = id == "c", time.Time{}
			if id == "b" {
				one.Deleted = base
			}
			errs = append(errs, tx.InsertSubject(one))
		}
		return errors.Join(errs...)
	})
	list := func(f issuer.SubjectFilter, after issuer.Position, limit int) []string {
		return ids(read(s, func(r issuer.Reader) ([]issuer.Subject, error) { return r.Subjects(f, after, limit) }), subjectID)
	}
	yes, no := true, false
	s.equal(list(issuer.SubjectFilter{}, issuer.Position{}, 10), []string{odd, "e", "d", "c", "a"})
	s.equal(list(issuer.SubjectFilter{}, issuer.Position{}, 2), []string{odd, "e"})
	s.equal(list(issuer.SubjectFilter{}, issuer.Position{Time: base.Add(2 * time.Millisecond), ID: "e"}, 10), []string{"d", "c", "a"})
	s.equal(list(issuer.SubjectFilter{}, issuer.Position{Time: base, ID: "a"}, 10), []string{})
	s.equal(list(issuer.SubjectFilter{Disabled: &yes}, issuer.Position{}, 10), []string{"c"})
	s.equal(list(issuer.SubjectFilter{Disabled: &no}, issuer.Position{}, 10), []string{odd, "e", "d", "a"})
	whole := read(s, func(r issuer.Reader) ([]issuer.Subject, error) {
		return r.Subjects(issuer.SubjectFilter{}, issuer.Position{}, 1)
	})
	s.equal(whole[0], read(s, findSubject(odd)))
}

// clientSubjects: those whose IDs begin as all clients' do, byte by byte, without those that are deleted; in an Update,
// too, which may change them.
func (s *suite) clientSubjects() {
	s.update(func(tx issuer.Tx) error {
		var errs []error
		for _, id := range []string{"client", "client_", "client_b", "client_a", "client_B", "client_gone", "client_" + odd, "client`", "clienT_c", "xclient_d"} {
			one := subject(id)
			if id != "client_gone" {
				one.Deleted = time.Time{}
			}
			errs = append(errs, tx.InsertSubject(one))
		}
		return errors.Join(errs...)
	})
	list := func(after string, limit int) []string {
		return ids(read(s, func(r issuer.Reader) ([]issuer.Subject, error) { return r.ClientSubjects(after, limit) }), subjectID)
	}
	s.equal(list("", 10), []string{"client_B", "client_a", "client_b", "client_" + odd})
	s.equal(list("", 2), []string{"client_B", "client_a"})
	s.equal(list("client_a", 2), []string{"client_b", "client_" + odd})
	s.equal(list("client_"+odd, 2), []string{})
	s.update(func(tx issuer.Tx) error {
		found, err := tx.ClientSubjects("", 1)
		s.equal(found[0], read(s, findSubject("client_B")))
		found[0].Generation++
		return errors.Join(err, tx.UpdateSubject(found[0]))
	})
	s.equal(read(s, findSubject("client_B")).Generation, uint64(8))
}

// otherWithScope: whole words count, of somebody else who isn't disabled or deleted.
func (s *suite) otherWithScope() {
	scoped := func(id string, scope ...string) issuer.Subject {
		one := subject(id)
		one.Scope, one.Disabled, one.Deleted = scope, false, time.Time{}
		return one
	}
	s.update(func(tx issuer.Tx) error {
		disabled, deleted := scoped("disabled", "jot:rare"), scoped("deleted", "jot:rare")
		disabled.Disabled, deleted.Deleted = true, base
		return errors.Join(tx.InsertSubject(scoped("one", "a", "jot:admin", "b")), tx.InsertSubject(scoped("two", "jot:admin_", "JOT:ADMIN", "xjot:admin", "jot:y")),
			tx.InsertSubject(disabled), tx.InsertSubject(deleted))
	})
	other := func(scope, id string) bool {
		return read(s, func(r issuer.Reader) (bool, error) { return r.OtherWithScope(scope, id) })
	}
	s.equal(other("jot:admin", "two"), true)
	s.equal(other("jot:admin", "one"), false)
	s.equal(other("jot:y", ""), true)
	s.equal(other("%", ""), false)
	s.equal(other("jot:rare", ""), false)
}

// sessionLists: newest first, by subject, by client, by whether they live.
func (s *suite) sessionLists() {
	s.update(func(tx issuer.Tx) error {
		errs := []error{tx.InsertSubject(subject("s1")), tx.InsertSubject(subject("s2"))}
		for n, id := range []string{"a", "b", "c", "d"} {
			one := session(id, "s1")
			one.Created = base.Add(time.Duration(n/2) * time.Millisecond)
			switch id {
			case "b":
				one.Subject, one.ClientID = "s2", "client_other"
			case "c":
				one.Ended, one.EndReason = base, issuer.EndedByLogout
			case "d":
				one.IdleExpires = base.Add(time.Minute)
			}
			errs = append(errs, tx.InsertSession(one))
		}
		return errors.Join(errs...)
	})
	list := func(f issuer.SessionFilter, live time.Time, after issuer.Position, limit int) []string {
		return ids(read(s, func(r issuer.Reader) ([]issuer.Session, error) { return r.Sessions(f, live, after, limit) }), sessionID)
	}
	var always time.Time
	var first issuer.Position
	s.equal(list(issuer.SessionFilter{}, always, first, 10), []string{"d", "c", "b", "a"})
	s.equal(list(issuer.SessionFilter{}, always, issuer.Position{Time: base.Add(time.Millisecond), ID: "c"}, 1), []string{"b"})
	s.equal(list(issuer.SessionFilter{}, base, first, 10), []string{"d", "b", "a"})
	s.equal(list(issuer.SessionFilter{}, base.Add(time.Minute), first, 10), []string{"b", "a"})
	s.equal(list(issuer.SessionFilter{Subject: "s1"}, always, first, 10), []string{"d", "c", "a"})
	s.equal(list(issuer.SessionFilter{ClientID: "client_other"}, always, first, 10), []string{"b"})
	s.equal(list(issuer.SessionFilter{Subject: "s1", ClientID: "client_other"}, always, first, 10), []string{})
	whole := read(s, func(r issuer.Reader) ([]issuer.Session, error) {
		return r.Sessions(issuer.SessionFilter{}, always, first, 1)
	})
	s.equal(whole[0], read(s, findSession("d")))
}

// endSessionsOf: in batches, of one client or of all, those that the clock took into the future too, and none twice.
func (s *suite) endSessionsOf() {
	later := base.Add(time.Second)
	s.update(func(tx issuer.Tx) error {
		errs := []error{tx.InsertSubject(subject("sub"))}
		for n := range 7 {
			one := session(fmt.Sprint("s", n), "sub")
			one.Created = base.Add(time.Duration(n/3) * time.Millisecond)
			if n == 1 {
				one.ClientID = "client_other"
			}
			errs = append(errs, tx.InsertSession(one))
		}
		future := session("future", "sub")
		future.Created = later.Add(time.Hour)
		return errors.Join(append(errs, tx.InsertSession(future))...)
	})
	end := func(client string, after issuer.Position, limit int) []string {
		var ended []issuer.Session
		s.update(func(tx issuer.Tx) (err error) {
			ended, err = tx.EndSessionsOf(client, later, issuer.EndedByAdmin, after, limit)
			return err
		})
		return ids(ended, sessionID)
	}
	s.equal(end("client_web", issuer.Position{}, 4), []string{"s0", "s2", "s3", "s4"})
	s.equal(end("client_web", issuer.Position{Time: base.Add(time.Millisecond), ID: "s4"}, 4), []string{"s5", "s6", "future"})
	s.equal(end("client_web", issuer.Position{}, 4), []string{})
	s.equal(read(s, findSession("s1")).Ended.IsZero(), true)
	s.equal(end("", issuer.Position{}, 10), []string{"s1"})
	ended := read(s, findSession("s1"))
	s.equal(ended.Ended, later)
	s.equal(ended.EndReason, issuer.EndedByAdmin)
}

// eventLists: both ways, by kind, by subject, within a span of time.
func (s *suite) eventLists() {
	s.update(func(tx issuer.Tx) error {
		var errs []error
		for n := range 6 {
			errs = append(errs, tx.InsertEvent(issuer.Event{
				Time: base.Add(time.Duration(n) * time.Second), Kind: issuer.EventKind(fmt.Sprint("k", n%2)), Subject: fmt.Sprint("s", n%3),
				Actor: odd, ActorClient: "client_jot", RequestID: "R", Detail: fmt.Sprint(n),
			}))
		}
		return errors.Join(errs...)
	})
	detail := func(e issuer.Event) string { return e.Detail }
	forward := func(f issuer.EventFilter, after uint64, limit int) []issuer.Event {
		return read(s, func(r issuer.Reader) ([]issuer.Event, error) { return r.Events(f, after, limit) })
	}
	backward := func(f issuer.EventFilter, before uint64, limit int) []issuer.Event {
		return read(s, func(r issuer.Reader) ([]issuer.Event, error) { return r.EventsBefore(f, before, limit) })
	}
	all := forward(issuer.EventFilter{}, 0, 10)
	s.equal(ids(all, detail), []string{"0", "1", "2", "3", "4", "5"})
	s.equal(all[0].Actor+all[0].ActorClient+all[0].RequestID, odd+"client_jotR")
	reversed := slices.Clone(all)
	slices.Reverse(reversed)
	s.equal(backward(issuer.EventFilter{}, 0, 10), reversed)
	s.equal(ids(backward(issuer.EventFilter{}, all[3].ID, 2), detail), []string{"2", "1"})
	for _, c := range []struct {
		filter issuer.EventFilter
		want   []string
	}{
		{issuer.EventFilter{Kind: "k1"}, []string{"1", "3", "5"}},
		{issuer.EventFilter{Subject: "s1"}, []string{"1", "4"}},
		{issuer.EventFilter{Subject: "s1", Kind: "k0"}, []string{"4"}},
		{issuer.EventFilter{Since: base.Add(time.Second), Until: base.Add(3 * time.Second)}, []string{"1", "2"}},
		{issuer.EventFilter{Kind: "k1", Since: base.Add(2 * time.Second)}, []string{"3", "5"}},
		{issuer.EventFilter{Kind: "none"}, []string{}},
	} {
		s.equal(ids(forward(c.filter, 0, 10), detail), c.want)
		slices.Reverse(c.want)
		s.equal(ids(backward(c.filter, 0, 10), detail), c.want)
	}
}

func (s *suite) bootstrap() {
	find := func(r issuer.Reader) (issuer.Bootstrap, error) { return r.Bootstrap() }
	missing(s, find)
	for _, b := range []issuer.Bootstrap{{Hash: [32]byte{1}, Expires: base}, {Hash: [32]byte{2}, Expires: base.Add(time.Hour)}, {}} {
		s.update(func(tx issuer.Tx) error { return tx.PutBootstrap(b) })
		s.equal(read(s, find), b)
	}
}
