package issuer

import (
	"context"

	"github.com/jot-auth/jot/revocation"
)

// RevokeKey takes a signing key, or one of the feed, out of use at once. Its key set loses it, and a rule that never
// expires refuses every token, or every statement of the feed, that it verifies, wherever its public key is still
// cached. If it was the active one, the next key signs from now on, however young. It fails with ErrNotFound. Revoking
// twice is no error.
func (i *Issuer) RevokeKey(ctx context.Context, kid string) error {
	// State, rule and successor are one commit: no moment without a key that signs, and none in which a rotation
	// promotes the revoked key.
	return i.changeKeys(ctx, func(u *update, fresh *freshKeys) error {
		keys, err := readSigningKeys(u)
		if err != nil {
			return err
		}
		key := keys.find(func(k Key) bool { return k.ID == kid })
		if key == nil {
			return ErrNotFound
		}
		_, err = u.revokeKey(keys.of(key.line()), key, fresh)
		return err
	})
}

// revokeKey revokes one of the keys of a line, and returns the ID of the fresh next one, if there had to be one.
func (u *update) revokeKey(keys signingKeys, key *Key, fresh *freshKeys) (string, error) {
	before := key.State
	if before == KeyRevoked {
		return "", nil
	}
	u.refuse(revocation.Rule{Kind: revocation.Key, Value: key.ID})
	key.State, key.Sealed = KeyRevoked, nil
	if err := u.UpdateKey(*key); err != nil {
		return "", err
	}
	if err := u.audit(EventKeyRevoked, Event{Detail: key.line().label() + key.ID}); err != nil {
		return "", err
	}
	switch before {
	case KeyActive:
		return u.promote(*keys.in(KeyNext), fresh)
	case KeyNext:
		return u.addNext(fresh, key.line())
	}
	return "", nil
}
