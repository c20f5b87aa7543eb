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

// A restored database lacks rules, and its log says so by another name. It's taken only when it refuses every token of before.
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

// A key that was revoked after the backup is unknown to the restored log, and whoever stole it dates tokens as they like.
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
