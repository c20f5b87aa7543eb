package issuer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

// keyring is the opened keys, in memory. It is immutable: a change of the keys makes another one.
type keyring struct {
	log       string // the log of the time of these keys: Recover replaces both
	active    map[jot.Algorithm]activeKey
	published *jot.KeySet
	opened    map[string]*jot.PrivateKey // by key ID
	roots     map[byte]rootKey           // by version
	feed      *jot.Signer
	feedSet   *jot.KeySet
}

// KeySet returns the public keys of access tokens, for publication: the active one, the next one, and those whose
// tokens haven't all expired.
func (i *Issuer) KeySet() *jot.KeySet { return i.keys.Load().published }

// VerificationKeys implements jot.KeySource with the published keys. It never fails.
func (i *Issuer) VerificationKeys(ctx context.Context, alg jot.Algorithm, kid string) ([]jot.VerificationKey, error) {
	return i.KeySet().VerificationKeys(ctx, alg, kid)
}

// FeedKeySet returns the public keys of the revocation feed, for publication: the active one, the next one, and those
// before that signed something of late. They sign no token.
func (i *Issuer) FeedKeySet() *jot.KeySet { return i.keys.Load().feedSet }

// FeedSigner returns what signs the statements of the revocation feed.
func (i *Issuer) FeedSigner() *jot.Signer { return i.keys.Load().feed }

// startKeys makes the first keys of every purpose that has none.
func (i *Issuer) startKeys(ctx context.Context) error {
	root := i.newRootKey(1)
	// Whether a key is missing and making it are one transaction: of two servers that start on an empty database, the
	// second finds the first one's keys.
	return i.withFreshKeys(ctx, func(u *update, fresh *freshKeys) error {
		inUse, err := i.algorithmsInUse(u) // clients and resources before keys, as whoever makes one of these
		if err != nil {
			return err
		}
		keys, err := u.Keys()
		if err != nil {
			return err
		}
		if err := u.reseal(keys); err != nil {
			return err
		}
		first := KeyNext
		if len(keys) == 0 {
			first = KeyActive // nobody has verified anything yet
			if err := u.addKey(root, KeyActive); err != nil {
				return err
			}
		}
		if err := u.demandLine(fresh, first, feedLine); err != nil {
			return err
		}
		for _, algorithm := range inUse {
			if err := u.demandKeys(fresh, first, algorithm); err != nil {
				return err
			}
		}
		return nil
	})
}

func (i *Issuer) newKey(line keyLine) (Key, error) {
	private, err := jot.GenerateKey(line.algorithm)
	if err != nil {
		return Key{}, err
	}
	secret, err1 := private.ExportJWK()
	public, err2 := json.Marshal(private.Public())
	k := Key{ID: private.KeyID(), Purpose: line.purpose, Algorithm: line.algorithm, Public: public}
	k.Sealed = i.sealer.seal(k, secret)
	return k, errors.Join(err1, err2)
}

// reloadKeys brings the keyring, and the longest life of a token, up to date with the database. One at a time, so that
// an older state never replaces a newer one.
func (i *Issuer) reloadKeys(ctx context.Context) error {
	i.reloading.Lock()
	defer i.reloading.Unlock()
	var keys []Key
	var head revocation.Head
	err := i.store.View(ctx, func(r Reader) (err error) {
		if keys, err = r.Keys(); err != nil {
			return err
		}
		if head, err = r.LogHead(); err != nil {
			return err
		}
		if before := i.keys.Load(); before != nil && before.log != head.LogID {
			_, _, err = i.applyLiveRules(r) // before a new key signs what they refuse
		}
		return errors.Join(err, i.loadMaxTTL(r))
	})
	if err != nil || i.loaded != nil && reflect.DeepEqual(keys, i.loaded) {
		return err
	}
	ring, err := i.openKeys(keys)
	if err != nil {
		return err
	}
	ring.log = head.LogID
	i.keys.Store(ring)
	i.loaded = keys
	return nil
}

func (i *Issuer) openKeys(keys []Key) (*keyring, error) {
	ring := &keyring{active: make(map[jot.Algorithm]activeKey), opened: make(map[string]*jot.PrivateKey), roots: make(map[byte]rootKey)}
	var published, feed []*jot.PublicKey
	for _, k := range keys {
		if !k.published() {
			continue
		}
		public, err := i.openKey(ring, k)
		if err != nil {
			return nil, fmt.Errorf("keys: %w", err)
		}
		switch k.Purpose {
		case PurposeAccess:
			published = append(published, public)
		case PurposeFeed:
			feed = append(feed, public)
		}
	}
	if len(ring.active) == 0 || ring.feed == nil || len(ring.roots) == 0 {
		return nil, errKeysMissing
	}
	ring.published, ring.feedSet = jot.NewKeySet(published...), jot.NewKeySet(feed...)
	return ring, nil
}

// openKey puts what a key is good for into the ring and returns its public half, nil of a root key. A private key that
// isn't needed yet is opened too, so that a wrong key-encryption key shows at the start and not at the next rotation.
func (i *Issuer) openKey(ring *keyring, k Key) (*jot.PublicKey, error) {
	if k.Purpose == PurposeRefresh {
		return nil, i.openRootKey(ring, k)
	}
	public, err := jot.ParsePublicKey(k.Public, jot.ParseOptions{})
	if err != nil || k.State == KeyRetiring {
		return public, err
	}
	private, err := i.openPrivateKey(k, public)
	if err != nil && k.State == KeyNext && i.keys.Load() != nil {
		i.config.Logger.Error("the next signing key can't be opened: this server won't sign with it", "purpose", k.Purpose, "error", err)
		return public, nil // until then it does what it did
	}
	if err != nil {
		return nil, err
	}
	ring.opened[k.ID] = private
	if k.State != KeyActive {
		return public, nil
	}
	if k.Purpose == PurposeFeed {
		ring.feed, err = jot.NewSigner(private, jot.SignerOptions{Type: revocation.StatementType})
		return public, err
	}
	ring.active[k.Algorithm], err = newActiveKey(k, private)
	return public, err
}

// openPrivateKey opens a key whose public half is published, and checks that it is the one. One that was opened before
// isn't opened again: a server goes on when another one has sealed the keys under a new key-encryption key.
func (i *Issuer) openPrivateKey(k Key, published *jot.PublicKey) (*jot.PrivateKey, error) {
	private, err := i.findPrivateKey(k)
	if err != nil {
		return nil, err
	}
	ours, err1 := json.Marshal(private.Public())
	theirs, err2 := json.Marshal(published)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if !bytes.Equal(ours, theirs) {
		return nil, fmt.Errorf("the public half of the %s key %s was changed in the database; restore it from a backup", k.Purpose, k.ID)
	}
	return private, nil
}

func (i *Issuer) findPrivateKey(k Key) (*jot.PrivateKey, error) {
	if k.Remote {
		return i.remoteKey(k)
	}
	if ring := i.keys.Load(); ring != nil && ring.opened[k.ID] != nil {
		return ring.opened[k.ID], nil
	}
	secret, err := i.sealer.open(k)
	if err != nil {
		return nil, err
	}
	return jot.ParsePrivateKey(secret, jot.ParseOptions{})
}
