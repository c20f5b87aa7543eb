package issuer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"time"
)

// bootstrapPrefix begins every code of a bootstrap.
const bootstrapPrefix = "jbt_"

// bootstrapTTL is how long an operator has to use a code.
const bootstrapTTL = time.Hour

// Bootstrap is a right to make one administrator, as it is stored. There is one at most.
type Bootstrap struct {
	Hash    [sha256.Size]byte // of the code
	Expires time.Time
}

// ErrBootstrap is a bootstrap code that isn't good: it's wrong, was used, was replaced by a newer one, or has expired.
var ErrBootstrap = errors.New("issuer: the link is not valid any more; make a new one with 'jot admin bootstrap'")

// InviteAdmin makes a code with which one administrator can be made, within an hour, and voids the code before it. It
// is for whoever may write to the database, and works as well when all administrators have lost their passwords. Only a
// hash of the code is stored.
func InviteAdmin(ctx context.Context, store Store) (code string, expires time.Time, err error) {
	secret := make([]byte, 32)
	rand.Read(secret)
	code = bootstrapPrefix + base64.RawURLEncoding.EncodeToString(secret)
	// Code and event are one commit: nobody is invited unseen.
	err = store.Update(ctx, func(tx Tx) error {
		now, err := tx.Now()
		if err != nil {
			return err
		}
		expires = now.Add(bootstrapTTL)
		if err := tx.PutBootstrap(Bootstrap{Hash: sha256.Sum256([]byte(code)), Expires: expires}); err != nil {
			return err
		}
		return tx.InsertEvent(Event{Time: now, Kind: EventAdminInvited})
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return code, expires, nil
}

// CheckBootstrap fails with ErrBootstrap for a code that BootstrapAdmin wouldn't take, before a caller takes pains.
func (i *Issuer) CheckBootstrap(ctx context.Context, code string) error {
	return i.store.View(ctx, func(r Reader) error { return checkBootstrap(r, code) })
}

// BootstrapAdmin trades a code for an administrator: it makes a subject with ScopeAdmin and no claims, whose
// credentials write stores. It fails with ErrBootstrap, an *InputError, and with the error of write, which may run more
// than once; then the code stays good.
func (i *Issuer) BootstrapAdmin(ctx context.Context, code string, write func(sub string, tx Tx) error) (sub string, err error) {
	s, err := NewSubject(nil, []string{ScopeAdmin})
	if err != nil {
		return "", err
	}
	// The code's end and the administrator are one commit: of two that use one code at once, the second finds it gone.
	err = i.commit(ctx, func(u *update) error {
		if err := checkBootstrap(u, code); err != nil {
			return err
		}
		if err := u.PutBootstrap(Bootstrap{}); err != nil {
			return err
		}
		if err := u.enrol(s, func(tx Tx) error { return write(s.ID, tx) }); err != nil {
			return err
		}
		return u.audit(EventAdminBootstrapped, Event{Subject: s.ID})
	})
	if err != nil {
		return "", err
	}
	return s.ID, nil
}

func checkBootstrap(r Reader, code string) error {
	now, err := r.Now()
	if err != nil {
		return err
	}
	stored, err := r.Bootstrap()
	if errors.Is(err, ErrNotFound) {
		return ErrBootstrap
	}
	if err != nil {
		return err
	}
	hash := sha256.Sum256([]byte(code))
	if subtle.ConstantTimeCompare(hash[:], stored.Hash[:]) != 1 || !now.Before(stored.Expires) {
		return ErrBootstrap
	}
	return nil
}
