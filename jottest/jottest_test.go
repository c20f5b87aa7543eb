package jottest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/jottest"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
)

var petshop = jottest.Options{Audience: "petshop"}

// production is the wiring of a program: discovery, the key set and the feed by HTTP, and the time of day. Its lease is
// so long that no busy machine ends it.
type production struct {
	*jot.Verifier
	reader *revocation.Reader
}

func newProduction(t *testing.T, issuer *jottest.Issuer) production {
	t.Helper()
	return newProductionWith(t, issuer, time.Minute)
}

func newProductionWith(t *testing.T, issuer *jottest.Issuer, maxStaleness time.Duration) production {
	t.Helper()
	uri, err := jwks.Discover(t.Context(), issuer.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jwks.NewSource(uri, jwks.Options{})
	if err != nil {
		t.Fatal(err)
	}
	feedKeys, err := jwks.NewSource(issuer.URL+"/feed/jwks.json", jwks.Options{})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := revocation.NewReader(revocation.ReaderOptions{
		URL: issuer.URL + "/feed", Issuer: issuer.URL, Keys: feedKeys, Credential: issuer.FeedCredential, MaxStaleness: maxStaleness,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { errors.Join(reader.Close(), keys.Close(), feedKeys.Close()) })
	verifier, err := jot.NewVerifier(keys, jot.VerifierOptions{Issuer: issuer.URL, Audience: "petshop", Type: "at+jwt", Revocation: reader})
	if err != nil {
		t.Fatal(err)
	}
	issuer.Await(reader)
	return production{verifier, reader}
}

func TestTokenIsAsTheTestSays(t *testing.T) {
	issuer := jottest.NewIssuer(t, petshop)
	born := time.Date(1990, 5, 17, 0, 0, 0, 0, time.UTC)
	raw := issuer.Token(jottest.Claims{"sub": "bob", "scope": "pets:read pets:write", "roles": []string{"admin"}, "jti": nil, "auth_time": born})
	type custom struct {
		Roles []string `json:"roles"`
	}
	claims, token, err := jot.Verify[custom](t.Context(), issuer.Verifier(), raw)
	if err != nil {
		t.Fatal(err)
	}
	now := issuer.Clock.Now().Truncate(time.Second).UTC()
	switch {
	case token.Subject() != "bob", !token.HasScope("pets:write"), len(claims.Roles) != 1, !token.AuthTime().Equal(born):
		t.Errorf("not as stated: %s", token.Payload())
	case token.ID() != "":
		t.Errorf("a claim that was to be left out: %s", token.ID())
	case token.Issuer() != issuer.URL, !token.HasAudience("petshop"), token.SessionID() == "", token.ClientID() == "", token.Type() != "at+jwt":
		t.Errorf("not as the issuer makes it: %s", token.Payload())
	case !token.IssuedAt().Equal(now), !token.Expires().Equal(now.Add(15 * time.Minute)), token.KeyID() != issuer.KeyID():
		t.Errorf("dates %v, %v, now %v, key %s", token.IssuedAt(), token.Expires(), now, token.KeyID())
	}
}

func TestClaimsAreNotAltered(t *testing.T) {
	issuer := jottest.NewIssuer(t, petshop)
	now := issuer.Clock.Now()
	claims := jottest.Claims{"exp": now.Add(time.Minute)}
	issuer.Token(claims)
	issuer.Refused(claims)
	if len(claims) != 1 || claims["exp"] != now.Add(time.Minute) {
		t.Errorf("the test's own claims became %v", claims)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []jottest.Options{
		{}, petshop, {Type: "JWT"}, {Algorithm: jot.EdDSA}, {Algorithm: jot.RS256, Audience: "a"}, {Algorithm: jot.ES384, Type: "application/own+jwt"},
		{Clock: jottest.NewClock(time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC))},
	} {
		issuer := jottest.NewIssuer(t, o)
		token, err := issuer.Verifier().Verify(t.Context(), issuer.Token(nil))
		if err != nil {
			t.Errorf("%+v: %v", o, err)
			continue
		}
		if o.Algorithm != "" && token.Algorithm() != o.Algorithm || (o.Audience == "") != (len(token.Audience()) == 0) {
			t.Errorf("%+v: algorithm %s, audience %v", o, token.Algorithm(), token.Audience())
		}
	}
}

// refusals is what each kind of bad token is refused with.
var refusals = map[string]error{
	"expired": jot.ErrExpired, "not valid yet": jot.ErrNotYetValid, "no expiry": nil, "another issuer": nil, "another audience": nil,
	"another type": jot.ErrType, "unknown key": jot.ErrUnknownKey, "another key": jot.ErrSignature, "altered header": jot.ErrSignature,
	"altered claims": jot.ErrSignature, "altered bytes": jot.ErrSignature, "no signature": jot.ErrSignature, "algorithm none": jot.ErrAlgorithm,
	"public key HMAC": jot.ErrAlgorithm, "cut off": jot.ErrMalformed,
}

func TestRefused(t *testing.T) {
	for _, alg := range []jot.Algorithm{jot.ES256, jot.EdDSA, jot.RS256} {
		issuer := jottest.NewIssuer(t, jottest.Options{Audience: "petshop", Algorithm: alg})
		for wiring, verifier := range map[string]*jot.Verifier{"own": issuer.Verifier(), "production": newProduction(t, issuer).Verifier} {
			if err := verifier.Check(t.Context(), issuer.Token(nil)); err != nil {
				t.Fatalf("%s: the good token: %v", wiring, err)
			}
			refused := issuer.Refused(nil)
			if len(refused) != len(refusals) {
				t.Errorf("%d kinds of refusal, want %d", len(refused), len(refusals))
			}
			for fault, raw := range refused {
				want, known := refusals[fault]
				err := verifier.Check(t.Context(), raw)
				if !known || !errors.Is(err, jot.ErrInvalidToken) || want != nil && !errors.Is(err, want) {
					t.Errorf("%s, %s, %s: %v, want %v", alg, wiring, fault, err, want)
				}
				if claim, ok := errors.AsType[*jot.ClaimError](err); want == nil && (!ok || claim.Reason == "") {
					t.Errorf("%s, %s, %s: %v, want a claim to be named", alg, wiring, fault, err)
				}
			}
		}
	}
}

func TestRefusedIsAnsweredWith401(t *testing.T) {
	issuer := jottest.NewIssuer(t, petshop)
	api := jothttp.Protect(issuer.Verifier())(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for fault, raw := range issuer.Refused(jottest.Claims{"scope": "pets:read"}) {
		if status := get(api, "/", raw); status != http.StatusUnauthorized {
			t.Errorf("%s: status %d", fault, status)
		}
	}
}

// revocations are the ways to refuse alice's token, and what a verifier says of it then.
var revocations = []struct {
	name   string
	revoke func(issuer *jottest.Issuer, raw string)
	want   error
}{
	{"token", (*jottest.Issuer).RevokeToken, jot.ErrRevoked},
	{"session", (*jottest.Issuer).EndSession, jot.ErrRevoked},
	{"claims", func(i *jottest.Issuer, _ string) { i.ChangeClaims("alice") }, jot.ErrStaleClaims},
	{"key", func(i *jottest.Issuer, _ string) {
		i.Revoke(revocation.Rule{Kind: revocation.Key, Value: i.KeyID()})
		i.RotateKey()
	}, jot.ErrRevoked},
	{"client", func(i *jottest.Issuer, _ string) {
		i.Revoke(revocation.Rule{Kind: revocation.ClientIssuedAt, Value: "app", Minimum: i.Clock.Now().Unix() + 1})
	}, jot.ErrRevoked},
}

func TestRevocation(t *testing.T) {
	for _, test := range revocations {
		t.Run(test.name, func(t *testing.T) {
			issuer := jottest.NewIssuer(t, petshop)
			verifier, remote := issuer.Verifier(), newProduction(t, issuer)
			raw := issuer.Token(jottest.Claims{"client_id": "app"})
			if err := errors.Join(verifier.Check(t.Context(), raw), remote.Check(t.Context(), raw)); err != nil {
				t.Fatalf("before: %v", err)
			}
			bystander := issuer.Token(jottest.Claims{"sub": "bob"})
			test.revoke(issuer, raw)
			issuer.Await(remote.reader)
			for _, v := range []*jot.Verifier{verifier, remote.Verifier} {
				if err := v.Check(t.Context(), raw); !errors.Is(err, test.want) {
					t.Errorf("%v, want %v", err, test.want)
				}
				if err := v.Check(t.Context(), bystander); test.name != "key" && err != nil {
					t.Errorf("somebody else's token: %v", err)
				}
			}
			if err := verifier.Check(t.Context(), issuer.Token(nil)); err != nil {
				t.Errorf("a new token: %v", err)
			}
		})
	}
}

func TestAdviseRefresh(t *testing.T) {
	issuer := jottest.NewIssuer(t, petshop)
	before := issuer.Token(nil)
	issuer.AdviseRefresh("alice")
	for raw, advised := range map[string]bool{before: true, issuer.Token(nil): false} {
		token, err := issuer.Verifier().Verify(t.Context(), raw)
		if err != nil || token.RefreshAdvised() != advised {
			t.Errorf("%v, refresh advised: %v, want %v", err, !advised, advised)
		}
	}
}

func TestFailures(t *testing.T) {
	issuer := jottest.NewIssuer(t, petshop)
	verifier, raw := issuer.Verifier(), issuer.Token(nil)
	unavailable := func(step string) {
		t.Helper()
		if err := verifier.Check(t.Context(), raw); !errors.Is(err, jot.ErrUnavailable) || errors.Is(err, jot.ErrInvalidToken) {
			t.Errorf("%s: %v, want ErrUnavailable", step, err)
		}
	}
	issuer.FailKeys()
	unavailable("keys")
	keys, err := jwks.NewSource(issuer.URL+"/.well-known/jwks.json", jwks.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	if _, err := keys.VerificationKeys(t.Context(), jot.ES256, issuer.KeyID()); !errors.Is(err, jot.ErrUnavailable) {
		t.Errorf("key set: %v", err)
	}
	issuer.Recover()
	if err := verifier.Check(t.Context(), raw); err != nil {
		t.Error(err)
	}
	issuer.FailRevocation()
	unavailable("revocation")
	issuer.Recover()
	if err := verifier.Check(t.Context(), raw); err != nil {
		t.Error(err)
	}
}

func TestRotation(t *testing.T) {
	issuer := jottest.NewIssuer(t, petshop)
	verifier, first := issuer.Verifier(), issuer.Token(nil)
	kid := issuer.KeyID()
	issuer.RotateKey()
	if issuer.KeyID() == kid {
		t.Fatal("the key is the one of before")
	}
	second := issuer.Token(nil)
	if err := errors.Join(verifier.Check(t.Context(), first), verifier.Check(t.Context(), second)); err != nil {
		t.Errorf("both keys are published: %v", err)
	}
	issuer.RetireKeys()
	if err := verifier.Check(t.Context(), first); !errors.Is(err, jot.ErrUnknownKey) {
		t.Errorf("a retired key: %v", err)
	}
	if err := verifier.Check(t.Context(), second); err != nil {
		t.Error(err)
	}
}

// Two issuers of one moment never share a key, or one would accept what the other signed.
func TestIssuersShareNoKey(t *testing.T) {
	o := jottest.Options{Algorithm: jot.RS256}
	seen := map[string]bool{}
	for range 2 {
		t.Run("", func(t *testing.T) {
			a, b := jottest.NewIssuer(t, o), jottest.NewIssuer(t, o)
			if a.KeyID() == b.KeyID() {
				t.Error("two issuers have one key")
			}
			seen[a.KeyID()], seen[b.KeyID()] = true, true
		})
	}
	if len(seen) != 2 {
		t.Errorf("%d keys were made for two issuers at a time, want 2", len(seen))
	}
}

func TestEverythingEndsWithTheTest(t *testing.T) {
	var address string
	var reader *revocation.Reader // closed later: the end must not wait for a stream that its reader holds open
	t.Run("", func(t *testing.T) {
		issuer := jottest.NewIssuer(t, petshop)
		address = issuer.URL
		var err error
		if reader, err = revocation.NewReader(issuer.ReaderOptions()); err != nil {
			t.Fatal(err)
		}
		issuer.Await(reader)
	})
	defer reader.Close()
	if response, err := http.Get(address); err == nil {
		response.Body.Close()
		t.Error("the server listens still")
	}
}

func TestClockIsSafeForConcurrentUse(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	clock := jottest.NewClock(start)
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			clock.Advance(time.Second)
			clock.Now()
		})
	}
	group.Wait()
	if got := clock.Now(); !got.Equal(start.Add(100 * time.Second)) {
		t.Errorf("the clock shows %v", got)
	}
}

func TestIssuerIsSafeForConcurrentUse(t *testing.T) {
	issuer := jottest.NewIssuer(t, petshop)
	api := httptest.NewServer(jothttp.Protect(issuer.Verifier())(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	defer api.Close()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			raw := issuer.Token(nil)
			if status := ask(t, api.URL, raw).StatusCode; status != http.StatusOK {
				t.Errorf("status %d", status)
			}
			issuer.RotateKey()
			issuer.RevokeToken(raw)
			issuer.Clock.Advance(time.Second)
			if status := ask(t, api.URL, raw).StatusCode; status != http.StatusUnauthorized {
				t.Errorf("revoked: status %d", status)
			}
		})
	}
	group.Wait()
}

// recorder is a test that is expected to fail.
type recorder struct {
	testing.TB
	message string
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.TB.Context() }
func (r *recorder) Fatalf(format string, values ...any) {
	r.message = fmt.Sprintf(format, values...)
	runtime.Goexit()
}

// failure runs what should fail a test, and returns what it says.
func failure(t *testing.T, misuse func(tb testing.TB)) string {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		misuse(r)
	}()
	<-done
	return r.message
}

func TestMisuseFailsTheTest(t *testing.T) {
	for _, test := range []struct {
		name   string
		misuse func(issuer *jottest.Issuer, tb testing.TB)
		want   string
	}{
		{"secret keys", func(_ *jottest.Issuer, tb testing.TB) { jottest.NewIssuer(tb, jottest.Options{Algorithm: jot.HS256}) }, "has no private key"},
		{"unknown algorithm", func(_ *jottest.Issuer, tb testing.TB) { jottest.NewIssuer(tb, jottest.Options{Algorithm: "none"}) }, "not offered"},
		{"type", func(_ *jottest.Issuer, tb testing.TB) {
			jottest.NewIssuer(tb, jottest.Options{Type: "two words"}).Token(nil)
		}, "media type"},
		{"no JSON", func(i *jottest.Issuer, _ testing.TB) { i.Token(jottest.Claims{"f": func() {}}) }, "signing a token"},
		{"claims of a wrong type", func(i *jottest.Issuer, _ testing.TB) { i.Token(jottest.Claims{"exp": "tomorrow"}) }, "claim exp is not a date"},
		{"no token", func(i *jottest.Issuer, _ testing.TB) { i.RevokeToken("token") }, "not a token"},
		{"no ID", func(i *jottest.Issuer, _ testing.TB) { i.RevokeToken(i.Token(jottest.Claims{"jti": nil})) }, "value is missing"},
		{"no session", func(i *jottest.Issuer, _ testing.TB) { i.EndSession(i.Token(jottest.Claims{"sid": nil})) }, "value is missing"},
		{"no rule", func(i *jottest.Issuer, _ testing.TB) { i.Revoke(revocation.Rule{}) }, "unknown kind"},
		{"closed reader", func(i *jottest.Issuer, tb testing.TB) {
			reader, err := revocation.NewReader(i.ReaderOptions())
			if err != nil {
				t.Error(err)
			}
			reader.Close()
			i.Await(reader)
		}, "doesn't get the feed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			message := failure(t, func(tb testing.TB) { test.misuse(jottest.NewIssuer(tb, petshop), tb) })
			if !strings.HasPrefix(message, "jottest: ") || !strings.Contains(message, test.want) {
				t.Errorf("%q, want one that says %q", message, test.want)
			}
		})
	}
}

func TestFIPS(t *testing.T) {
	for _, alg := range []jot.Algorithm{jot.ES256, jot.RS256, jot.EdDSA} {
		issuer := jottest.NewIssuer(t, jottest.Options{Audience: "petshop", Algorithm: alg})
		remote := newProduction(t, issuer)
		if err := remote.Check(t.Context(), issuer.Token(nil)); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		for fault, raw := range issuer.Refused(nil) {
			if err := remote.Check(t.Context(), raw); !errors.Is(err, jot.ErrInvalidToken) {
				t.Errorf("%s, %s: %v", alg, fault, err)
			}
		}
	}
}
