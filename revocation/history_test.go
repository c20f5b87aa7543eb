package revocation

import (
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// refuseBefore is the rule with which a log begins that replaces another one.
func refuseBefore(t time.Time) Rule {
	return Rule{Kind: IssuerIssuedAt, Issuer: testIssuer, Minimum: t.Unix(), Expires: t.Add(time.Hour).Unix()}
}

// A restored database lacks rules, and its log says so by another name. It's taken only when it refuses every token of
// before.
func TestRestoredLogReplacesTheOldOne(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		f.revoke(sessionRule("a"), sessionRule("b"), sessionRule("c"))
		r := watch(t, f.options())
		defer r.Close()
		time.Sleep(1500 * time.Millisecond)
		r.says("old", jot.Current)
		old := sessionFacts("old")
		f.restore("log-2", refuseBefore(time.Now().Add(2*time.Second)), sessionRule("d"))
		r.says("a", jot.Revoked)
		time.Sleep(5 * time.Second)
		if got, err := r.CheckRevocation(t.Context(), old); err != nil || got != jot.Revoked {
			t.Errorf("a token of before: %v, %v", got, err)
		}
		r.says("a", jot.Current) // by a token of now, which no login of the new log can make
		r.says("d", jot.Revoked)
		if s := r.State(); s.LogID != "log-2" || s.Sequence != 2 {
			t.Errorf("%+v", s)
		}
		if told := r.told(); !strings.Contains(told, "log is another one") {
			t.Error(told)
		}
		f.restore("log-1", sessionRule("a"), sessionRule("b"), sessionRule("c"), sessionRule("e"))
		time.Sleep(15 * time.Second)
		r.saysNothing()
		if told := r.told(); !strings.Contains(told, "came back") {
			t.Error(told)
		}
	})
}

// Another log that would accept what the one before refused is a fork.
func TestAnotherLogThatForgetsIsRefused(t *testing.T) {
	for name, rules := range map[string]func() []Rule{
		"no rule":        func() []Rule { return nil },
		"a rule too low": func() []Rule { return []Rule{refuseBefore(time.Now().Add(-time.Second))} },
		"another issuer": func() []Rule {
			other := refuseBefore(time.Now().Add(2 * time.Second))
			other.Issuer = "https://other.example.com"
			return []Rule{other}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fakeFeed) {
				r := watch(t, f.options())
				defer r.Close()
				time.Sleep(1500 * time.Millisecond)
				f.restore("log-2", rules()...)
				time.Sleep(15 * time.Second)
				r.saysNothing()
				if told := r.told(); !strings.Contains(told, "jot recover") {
					t.Error(told)
				}
				f.restore("log-3", refuseBefore(time.Now().Add(2*time.Second)))
				time.Sleep(15 * time.Second)
				r.says("any", jot.Current)
			})
		})
	}
}

// When no token of the old log can be alive any more, a new one needs no rule about them.
func TestLogAfterALongSilence(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		r := watch(t, f.options())
		defer r.Close()
		time.Sleep(1500 * time.Millisecond)
		f.do(func() { f.spoilBytes = func(int, []byte) [][]byte { return nil } })
		f.restore("log-2")
		time.Sleep(time.Hour)
		f.honest()
		time.Sleep(9 * time.Minute)
		r.saysNothing()
		time.Sleep(2 * time.Minute)
		r.says("any", jot.Current)
	})
}

// A key that was revoked after the backup is unknown to the restored log, and whoever stole it dates tokens as they
// like.
func TestRevokedKeysOutliveTheirLog(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		f.revoke(Rule{Kind: Key, Issuer: testIssuer, Value: "stolen"})
		r := watch(t, f.options())
		defer r.Close()
		time.Sleep(1500 * time.Millisecond)
		for _, log := range []string{"log-2", "log-3"} {
			f.restore(log, refuseBefore(time.Now().Add(2*time.Second)))
			time.Sleep(5 * time.Second)
			forged := sessionFacts("any")
			forged.KeyID = "stolen"
			if got, err := r.CheckRevocation(t.Context(), forged); err != nil || got != jot.Revoked || r.State().LogID != log {
				t.Errorf("%s: %v, %v; %+v", log, got, err, r.State())
			}
		}
	})
}

// What a head says is held against the one that was seen last, and against the logs that were replaced.
func TestHistoryAndHeads(t *testing.T) {
	head := func(log string, sequence uint64, hash byte) Head {
		return Head{LogID: log, Sequence: sequence, Hash: [32]byte{hash}}
	}
	h := history{high: head("log-1", 5, 1), retired: map[string]bool{"log-0": true}}
	for _, c := range []struct {
		to              Head
		check, snapshot string // what is said of it
		noted           Head
	}{
		{head("log-1", 5, 1), "", "", h.high}, {head("log-1", 6, 2), "", "", head("log-1", 6, 2)}, {head("log-2", 9, 2), "", "", h.high},
		{head("log-1", 4, 2), "rolled back from 5 to 4", "", h.high}, {head("log-1", 5, 2), "forked", "forked", h.high}, {head("log-0", 9, 2), "came back", "came back", h.high},
	} {
		for name, test := range map[string]struct {
			err  error
			want string
		}{"check": {h.check(c.to), c.check}, "checkSnapshot": {h.checkSnapshot(c.to), c.snapshot}} {
			if (test.err == nil) != (test.want == "") || test.err != nil && !strings.Contains(test.err.Error(), test.want) {
				t.Errorf("%s of %+v: %v, want %q", name, c.to, test.err, test.want)
			}
		}
		if after := h; c.snapshot == "" {
			if after.noteSnapshot(c.to); after.high != c.noted {
				t.Errorf("after a snapshot at %+v: %+v", c.to, after.high)
			}
		}
	}
	var first history
	if first.noteSnapshot(h.high); first.high != h.high {
		t.Errorf("after the first snapshot: %+v", first.high)
	}
}

// Another log's rules have to refuse all that may live of the time before, to the second, by whichever life of tokens
// is the longer.
func TestHistoryAndRules(t *testing.T) {
	seen := time.Unix(1_700_000_000, 0)
	for name, c := range map[string]struct {
		log         string
		before, now time.Duration // the life of tokens
		after       time.Duration // when the other log speaks
		minimum     time.Duration // of its rule, from what was seen; 0: none
		accepted    bool
	}{
		"no rule":                  {"log-2", time.Hour, time.Hour, time.Minute, 0, false},
		"the same log":             {"log-1", time.Hour, time.Hour, time.Minute, 0, true},
		"a rule of before":         {"log-2", time.Hour, time.Hour, time.Minute, -time.Second, false},
		"a rule of that second":    {"log-2", time.Hour, time.Hour, time.Minute, time.Nanosecond, false},
		"a rule of the next one":   {"log-2", time.Hour, time.Hour, time.Minute, time.Second, true},
		"while tokens may live":    {"log-2", time.Hour, time.Hour, time.Hour + skew, 0, false},
		"when none is alive":       {"log-2", time.Hour, time.Hour, time.Hour + skew + 1, 0, true},
		"they lived for longer":    {"log-2", 3 * time.Hour, time.Hour, time.Hour + skew + 1, 0, false},
		"and none of those either": {"log-2", 3 * time.Hour, time.Hour, 3*time.Hour + skew + 1, 0, true},
		"they live for longer":     {"log-2", time.Hour, 3 * time.Hour, time.Hour + skew + 1, 0, false},
		"nor of these":             {"log-2", time.Hour, 3 * time.Hour, 3*time.Hour + skew + 1, 0, true},
	} {
		h := history{seen: Statement{Head: NewLog("log-1"), Time: seen, MaxTTL: c.before}}
		rules := NewSet()
		if c.minimum != 0 {
			rules = newSet(t, refuseBefore(seen.Add(c.minimum)))
		}
		err := h.checkRules(Statement{Head: NewLog(c.log), Time: seen.Add(c.after)}, testIssuer, c.now, rules)
		if c.accepted != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := new(history).checkRules(Statement{Head: NewLog("log-1"), Time: seen}, testIssuer, time.Hour, NewSet()); err != nil {
		t.Errorf("the first log: %v", err)
	}
}
