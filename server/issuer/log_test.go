package issuer_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

func TestLog(t *testing.T) {
	f := newFixture(t, config())
	empty, err := f.LogHead(t.Context())
	if err != nil || empty.Sequence != 0 || len(empty.LogID) < 20 {
		t.Fatalf("the head of an empty log is %+v, %v", empty, err)
	}
	changed := f.LogChanged()
	tokens := f.login()
	select {
	case <-changed:
		t.Fatal("a login changed the log")
	default:
	}
	f.do(f.EndSession(t.Context(), "ann", tokens.SessionID))
	<-changed
	f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{}))
	f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Soft: true}))
	f.do(f.EndSessions(t.Context(), "ann"))

	expires := f.clock.Now().Add(30*time.Minute).Unix() + 1
	want := []revocation.Rule{
		{Kind: revocation.Session, Issuer: f.URL(), Value: tokens.SessionID, Subject: "ann", Expires: expires},
		{Kind: revocation.SubjectGeneration, Issuer: f.URL(), Value: "ann", Minimum: 2, Expires: expires},
		{Kind: revocation.SubjectSoftGeneration, Issuer: f.URL(), Value: "ann", Minimum: 3, Expires: expires},
		{Kind: revocation.SubjectGeneration, Issuer: f.URL(), Value: "ann", Minimum: 4, Expires: expires},
	}
	heads := []revocation.Head{empty}
	for _, r := range want {
		heads = append(heads, heads[len(heads)-1].Append(r))
	}
	for _, page := range []struct{ after, limit, end int }{{0, 10, 4}, {0, 2, 2}, {1, 2, 3}, {3, 10, 4}, {4, 10, 4}} {
		rules, head, err := f.LogEntries(t.Context(), uint64(page.after), page.limit)
		if err != nil || head != heads[page.end] || !slices.Equal(rules, want[page.after:page.end]) {
			t.Errorf("after %d: rules %+v, head %+v, %v", page.after, rules, head, err)
		}
	}
	if _, _, err := f.LogEntries(t.Context(), 5, 10); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("beyond the head: %v, want ErrNotFound", err)
	}
	if head, now, err := f.LogHeadNow(t.Context()); err != nil || head != heads[4] || !now.Equal(f.clock.Now()) {
		t.Errorf("now: %+v, %v, %v", head, now, err)
	}
	for last := range uint64(5) {
		if head, live := f.activeRules(last); head != heads[last] || !slices.Equal(sorted(live), sorted(want[:last])) {
			t.Errorf("up to %d: head %+v, rules %+v", last, head, live)
		}
	}
	none := func(revocation.Rule) error { t.Error("there is a rule"); return nil }
	if _, _, err := f.ActiveRules(t.Context(), 5, none); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("beyond the head: %v, want ErrNotFound", err)
	}
	stop := errors.New("enough")
	if _, _, err := f.ActiveRules(t.Context(), 4, func(revocation.Rule) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("%v, want the caller's own error", err)
	}
	f.clock.Advance(time.Hour)
	if head, live := f.activeRules(4); head != heads[4] || len(live) != 0 {
		t.Errorf("after an hour: head %+v, %d rules", head, len(live))
	}
}

// TestLogUnderLoad: rules of many changes at once form one chain without a gap, and each is enforced when its change
// returns.
func TestLogUnderLoad(t *testing.T) {
	f := newFixture(t, config())
	const clients, rounds = 16, 8
	var wait sync.WaitGroup
	for range clients {
		wait.Go(func() {
			for range rounds {
				tokens, err := f.Issue(t.Context(), issuer.Grant{Subject: "ann"})
				if err := errors.Join(err, f.EndSession(t.Context(), "ann", tokens.SessionID)); err != nil {
					t.Error(err)
					return
				}
				if err := f.Verifier().Check(t.Context(), tokens.Access); !errors.Is(err, jot.ErrRevoked) {
					t.Errorf("after the logout: %v, want ErrRevoked", err)
				}
			}
		})
	}
	wait.Wait()
	rules, head, err := f.LogEntries(t.Context(), 0, 1000)
	f.do(err)
	chain := revocation.NewLog(head.LogID)
	for _, r := range rules {
		chain = chain.Append(r)
	}
	if len(rules) != clients*rounds || chain != head {
		t.Errorf("%d rules, head %+v, want %d and %+v", len(rules), head, clients*rounds, chain)
	}
}

// TestFollow: an issuer enforces what another process over the same database refused.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		defer f.Close()
		other, err := f.open(f.config)
		f.do(err)
		defer other.Close()
		tokens := f.login()
		changed := f.LogChanged()
		f.do(other.EndSession(t.Context(), "ann", tokens.SessionID))
		select {
		case <-changed:
		case <-time.After(2 * time.Minute):
		}
		f.refuse(tokens.Access, jot.ErrRevoked)
	})
}

// TestRulesAfterAClockThatWasAhead: rules that upkeep dropped by a wrong time come back with the right one.
func TestRulesAfterAClockThatWasAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, config())
		defer f.Close()
		tokens := f.login()
		f.do(f.EndSession(t.Context(), "ann", tokens.SessionID))
		f.clock.Advance(24 * time.Hour)
		time.Sleep(2 * time.Minute) // of upkeep
		f.clock.Advance(-24 * time.Hour)
		time.Sleep(2 * time.Minute)
		f.refuse(tokens.Access, jot.ErrRevoked)
	})
}

// TestStartWithAClockThatIsAhead is the same for rules that were never loaded.
func TestStartWithAClockThatIsAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, config())
		tokens := f.login()
		f.do(f.EndSession(t.Context(), "ann", tokens.SessionID))
		f.clock.Advance(24 * time.Hour)
		f.restart()
		defer f.Close()
		f.clock.Advance(-24 * time.Hour)
		time.Sleep(2 * time.Minute)
		f.refuse(tokens.Access, jot.ErrRevoked)
	})
}

// appendUnknown appends a rule to the log that this version doesn't know.
func (f *fixture) appendUnknown() {
	f.Helper()
	f.do(f.openStore().Update(f.Context(), func(tx issuer.Tx) error {
		head, err := tx.LogHead()
		f.do(err)
		r := revocation.Rule{Kind: "unheard_of", Issuer: f.URL(), Value: "ann", Expires: time.Now().Add(100 * 365 * 24 * time.Hour).Unix()}
		head = head.Append(r)
		return tx.AppendRule(issuer.LogEntry{Sequence: head.Sequence, Rule: r, Hash: head.Hash, Time: time.Now()})
	}))
}

// TestUnknownRule: a rule that can't be enforced is told of, and doesn't keep those after it from being enforced.
func TestUnknownRule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		var told bytes.Buffer
		c.Logger = slog.New(slog.NewTextHandler(&told, nil))
		f := newBubbleFixture(t, c)
		other, err := f.open(config())
		f.do(err)
		tokens := f.login()
		f.appendUnknown()
		f.do(other.EndSession(t.Context(), "ann", tokens.SessionID))
		time.Sleep(2 * time.Minute)
		f.refuse(tokens.Access, jot.ErrRevoked)
		f.do(errors.Join(f.Close(), other.Close()))
		if !strings.Contains(told.String(), "unknown kind") {
			t.Errorf("the log says %q", told.String())
		}
		if _, err := f.open(c); err == nil || !strings.Contains(err.Error(), "unknown kind") {
			t.Errorf("a start with rules that can't be enforced: %v", err)
		}
	})
}

func TestNow(t *testing.T) {
	f := newFixture(t, config())
	if now, err := f.Now(t.Context()); err != nil || !now.Equal(f.clock.Now()) {
		t.Errorf("the time is %v, %v, want the database's", now, err)
	}
}

// activeRules are those of the first entries of the log.
func (f *fixture) activeRules(last uint64) (revocation.Head, []revocation.Rule) {
	f.Helper()
	var rules []revocation.Rule
	head, _, err := f.ActiveRules(f.Context(), last, func(r revocation.Rule) error {
		rules = append(rules, r)
		return nil
	})
	f.do(err)
	return head, rules
}

// rules are all that are in force.
func (f *fixture) rules() []revocation.Rule {
	f.Helper()
	head, err := f.LogHead(f.Context())
	f.do(err)
	_, rules := f.activeRules(head.Sequence)
	return rules
}

func sorted(rules []revocation.Rule) []revocation.Rule {
	return slices.SortedFunc(slices.Values(rules), func(a, b revocation.Rule) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}
