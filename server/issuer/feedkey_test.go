package issuer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

// feedKeys returns the key IDs in the feed's key set.
func (f *fixture) feedKeys() []string {
	var ids []string
	for _, k := range f.FeedKeySet().Keys() {
		ids = append(ids, k.KeyID())
	}
	return ids
}

// TestFeedKeyRotates: like a key for access tokens, it's published before it signs and as long as what it signed may be
// read.
func TestFeedKeyRotates(t *testing.T) {
	f := newFixture(t, config())
	feed := issuer.RotateOptions{Purpose: issuer.PurposeFeed}
	tokens, first, second := f.active(), f.FeedSigner().KeyID(), f.feedKeys()[1]
	f.clock.Advance(10 * time.Minute)
	planned := f.rotateWith(issuer.RotateOptions{Purpose: issuer.PurposeFeed, DryRun: true})
	done := f.rotateWith(feed)
	if planned.Next = done.Next; planned != done || done.Active != second || done.Retiring != first || done.Published != 3 || f.FeedSigner().KeyID() != second {
		t.Errorf("%+v, rehearsed as %+v", done, planned)
	}
	if got := f.feedKeys(); !slices.Equal(got, []string{first, second, done.Next}) {
		t.Errorf("published: %v", got)
	}
	if f.active() != tokens || len(f.published()) != 2 {
		t.Error("the keys of access tokens were rotated")
	}
	f.clock.Advance(30*time.Minute + time.Second)
	f.restart() // whose upkeep retires it
	waitUntil(t, func() bool { return slices.Equal(f.feedKeys(), []string{second, done.Next}) })
	f.clock.Advance(30 * 24 * time.Hour)
	f.restart()
	waitUntil(t, func() bool { return f.FeedSigner().KeyID() == done.Next })
	f.wantToldOfFeedKey(issuer.EventKeyRotated)
}

func (f *fixture) wantToldOfFeedKey(kind issuer.EventKind) {
	f.Helper()
	told, err := f.Events(f.Context(), issuer.EventFilter{Kind: kind}, 0, 10)
	f.do(err)
	if len(told) == 0 || !strings.HasPrefix(told[0].Detail, "feed key ") {
		f.Errorf("%s: %+v", kind, told)
	}
}

// TestYoungFeedKey: the next key waits until every reader can have it, and takes its turn by itself.
func TestYoungFeedKey(t *testing.T) {
	f := newFixture(t, config())
	first, second := f.FeedSigner().KeyID(), f.feedKeys()[1]
	scheduled := f.rotateWith(issuer.RotateOptions{Purpose: issuer.PurposeFeed})
	if due := f.clock.Now().Add(10 * time.Minute); !scheduled.Due.Equal(due) || scheduled.Purpose != issuer.PurposeFeed || f.FeedSigner().KeyID() != first {
		t.Errorf("%+v", scheduled)
	}
	f.wantToldOfFeedKey(issuer.EventKeyScheduled)
	f.clock.Advance(10 * time.Minute)
	f.restart()
	waitUntil(t, func() bool { return f.FeedSigner().KeyID() == second })
}

func waitUntil(t *testing.T, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came about")
		}
	}
}

// TestStolenFeedKey: an emergency, or its revocation, takes it out of the key set, and a rule tells readers who still
// have it there.
func TestStolenFeedKey(t *testing.T) {
	for name, revoke := range map[string]func(*fixture, string) error{
		"rotated": func(f *fixture, _ string) error {
			_, err := f.RotateKey(f.Context(), issuer.RotateOptions{Purpose: issuer.PurposeFeed, Emergency: true})
			return err
		},
		"revoked": func(f *fixture, kid string) error { return f.RevokeKey(f.Context(), kid) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, config())
			stolen, next := f.FeedSigner().KeyID(), f.feedKeys()[1]
			f.do(revoke(f, stolen))
			if got := f.feedKeys(); f.FeedSigner().KeyID() != next || slices.Contains(got, stolen) || len(got) != 2 {
				t.Errorf("%s signs, of %v", f.FeedSigner().KeyID(), got)
			}
			rules, _, err := f.LogEntries(t.Context(), 0, 10)
			f.do(err)
			if len(rules) != 1 || rules[0] != (revocation.Rule{Kind: revocation.Key, Issuer: f.config.URL, Value: stolen}) {
				t.Errorf("%+v", rules)
			}
		})
	}
}

func TestRotationOfNoKey(t *testing.T) {
	f := newFixture(t, config())
	var input *issuer.InputError
	if _, err := f.RotateKey(t.Context(), issuer.RotateOptions{Purpose: issuer.PurposeRefresh}); !errors.As(err, &input) {
		t.Error(err)
	}
	if _, err := f.RotateKey(t.Context(), issuer.RotateOptions{Purpose: issuer.PurposeFeed, Algorithm: "ES256"}); !errors.Is(err, issuer.ErrNotFound) {
		t.Error(err)
	}
}

// TestFeedKeyOfBefore: a database whose feed has one key alone gets the next one at the start.
func TestFeedKeyOfBefore(t *testing.T) {
	f := newFixture(t, config())
	only, next := f.FeedSigner().KeyID(), f.feedKeys()[1]
	f.do(f.Close())
	f.do(f.store.Update(t.Context(), func(tx issuer.Tx) error {
		keys, err := tx.Keys()
		n := slices.IndexFunc(keys, func(k issuer.Key) bool { return k.ID == next })
		keys[n].State, keys[n].Sealed, keys[n].Expires = issuer.KeyRetired, nil, time.UnixMilli(1)
		return errors.Join(err, tx.UpdateKey(keys[n]), tx.DeleteKeys(time.UnixMilli(2)))
	}))
	f.start()
	if got := f.feedKeys(); len(got) != 2 || got[0] != only || got[1] == next || f.FeedSigner().KeyID() != only {
		t.Errorf("%s signs, of %v", f.FeedSigner().KeyID(), got)
	}
}
