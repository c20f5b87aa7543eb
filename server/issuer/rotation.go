package issuer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jot-auth/jot"
)

// settingRotationDue, before the name of an algorithm, or "feed", holds when an asked-for rotation is to be carried
// out, in Unix milliseconds; 0 when none is.
const settingRotationDue = "rotation_due_"

func (l keyLine) settingDue() string {
	if l.purpose == PurposeFeed {
		return settingRotationDue + string(PurposeFeed)
	}
	return settingRotationDue + string(l.algorithm)
}

// adoptTimeout bounds how long a change of the keys waits to take effect at once.
const adoptTimeout = 5 * time.Second

// RotateOptions say how keys are rotated. The zero value rotates those of Config.Algorithm.
type RotateOptions struct {
	Purpose   Purpose       // whose keys, PurposeAccess ("") or PurposeFeed
	Algorithm jot.Algorithm // of keys for access tokens; "" is Config.Algorithm
	DryRun    bool          // only says what would be done, and changes nothing
	Emergency bool          // promotes the next key however young it is, and revokes the active one: every token that it signed is refused
}

// line is that of the keys which are rotated.
func (o RotateOptions) line(c Config) (keyLine, error) {
	switch {
	case o.Purpose == PurposeFeed && (o.Algorithm == "" || o.Algorithm == feedLine.algorithm):
		return feedLine, nil
	case o.Purpose == PurposeFeed:
		return keyLine{}, ErrNotFound
	case o.Purpose != "" && o.Purpose != PurposeAccess:
		return keyLine{}, &InputError{"purpose", "must be access or feed"}
	case o.Algorithm == "":
		return accessLine(c.Algorithm), nil
	}
	return accessLine(o.Algorithm), nil
}

// Rotation is what RotateKey did, will do, or would do.
type Rotation struct {
	Purpose       Purpose
	Algorithm     jot.Algorithm
	Active        string    // the key ID that signs now; "" while none of this algorithm does
	Retiring      string    // the one that signed until now; "" when the rotation is only scheduled
	RetiringUntil time.Time // when that one leaves the key set, its last token having expired
	Revoked       string    // by an emergency: the one that signed until now
	Next          string    // the one that will sign after it; "" of a dry run that would make it
	Due           time.Time // when a scheduled rotation is carried out; zero when it was done at once
	Published     int       // how many keys of the algorithm are then in the key set
	Limit         int       // how many may be
}

// RotateKey makes the next key of an algorithm, or of the feed, sign and publishes a new next key. A next key that
// verifiers may not hold yet, because it is younger than Config.KeySetMaxAge, isn't promoted, but in an emergency: the
// rotation is scheduled, survives a restart, and is carried out by itself. It fails with ErrKeyLimit when too many
// retiring keys are still needed, and with ErrNotFound when the algorithm isn't in use.
func (i *Issuer) RotateKey(ctx context.Context, o RotateOptions) (Rotation, error) {
	line, err := o.line(i.config)
	if err != nil {
		return Rotation{}, err
	}
	if o.DryRun {
		return i.rehearseRotation(ctx, line, o)
	}
	var done Rotation
	// The keys are read and changed in one transaction: of two rotations at once the second finds a next key that is
	// too young, so a key is never promoted unpublished and never twice.
	err = i.changeKeys(ctx, func(u *update, fresh *freshKeys) error {
		keys, err := readSigningKeys(u)
		if err != nil {
			return err
		}
		if err := u.retireKeys(keys); err != nil {
			return err
		}
		done, err = u.rotate(line, keys.of(line), o, fresh)
		return err
	})
	if err != nil {
		return Rotation{}, err
	}
	return done, nil
}

func (i *Issuer) rehearseRotation(ctx context.Context, line keyLine, o RotateOptions) (Rotation, error) {
	var plan Rotation
	err := i.store.View(ctx, func(r Reader) error {
		now, err := r.Now()
		if err != nil {
			return err
		}
		keys, err := readSigningKeys(r)
		if err != nil {
			return err
		}
		keys.expire(now)
		plan, err = i.planRotation(r, line, keys.of(line), now, o)
		return err
	})
	return plan, err
}

// adoptKeys makes a committed change of the keys take effect, even when its caller is gone.
func (i *Issuer) adoptKeys(ctx context.Context) error {
	defer i.wakeUp() // to find what is due next, or to try again
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), adoptTimeout)
	defer cancel()
	return i.reloadKeys(ctx)
}

// planRotation decides what a rotation does to the keys of a line. What the feed's key has signed is as old as a token,
// at most, when somebody reads it.
func (i *Issuer) planRotation(r SettingReader, line keyLine, keys signingKeys, now time.Time, o RotateOptions) (Rotation, error) {
	active, next := keys.in(KeyActive), keys.in(KeyNext)
	if next == nil || o.Emergency && active == nil {
		return Rotation{}, ErrNotFound
	}
	plan := Rotation{Purpose: line.purpose, Algorithm: line.algorithm, Next: next.ID, Published: keys.published(), Limit: maxPublished}
	if active != nil {
		plan.Active = active.ID
	}
	due := next.Created.Add(i.config.KeySetMaxAge)
	switch {
	case o.Emergency:
		plan.Revoked, plan.Active, plan.Next = active.ID, next.ID, ""
		return plan, nil
	case now.Before(due):
		plan.Due = due
		return plan, nil
	case plan.Published >= maxPublished:
		return Rotation{}, fmt.Errorf("%w: %d of %d; the first leaves at %v", ErrKeyLimit, plan.Published, maxPublished, keys.firstExpiry())
	}
	maxTTL, err := readMaxTTL(r)
	if err != nil {
		return Rotation{}, err
	}
	if active != nil {
		plan.Retiring, plan.RetiringUntil = active.ID, now.Add(maxTTL+ruleSlack)
	}
	plan.Active, plan.Next = next.ID, ""
	plan.Published++
	return plan, nil
}

// rotate promotes the next key of a line where it is old enough, and else schedules that; and tells of it.
func (u *update) rotate(line keyLine, keys signingKeys, o RotateOptions, fresh *freshKeys) (Rotation, error) {
	done, err := u.carryOutRotation(line, keys, o, fresh)
	if err != nil {
		return Rotation{}, err
	}
	return done, u.auditRotation(done)
}

func (u *update) carryOutRotation(line keyLine, keys signingKeys, o RotateOptions, fresh *freshKeys) (Rotation, error) {
	plan, err := u.issuer.planRotation(u, line, keys, u.now, o)
	switch {
	case err != nil:
		return Rotation{}, err
	case !plan.Due.IsZero():
		return plan, u.PutSetting(line.settingDue(), plan.Due.UnixMilli())
	case plan.Revoked != "":
		plan.Next, err = u.revokeKey(keys, keys.in(KeyActive), fresh)
		return plan, err
	}
	if active := keys.in(KeyActive); active != nil {
		if err := u.retire(active, plan.RetiringUntil); err != nil {
			return Rotation{}, err
		}
	}
	plan.Next, err = u.promote(*keys.in(KeyNext), fresh)
	return plan, err
}

// retire takes the private half from the key that signed until now.
func (u *update) retire(active *Key, until time.Time) error {
	active.State, active.Sealed, active.Expires = KeyRetiring, nil, until
	return u.UpdateKey(*active)
}

// promote makes a next key sign and publishes a fresh one, whose ID it returns.
func (u *update) promote(next Key, fresh *freshKeys) (string, error) {
	next.State, next.Activated = KeyActive, u.now
	if err := u.UpdateKey(next); err != nil {
		return "", err
	}
	if err := u.PutSetting(next.line().settingDue(), 0); err != nil {
		return "", err
	}
	return u.addNext(fresh, next.line())
}

// addNext publishes a fresh next key and returns its ID.
func (u *update) addNext(fresh *freshKeys, line keyLine) (string, error) {
	key, err := fresh.take(line)
	if err != nil {
		return "", err
	}
	return key.ID, u.addKey(key, KeyNext)
}

// rotationDue returns when the next rotation of a line is to happen: when it was asked for, at once when no key signs,
// or when the active key has signed for its lifetime; but not before every verifier holds the next key.
func (i *Issuer) rotationDue(r SettingReader, keys signingKeys) (time.Time, error) {
	next := keys.in(KeyNext)
	var due time.Time
	if active := keys.in(KeyActive); active != nil {
		due = active.Activated.Add(i.config.KeyLifetime)
	}
	scheduled, err := r.Setting(next.line().settingDue())
	if err != nil && !errors.Is(err, ErrNotFound) {
		return time.Time{}, err
	}
	if scheduled != 0 {
		due = time.UnixMilli(scheduled)
	}
	if published := next.Created.Add(i.config.KeySetMaxAge); due.Before(published) {
		return published, nil
	}
	return due, nil
}
