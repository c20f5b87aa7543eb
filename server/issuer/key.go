package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

// maxPublished bounds the signing keys in the key set, so that it stays small and verifiers hold all of it. Beside those that
// retire, one is active and one is next.
const maxPublished = 8

// adoptTimeout bounds how long a change of the keys waits to take effect at once.
const adoptTimeout = 5 * time.Second

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
	Sealed    []byte          // the private key, encrypted; nil once it is of no use
	Version   byte            // of a root key: the first byte of its refresh tokens
	Created   time.Time       // published since
	Activated time.Time       // signs or signed since
	Expires   time.Time       // of a retiring key: when it leaves the key set
}

func (k *Key) published() bool {
	return k.State == KeyNext || k.State == KeyActive || k.State == KeyRetiring
}

// settingRotationDue holds when an asked-for rotation is to be carried out, in Unix milliseconds; 0 when none is.
const settingRotationDue = "rotation_due"

var errKeysMissing = errors.New("keys: the database lacks an active or next key; restore it from a backup")

// Rotation is what RotateKey did or will do.
type Rotation struct {
	Active   string    // the key ID that signs now
	Retiring string    // the one that signed until now; "" when the rotation is only scheduled
	Next     string    // the one that will sign after it
	Due      time.Time // when a scheduled rotation is carried out; zero when it was done at once
}

// RotateKey makes the next key sign and publishes a new next key. A next key that verifiers may not hold yet, because it is
// younger than Config.KeySetMaxAge, isn't promoted: the rotation is scheduled, survives a restart, and is carried out by itself.
// It fails with ErrKeyLimit when too many retiring keys are still needed.
func (i *Issuer) RotateKey(ctx context.Context) (Rotation, error) {
	fresh, err := i.newAccessKey()
	if err != nil {
		return Rotation{}, err
	}
	var done Rotation
	// The keys are read and changed in one transaction: of two rotations at once the second finds a next key that is
	// too young, so a key is never promoted unpublished and never twice.
	err = i.commit(ctx, func(u *update) (err error) {
		done, err = u.rotate(fresh)
		return err
	})
	if err != nil {
		return Rotation{}, err
	}
	return done, i.adoptKeys(ctx)
}

// adoptKeys makes a committed change of the keys take effect, even when its caller is gone.
func (i *Issuer) adoptKeys(ctx context.Context) error {
	defer i.wakeUp() // to find what is due next, or to try again
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), adoptTimeout)
	defer cancel()
	return i.reloadKeys(ctx)
}

// rotate promotes the next key where it is old enough, and else schedules that.
func (u *update) rotate(fresh Key) (Rotation, error) {
	keys, err := readAccessKeys(u)
	if err != nil {
		return Rotation{}, err
	}
	active, next := keys.in(KeyActive), keys.in(KeyNext)
	if due := next.Created.Add(u.issuer.config.KeySetMaxAge); u.now.Before(due) {
		return Rotation{Active: active.ID, Next: next.ID, Due: due}, u.PutSetting(settingRotationDue, due.UnixMilli())
	}
	if keys.published() >= maxPublished {
		return Rotation{}, fmt.Errorf("%w: %d of %d; the first leaves at %v", ErrKeyLimit, keys.published(), maxPublished, keys.firstExpiry())
	}
	maxTTL, err := readMaxTTL(u)
	if err != nil {
		return Rotation{}, err
	}
	active.State, active.Sealed = KeyRetiring, nil
	active.Expires = u.now.Add(maxTTL + ruleSlack)
	if err := u.UpdateKey(*active); err != nil {
		return Rotation{}, err
	}
	return Rotation{Active: next.ID, Retiring: active.ID, Next: fresh.ID}, u.promote(*next, fresh)
}

// promote makes the next key sign and publishes a fresh one.
func (u *update) promote(next, fresh Key) error {
	next.State, next.Activated = KeyActive, u.now
	if err := u.UpdateKey(next); err != nil {
		return err
	}
	fresh.State, fresh.Created = KeyNext, u.now
	if err := u.InsertKey(fresh); err != nil {
		return err
	}
	return u.PutSetting(settingRotationDue, 0)
}

// RevokeKey takes a signing key out of use at once: the key set loses it, a rule that never expires refuses every token that
// it verifies, wherever its public key is still cached, and if it was the active one the next key signs from now on, however young.
// It fails with ErrNotFound. Revoking twice is no error.
func (i *Issuer) RevokeKey(ctx context.Context, kid string) error {
	fresh, err := i.newAccessKey()
	if err != nil {
		return err
	}
	// State, rule and successor are one commit: no moment without a key that signs, and none in which a rotation
	// promotes the revoked key.
	err = i.commit(ctx, func(u *update) error {
		keys, err := readAccessKeys(u)
		if err != nil {
			return err
		}
		key := keys.find(func(k Key) bool { return k.ID == kid })
		if key == nil {
			return ErrNotFound
		}
		return u.revokeKey(keys, *key, fresh)
	})
	if err != nil {
		return err
	}
	return i.adoptKeys(ctx)
}

func (u *update) revokeKey(keys accessKeys, key, fresh Key) error {
	before := key.State
	if before == KeyRevoked {
		return nil
	}
	u.refuse(revocation.Rule{Kind: revocation.Key, Value: key.ID})
	key.State, key.Sealed = KeyRevoked, nil
	if err := u.UpdateKey(key); err != nil {
		return err
	}
	switch before {
	case KeyActive:
		return u.promote(*keys.in(KeyNext), fresh)
	case KeyNext:
		fresh.State, fresh.Created = KeyNext, u.now
		return u.InsertKey(fresh)
	}
	return nil
}

// accessKeys are all keys for access tokens that there ever were.
type accessKeys []Key

// readAccessKeys makes sure that there is an active and a next key.
func readAccessKeys(r KeyReader) (accessKeys, error) {
	all, err := r.Keys()
	if err != nil {
		return nil, err
	}
	keys := accessKeys(slices.DeleteFunc(all, func(k Key) bool { return k.Purpose != PurposeAccess }))
	if keys.in(KeyActive) == nil || keys.in(KeyNext) == nil {
		return nil, errKeysMissing
	}
	return keys, nil
}

// in returns the first key in a state. One is active and one is next, always.
func (keys accessKeys) in(state KeyState) *Key {
	return keys.find(func(k Key) bool { return k.State == state })
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
