package issuer

import (
	"context"
	"errors"
	"time"
)

const (
	upkeepInterval = time.Minute     // at the latest; sooner when a key is due
	upkeepRetry    = 5 * time.Second // when the database couldn't be read
	upkeepTimeout  = 30 * time.Second
)

// upkeep is the issuer's goroutine: it rotates keys when that is due, takes expired ones out of the key set, follows what
// other processes write, and forgets expired rules. Close ends it.
func (i *Issuer) upkeep(ctx context.Context) {
	defer close(i.ended)
	for ctx.Err() == nil {
		wait, err := i.maintain(ctx)
		if err != nil && ctx.Err() == nil {
			i.config.Logger.Error("upkeep of keys and rules failed; trying again", "error", err, "in", wait)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-i.wake:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// wakeUp makes upkeep look again at what is due.
func (i *Issuer) wakeUp() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// maintain does what is due and returns how long nothing will be.
func (i *Issuer) maintain(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, upkeepTimeout)
	defer cancel()
	var now, due time.Time
	err := i.store.View(ctx, func(r Reader) (err error) {
		if now, err = r.Now(); err != nil {
			return err
		}
		if due, err = i.keysDue(r); err != nil {
			return err
		}
		if err := i.loadMaxTTL(r); err != nil {
			return err
		}
		if i.swept.Sub(now) > ruleSlack {
			return i.loadRules(r)
		}
		return i.followLog(r)
	})
	if err != nil {
		return upkeepRetry, err
	}
	i.rules.Sweep(now)
	i.swept = now
	if !now.Before(due) {
		err = i.advanceKeys(ctx)
		due = now.Add(time.Second) // and look soon what is due next
	}
	if err := errors.Join(err, i.reloadKeys(ctx)); err != nil {
		return upkeepInterval, err
	}
	return min(upkeepInterval, due.Sub(now)), nil
}

// keysDue returns when a key next changes its state.
func (i *Issuer) keysDue(r Reader) (time.Time, error) {
	keys, err := readAccessKeys(r)
	if err != nil {
		return time.Time{}, err
	}
	due, err := i.rotationDue(r, keys)
	if first := keys.firstExpiry(); !first.IsZero() && first.Before(due) {
		due = first
	}
	return due, err
}

// rotationDue returns when the next rotation is to happen: when it was asked for or the active key has signed for its
// lifetime, but not before every verifier holds the next key.
func (i *Issuer) rotationDue(r Reader, keys accessKeys) (time.Time, error) {
	due := keys.in(KeyActive).Activated.Add(i.config.KeyLifetime)
	scheduled, err := r.Setting(settingRotationDue)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return time.Time{}, err
	}
	if scheduled != 0 {
		due = time.UnixMilli(scheduled)
	}
	if published := keys.in(KeyNext).Created.Add(i.config.KeySetMaxAge); due.Before(published) {
		return published, nil
	}
	return due, nil
}

// advanceKeys takes expired keys out of the key set and rotates when that is due.
func (i *Issuer) advanceKeys(ctx context.Context) error {
	fresh, err := i.newAccessKey()
	if err != nil {
		return err
	}
	// What is due is decided in the transaction that does it: of two servers that find a rotation due, one rotates.
	return i.commit(ctx, func(u *update) error {
		keys, err := readAccessKeys(u)
		if err != nil {
			return err
		}
		if err := u.retireKeys(keys); err != nil {
			return err
		}
		due, err := i.rotationDue(u, keys)
		if err != nil || u.now.Before(due) {
			return err
		}
		_, err = u.rotate(fresh)
		return err
	})
}

func (u *update) retireKeys(keys accessKeys) error {
	for _, k := range keys {
		if k.State != KeyRetiring || u.now.Before(k.Expires) {
			continue
		}
		k.State = KeyRetired
		if err := u.UpdateKey(k); err != nil {
			return err
		}
	}
	return nil
}
