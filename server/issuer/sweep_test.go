package issuer_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

// later moves the database's clock, and lets upkeep see it.
func (f *fixture) later(d time.Duration) {
	f.clock.Advance(d)
	for range 3 {
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		f.clock.Advance(sweepPause)
	}
}

// sweepPause is longer than the sweep waits between two rounds.
const sweepPause = 2 * time.Second

// known reports whether the database has something still.
func (f *fixture) known(find func(issuer.Reader) error) bool {
	f.Helper()
	err := f.store.View(f.Context(), find)
	if err != nil && !errors.Is(err, issuer.ErrNotFound) {
		f.Fatal(err)
	}
	return err == nil
}

func (f *fixture) knowsSession(sid string) bool {
	return f.known(func(r issuer.Reader) error { _, _, err := r.Session(sid); return err })
}

func TestSweepSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.AbsoluteTTL, c.IdleTTL, c.SessionRetention = 20*24*time.Hour, 20*24*time.Hour, 10*24*time.Hour
		f := newFixture(t, c)
		defer f.Close()
		ended, expiring := f.login(), f.login()
		f.do(f.EndSession(t.Context(), "ann", ended.SessionID))
		f.later(c.SessionRetention - time.Hour)
		if !f.knowsSession(ended.SessionID) {
			t.Error("an ended session was forgotten too early")
		}
		f.later(2 * time.Hour)
		if f.knowsSession(ended.SessionID) || !f.knowsSession(expiring.SessionID) {
			t.Error("the ended session is known still, or the living one isn't")
		}
		f.refuseRefresh(ended.Refresh)
		f.do(f.RevokeToken(t.Context(), ended.Refresh, "")) // it's of no use any more
		f.later(c.AbsoluteTTL)
		if f.knowsSession(expiring.SessionID) {
			t.Error("an expired session is known still")
		}
	})
}

// TestSweepCodes: a code that nobody has used is forgotten when it has expired, and one that was used a day later, so
// that its second use is seen.
func TestSweepCodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, request, redeem := browsing()
		c.IdleTTL = 7 * 24 * time.Hour
		f := newFixture(t, c)
		defer f.Close()
		secret := f.signIn()
		unused, err1 := f.Authorize(t.Context(), request, secret, issuer.Shown{})
		used, err2 := f.Authorize(t.Context(), request, secret, issuer.Shown{})
		_, err3 := f.RedeemCode(t.Context(), redeem(used.Code))
		f.do(errors.Join(err1, err2, err3))
		knows := func(code string) bool {
			sum := sha256.Sum256([]byte(code))
			return f.known(func(r issuer.Reader) error {
				_, err := r.Code(base64.RawURLEncoding.EncodeToString(sum[:]))
				return err
			})
		}
		if !knows(unused.Code) || !knows(used.Code) {
			t.Fatal("codes aren't known by their hashes")
		}
		f.later(time.Hour)
		if knows(unused.Code) || !knows(used.Code) {
			t.Error("the code that nobody used is known still, or the used one isn't")
		}
		f.later(25 * time.Hour)
		if knows(used.Code) {
			t.Error("the used code is known still")
		}
	})
}

// TestSweepSubjects: a deleted subject is forgotten with the last that refers to it, and can then begin anew.
func TestSweepSubjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, config())
		defer f.Close()
		f.login()
		f.do(f.DeleteSubject(t.Context(), "ann"))
		knows := func() bool {
			return f.known(func(r issuer.Reader) error { _, err := r.Subject("ann"); return err })
		}
		f.later(29 * 24 * time.Hour)
		if !knows() {
			t.Error("a deleted subject with a session was forgotten")
		}
		f.later(2 * 24 * time.Hour)
		if knows() {
			t.Error("a deleted subject is known still")
		}
		f.createSubject("ann")
		f.accept(f.login().Access)
	})
}

func TestSweepEventsAndKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.EventRetention = 5 * 24 * time.Hour
		f := newFixture(t, c)
		defer f.Close()
		tokens := f.login()
		f.refresh(f.refresh(tokens.Refresh).Refresh)
		f.refuseRefresh(tokens.Refresh) // a replay, which is an event
		f.later(11 * time.Minute)
		old := f.rotate().Retiring
		knowsKey := func() bool {
			return f.known(func(r issuer.Reader) error {
				keys, err := r.Keys()
				for _, k := range keys {
					if k.ID == old {
						return err
					}
				}
				return issuer.ErrNotFound
			})
		}
		f.later(c.EventRetention - time.Hour)
		if len(f.events()) != 1 || !knowsKey() {
			t.Error("an event or a key was forgotten too early")
		}
		f.later(3 * time.Hour)
		if len(f.events()) != 0 || knowsKey() {
			t.Error("an event or a key is known still")
		}
	})
}

// TestSweepRules: rules that expired long ago leave the log, those in force stay, and who is too far behind learns it.
func TestSweepRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, config())
		defer f.Close()
		kid := f.next()
		f.do(f.RevokeKey(t.Context(), kid)) // sequence 1, a rule that never expires
		const tail = 2 * revocation.MaxFrameRules
		f.appendRules(tail + 99) // up to sequence tail + 100
		f.later(8 * 24 * time.Hour)
		head, err := f.LogHead(t.Context())
		f.do(err)
		if head.Sequence != tail+100 {
			t.Fatalf("the log ends at %d", head.Sequence)
		}
		for after, want := range map[uint64]error{0: issuer.ErrSwept, 99: issuer.ErrSwept, 100: nil, tail + 100: nil, tail + 101: issuer.ErrNotFound} {
			rules, reached, err := f.LogEntries(t.Context(), after, 2*tail)
			if !errors.Is(err, want) || want == nil && (reached != head || len(rules) != int(head.Sequence-after)) {
				t.Errorf("after %d: %d rules, %v, want %v", after, len(rules), err, want)
			}
		}
		if active := f.rules(); len(active) != 1 || active[0].Value != kid {
			t.Errorf("rules in force %+v, want the key's", active)
		}
		if _, _, err := f.ActiveRules(t.Context(), 50, func(revocation.Rule) error { return nil }); !errors.Is(err, issuer.ErrSwept) {
			t.Errorf("rules up to one that was forgotten: %v, want ErrSwept", err)
		}
		tokens := f.login()
		f.do(f.EndSession(t.Context(), "ann", tokens.SessionID))
		f.refuse(tokens.Access, jot.ErrRevoked)
	})
}

// appendRules appends expiring rules to the log, as an issuer does.
func (f *fixture) appendRules(count int) {
	f.Helper()
	f.do(f.store.Update(f.Context(), func(tx issuer.Tx) error {
		head, err := tx.LogHead()
		if err != nil {
			return err
		}
		for n := range count {
			r := revocation.Rule{Kind: revocation.Session, Issuer: f.URL(), Value: fmt.Sprint("s", n), Subject: "x", Expires: f.clock.Now().Add(time.Hour).Unix()}
			head = head.Append(r)
			if err := tx.AppendRule(issuer.LogEntry{Sequence: head.Sequence, Rule: r, Hash: head.Hash, Time: f.clock.Now()}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// TestSweepTogether: several servers over one database sweep it without harm to each other.
func TestSweepTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.AbsoluteTTL, c.SessionRetention = time.Hour, time.Hour
		f := newFixture(t, c)
		defer f.Close()
		for range 2 {
			other, err := f.open(f.config)
			f.do(err)
			defer other.Close()
		}
		var all []string
		for range 1200 {
			all = append(all, f.login().SessionID)
		}
		f.later(3 * time.Hour)
		for _, sid := range all {
			if f.knowsSession(sid) {
				t.Fatal("a session is known still")
			}
		}
		f.accept(f.login().Access)
	})
}
