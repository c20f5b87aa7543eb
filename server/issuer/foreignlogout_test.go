package issuer_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

const foreignURL = "https://idp.example.com/"

// foreign is another issuer, whose logouts a fixture's issuer takes.
type foreign struct {
	*fixture
	key *jot.PrivateKey
}

func newForeign(t *testing.T, alter func(*issuer.ForeignIssuer)) *foreign {
	t.Helper()
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		t.Fatal(err)
	}
	declared := issuer.ForeignIssuer{URL: foreignURL, Audience: "our-id", MaxTTL: time.Hour, Keys: jot.NewKeySet(key.Public())}
	if alter != nil {
		alter(&declared)
	}
	c := config()
	c.ForeignIssuers = []issuer.ForeignIssuer{declared}
	return &foreign{newFixture(t, c), key}
}

// claims are those of a good logout token, with some of them changed, or left out where nil.
func (f *foreign) claims(changes map[string]any) map[string]any {
	now := f.clock.Now()
	claims := map[string]any{
		"iss": foreignURL, "aud": "our-id", "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(), "jti": "1", "sub": "zoe", "sid": "s1",
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return claims
}

// sign signs claims that a jot.Signer wouldn't, too.
func (f *foreign) sign(typ string, claims map[string]any) string {
	f.Helper()
	encode := func(v any) string {
		text, err := json.Marshal(v)
		f.do(err)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	header := map[string]string{"alg": "ES256", "kid": f.key.KeyID()}
	if typ != "" {
		header["typ"] = typ
	}
	input := encode(header) + "." + encode(claims)
	signature, err := f.key.SignInput(f.Context(), []byte(input))
	f.do(err)
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// verdict is what our rules say of an access token of the other issuer.
func (f *foreign) verdict(subject, session string, issued time.Time) jot.Verdict {
	f.Helper()
	verdict, err := f.CheckRevocation(f.Context(), &jot.RevocationFacts{
		Issuer: []byte(foreignURL), Subject: []byte(subject), SessionID: []byte(session), IssuedAt: issued.Unix(), HasIssuedAt: true,
	})
	f.do(err)
	return verdict
}

// What a logout token names decides which tokens are refused.
func TestForeignLogoutRules(t *testing.T) {
	for name, c := range map[string]struct {
		claims   map[string]any
		whole    bool
		session  jot.Verdict // of the session, as zoe's
		stranger jot.Verdict // of the session, as somebody else's
		other    jot.Verdict // of another session of zoe's
	}{
		"sid and sub":                {nil, false, jot.Revoked, jot.Current, jot.Current},
		"sid":                        {map[string]any{"sub": nil}, false, jot.Revoked, jot.Revoked, jot.Current},
		"sub":                        {map[string]any{"sid": nil}, false, jot.Revoked, jot.Current, jot.Revoked},
		"sid and sub, whole subject": {nil, true, jot.Revoked, jot.Current, jot.Revoked},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForeign(t, func(i *issuer.ForeignIssuer) { i.WholeSubject = c.whole })
			f.do(f.LogOutForeign(t.Context(), f.sign("logout+jwt", f.claims(c.claims))))
			now := f.clock.Now()
			if a, b, d := f.verdict("zoe", "s1", now), f.verdict("bob", "s1", now), f.verdict("zoe", "s2", now); a != c.session || b != c.stranger || d != c.other {
				t.Errorf("%v, %v, %v", a, b, d)
			}
			if f.verdict("zoe", "s3", now.Add(time.Second)) != jot.Current {
				t.Error("a login after the logout is refused")
			}
			rules, _, err := f.LogEntries(t.Context(), 0, 10)
			f.do(err)
			if len(rules) != 1 || rules[0].Issuer != foreignURL || rules[0].Expires < now.Add(time.Hour+15*time.Minute).Unix() {
				t.Errorf("%+v", rules)
			}
			told, err := f.Events(t.Context(), issuer.EventFilter{Kind: issuer.EventForeignLogout}, 0, 10)
			f.do(err)
			if len(told) != 1 || !strings.Contains(told[0].Detail, foreignURL) {
				t.Errorf("%+v", told)
			}
		})
	}
}

// Whatever OpenID Connect Back-Channel Logout 1.0 §2.6 asks of a logout token is asked.
func TestForeignLogoutTokensAreStrict(t *testing.T) {
	f := newForeign(t, nil)
	plain := f.sign
	now := f.clock.Now()
	stranger, err := jot.GenerateKey(jot.ES256)
	f.do(err)
	event := "http://schemas.openid.net/event/backchannel-logout"
	bad := map[string]string{
		"nothing": "", "no token": "x", "too long": strings.Repeat("x", 9<<10), "an ID token's type": plain("JWT", f.claims(nil)), "no type": plain("", f.claims(nil)), "an access token": plain("at+jwt", f.claims(nil)),
		"another event's type": plain("secevent+jwt", f.claims(nil)),
	}
	for name, changes := range map[string]map[string]any{
		"another issuer": {"iss": "https://idp.example.com"}, "no issuer": {"iss": nil}, "our own": {"iss": "https://auth.example.com"},
		"another audience": {"aud": "other"}, "no audience": {"aud": nil},
		"no exp": {"exp": nil}, "expired": {"exp": now.Add(-2 * time.Minute).Unix()}, "long life": {"exp": now.Add(2 * time.Hour).Unix()},
		"no iat": {"iat": nil}, "from the future": {"iat": now.Add(2 * time.Minute).Unix(), "exp": now.Add(3 * time.Minute).Unix()},
		"no jti": {"jti": nil}, "a long jti": {"jti": strings.Repeat("x", 256)}, "a jti that is a number": {"jti": 1},
		"no events": {"events": nil}, "events that are a list": {"events": []string{event}}, "another event": {"events": map[string]any{event + "/": map[string]any{}}},
		"an event that is a text": {"events": map[string]any{event: "{}"}}, "an event that is null": {"events": map[string]any{event: nil}},
		"a nonce": {"nonce": "n"}, "an empty nonce": {"nonce": ""}, "neither sub nor sid": {"sub": nil, "sid": nil}, "both empty": {"sub": "", "sid": ""},
		"a sub with NUL": {"sub": "\x00"}, "a long sid": {"sid": strings.Repeat("x", 256)}, "a sid that is a number": {"sid": 7},
	} {
		bad[name] = plain("logout+jwt", f.claims(changes))
	}
	good := f.sign("logout+jwt", f.claims(nil))
	f.key = stranger
	bad["another key"] = f.sign("logout+jwt", f.claims(nil))
	bad["a spoilt signature"] = good[:len(good)-8] + "AAAAAAAA"
	for name, raw := range bad {
		var input *issuer.InputError
		if err := f.LogOutForeign(t.Context(), raw); !errors.As(err, &input) || input.Field != "logout_token" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if head, err := f.LogHead(t.Context()); err != nil || head.Sequence != 0 {
		t.Errorf("rules were written: %v, %v", head, err)
	}
	f.do(f.LogOutForeign(t.Context(), good))
}

// An issuer that doesn't name the type of its logout tokens is taken at a word of the configuration, and then no other
// type is either.
func TestForeignLogoutOfAnyType(t *testing.T) {
	f := newForeign(t, func(i *issuer.ForeignIssuer) { i.AnyType = true })
	for n, typ := range []string{"logout+jwt", "JWT", "", "application/logout+jwt"} {
		f.do(f.LogOutForeign(t.Context(), f.sign(typ, f.claims(map[string]any{"jti": string(rune('a' + n))}))))
	}
	for _, typ := range []string{"at+jwt", "secevent+jwt"} {
		if err := f.LogOutForeign(t.Context(), f.sign(typ, f.claims(map[string]any{"jti": "z"}))); err == nil {
			t.Errorf("type %s is taken", typ)
		}
	}
}

func TestForeignLogoutWithoutASubject(t *testing.T) {
	f := newForeign(t, func(i *issuer.ForeignIssuer) { i.WholeSubject = true })
	var input *issuer.InputError
	if err := f.LogOutForeign(t.Context(), f.sign("logout+jwt", f.claims(map[string]any{"sub": nil}))); !errors.As(err, &input) {
		t.Error(err)
	}
}

// The race that LogOutForeign's transaction closes: of many deliveries of one token, one writes the rules. After its
// life it's forgotten, and expired.
func TestForeignLogoutIsTakenOnce(t *testing.T) {
	f := newForeign(t, nil)
	raw := f.sign("logout+jwt", f.claims(nil))
	var taken atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			err := f.LogOutForeign(context.Background(), raw)
			var input *issuer.InputError
			if err == nil {
				taken.Add(1)
			} else if !errors.As(err, &input) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	head, err := f.LogHead(t.Context())
	if err != nil || taken.Load() != 1 || head.Sequence != 1 {
		t.Errorf("taken %d times, %d rules, %v", taken.Load(), head.Sequence, err)
	}
}

// Who gets hold of a logout token finds it taken as long as it would be good, whenever what is over is forgotten.
func TestForeignLogoutIsRemembered(t *testing.T) {
	f := newForeign(t, nil)
	raw := f.sign("logout+jwt", f.claims(nil))
	f.do(f.LogOutForeign(t.Context(), raw))
	for _, passes := range []time.Duration{time.Minute, time.Minute + 59*time.Second} {
		f.clock.Advance(passes)
		f.do(f.Sweep(t.Context()))
		if err := f.LogOutForeign(t.Context(), raw); err == nil || !strings.Contains(err.Error(), "taken before") {
			t.Errorf("%v", err)
		}
	}
	f.clock.Advance(time.Second)
	if err := f.LogOutForeign(t.Context(), raw); err == nil || !strings.Contains(err.Error(), "not of this time") {
		t.Errorf("when it's over: %v", err)
	}
}

// An issuer's clock may differ by a minute, and no more.
func TestForeignLogoutOfAnotherClock(t *testing.T) {
	f := newForeign(t, nil)
	ahead := func(by time.Duration) string {
		issued := f.clock.Now().Add(by)
		return f.sign("logout+jwt", f.claims(map[string]any{"jti": by.String(), "iat": issued.Unix(), "exp": issued.Add(time.Minute).Unix()}))
	}
	f.do(f.LogOutForeign(t.Context(), ahead(59*time.Second)))
	if err := f.LogOutForeign(t.Context(), ahead(62*time.Second)); err == nil || !strings.Contains(err.Error(), "not of this time") {
		t.Errorf("a minute and more ahead: %v", err)
	}
}

// An algorithm that the configuration leaves out is refused, though the issuer has a key of it.
func TestForeignLogoutOfAnotherAlgorithm(t *testing.T) {
	f := newForeign(t, func(i *issuer.ForeignIssuer) { i.Algorithms = []jot.Algorithm{jot.RS256} })
	if err := f.LogOutForeign(t.Context(), f.sign("logout+jwt", f.claims(nil))); err == nil || !strings.Contains(err.Error(), "not signed by a key of its issuer") {
		t.Error(err)
	}
}

// Another issuer that has used its logouts up is busy, until some time has gone by; what was refused uses none.
func TestForeignLogoutsRunOut(t *testing.T) {
	f := newForeign(t, nil)
	logOut := func(jti string) error {
		return f.LogOutForeign(t.Context(), f.sign("logout+jwt", f.claims(map[string]any{"jti": jti})))
	}
	f.do(logOut("first"))
	f.SpendForeignLogouts(foreignURL, 99_998)
	for range 3 {
		var input *issuer.InputError
		if err := logOut("first"); !errors.As(err, &input) {
			t.Errorf("one that was taken before: %v", err)
		}
	}
	f.do(logOut("last"))
	if err := logOut("one more"); !errors.Is(err, issuer.ErrBusy) {
		t.Errorf("one more: %v, want ErrBusy", err)
	}
	f.clock.Advance(time.Second)
	f.do(logOut("after a while"))
}

type noKeys struct{}

func (noKeys) VerificationKeys(context.Context, jot.Algorithm, string) ([]jot.VerificationKey, error) {
	return nil, errors.New("down")
}

func TestForeignIssuerWhoseKeysCannotBeHad(t *testing.T) {
	f := newForeign(t, func(i *issuer.ForeignIssuer) { i.Keys = noKeys{} })
	if err := f.LogOutForeign(t.Context(), f.sign("logout+jwt", f.claims(nil))); !errors.Is(err, jot.ErrUnavailable) {
		t.Error(err)
	}
}

// A rule of another issuer outlives the longest life of a token of ours, and a recovered log refuses that issuer's
// tokens of before too.
func TestRecoveryRefusesForeignTokens(t *testing.T) {
	f := newForeign(t, func(i *issuer.ForeignIssuer) { i.MaxTTL = 7 * 24 * time.Hour })
	f.do(f.LogOutForeign(t.Context(), f.sign("logout+jwt", f.claims(nil))))
	f.do(f.Close())
	f.config.Now = nil // recovering waits for a clock that runs
	done := f.recover(issuer.Witness{})
	set := revocation.NewSet()
	f.do(f.openStore().View(t.Context(), func(r issuer.Reader) error {
		entries, err := r.LogEntries(0, 100)
		for _, e := range entries {
			err = errors.Join(err, set.Apply(e.Rule))
		}
		return err
	}))
	facts := &jot.RevocationFacts{Issuer: []byte(foreignURL), Subject: []byte("bob"), IssuedAt: done.RefuseIat.Unix() - 1, HasIssuedAt: true}
	if set.Verdict(facts) != jot.Revoked {
		t.Error("a token of before is accepted")
	}
	facts.IssuedAt = done.RefuseIat.Add(2 * time.Minute).Unix()
	if set.Verdict(facts) != jot.Current {
		t.Error("a token of afterwards is refused")
	}
	set.Sweep(done.RefuseIat.Add(7 * 24 * time.Hour))
	if facts.IssuedAt = 0; set.Verdict(facts) != jot.Revoked {
		t.Error("the rule doesn't live as long as the tokens")
	}
}
