package issuer_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// recover recovers the database beside whatever runs over it.
func (f *fixture) recover(w issuer.Witness) issuer.Recovery {
	f.Helper()
	store := f.openStore()
	defer store.Close()
	done, err := issuer.Recover(f.Context(), store, issuer.RecoverOptions{
		URL: f.config.URL, KeyEncryptionKey: f.config.KeyEncryptionKey, ForeignIssuers: f.config.ForeignIssuers, Witness: w,
	})
	f.do(err)
	return done
}

// TestRecover: nothing of before is accepted any more, and everybody can log in.
func TestRecover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		live, ended := f.login(), f.login()
		f.do(f.EndSession(t.Context(), "ann", ended.SessionID))
		stolen := f.active()
		f.do(f.RevokeKey(t.Context(), stolen))
		signing, next := f.active(), f.next()
		before, err := f.LogHead(t.Context())
		f.do(err)
		f.do(f.Close())
		store := f.openStore()
		code, _, err := issuer.InviteAdmin(t.Context(), store)
		f.do(errors.Join(err, store.Close()))

		began := time.Now()
		done := f.recover(issuer.Witness{})
		if done.Before != before || done.After.LogID == before.LogID || len(done.SigningKey) != 1 {
			t.Errorf("%+v", done)
		}
		if slices.Sort(done.Revoked); len(done.Revoked) != 2 || !slices.Contains(done.Revoked, signing) || !slices.Contains(done.Revoked, next) {
			t.Errorf("revoked %v, want %s and %s", done.Revoked, signing, next)
		}
		if !done.LastRule.Equal(began.Truncate(time.Millisecond)) {
			t.Errorf("the last rule is of %v, want %v", done.LastRule, began)
		}
		if waited := time.Since(began); time.Now().Before(done.RefuseIat) || waited < time.Second || waited > 2*time.Second {
			t.Errorf("waited %v for %v", waited, done.RefuseIat)
		}

		f.start()
		defer f.Close()
		f.refuse(live.Access, jot.ErrUnknownKey)
		f.refuseRefresh(live.Refresh)
		f.refuseRefresh(ended.Refresh)
		if err := f.CheckBootstrap(t.Context(), code); !errors.Is(err, issuer.ErrBootstrap) {
			t.Errorf("a code of before: %v", err)
		}
		f.accept(f.refresh(f.login().Refresh).Access)
		if active := f.active(); active != done.SigningKey[0] {
			t.Errorf("key %s signs, want %s", active, done.SigningKey[0])
		}
		f.checkLog()
		rules := f.rules()
		for _, kid := range []string{stolen, signing, next} {
			if !slices.Contains(rules, revocation.Rule{Kind: revocation.Key, Issuer: f.URL(), Value: kid}) {
				t.Errorf("no rule refuses key %s: %+v", kid, rules)
			}
		}
		limit := revocation.Rule{Kind: revocation.IssuerIssuedAt, Issuer: f.URL(), Minimum: done.RefuseIat.Unix(), Expires: done.RefuseIat.Add(24*time.Hour+15*time.Minute).Unix() + 1}
		if len(rules) != 4 || !slices.Contains(rules, limit) {
			t.Errorf("rules %+v, want four and among them %+v", rules, limit)
		}
		if kinds := f.events(); !slices.Contains(kinds, issuer.EventDatabaseRecovered) {
			t.Errorf("events %v", kinds)
		}
	})
}

// TestRecoverEveryAlgorithm: each that signs goes on with new keys, and the keys that retire are revoked with the
// others.
func TestRecoverEveryAlgorithm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.Resources[1].Algorithm = jot.EdDSA
		f := newBubbleFixture(t, c)
		time.Sleep(time.Hour)
		_, err := f.RotateKey(t.Context(), issuer.RotateOptions{})
		f.do(err)
		before := f.KeySet().Keys()
		zoo := f.issue(issuer.Grant{Subject: "ann", ClientID: "client_web", Resource: "zoo"})
		f.do(f.Close())
		done := f.recover(issuer.Witness{})
		f.start()
		defer f.Close()
		if len(before) != 5 || len(done.Revoked) != 5 || len(done.SigningKey) != 2 || len(f.KeySet().Keys()) != 4 {
			t.Errorf("%d keys before, %d after; %+v", len(before), len(f.KeySet().Keys()), done)
		}
		f.refuse(zoo.Access, jot.ErrUnknownKey)
		token := f.accept(f.issue(issuer.Grant{Subject: "ann", ClientID: "client_web", Resource: "zoo"}).Access)
		if token.Algorithm() != jot.EdDSA {
			t.Errorf("the zoo's token is signed with %s", token.Algorithm())
		}
		f.accept(f.login().Access)
	})
}

// TestRecoverUnderAServer: a server that runs learns of it and enforces the new log.
func TestRecoverUnderAServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		defer f.Close()
		before := f.login()
		f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{}))
		synctest.Wait() // for the upkeep at the start
		f.recover(issuer.Witness{})
		f.refuseRefresh(before.Refresh)
		stale := f.login()
		time.Sleep(2 * time.Minute) // of upkeep
		f.refuse(before.Access, jot.ErrUnknownKey)
		f.refuse(stale.Access, jot.ErrUnknownKey)
		f.refuseRefresh(stale.Refresh)
		after := f.login()
		f.accept(after.Access)
		f.do(f.EndSession(t.Context(), "ann", after.SessionID))
		f.refuse(after.Access, jot.ErrRevoked)
		f.checkLog()
	})
}

// TestIssuingWaits: a token of the second that the rule refuses isn't issued, but the next one is.
func TestIssuingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		defer f.Close()
		w, err := f.Witness(t.Context(), issuer.Witness{})
		f.do(err)
		go f.recover(w)
		time.Sleep(500 * time.Millisecond)
		other, err := f.open(f.config)
		f.do(err)
		defer other.Close()
		f.Issuer, other = other, f.Issuer
		began := time.Now()
		token := f.accept(f.login().Access)
		if waited := time.Since(began); waited < 500*time.Millisecond || waited > 2*time.Second {
			t.Errorf("waited %v", waited)
		}
		if time.Since(token.IssuedAt()) > time.Second {
			t.Errorf("issued at %v, and it is %v", token.IssuedAt(), time.Now())
		}
		f.do(other.Close())
		time.Sleep(5 * time.Second)
	})
}

// TestRecoverUnderOtherKeys: the private half of a remote key isn't needed to take it out of use, and a backup may be
// older than the key-encryption key.
func TestRecoverUnderOtherKeys(t *testing.T) {
	f := newFixture(t, config())
	_, key := newSafe(t)
	f.do(f.ImportKey(t.Context(), key))
	f.clock.Advance(10 * time.Minute)
	f.rotate()
	before := f.login()
	f.do(f.Close())
	// Recover waits for a clock that goes on.
	began := time.Now()
	store, err := sqlstore.Open(t.Context(), f.path, sqlstore.Options{Now: func() time.Time { return f.clock.Now().Add(time.Since(began)) }})
	f.do(err)
	defer store.Close()
	newer := bytes.Repeat([]byte{8}, 32)
	o := issuer.RecoverOptions{URL: f.config.URL, KeyEncryptionKey: newer}
	if _, err := issuer.Recover(t.Context(), store, o); err == nil || !strings.Contains(err.Error(), "key-encryption key") {
		t.Fatalf("with another key-encryption key: %v", err)
	}
	o.OlderKeyEncryptionKeys = [][]byte{f.config.KeyEncryptionKey}
	done, err := issuer.Recover(t.Context(), store, o)
	f.do(err)
	if !slices.Contains(done.Revoked, key.KeyID()) || len(done.SigningKey) != 1 {
		t.Errorf("%+v", done)
	}
	f.clock.Advance(time.Minute)
	f.config.Now, f.config.KeyEncryptionKey = f.clock.Now, newer
	f.start()
	f.refuse(before.Access, jot.ErrUnknownKey)
	f.accept(f.login().Access)
}

// TestRecoverAmongLogins: of logins and refreshes at the same time, none has a token that a server over the new log
// accepts, unless its session began after.
func TestRecoverAmongLogins(t *testing.T) {
	f := &fixture{T: t, config: config(), path: filepath.Join(t.TempDir(), "data", "jot.db")}
	f.start()
	f.createSubject("ann")
	var mu sync.Mutex
	var got []issuer.Tokens
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				tokens, err := f.Issue(t.Context(), issuer.Grant{Subject: "ann"})
				if err == nil {
					tokens, err = f.Refresh(t.Context(), issuer.RefreshRequest{Token: tokens.Refresh})
				}
				if err != nil && !errors.Is(err, issuer.ErrInvalidGrant) {
					t.Error(err)
					return
				}
				mu.Lock()
				got = append(got, tokens)
				mu.Unlock()
			}
		})
	}
	done, err := issuer.Recover(t.Context(), f.store, issuer.RecoverOptions{URL: f.config.URL, KeyEncryptionKey: f.config.KeyEncryptionKey})
	close(stop)
	wait.Wait()
	f.do(err)
	f.restart()
	recovered := done.RefuseIat.Add(-2 * time.Second) // at the earliest
	for _, tokens := range got {
		if tokens.Access == "" {
			continue
		}
		session, err := f.Session(t.Context(), tokens.SessionID)
		f.do(err)
		access := f.Verifier().Check(t.Context(), tokens.Access)
		_, refresh := f.tryRefresh(tokens.Refresh)
		if before := session.Created.Before(recovered) || session.EndReason == issuer.EndedByRecovery; before && (access == nil || refresh == nil) {
			t.Fatalf("of a session of before: access token %v, refresh token %v; %+v", access, refresh, session)
		}
		if refresh == nil && session.EndReason != "" {
			t.Fatalf("an ended session goes on: %+v", session)
		}
	}
}

func TestRecoverEndsThousandsOfSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		const sessions = 2100
		f.insertSessions(sessions)
		f.do(f.Close())
		if done := f.recover(issuer.Witness{}); done.Sessions != sessions {
			t.Errorf("%d sessions ended, want %d", done.Sessions, sessions)
		}
		f.start()
		defer f.Close()
		for _, n := range []int{0, 999, 1000, sessions - 1} {
			s, err := f.Session(t.Context(), fmt.Sprintf("s%025d", n))
			if err != nil || s.EndReason != issuer.EndedByRecovery {
				t.Errorf("%+v, %v", s, err)
			}
		}
	})
}

func TestRecoverRefusesAClockThatIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		w, err := f.Witness(t.Context(), issuer.Witness{})
		f.do(err)
		f.do(f.Close())
		w.Time = w.Time.Add(time.Hour)
		_, err = issuer.Recover(t.Context(), f.store, issuer.RecoverOptions{URL: f.config.URL, KeyEncryptionKey: f.config.KeyEncryptionKey, Witness: w})
		if err == nil {
			t.Error("recovered with a clock that is an hour behind")
		}
		w.Time = time.Now().Add(20 * time.Second)
		if done := f.recover(w); time.Now().Before(done.RefuseIat) || !done.RefuseIat.After(w.Time) {
			t.Errorf("at %v: %+v", time.Now(), done)
		}
	})
}

func TestWitness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		seen := func() issuer.Witness {
			w, err := f.Witness(t.Context(), issuer.Witness{})
			f.do(err)
			return w
		}
		empty := seen()
		f.do(f.EndSessions(t.Context(), "ann"))
		one := seen()
		f.do(f.EndSessions(t.Context(), "ann"))
		two := seen()
		forked, ahead, other, marked := one, two, two, two
		marked.Mark++
		forked.Head.Hash[0]++
		ahead.Head.Sequence++
		other.Head.LogID = "other"
		check := func(w issuer.Witness) error { return issuer.CheckWitness(t.Context(), f.store, w) }
		for name, w := range map[string]issuer.Witness{"empty": empty, "one": one, "two": two} {
			if err := check(w); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := f.Witness(t.Context(), ahead); !errors.Is(err, issuer.ErrRewound) {
			t.Errorf("marked a database of the past: %v", err)
		}
		for name, w := range map[string]issuer.Witness{"forked": forked, "ahead": ahead, "other": other, "marked": marked} {
			if err := check(w); !errors.Is(err, issuer.ErrRewound) {
				t.Errorf("%s: %v, want ErrRewound", name, err)
			}
		}
		f.do(f.Close())
		done := f.recover(marked)
		for name, w := range map[string]issuer.Witness{"of before": marked, "of the recovery": done.Witness} {
			if err := check(w); err != nil {
				t.Errorf("%s, after the recovery: %v", name, err)
			}
		}
		if done.Witness.Mark <= marked.Mark || done.Witness.Head != done.After {
			t.Errorf("%+v", done.Witness)
		}
		if err := check(other); !errors.Is(err, issuer.ErrRewound) {
			t.Errorf("after the recovery: %v, want ErrRewound", err)
		}
	})
}
