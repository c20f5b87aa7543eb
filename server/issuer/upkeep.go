package issuer

import (
	"context"
	"errors"
	"slices"
	"time"
)

const (
	upkeepInterval = time.Minute     // at the latest; sooner when a key is due
	upkeepRetry    = 5 * time.Second // when the database couldn't be read
	upkeepTimeout  = 30 * time.Second
)

// upkeep is the issuer's goroutine: it rotates keys when that is due, takes expired ones out of the key set, follows
// what other processes write, and forgets expired rules. Close ends it.
func (i *Issuer) upkeep(ctx context.Context) {
	for ctx.Err() == nil {
		wait, err := i.maintain(ctx)
		if err != nil && ctx.Err() == nil {
			i.config.Logger.Error("upkeep of keys and rules failed; trying again", "error", err, "in", wait)
		}
		timer := time.NewTimer(wait)
		i.listen(ctx, timer.C)
		timer.Stop()
	}
}

// listen takes in what other servers write until something may be due.
func (i *Issuer) listen(ctx context.Context, due <-chan time.Time) {
	for {
		select {
		case <-i.heard:
			i.others.broadcast()
			i.reportCatchUp(ctx, i.catchUp(ctx))
		case <-due:
			return
		case <-i.wake:
			return
		case <-ctx.Done():
			return
		}
	}
}

// reportCatchUp logs the first failure of several, and the end of them.
func (i *Issuer) reportCatchUp(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
		return
	case err != nil && !i.behind:
		i.config.Logger.Error("what other servers write is unknown until the database can be read", "error", err)
	case err == nil && i.behind:
		i.config.Logger.Info("what other servers wrote is known again")
	}
	i.behind = err != nil
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
		follow := i.followLog
		if i.swept.Sub(now) > ruleSlack {
			follow = i.loadRules
		}
		if err := follow(r); err != nil { // before the keys: whatever is wrong with those, what was revoked is refused
			return err
		}
		due, err = i.keysDue(r)
		return err
	})
	if err != nil {
		return upkeepRetry, err
	}
	i.rules.Sweep(now)
	i.swept = now
	if !now.Before(due) {
		err = i.advanceKeys(ctx)
		due = now.Add(time.Second) // and look soon what is due next
		if err != nil {
			due = now.Add(upkeepRetry)
		}
	}
	if wanted := i.sweepSoon.Swap(false); !wanted && now.Before(i.nextSweep) && i.nextSweep.Sub(now) <= sweepInterval {
		return i.rest(now, due), errors.Join(err, i.reloadKeys(ctx))
	}
	more, failed := i.sweep(ctx)
	i.nextSweep = now.Add(sweepInterval)
	if more {
		i.nextSweep = now.Add(sweepPause)
	}
	return i.rest(now, due), errors.Join(err, i.reloadKeys(ctx), failed)
}

// rest is how long upkeep has nothing to do.
func (i *Issuer) rest(now, due time.Time) time.Duration {
	return min(upkeepInterval, due.Sub(now), i.nextSweep.Sub(now))
}

// keysDue returns when a key next changes its state.
func (i *Issuer) keysDue(r Reader) (time.Time, error) {
	keys, err := readSigningKeys(r)
	if err != nil {
		return time.Time{}, err
	}
	first := keys.firstExpiry()
	for _, line := range keys.lines() {
		due, err := i.rotationDue(r, keys.of(line))
		if err != nil {
			return time.Time{}, err
		}
		if first.IsZero() || due.Before(first) {
			first = due
		}
	}
	return first, nil
}

// advanceKeys takes expired keys out of their key set and rotates those of every line for which that is due. What can't
// be rotated yet doesn't keep the others.
func (i *Issuer) advanceKeys(ctx context.Context) error {
	var lines []keyLine
	// Which keys have expired is decided in the transaction that retires them: of two servers that find one, one does.
	failed := i.commit(ctx, func(u *update) error {
		keys, err := readSigningKeys(u)
		if err != nil {
			return err
		}
		lines = keys.lines()
		return u.retireKeys(keys)
	})
	for _, line := range lines {
		failed = errors.Join(failed, i.advanceLine(ctx, line))
	}
	return failed
}

func (i *Issuer) advanceLine(ctx context.Context, line keyLine) error {
	// What is due is decided in the transaction that does it: of two servers that find a rotation due, one rotates.
	return i.withFreshKeys(ctx, func(u *update, fresh *freshKeys) error {
		inUse, err := i.algorithmsInUse(u) // clients and resources before keys, as whoever makes one of these
		if err != nil {
			return err
		}
		all, err := readSigningKeys(u)
		if err != nil {
			return err
		}
		keys := all.of(line)
		if keys.in(KeyNext) == nil {
			return nil
		}
		due, err := i.rotationDue(u, keys)
		if err != nil || u.now.Before(due) {
			return err
		}
		if line.purpose == PurposeAccess && !slices.Contains(inUse, line.algorithm) && all.signBeside(line.algorithm) {
			return u.abandon(keys)
		}
		_, err = u.rotate(line, keys, RotateOptions{}, fresh)
		return err
	})
}

// abandon ends the keys of an algorithm that nobody asks for any more, at the time at which they would have been
// rotated. Those that sign because the keys that are asked for are too young to are rotated once more.
func (u *update) abandon(keys signingKeys) error {
	maxTTL, err := readMaxTTL(u)
	if err != nil {
		return err
	}
	if active := keys.in(KeyActive); active != nil {
		if err := u.retire(active, u.now.Add(maxTTL+ruleSlack)); err != nil {
			return err
		}
	}
	next := keys.in(KeyNext)
	next.State, next.Sealed = KeyRetired, nil
	return u.UpdateKey(*next)
}

func (u *update) retireKeys(keys signingKeys) error {
	for _, k := range keys.expire(u.now) {
		if err := u.UpdateKey(k); err != nil {
			return err
		}
	}
	return nil
}
