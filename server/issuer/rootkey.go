package issuer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"time"
)

// rootKeyDelay is how long before its first use a new root key is in the database: every server over it has read it by then, or it
// would take refresh tokens of another one for forgeries.
const rootKeyDelay = 5 * upkeepInterval

func (i *Issuer) newRootKey(version byte) Key {
	secret := make([]byte, rootKeySize)
	rand.Read(secret)
	k := Key{ID: fmt.Sprintf("%s%d", PurposeRefresh, version), Purpose: PurposeRefresh, Version: version}
	k.Sealed = i.sealer.seal(k, secret)
	return k
}

// RotateRootKey makes a new root key for refresh tokens. New tokens are authenticated with it 5 minutes from now; those of the one before stay good,
// for as long as a session may last. It fails with ErrKeyLimit when there were 255 root keys.
func (i *Issuer) RotateRootKey(ctx context.Context) error {
	// Versions are read and given in one transaction: of two rotations at once, each makes a key with a version of its own.
	return i.changeKeys(ctx, func(u *update, _ *freshKeys) error {
		all, err := u.Keys()
		if err != nil {
			return err
		}
		newest := byte(0)
		for _, k := range all {
			if k.Purpose != PurposeRefresh {
				continue
			}
			newest = max(newest, k.Version)
			if k.State != KeyActive {
				continue
			}
			k.State, k.Expires = KeyRetiring, u.now.Add(rootKeyDelay+u.issuer.config.AbsoluteTTL)
			if err := u.UpdateKey(k); err != nil {
				return err
			}
		}
		if newest == math.MaxUint8 {
			return fmt.Errorf("%w: no version is left for a root key", ErrKeyLimit)
		}
		fresh := i.newRootKey(newest + 1)
		fresh.State, fresh.Created, fresh.Activated = KeyActive, u.now, u.now.Add(rootKeyDelay)
		return u.InsertKey(fresh)
	})
}

// openRootKey puts a root key into the ring: one whose time hasn't come authenticates the tokens of servers whose clock is ahead.
func (i *Issuer) openRootKey(ring *keyring, k Key, now time.Time) error {
	secret := i.rememberedRoot(k.Version)
	if secret == nil {
		var err error
		if secret, err = i.sealer.open(k); err != nil {
			return err
		}
	}
	if len(secret) != rootKeySize {
		return fmt.Errorf("root key %s has %d bytes, want %d", k.ID, len(secret), rootKeySize)
	}
	ring.roots[k.Version] = secret
	if !now.Before(k.Activated) {
		ring.rootVersion = max(ring.rootVersion, k.Version)
	}
	return nil
}

// rememberedRoot returns a root key that was opened before.
func (i *Issuer) rememberedRoot(version byte) []byte {
	if ring := i.keys.Load(); ring != nil {
		return ring.roots[version]
	}
	return nil
}

// retireRootKeys takes root keys out of use whose last token has expired with its session.
func (u *update) retireRootKeys(all []Key) error {
	var failed error
	for _, k := range all {
		if k.Purpose == PurposeRefresh && k.State == KeyRetiring && !u.now.Before(k.Expires) {
			k.State, k.Sealed = KeyRetired, nil
			failed = errors.Join(failed, u.UpdateKey(k))
		}
	}
	return failed
}
