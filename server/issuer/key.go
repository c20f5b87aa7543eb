package issuer

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/jot-auth/jot"
)

// maxPublished bounds the signing keys of one algorithm in the key set, so that it stays small and verifiers hold all of it. Beside
// those that retire, one is active and one is next.
const maxPublished = 8

// Purpose is the one thing that a key is for.
type Purpose string

// The purposes.
const (
	PurposeAccess  Purpose = "access"  // signs access tokens
	PurposeFeed    Purpose = "feed"    // signs the revocation feed, and no token
	PurposeRefresh Purpose = "refresh" // root key that authenticates refresh tokens
)

// KeyState is a key's place in its life.
type KeyState string

// The states, in order; a key can be revoked out of every one.
const (
	KeyNext     KeyState = "next"     // published, so that every verifier holds it when it starts to sign
	KeyActive   KeyState = "active"   // signs
	KeyRetiring KeyState = "retiring" // published until the last token that it signed has expired
	KeyRetired  KeyState = "retired"  // not published any more
	KeyRevoked  KeyState = "revoked"  // not published, and every token that it verifies is refused
)

// Key is a key as it is stored.
type Key struct {
	ID        string // kid
	Purpose   Purpose
	Algorithm jot.Algorithm // "" of a root key
	State     KeyState
	Public    json.RawMessage // JWK; nil of a root key
	Sealed    []byte          // the private key, encrypted; nil of a remote key, and once it is of no use
	Remote    bool            // the private half is elsewhere: see ImportKey
	Version   byte            // of a root key: the first byte of its refresh tokens
	Created   time.Time       // published since
	Activated time.Time       // signs or signed since
	Expires   time.Time       // of a retiring key: when it leaves the key set
}

func (k *Key) published() bool {
	return k.State == KeyNext || k.State == KeyActive || k.State == KeyRetiring
}

var errKeysMissing = errors.New("keys: the database lacks an active or next key; restore it from a backup")

// accessKeys are keys for access tokens: all that the database has, or those of one algorithm.
type accessKeys []Key

// readAccessKeys makes sure that some key signs, and that a next one is published for each that does.
func readAccessKeys(r KeyReader) (accessKeys, error) {
	all, err := r.Keys()
	if err != nil {
		return nil, err
	}
	keys := accessKeys(slices.DeleteFunc(all, func(k Key) bool { return k.Purpose != PurposeAccess }))
	if keys.in(KeyActive) == nil {
		return nil, errKeysMissing
	}
	for _, k := range keys {
		if k.State == KeyActive && keys.of(k.Algorithm).in(KeyNext) == nil {
			return nil, errKeysMissing
		}
	}
	return keys, nil
}

// of returns the keys of an algorithm.
func (keys accessKeys) of(algorithm jot.Algorithm) accessKeys {
	return slices.DeleteFunc(slices.Clone(keys), func(k Key) bool { return k.Purpose != PurposeAccess || k.Algorithm != algorithm })
}

// algorithms returns those that have a next key.
func (keys accessKeys) algorithms() []jot.Algorithm {
	var all []jot.Algorithm
	for _, k := range keys {
		if k.State == KeyNext {
			all = append(all, k.Algorithm)
		}
	}
	return all
}

// in returns the first key in a state. Of each algorithm one at most is active and one next.
func (keys accessKeys) in(state KeyState) *Key {
	return keys.find(func(k Key) bool { return k.State == state })
}

// signBeside reports whether a key of another algorithm signs.
func (keys accessKeys) signBeside(algorithm jot.Algorithm) bool {
	return keys.find(func(k Key) bool { return k.State == KeyActive && k.Algorithm != algorithm }) != nil
}

func (keys accessKeys) find(is func(Key) bool) *Key {
	n := slices.IndexFunc(keys, is)
	if n < 0 {
		return nil
	}
	return &keys[n]
}

func (keys accessKeys) published() int {
	count := 0
	for _, k := range keys {
		if k.published() {
			count++
		}
	}
	return count
}

// expire retires the keys whose last token has expired by now, and returns them.
func (keys accessKeys) expire(now time.Time) []Key {
	var expired []Key
	for n := range keys {
		if k := &keys[n]; k.State == KeyRetiring && !now.Before(k.Expires) {
			k.State = KeyRetired
			expired = append(expired, *k)
		}
	}
	return expired
}

// firstExpiry is when the first retiring key leaves the key set; zero when none will.
func (keys accessKeys) firstExpiry() time.Time {
	var first time.Time
	for _, k := range keys {
		if k.State == KeyRetiring && (first.IsZero() || k.Expires.Before(first)) {
			first = k.Expires
		}
	}
	return first
}
