package issuer

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jot-auth/jot"
)

// ImportKey takes a signing key from elsewhere. One that jot.ParsePrivateKey has read, from PEM or a JWK, is kept like
// those that the issuer makes. Of a remote one (jot.NewRemoteKey) the database only learns the public half, and every
// server over it is given the key as one of Config.RemoteKeys.
//
// It becomes the next key of its algorithm, in place of the one that was. It signs from the next rotation on, before
// which it has to have been published for Config.KeySetMaxAge. The key after it is made by the issuer, unless another
// one is imported meanwhile.
//
// A key that is too weak can't be parsed to begin with. One for an algorithm that nobody asks for, or whose key ID is
// no name, is an *InputError; one that is or was known already, under whatever key ID, ErrTaken.
func (i *Issuer) ImportKey(ctx context.Context, key *jot.PrivateKey) error {
	k, err := i.importable(ctx, key)
	if err != nil {
		return err
	}
	// That the key is new and the algorithm in use is seen in the transaction that takes it: of two imports of one key
	// the second fails, and there is always exactly one next key.
	err = i.commit(ctx, func(u *update) error {
		inUse, err := i.algorithmsInUse(u)
		if err != nil {
			return err
		}
		if !slices.Contains(inUse, k.Algorithm) {
			return &InputError{"algorithm", "is one that no client or resource asks for, and not the default: let one ask for it first"}
		}
		all, err := u.Keys()
		if err != nil {
			return err
		}
		if err := unknownKey(all, key.Public()); err != nil {
			return err
		}
		if err := u.replaceNext(signingKeys(all).of(k.line()), k); err != nil {
			return err
		}
		return u.audit(EventKeyImported, Event{Detail: "key " + k.ID + " is the next"})
	})
	if err != nil {
		return err
	}
	if k.Remote {
		i.remotes.Store(k.ID, key)
	}
	return i.adoptKeys(ctx)
}

// importable makes a key's record, unless it is none that signs access tokens. A remote key has to sign something
// first: that its function asks somebody else shows here and not at the next login.
func (i *Issuer) importable(ctx context.Context, key *jot.PrivateKey) (Key, error) {
	if key == nil {
		return Key{}, &InputError{"key", "is missing"}
	}
	if err := errors.Join(checkAlgorithm(key.Algorithm()), checkName("kid", key.KeyID())); err != nil {
		return Key{}, err
	}
	public, err := json.Marshal(key.Public())
	if err != nil {
		return Key{}, err
	}
	k := Key{ID: key.KeyID(), Purpose: PurposeAccess, Algorithm: key.Algorithm(), Public: public}
	secret, err := key.ExportJWK()
	if err == nil {
		k.Sealed = i.sealer.seal(k, secret)
		return k, nil
	}
	k.Remote = true
	if _, err := key.SignInput(ctx, []byte("jot: does this key sign?")); err != nil {
		return Key{}, fmt.Errorf("the remote key %s doesn't sign: %w", k.ID, err)
	}
	return k, nil
}

// unknownKey refuses a key that the database has, also if it bears another name: a revoked key must not come back.
func unknownKey(all []Key, key *jot.PublicKey) error {
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return err
	}
	for _, k := range all {
		if k.Public == nil {
			continue
		}
		known, err := jot.ParsePublicKey(k.Public, jot.ParseOptions{})
		if err != nil {
			return err
		}
		other, err := known.Thumbprint(crypto.SHA256)
		if err != nil {
			return err
		}
		if bytes.Equal(thumbprint, other) || k.ID == key.KeyID() {
			return ErrTaken
		}
	}
	return nil
}

// replaceNext publishes a key as the next one of its algorithm. The one that was has signed nothing.
func (u *update) replaceNext(keys signingKeys, k Key) error {
	if next := keys.in(KeyNext); next != nil {
		next.State, next.Sealed, next.Expires = KeyRetired, nil, u.now
		if err := u.UpdateKey(*next); err != nil {
			return err
		}
	}
	return u.addKey(k, KeyNext)
}

// remoteKey finds the key whose private half is elsewhere.
func (i *Issuer) remoteKey(k Key) (*jot.PrivateKey, error) {
	key, ok := i.remotes.Load(k.ID)
	if !ok {
		return nil, fmt.Errorf("the private half of the %s key %s is elsewhere: name it in Config.RemoteKeys", k.Purpose, k.ID)
	}
	return key.(*jot.PrivateKey), nil
}
