package issuer

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/jot-auth/jot"
)

// maxPublished bounds the keys of one line in a key set, so that it stays small and verifiers hold all of it. Beside
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

// keyLine names keys of which one follows the other: those that sign access tokens in one algorithm, or those that sign
// the feed.
type keyLine struct {
	purpose   Purpose
	algorithm jot.Algorithm
}

// feedLine is that of the revocation feed.
var feedLine = keyLine{PurposeFeed, jot.EdDSA}

func accessLine(algorithm jot.Algorithm) keyLine { return keyLine{PurposeAccess, algorithm} }

func (k *Key) line() keyLine { return keyLine{k.Purpose, k.Algorithm} }

// label is what an event calls a key.
func (l keyLine) label() string {
	if l.purpose == PurposeFeed {
		return "feed key "
	}
	return "key "
}

// signingKeys are keys for access tokens and for the feed: all that the database has, or those of one line.
type signingKeys []Key

// readSigningKeys makes sure that some key signs access tokens, and that a next one is published for each that does.
func readSigningKeys(r KeyReader) (signingKeys, error) {
	all, err := r.Keys()
	if err != nil {
		return nil, err
	}
	keys := signingKeys(slices.DeleteFunc(all, func(k Key) bool { return k.Purpose == PurposeRefresh }))
	signs := false
	for _, k := range keys {
		if k.State != KeyActive || k.Purpose != PurposeAccess {
			continue
		}
		if signs = true; keys.of(k.line()).in(KeyNext) == nil {
			return nil, errKeysMissing
		}
	}
	if !signs {
		return nil, errKeysMissing
	}
	return keys, nil
}

// of returns the keys of a line.
func (keys signingKeys) of(line keyLine) signingKeys {
	return slices.DeleteFunc(slices.Clone(keys), func(k Key) bool { return k.line() != line })
}

// lines returns those that have a next key.
func (keys signingKeys) lines() []keyLine {
	var all []keyLine
	for _, k := range keys {
		if k.State == KeyNext {
			all = append(all, k.line())
		}
	}
	return all
}

// in returns the first key in a state. Of each line one at most is active and one next.
func (keys signingKeys) in(state KeyState) *Key {
	return keys.find(func(k Key) bool { return k.State == state })
}

// signBeside reports whether a key of another algorithm signs access tokens.
func (keys signingKeys) signBeside(algorithm jot.Algorithm) bool {
	return keys.find(func(k Key) bool {
		return k.State == KeyActive && k.Purpose == PurposeAccess && k.Algorithm != algorithm
	}) != nil
}

func (keys signingKeys) find(is func(Key) bool) *Key {
	n := slices.IndexFunc(keys, is)
	if n < 0 {
		return nil
	}
	return &keys[n]
}

func (keys signingKeys) published() int {
	count := 0
	for _, k := range keys {
		if k.published() {
			count++
		}
	}
	return count
}

// expire retires the keys whose last token has expired by now, and returns them.
func (keys signingKeys) expire(now time.Time) []Key {
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
func (keys signingKeys) firstExpiry() time.Time {
	var first time.Time
	for _, k := range keys {
		if k.State == KeyRetiring && (first.IsZero() || k.Expires.Before(first)) {
			first = k.Expires
		}
	}
	return first
}
