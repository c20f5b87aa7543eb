package revocation

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
)

// foreignFacts are of another issuer's token, issued now.
func foreignFacts(issuer, session string) *jot.RevocationFacts {
	facts := sessionFacts(session)
	facts.Issuer = []byte(issuer)
	return facts
}

// A feed has a say in the tokens of its own issuer, and of others as far as the verifier's configuration goes. What
// isn't known isn't guessed.
func TestAuthorityOverOtherIssuers(t *testing.T) {
	const third = "https://third.example.com"
	bubble(t, func(t *testing.T, f *fakeFeed) {
		o := f.options()
		o.ForeignIssuers = map[string]time.Duration{otherIssuer: time.Hour}
		r := watch(t, o)
		defer r.Close()
		o.ForeignIssuers[third] = time.Hour // the caller's own map
		if err := r.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		expires := time.Now().Add(2 * time.Hour).Unix()
		for _, issuer := range []string{otherIssuer, third} {
			f.revoke(Rule{Kind: BareSession, Issuer: issuer, Value: "s", Expires: expires})
		}
		synctest.Wait()
		for _, c := range []struct {
			issuer, session string
			want            jot.Verdict
			known           bool
		}{
			{testIssuer, "s", jot.Current, true},
			{otherIssuer, "s", jot.Revoked, true},
			{otherIssuer, "t", jot.Current, true},
			{third, "s", jot.Revoked, false},
			{third, "t", jot.Revoked, false},
			{"", "t", jot.Revoked, false},
		} {
			got, err := r.CheckRevocation(t.Context(), foreignFacts(c.issuer, c.session))
			if got != c.want || (err == nil) != c.known || err != nil && !errors.Is(err, jot.ErrUnavailable) {
				t.Errorf("%q, session %s: %v, %v", c.issuer, c.session, got, err)
			}
		}
		facts := foreignFacts(otherIssuer, "t")
		if n := testing.AllocsPerRun(10, func() { r.CheckRevocation(t.Context(), facts) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

func TestForeignIssuersAreOthers(t *testing.T) {
	f := newFakeFeed(t)
	for name, foreign := range map[string]map[string]time.Duration{
		"itself": {testIssuer: time.Hour}, "nobody": {"": time.Hour}, "no life": {otherIssuer: 0}, "a negative life": {otherIssuer: -time.Hour},
	} {
		o := f.options()
		o.ForeignIssuers = foreign
		if r, err := NewReader(o); err == nil {
			t.Errorf("%s: accepted", name)
			r.Close()
		}
	}
}

// A log that replaces another one must not forget what that one refused of any issuer's tokens.
func TestRestoredLogRefusesForeignTokensToo(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		o := f.options()
		o.ForeignIssuers = map[string]time.Duration{otherIssuer: time.Hour}
		r := watch(t, o)
		defer r.Close()
		time.Sleep(1500 * time.Millisecond)
		f.restore("log-2", refuseBefore(time.Now().Add(2*time.Second)))
		time.Sleep(15 * time.Second)
		r.saysNothing()
		if told := r.told(); !strings.Contains(told, otherIssuer) {
			t.Error(told)
		}
		foreign := refuseBefore(time.Now().Add(2 * time.Second))
		foreign.Issuer = otherIssuer
		old := foreignFacts(otherIssuer, "any")
		f.restore("log-3", refuseBefore(time.Now().Add(2*time.Second)), foreign)
		time.Sleep(15 * time.Second)
		r.says("any", jot.Current)
		if got, err := r.CheckRevocation(t.Context(), old); err != nil || got != jot.Revoked {
			t.Errorf("a foreign token of before: %v, %v", got, err)
		}
	})
}

// A feed key that a rule revokes proves nothing more, to a reader that still has it in its key set as well.
func TestRevokedFeedKeyIsRefusedAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		stolen := f.keys.Keys()[0]
		next, signer := feedKey(t)
		f.do(func() { f.keys = jot.NewKeySet(stolen, next.Public()) })
		r := watch(t, f.options())
		defer r.Close()
		if err := r.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.revoke(Rule{Kind: Key, Issuer: testIssuer, Value: stolen.KeyID()})
		synctest.Wait()
		f.do(func() { f.signWith = signer })
		time.Sleep(15 * time.Second)
		if s := r.State(); s.Lease < 8*time.Second {
			t.Errorf("the key after it isn't taken: %+v", s)
		}
		f.do(func() { f.signWith = nil })
		time.Sleep(15 * time.Second)
		r.saysNothing()
		if told := r.told(); !strings.Contains(told, jot.ErrRevoked.Error()) {
			t.Error(told)
		}
	})
}
