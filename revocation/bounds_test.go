package revocation

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
)

func TestBoundOnRules(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		o := f.options()
		o.MaxRules = 3
		r := watch(t, o)
		defer r.Close()
		short := sessionRule("short")
		short.Expires = time.Now().Add(20 * time.Second).Unix()
		f.revoke(sessionRule("a"), sessionRule("b"), short)
		time.Sleep(30 * time.Second)
		f.revoke(sessionRule("c")) // fits, because one has expired
		synctest.Wait()
		r.says("c", jot.Revoked)
		if s := r.State(); s.Rules != 3 || s.LastError != nil {
			t.Errorf("%+v", s)
		}
		f.revoke(sessionRule("d"))
		time.Sleep(15 * time.Second)
		r.saysNothing()
		if told := r.told(); !strings.Contains(told, "more than 3 rules") {
			t.Error(told)
		}
	})
}

// Rules that have expired leave the memory, however few there are.
func TestExpiredRulesAreDropped(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		short := sessionRule("short")
		short.Expires = time.Now().Add(30 * time.Second).Unix()
		f.revoke(short, sessionRule("long"))
		r := watch(t, f.options())
		defer r.Close()
		time.Sleep(10 * time.Second)
		if rules := r.State().Rules; rules != 2 {
			t.Errorf("%d rules at first", rules)
		}
		time.Sleep(3 * time.Minute)
		if rules := r.State().Rules; rules != 1 {
			t.Errorf("%d rules after the first one's expiry", rules)
		}
		r.says("long", jot.Revoked)
	})
}
