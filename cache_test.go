package jot_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// countingSource is a key source that can be changed while a verifier uses it.
type countingSource struct {
	keys  atomic.Pointer[[]jot.VerificationKey]
	err   atomic.Pointer[error]
	asked atomic.Int64
}

func (s *countingSource) hold(keys ...jot.VerificationKey) { s.keys.Store(&keys) }

func (s *countingSource) fail(err error) { s.err.Store(&err) }

func (s *countingSource) VerificationKeys(context.Context, jot.Algorithm, string) ([]jot.VerificationKey, error) {
	s.asked.Add(1)
	if err := s.err.Load(); err != nil && *err != nil {
		return *s.keys.Load(), *err // keys beside an error don't count
	}
	return *s.keys.Load(), nil
}

// caching is a verifier with a cache, its key source and its clock.
type caching struct {
	*jot.Verifier
	source *countingSource
	clock  atomic.Int64 // Unix seconds
}

func newCaching(t testing.TB, size int, key jot.VerificationKey, change func(*jot.VerifierOptions)) *caching {
	t.Helper()
	c := &caching{source: &countingSource{}}
	c.source.hold(key)
	c.clock.Store(noon.Unix())
	o := strict()
	o.CacheSize = size
	o.Now = func() time.Time { return time.Unix(c.clock.Load(), 0) }
	if change != nil {
		change(&o)
	}
	c.Verifier = newVerifier(t, c.source, o)
	return c
}

// remembered verifies a token twice, and makes sure that the second answer came from the cache: it's the same token.
func (c *caching) remembered(t *testing.T, raw string) *jot.Token {
	t.Helper()
	first, err := c.Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Verify(t.Context(), raw)
	if err != nil || second != first {
		t.Fatalf("the token was not remembered: %v, %v", second, err)
	}
	return first
}

func TestCacheRemembersTheToken(t *testing.T) {
	key := generateSecret(t)
	c := newCaching(t, 16, key, nil)
	raw := sign(t, key, jot.SignerOptions{}, claims())
	if err := c.Check(t.Context(), raw); err != nil { // Check fills the cache too
		t.Fatal(err)
	}
	token := c.remembered(t, strings.Clone(raw))
	type custom struct {
		Subject string `json:"sub"`
	}
	decoded, same, err := jot.Verify[custom](t.Context(), c.Verifier, raw)
	if err != nil || same != token || decoded.Subject != "ada" {
		t.Errorf("%+v, %v, %v", decoded, same, err)
	}
	type wrong struct {
		Subject int `json:"sub"`
	}
	var failure *jot.DecodeError
	if zero, token, err := jot.Verify[wrong](t.Context(), c.Verifier, raw); !errors.As(err, &failure) || token != nil || zero.Subject != 0 {
		t.Errorf("%+v, %v, %v", zero, token, err)
	}
}

func TestNothingIsRememberedUnlessAsked(t *testing.T) {
	key := generateSecret(t)
	c := newCaching(t, 0, key, nil)
	raw := sign(t, key, jot.SignerOptions{}, claims())
	first, _ := c.Verify(t.Context(), raw)
	if second, err := c.Verify(t.Context(), raw); err != nil || second == first {
		t.Errorf("remembered: %v", err)
	}
}

// A token that differs from a remembered one anywhere is another one.
func TestCacheTellsTokensApart(t *testing.T) {
	private := generate(t, jot.ES256)
	c := newCaching(t, 4, private.Public(), nil)
	raw := sign(t, private, jot.SignerOptions{}, claims())
	c.remembered(t, raw)
	checkEveryAlteration(t, c.Verifier, raw)
	for _, other := range []string{raw[:len(raw)-1], raw + "A", raw + "=", raw + " ", " " + raw, raw + ".", strings.ToLower(raw)} {
		if err := c.Check(t.Context(), other); !errors.Is(err, jot.ErrInvalidToken) {
			t.Errorf("%q: %v", other, err)
		}
	}
	c.remembered(t, raw)
}

// What the clock says is asked each time, and in both directions.
func TestCacheAsksTheClock(t *testing.T) {
	key := generateSecret(t)
	raw := sign(t, key, jot.SignerOptions{}, with(with(claims(), "exp", noon.Unix()+10), "nbf", noon.Unix()-10))
	for now, want := range map[int64]error{9: nil, 10: jot.ErrExpired, 100: jot.ErrExpired, -10: nil, -11: jot.ErrNotYetValid} {
		c := newCaching(t, 4, key, nil)
		c.remembered(t, raw)
		c.clock.Add(now)
		for range 2 {
			if err := c.Check(t.Context(), raw); !errors.Is(err, want) {
				t.Errorf("%d seconds later: %v", now, err)
			}
		}
	}
	c := newCaching(t, 4, key, func(o *jot.VerifierOptions) { o.RequirePastIssuedAt = true })
	raw = sign(t, key, jot.SignerOptions{}, claims())
	c.remembered(t, raw)
	c.clock.Add(-1)
	if err := c.Check(t.Context(), raw); !errors.Is(err, jot.ErrNotYetValid) {
		t.Errorf("issued in the future: %v", err)
	}
}

func TestCacheAsksForRevocation(t *testing.T) {
	key := generateSecret(t)
	verdict, failure := jot.Current, error(nil)
	var facts string
	revocation := revocationFunc(func(f *jot.RevocationFacts) (jot.Verdict, error) {
		facts = fmt.Sprintf("%s %s %s %s %s %s %d %v %d", f.Issuer, f.Subject, f.SessionID, f.ID, f.ClientID, f.KeyID, f.IssuedAt, f.HasIssuedAt, f.Generation)
		return verdict, failure
	})
	c := newCaching(t, 4, key, func(o *jot.VerifierOptions) { o.Revocation = revocation })
	all := claims()
	for name, value := range map[string]any{"sid": "s\n1", "jti": "id", "client_id": "client", "gen": 3} { // one of them with an escape
		all[name] = value
	}
	raw := sign(t, key, jot.SignerOptions{}, all)
	if err := c.Check(t.Context(), raw); err != nil {
		t.Fatal(err)
	}
	first := facts
	token := c.remembered(t, raw)
	if facts != first {
		t.Errorf("of a remembered token the checker hears %q, not %q", facts, first)
	}
	for _, test := range []struct {
		verdict jot.Verdict
		failure error
		want    error
	}{
		{jot.Revoked, nil, jot.ErrRevoked}, {jot.StaleClaims, nil, jot.ErrStaleClaims}, {jot.Current, errors.New("lost the feed"), jot.ErrUnavailable}, {jot.Current, nil, nil},
	} {
		verdict, failure = test.verdict, test.failure
		if _, err := c.Verify(t.Context(), raw); !errors.Is(err, test.want) {
			t.Errorf("verdict %d, %v: %v", test.verdict, test.failure, err)
		}
	}
	verdict = jot.RefreshAdvised
	if advised, err := c.Verify(t.Context(), raw); err != nil || !advised.RefreshAdvised() || token.RefreshAdvised() {
		t.Errorf("advice: %v", err)
	}
	verdict = jot.Current
	if again, err := c.Verify(t.Context(), raw); err != nil || again.RefreshAdvised() {
		t.Errorf("the advice outlives its moment: %v", err)
	}
}

// A checker that writes to what it's given must not write into the remembered token.
func TestRevocationCheckerCannotAlterTheCache(t *testing.T) {
	key := generateSecret(t)
	c := newCaching(t, 4, key, func(o *jot.VerifierOptions) {
		o.Revocation = revocationFunc(func(f *jot.RevocationFacts) (jot.Verdict, error) {
			copy(f.Subject, "eve")
			return jot.Current, nil
		})
	})
	raw := sign(t, key, jot.SignerOptions{}, claims())
	if err := c.Check(t.Context(), raw); err != nil {
		t.Fatal(err)
	}
	first := c.remembered(t, raw).Subject()
	if again := c.remembered(t, raw).Subject(); again != first {
		t.Errorf("%q became %q", first, again)
	}
}

// Of two remembered tokens the checker hears each one's own facts, and neither takes anything over from what is
// verified in between.
func TestRememberedTokensKeepApart(t *testing.T) {
	key := generateSecret(t)
	c := newCaching(t, 16, key, func(o *jot.VerifierOptions) {
		o.Audience, o.AnyAudience = "", true
		o.Revocation = revocationFunc(func(f *jot.RevocationFacts) (jot.Verdict, error) {
			if string(f.Subject) == "eve" {
				return jot.Revoked, nil
			}
			return jot.Current, nil
		})
	})
	subject := func(name, audience string) string {
		return sign(t, key, jot.SignerOptions{}, with(with(claims(), "sub", name), "aud", audience))
	}
	raw := subject("ada", "petstore")
	token := c.remembered(t, raw)
	if err := c.Check(t.Context(), subject("eve", "pets")); !errors.Is(err, jot.ErrRevoked) {
		t.Error(err)
	}
	if again, err := c.Verify(t.Context(), raw); again != token || err != nil {
		t.Errorf("behind a revoked token: %v", err)
	}
	c.remembered(t, subject("bob", "pets"))
	if names := token.Audience(); len(names) != 1 || names[0] != "petstore" {
		t.Errorf("the audience became %q", names)
	}
}

// The key that verified must still be there: this very one, not another by its name, nor its twin.
func TestCacheEmptiesWhenKeysChange(t *testing.T) {
	secret := []byte("the secret of these tests, fixed")
	key, _ := jot.NewSecretKey(jot.HS256, secret, jot.KeyOptions{KeyID: "a"})
	twin, _ := jot.NewSecretKey(jot.HS256, secret, jot.KeyOptions{KeyID: "a"})
	other, _ := jot.NewSecretKey(jot.HS256, []byte("another secret, of the same size"), jot.KeyOptions{KeyID: "a"})
	raw := sign(t, key, jot.SignerOptions{}, claims())
	down := errors.New("no route to host")

	c := newCaching(t, 4, key, nil)
	first := c.remembered(t, raw)
	c.source.hold(other, key)
	if again, err := c.Verify(t.Context(), raw); err != nil || again != first {
		t.Errorf("behind another key: %v", err)
	}
	c.source.hold(nil, other, other, other, key)
	if _, err := c.Verify(t.Context(), raw); !errors.Is(err, jot.ErrSignature) {
		t.Errorf("fifth of the candidates: %v", err)
	}
	c.source.hold(key)
	c.remembered(t, raw)
	c.source.fail(down)
	if _, err := c.Verify(t.Context(), raw); !errors.Is(err, jot.ErrUnavailable) || !errors.Is(err, down) || errors.Is(err, jot.ErrInvalidToken) {
		t.Errorf("the source failed: %v", err)
	}
	c.source.fail(nil)
	c.source.hold()
	if _, err := c.Verify(t.Context(), raw); !errors.Is(err, jot.ErrUnknownKey) {
		t.Errorf("the key left: %v", err)
	}
	c.source.hold(other)
	if _, err := c.Verify(t.Context(), raw); !errors.Is(err, jot.ErrSignature) {
		t.Errorf("another key came: %v", err)
	}
	c.source.hold(key)
	before := c.remembered(t, raw)
	c.source.hold(twin)
	if after, err := c.Verify(t.Context(), raw); err != nil || after == before {
		t.Errorf("the key was replaced by its twin: %v", err)
	}
}

// So it is with public keys.
func TestCacheEmptiesWhenPublicKeysChange(t *testing.T) {
	private := generate(t, jot.EdDSA)
	twin := *private.Public()
	raw := sign(t, private, jot.SignerOptions{}, claims())
	c := newCaching(t, 4, private.Public(), nil)
	c.remembered(t, raw)
	c.source.hold(generate(t, jot.EdDSA).Public())
	if _, err := c.Verify(t.Context(), raw); !errors.Is(err, jot.ErrSignature) {
		t.Errorf("another key came: %v", err)
	}
	c.source.hold(private.Public())
	before := c.remembered(t, raw)
	c.source.hold(&twin)
	if after, err := c.Verify(t.Context(), raw); err != nil || after == before {
		t.Errorf("the key was replaced by its twin: %v", err)
	}
}

// Of more tokens than there is room for, each one still verifies.
func TestCacheEvicts(t *testing.T) {
	key := generateSecret(t)
	c := newCaching(t, 5, key, nil)
	var raws []string
	for i := range 100 {
		raws = append(raws, sign(t, key, jot.SignerOptions{}, with(claims(), "n", i)))
	}
	known := map[*jot.Token]bool{}
	recalled := 0
	for range 3 {
		for _, raw := range raws {
			token, err := c.Verify(t.Context(), raw)
			if err != nil {
				t.Fatal(err)
			}
			if known[token] {
				recalled++
			}
			known[token] = true
		}
	}
	if most := 2 * 8; recalled > most {
		t.Errorf("%d tokens were recalled by a cache of 5", recalled)
	}
	c.remembered(t, raws[0]) // there's always room for the newest
}

func TestLongTokensAreNotRemembered(t *testing.T) {
	key := generateSecret(t)
	c := newCaching(t, 4, key, nil)
	raw := sign(t, key, jot.SignerOptions{}, with(claims(), "long", strings.Repeat("x", 4<<10)))
	first, err := c.Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := c.Verify(t.Context(), raw); err != nil || second == first {
		t.Errorf("remembered: %v", err)
	}
}

// What was refused is not remembered, and each verifier remembers by its own policy.
func TestCacheBelongsToOnePolicy(t *testing.T) {
	key := generateSecret(t)
	petstore := newCaching(t, 4, key, nil)
	bank := newCaching(t, 4, key, func(o *jot.VerifierOptions) { o.Audience = "bank" })
	raw := sign(t, key, jot.SignerOptions{}, claims())
	petstore.remembered(t, raw)
	for range 3 {
		if err := bank.Check(t.Context(), raw); err == nil || !errors.Is(err, jot.ErrInvalidToken) {
			t.Errorf("accepted by the policy of another verifier: %v", err)
		}
	}
	early := sign(t, key, jot.SignerOptions{}, with(claims(), "nbf", noon.Unix()+1))
	for range 2 {
		if err := petstore.Check(t.Context(), early); !errors.Is(err, jot.ErrNotYetValid) {
			t.Error(err)
		}
	}
	petstore.clock.Add(1)
	petstore.remembered(t, early)
}

// A token for which a refresh is advised when it's first seen is verified anew each time.
func TestAdvisedTokensAreNotRemembered(t *testing.T) {
	key := generateSecret(t)
	verdict := jot.RefreshAdvised
	c := newCaching(t, 4, key, func(o *jot.VerifierOptions) {
		o.Revocation = revocationFunc(func(*jot.RevocationFacts) (jot.Verdict, error) { return verdict, nil })
	})
	raw := sign(t, key, jot.SignerOptions{}, claims())
	first, err := c.Verify(t.Context(), raw)
	if err != nil || !first.RefreshAdvised() {
		t.Fatal(err)
	}
	if second, err := c.Verify(t.Context(), raw); err != nil || second == first || !second.RefreshAdvised() {
		t.Error(err)
	}
	verdict = jot.Current
	if third, err := c.Verify(t.Context(), raw); err != nil || third.RefreshAdvised() {
		t.Errorf("advice of before is remembered: %v", err)
	}
}

// Many goroutines share a cache that is much too small, while keys come and go: each gets its own token, or a refusal.
func TestCacheConcurrently(t *testing.T) {
	key := generateSecret(t)
	c := newCaching(t, 8, key, func(o *jot.VerifierOptions) {
		o.Revocation = revocationFunc(func(*jot.RevocationFacts) (jot.Verdict, error) { return jot.Current, nil })
	})
	raws := map[string]string{}
	for i := range 24 {
		subject := fmt.Sprintf("subject %d", i)
		raws[subject] = sign(t, key, jot.SignerOptions{}, with(claims(), "sub", subject))
	}
	var verifiers, changer sync.WaitGroup
	stop := make(chan struct{})
	changer.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				c.source.hold()
				c.source.hold(key)
			}
		}
	})
	for range 4 {
		verifiers.Go(func() {
			for range 50 {
				for subject, raw := range raws {
					token, err := c.Verify(t.Context(), raw)
					if err == nil && token.Subject() != subject || err != nil && !errors.Is(err, jot.ErrUnknownKey) {
						t.Errorf("%s: %v, %v", subject, token, err)
					}
				}
			}
		})
	}
	verifiers.Wait()
	close(stop)
	changer.Wait()
}

// The places of a token are those of its end. Others with the same end are other tokens, take no place, and are refused
// anew each time, however short.
func TestCacheTellsTokensWithOneEndApart(t *testing.T) {
	private := generate(t, jot.EdDSA)
	c := newCaching(t, 1, private.Public(), nil)
	raw := sign(t, private, jot.SignerOptions{}, claims())
	c.remembered(t, raw)
	payload := strings.IndexByte(raw, '.') + 1
	var others []string
	for n := payload; n < len(raw)-32; n++ {
		flipped := []byte(raw)
		if flipped[n] ^= 1; flipped[n] != '.' {
			others = append(others, string(flipped))
		}
	}
	for n := 1; n <= len(raw); n++ {
		others = append(others, raw[n:], raw[:n]+raw)
	}
	for _, other := range others {
		asked := c.source.asked.Load()
		for range 2 {
			if token, err := c.Verify(t.Context(), other); token != nil || !errors.Is(err, jot.ErrInvalidToken) {
				t.Fatalf("%q: %v, %v", other, token, err)
			}
		}
		if c.source.asked.Load() > asked+2 {
			t.Errorf("%q: the source of keys is asked for more than its signature", other)
		}
	}
	asked := c.source.asked.Load()
	c.remembered(t, raw)
	if c.source.asked.Load() != asked+2 {
		t.Error("the token was driven out")
	}
}
