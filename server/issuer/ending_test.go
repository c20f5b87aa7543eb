package issuer_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

// rawSession reads a session's row.
func (f *fixture) rawSession(sid string) issuer.Session {
	f.Helper()
	var s issuer.Session
	f.do(f.store.View(f.Context(), func(r issuer.Reader) (err error) {
		s, _, err = r.Session(sid)
		return err
	}))
	return s
}

// TestEndManySessions: more sessions than one transaction writes end at once all the same, and their rows follow.
func TestEndManySessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		var all []issuer.Tokens
		for range 1100 {
			all = append(all, f.login())
		}
		f.Close() // the row of no session but those of the first batch is written from now on
		f.do(f.EndSessions(t.Context(), "ann"))
		lagging := 0
		for _, tokens := range all {
			f.refuseRefresh(tokens.Refresh)
			if s, err := f.Session(t.Context(), tokens.SessionID); err != nil || s.Ended.IsZero() || s.EndReason != issuer.EndedEverywhere {
				t.Fatalf("session %+v, %v", s, err)
			}
			if f.rawSession(tokens.SessionID).Ended.IsZero() {
				lagging++
			}
		}
		if lagging != 600 {
			t.Errorf("%d rows were left for later, want 600", lagging)
		}
		f.start()
		defer f.Close()
		fresh := f.login()
		time.Sleep(2 * time.Second)
		for _, tokens := range all {
			if s := f.rawSession(tokens.SessionID); s.Ended.IsZero() || s.EndReason != issuer.EndedEverywhere {
				t.Fatalf("row %+v", s)
			}
		}
		f.accept(f.refresh(fresh.Refresh).Access)
	})
}

// TestEndManySessionsInTime: the rows follow soon after the commit, without waiting for the next round.
func TestEndManySessionsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		defer f.Close()
		var all []issuer.Tokens
		for range 600 {
			all = append(all, f.login())
		}
		time.Sleep(time.Minute)
		f.do(f.EndSessions(t.Context(), "ann"))
		time.Sleep(time.Millisecond)
		synctest.Wait()
		for _, tokens := range all {
			if f.rawSession(tokens.SessionID).Ended.IsZero() {
				t.Fatal("a row doesn't say that its session has ended")
			}
		}
	})
}

// TestOutdateSubject: a new password ends all sessions but the one in which it was changed.
func TestOutdateSubject(t *testing.T) {
	f := newFixture(t, config())
	f.createSubject("bob")
	here, there := f.login(), f.login()
	bobs := f.issue(issuer.Grant{Subject: "bob"})
	refusal := errors.New("no")
	if err := f.OutdateSubject(t.Context(), "ann", here.SessionID, func(issuer.Tx) error { return refusal }); !errors.Is(err, refusal) {
		t.Errorf("error %v, want the caller's own", err)
	}
	f.accept(there.Access)
	f.do(f.OutdateSubject(t.Context(), "ann", here.SessionID, func(tx issuer.Tx) error { return tx.PutSetting("password", 1) }))
	f.refuse(here.Access, jot.ErrStaleClaims)
	f.refuse(there.Access, jot.ErrStaleClaims)
	f.refuseRefresh(there.Refresh)
	here = f.refresh(here.Refresh)
	f.accept(here.Access)
	if s, err := f.Session(t.Context(), there.SessionID); err != nil || s.EndReason != issuer.EndedByPassword {
		t.Errorf("session %+v, %v", s, err)
	}
	f.do(f.OutdateSubject(t.Context(), "ann", bobs.SessionID, nil)) // a session of another's is none to keep
	f.refuseRefresh(here.Refresh)
	f.accept(f.refresh(bobs.Refresh).Access)
	if err := f.OutdateSubject(t.Context(), "nobody", "", nil); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}

// endBesideOthers ends the sessions of ten subjects, of each one beside a refresh of a session and a login, and checks
// what these got: no tokens where they were refused.
func (f *fixture) endBesideOthers(end func(subject string) error, check func(before, refreshed, issued issuer.Tokens)) {
	f.Helper()
	for n := range 10 {
		id := fmt.Sprint("subject", n)
		f.createSubject(id)
		before := f.issue(issuer.Grant{Subject: id})
		var refreshed, issued issuer.Tokens
		var errs [2]error
		var wait sync.WaitGroup
		wait.Go(func() { refreshed, errs[0] = f.tryRefresh(before.Refresh) })
		wait.Go(func() { issued, errs[1] = f.Issue(f.Context(), issuer.Grant{Subject: id}) })
		wait.Go(func() { f.do(end(id)) })
		wait.Wait()
		for _, err := range errs {
			if err != nil && !errors.Is(err, issuer.ErrInvalidGrant) && !errors.Is(err, issuer.ErrNotFound) {
				f.Error(err)
			}
		}
		check(before, refreshed, issued)
	}
}

// TestOutdateSubjectRace: whoever refreshes while the password is changed is caught, and whoever logs in is caught or
// of the new generation.
func TestOutdateSubjectRace(t *testing.T) {
	f := newFixture(t, config())
	outdate := func(subject string) error { return f.OutdateSubject(t.Context(), subject, "", nil) }
	f.endBesideOthers(outdate, func(_, refreshed, issued issuer.Tokens) {
		if refreshed.Access != "" {
			f.refuse(refreshed.Access, jot.ErrStaleClaims)
			f.refuseRefresh(refreshed.Refresh)
		}
		stale := f.Verifier().Check(t.Context(), issued.Access)
		if _, over := f.tryRefresh(issued.Refresh); (stale != nil) != (over != nil) {
			t.Errorf("the access token of a login: %v; its session: %v", stale, over)
		}
	})
}
