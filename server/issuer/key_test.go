package issuer_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// openStore opens the fixture's database once more.
func (f *fixture) openStore() issuer.Store {
	f.Helper()
	store, err := sqlstore.Open(f.Context(), f.path, sqlstore.Options{Now: f.config.Now})
	f.do(err)
	f.Cleanup(func() { store.Close() })
	return store
}

// published returns the key IDs in the key set.
func (f *fixture) published() []string {
	var ids []string
	for _, k := range f.KeySet().Keys() {
		ids = append(ids, k.KeyID())
	}
	return ids
}

// active returns the key ID that signs.
func (f *fixture) active() string {
	f.Helper()
	tokens, err := f.Issue(f.Context(), issuer.Grant{Subject: "ann"})
	f.do(err)
	token, err := f.Verifier().Verify(f.Context(), tokens.Access)
	f.do(err)
	return token.KeyID()
}

// next returns the key ID that will sign after a rotation, before there ever was one.
func (f *fixture) next() string {
	f.Helper()
	active := f.active()
	ids := slices.DeleteFunc(f.published(), func(id string) bool { return id == active })
	if len(ids) != 1 {
		f.Fatalf("%d keys are published beside the active one, want 1", len(ids))
	}
	return ids[0]
}

func (f *fixture) rotate() issuer.Rotation {
	f.Helper()
	r, err := f.RotateKey(f.Context(), issuer.RotateOptions{})
	f.do(err)
	return r
}

func TestFirstKeys(t *testing.T) {
	f := newFixture(t, config())
	if keys := f.published(); len(keys) != 2 || !slices.Contains(keys, f.active()) {
		t.Errorf("%v are published, want the active key and the next one", keys)
	}
	feed := f.FeedKeySet().Keys()
	if len(feed) != 2 || feed[0].Algorithm() != jot.EdDSA || feed[0].KeyID() != f.FeedSigner().KeyID() || slices.Contains(f.published(), feed[0].KeyID()) {
		t.Errorf("the feed's keys are %v, its signer's is %s", feed, f.FeedSigner().KeyID())
	}
}

func TestRotateKey(t *testing.T) {
	f := newFixture(t, config())
	old, next := f.active(), f.next()
	before := f.login()
	f.clock.Advance(10 * time.Minute)
	r := f.rotate()
	if r.Active != next || r.Retiring != old || r.Next == "" || r.Next == old || !r.Due.IsZero() {
		t.Errorf("rotation %+v, want %s to take over from %s", r, next, old)
	}
	if got := f.published(); !slices.Equal(got, []string{old, next, r.Next}) {
		t.Errorf("%v are published", got)
	}
	if active := f.active(); active != next {
		t.Errorf("%s signs, want %s", active, next)
	}
	f.accept(before.Access)
	f.accept(f.refresh(before.Refresh).Access)
}

// TestKeysAreListed: newest first, page by page, and a filter leaves the order as it is.
func TestKeysAreListed(t *testing.T) {
	f := newFixture(t, config())
	old := f.active()
	f.clock.Advance(10 * time.Minute)
	r := f.rotate()
	all, err := f.Keys(t.Context())
	f.do(err)
	var listed []issuer.Key
	for after, pages := "", 0; pages == 0 || after != ""; pages++ {
		page, next, err := f.ListKeys(t.Context(), issuer.KeyFilter{}, issuer.Page{After: after, Limit: 2})
		f.do(err)
		listed, after = append(listed, page...), next
	}
	if len(listed) != len(all) || listed[0].ID != r.Next {
		t.Errorf("listed %v of %v", listed, all)
	}
	seen := map[string]bool{}
	for n, k := range listed {
		seen[k.ID] = true
		if n > 0 && k.Created.After(listed[n-1].Created) {
			t.Errorf("key %s of %v comes after one of %v", k.ID, k.Created, listed[n-1].Created)
		}
	}
	if len(seen) != len(all) {
		t.Errorf("%d keys, listed %d", len(all), len(seen))
	}
	for filter, want := range map[issuer.KeyFilter][]string{
		{Purpose: issuer.PurposeAccess}:                            {r.Next, r.Active, old},
		{Purpose: issuer.PurposeAccess, State: issuer.KeyActive}:   {r.Active},
		{Purpose: issuer.PurposeAccess, State: issuer.KeyRetiring}: {old},
		{Purpose: issuer.PurposeAccess, Algorithm: jot.RS256}:      nil,
		{Purpose: issuer.PurposeRefresh, Algorithm: jot.ES256}:     nil,
		{State: issuer.KeyNext, Algorithm: jot.EdDSA}:              {f.FeedKeySet().Keys()[1].KeyID()},
		{Purpose: issuer.PurposeFeed, State: issuer.KeyActive}:     {f.FeedSigner().KeyID()},
	} {
		keys, next, err := f.ListKeys(t.Context(), filter, issuer.Page{})
		f.do(err)
		var ids []string
		for _, k := range keys {
			ids = append(ids, k.ID)
		}
		if slices.Sort(ids); !slices.Equal(ids, slices.Sorted(slices.Values(want))) || next != "" {
			t.Errorf("%+v: %v, want %v", filter, ids, want)
		}
	}
	var input *issuer.InputError
	for _, filter := range []issuer.KeyFilter{{Purpose: "x"}, {State: "lost"}, {Algorithm: "HS256"}} {
		if _, _, err := f.ListKeys(t.Context(), filter, issuer.Page{}); !errors.As(err, &input) {
			t.Errorf("%+v: error %v", filter, err)
		}
	}
}

func TestRotateKeyTooYoung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		old, next, start := f.active(), f.next(), time.Now()
		time.Sleep(time.Minute)
		r := f.rotate()
		if r.Active != old || r.Next != next || r.Retiring != "" || !r.Due.Equal(start.Add(10*time.Minute)) {
			t.Fatalf("rotation %+v, want it scheduled", r)
		}
		f.Close()
		f.start() // a restart doesn't forget it
		defer f.Close()
		time.Sleep(9*time.Minute - time.Millisecond)
		if active := f.active(); active != old {
			t.Error("a key was promoted that verifiers may not hold")
		}
		time.Sleep(2 * time.Millisecond)
		if active := f.active(); active != next {
			t.Error("the scheduled rotation wasn't carried out")
		}
		time.Sleep(time.Hour)
		if active := f.active(); active != next {
			t.Error("a scheduled rotation was carried out twice")
		}
	})
}

// TestAutomaticRotation follows the keys through their lives: each is published before it signs, signs for its
// lifetime, and is published until its last token has expired.
func TestAutomaticRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.KeyLifetime = 2 * time.Hour
		f := newBubbleFixture(t, c)
		defer f.Close()
		rotation := time.Now()
		for range 3 {
			keys := f.published()
			active, next := f.active(), keys[len(keys)-1]
			last := f.login()
			rotation = rotation.Add(c.KeyLifetime)
			time.Sleep(time.Until(rotation) - time.Second)
			if f.active() != active {
				t.Fatal("a key signed for less than its lifetime")
			}
			last = f.refresh(last.Refresh)
			time.Sleep(2 * time.Second)
			if f.active() != next || !slices.Contains(f.published(), active) {
				t.Fatalf("%v are published, and %s signs", f.published(), f.active())
			}
			f.accept(last.Access)
			time.Sleep(30 * time.Minute) // the longest token, and the slack of rules
			if slices.Contains(f.published(), active) || len(f.published()) != 2 {
				t.Fatalf("%v are published, %s still among them", f.published(), active)
			}
		}
	})
}

// TestKeyLimit: a rotation that would publish too many keys is refused, and no key that is needed is dropped.
func TestKeyLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.KeySetMaxAge = time.Second
		f := newBubbleFixture(t, c)
		defer f.Close()
		var tokens []issuer.Tokens
		for len(f.published()) < 8 {
			tokens = append(tokens, f.login())
			time.Sleep(time.Second)
			f.rotate()
		}
		time.Sleep(time.Second)
		before := f.published()
		if _, err := f.RotateKey(t.Context(), issuer.RotateOptions{}); !errors.Is(err, issuer.ErrKeyLimit) {
			t.Fatalf("error %v, want ErrKeyLimit", err)
		}
		if !slices.Equal(f.published(), before) {
			t.Errorf("%v are published, want %v", f.published(), before)
		}
		for _, pair := range tokens {
			f.accept(pair.Access)
		}
		time.Sleep(time.Hour)
		f.rotate()
	})
}

func TestRevokeKey(t *testing.T) {
	f := newFixture(t, config())
	revoked, next := f.active(), f.next()
	before := f.login()
	stolen := f.KeySet()
	f.do(f.RevokeKey(t.Context(), revoked))
	f.do(f.RevokeKey(t.Context(), revoked))
	if f.active() != next || slices.Contains(f.published(), revoked) || len(f.published()) != 2 {
		t.Errorf("%v are published, %s signs", f.published(), f.active())
	}
	f.refuse(before.Access, jot.ErrUnknownKey)
	cached, err := jot.NewVerifier(stolen, jot.VerifierOptions{
		Issuer: f.URL(), Audience: "petstore", Type: "at+jwt", Revocation: f, Now: f.clock.Now})
	f.do(err)
	if err := cached.Check(t.Context(), before.Access); !errors.Is(err, jot.ErrRevoked) {
		t.Errorf("a verifier that still holds the key: %v, want ErrRevoked", err)
	}
	rules, _, err := f.LogEntries(t.Context(), 0, 10)
	want := revocation.Rule{Kind: revocation.Key, Issuer: f.URL(), Value: revoked}
	if err != nil || !slices.Equal(rules, []revocation.Rule{want}) {
		t.Errorf("rules %+v, %v", rules, err)
	}
	f.accept(f.refresh(before.Refresh).Access)

	f.restart()
	f.refuse(before.Access, jot.ErrUnknownKey)
	if slices.Contains(f.published(), revoked) {
		t.Error("a restart published a revoked key")
	}
}

func TestRevokeOtherKeys(t *testing.T) {
	f := newFixture(t, config())
	active, next := f.active(), f.next()
	f.do(f.RevokeKey(t.Context(), next))
	if f.active() != active || f.next() == next {
		t.Errorf("%v are published", f.published())
	}
	f.clock.Advance(10 * time.Minute)
	tokens := f.login()
	f.rotate()
	f.do(f.RevokeKey(t.Context(), active)) // a retiring one
	f.refuse(tokens.Access, jot.ErrUnknownKey)
	for _, kid := range []string{"unknown", "refresh1", "refresh-1"} {
		if err := f.RevokeKey(t.Context(), kid); !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("%s: error %v, want ErrNotFound", kid, err)
		}
	}
}

// TestRotationRace: of many rotations at once one happens and the others are scheduled; every token is of a published
// key.
func TestRotationRace(t *testing.T) {
	f := newFixture(t, config())
	f.clock.Advance(10 * time.Minute)
	var wait sync.WaitGroup
	done := make([]issuer.Rotation, 8)
	for n := range done {
		wait.Go(func() {
			var err error
			if done[n], err = f.RotateKey(t.Context(), issuer.RotateOptions{}); err != nil {
				t.Error(err)
			}
		})
		wait.Go(func() {
			tokens, err := f.Issue(t.Context(), issuer.Grant{Subject: "ann"})
			if err != nil {
				t.Error(err)
			}
			f.accept(tokens.Access)
		})
	}
	wait.Wait()
	rotations := 0
	for _, r := range done {
		if r.Due.IsZero() {
			rotations++
		}
	}
	if rotations != 1 || len(f.published()) != 3 {
		t.Errorf("%d rotations were carried out, %d keys are published", rotations, len(f.published()))
	}
}

// TestPrivateKeysAtRest: no private key stands in the database, and none is kept once it doesn't sign.
func TestPrivateKeysAtRest(t *testing.T) {
	f := newFixture(t, config())
	f.clock.Advance(10 * time.Minute)
	r := f.rotate()
	f.do(f.RevokeKey(t.Context(), r.Active))
	err := f.openStore().View(t.Context(), func(reader issuer.Reader) error {
		keys, err := reader.Keys()
		for _, k := range keys {
			if (len(k.Sealed) == 0) != (k.ID == r.Retiring || k.ID == r.Active) {
				t.Errorf("key %s, %s: %d sealed bytes", k.ID, k.State, len(k.Sealed))
			}
		}
		return err
	})
	f.do(err)
}

// TestLowerTTL: after a configuration with shorter lives, rules still outlast the tokens of before.
func TestLowerTTL(t *testing.T) {
	c := config()
	c.AccessTTL = 2 * time.Hour
	f := newFixture(t, c)
	long := f.login()
	f.config.AccessTTL = time.Minute
	f.restart()
	if f.MaxTTL() != 2*time.Hour {
		t.Errorf("MaxTTL is %v, want the old one", f.MaxTTL())
	}
	f.accept(long.Access)
	f.do(f.EndSession(t.Context(), "ann", long.SessionID))
	f.clock.Advance(2*time.Hour - time.Second)
	f.restart()
	f.refuse(long.Access, jot.ErrRevoked)
}

func TestKeysOfAnotherDatabase(t *testing.T) {
	f := newFixture(t, config())
	first := f.login()
	f.path = filepath.Join(t.TempDir(), "other", "jot.db")
	f.restart()
	f.createSubject("ann")
	f.refuse(first.Access, jot.ErrUnknownKey)
	f.refuseRefresh(first.Refresh)
}

// TestKeyChangeWhoseCallerIsGone: a change of the keys takes effect at once even so, or tokens would be dead when they
// are issued.
func TestKeyChangeWhoseCallerIsGone(t *testing.T) {
	for name, change := range map[string]func(f *fixture, ctx context.Context, active string) error{
		"revoke": func(f *fixture, ctx context.Context, active string) error { return f.RevokeKey(ctx, active) },
		"rotate": func(f *fixture, ctx context.Context, _ string) error {
			_, err := f.RotateKey(ctx, issuer.RotateOptions{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, store := newBrittleFixture(t)
				defer f.Close()
				active, next := f.active(), f.next()
				time.Sleep(10*time.Minute + time.Second)
				ctx, cancel := context.WithCancel(t.Context())
				synctest.Wait() // until upkeep rests again
				done := func() { cancel() }
				store.committed.Store(&done)
				err := change(f, ctx, active)
				store.committed.Store(nil)
				f.do(err)
				if active := f.active(); active != next {
					t.Errorf("%s signs, want %s", active, next)
				}
			})
		})
	}
}

// TestKeysAtTheLimit: a server whose rotation has to wait still takes over the keys that another one made.
func TestKeysAtTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.KeySetMaxAge = time.Second
		f := newBubbleFixture(t, c)
		defer f.Close()
		other, err := f.open(f.config)
		f.do(err)
		defer other.Close()
		for len(other.KeySet().Keys()) < 8 {
			time.Sleep(time.Second)
			_, err := other.RotateKey(t.Context(), issuer.RotateOptions{})
			f.do(err)
		}
		r, err := other.RotateKey(t.Context(), issuer.RotateOptions{})
		if err != nil || r.Due.IsZero() {
			t.Fatalf("rotation %+v, %v, want it scheduled", r, err)
		}
		time.Sleep(2 * time.Minute)
		if len(f.published()) != 8 || f.active() != r.Active {
			t.Errorf("%v are published, %s signs, want 8, and %s", f.published(), f.active(), r.Active)
		}
	})
}

// TestServerWithLongerTokens: a server's rules and keys outlast the tokens that another one over the database gives,
// and it takes and revokes them.
func TestServerWithLongerTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		defer f.Close()
		c := config()
		c.AccessTTL = 12 * time.Hour
		other, err := f.open(c)
		f.do(err)
		defer other.Close()
		time.Sleep(11 * time.Minute)
		if f.MaxTTL() != 12*time.Hour {
			t.Errorf("MaxTTL is %v, want the other server's", f.MaxTTL())
		}
		var tokens [3]issuer.Tokens
		for n := range tokens {
			tokens[n], err = other.Issue(t.Context(), issuer.Grant{Subject: "ann"})
			f.do(err)
			f.accept(tokens[n].Access)
		}
		f.do(f.RevokeToken(t.Context(), tokens[0].Access, ""))
		f.do(f.EndSession(t.Context(), "ann", tokens[1].SessionID))
		f.rotate()
		for range 11 {
			time.Sleep(time.Hour)
			f.restart()
			f.refuse(tokens[0].Access, jot.ErrRevoked)
			f.refuse(tokens[1].Access, jot.ErrRevoked)
			f.accept(tokens[2].Access)
		}
	})
}

// TestKeysChangedInDatabase: a start refuses keys that somebody without the key-encryption key has altered.
func TestKeysChangedInDatabase(t *testing.T) {
	foreign, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		t.Fatal(err)
	}
	public, err := json.Marshal(foreign.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		purpose issuer.Purpose
		state   issuer.KeyState
		alter   string
	}{
		"root key that retires":          {issuer.PurposeRefresh, issuer.KeyActive, "state = 'retiring', sealed = x''"},
		"root key of another version":    {issuer.PurposeRefresh, issuer.KeyActive, "version = 2"},
		"feed key that retires":          {issuer.PurposeFeed, issuer.KeyActive, "state = 'retiring', sealed = x''"},
		"public half of the active key":  {issuer.PurposeAccess, issuer.KeyActive, "public = '" + string(public) + "'"},
		"public half of the next key":    {issuer.PurposeAccess, issuer.KeyNext, "public = '" + string(public) + "'"},
		"public half of the feed's key":  {issuer.PurposeFeed, issuer.KeyActive, "public = '" + string(public) + "'"},
		"active key, taken for the feed": {issuer.PurposeAccess, issuer.KeyActive, "purpose = 'feed'"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, config())
			f.do(errors.Join(f.Close(), f.store.Close()))
			db, err := sql.Open("sqlite", f.path+"?_pragma=busy_timeout(10000)")
			f.do(err)
			defer db.Close()
			result, err := db.Exec("UPDATE keys SET "+test.alter+" WHERE purpose = $1 AND state = $2", string(test.purpose), string(test.state))
			f.do(err)
			if n, err := result.RowsAffected(); err != nil || n != 1 {
				t.Fatalf("%d keys were altered, %v", n, err)
			}
			if i, err := f.open(f.config); err == nil {
				i.Close()
				t.Error("the issuer started")
			}
		})
	}
}
