package jwks

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jot-auth/jot"
)

// keySet is one fetched set and its dates. It never changes.
type keySet struct {
	keys       *jot.KeySet
	skipped    []jot.SkippedKey
	ids        map[string]struct{}
	etag       string
	control    []string  // the Cache-Control that it came with, or was confirmed with
	fetched    time.Time // the start of the fetch
	refreshAt  time.Time // from here on a look-up refreshes it; never after staleUntil
	freshUntil time.Time // from here on a look-up waits for that
	staleUntil time.Time // from here on it answers nothing
}

// newKeySet makes a set of what a fetch brought. A key that the previous set, if any, has too is the previous set's,
// one and the same *jot.PublicKey: by that, whoever remembers what it verified can tell that nothing changed about it.
func newKeySet(fetched *jot.KeySet, etag string, previous *keySet) *keySet {
	var known []*jot.PublicKey
	if previous != nil {
		known = previous.keys.Keys()
	}
	keys, ids := fetched.Keys(), make(map[string]struct{})
	for n, k := range keys {
		if old := slices.IndexFunc(known, func(other *jot.PublicKey) bool { return same(k, other) }); old >= 0 {
			keys[n] = known[old]
		}
		ids[k.KeyID()] = struct{}{}
	}
	return &keySet{keys: jot.NewKeySet(keys...), skipped: fetched.Skipped(), ids: ids, etag: etag}
}

// same reports whether two keys are alike in ID, algorithm and material, and in whether their sets name them.
func same(a, b *jot.PublicKey) bool {
	if a.KeyID() != b.KeyID() || isNamed(a) != isNamed(b) { // spares the rest for nearly all
		return false
	}
	textA, errA := a.MarshalJSON()
	textB, errB := b.MarshalJSON()
	return errA == nil && errB == nil && bytes.Equal(textA, textB)
}

// isNamed reports whether a key verifies tokens under no ID but its own. One that its set doesn't name has its
// thumbprint for an ID, and may be any token's.
func isNamed(k *jot.PublicKey) bool {
	keys, _ := jot.NewKeySet(k).VerificationKeys(context.Background(), k.Algorithm(), k.KeyID()+" and another")
	return len(keys) == 0
}

// dated is the set, asked for at fetched. The refresh ahead starts at 70 to 80 % of the lifetime, so that verifiers
// which started together do not ask together.
func (k *keySet) dated(fetched time.Time, lifetime, maxStale time.Duration) *keySet {
	later := *k
	later.fetched = fetched
	later.refreshAt = fetched.Add(lifetime*7/10 + rand.N(lifetime/10+1))
	later.freshUntil = fetched.Add(lifetime)
	later.staleUntil = fetched.Add(maxStale)
	return &later
}

// postponed is the set with another date for its refresh.
func (k *keySet) postponed(refreshAt time.Time) *keySet {
	later := *k
	later.refreshAt = refreshAt
	if refreshAt.After(k.staleUntil) {
		later.refreshAt = k.staleUntil
	}
	return &later
}

// usable reports whether the set may verify anything at all.
func (k *keySet) usable(now time.Time) bool {
	return k != nil && now.Before(k.staleUntil)
}

// names reports whether the set has a key of this ID, whatever its algorithm. A token without a key ID asks for
// any key and gains nothing from a fetch.
func (k *keySet) names(kid string) bool {
	_, ok := k.ids[kid]
	return ok || kid == ""
}

// answers reports whether the set has keys for a look-up, be they ones that don't name themselves.
func (k *keySet) answers(alg jot.Algorithm, kid string) bool {
	keys, _ := k.keys.VerificationKeys(context.Background(), alg, kid) // a set at hand never fails
	return len(keys) > 0
}
