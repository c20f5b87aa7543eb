package issuer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"time"
)

// rootKeyDelay is how long before its first use a new root key is in the database: every server over it has read it by
// then, or it would take refresh tokens of another one for forgeries.
const rootKeyDelay = 5 * upkeepInterval

func (i *Issuer) newRootKey(version byte) Key {
	secret := make([]byte, rootKeySize)
	rand.Read(secret)
	k := Key{ID: fmt.Sprintf("%s%d", PurposeRefresh, version), Purpose: PurposeRefresh, Version: version}
	k.Sealed = i.sealer.seal(k, secret)
	return k
}

// RotateRootKey makes a new root key for refresh tokens. New tokens are authenticated with it 5 minutes from now; those
// of the one before stay good, for as long as a session may last. It fails with ErrKeyLimit when there were 255 root
// keys.
func (i *Issuer) RotateRootKey(ctx context.Context) error {
	// Versions are read and given in one transaction: of two rotations at once, each makes a key with a version of its
	// own.
	return i.changeKeys(ctx, func(u *update, _ *freshKeys) error {
		all, err := u.Keys()
		if err != nil {
			return err
		}
		longest, err := readLongest(u, settingMaxSession)
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
			k.State, k.Expires = KeyRetiring, u.now.Add(rootKeyDelay+longest)
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

// rootKey is an opened root key.
type rootKey struct {
	secret []byte
	from   time.Time // when new tokens begin to be of it
}

// openRootKey puts a root key into the ring.
func (i *Issuer) openRootKey(ring *keyring, k Key) error {
	root, err := i.findRootKey(k)
	if err == nil && len(root.secret) != rootKeySize {
		err = fmt.Errorf("root key %s has %d bytes, want %d", k.ID, len(root.secret), rootKeySize)
	}
	ring.roots[k.Version] = root
	return err
}

// findRootKey doesn't open a key again that was opened before. After Recover, a version may be another key's.
func (i *Issuer) findRootKey(k Key) (rootKey, error) {
	if ring := i.keys.Load(); ring != nil {
		if root, opened := ring.roots[k.Version]; opened && root.from.Equal(k.Activated) {
			return root, nil
		}
	}
	secret, err := i.sealer.open(k)
	return rootKey{secret, k.Activated}, err
}

// rootVersion is that of refresh tokens that are made at a time. A clock that was set back doesn't leave none.
func (ring *keyring) rootVersion(now time.Time) byte {
	oldest, newest := byte(math.MaxUint8), byte(0)
	for version, root := range ring.roots {
		oldest = min(oldest, version)
		if !now.Before(root.from) {
			newest = max(newest, version)
		}
	}
	return max(oldest, newest)
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
