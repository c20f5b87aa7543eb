package accounts

import (
	"context"
	"errors"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	// sweepEvery is after how many attempts throttles that have run out are removed, and sweepLimit how many at once:
	// more than so many attempts add, so that the table shrinks after an attack.
	sweepEvery = 32
	sweepLimit = 256

	// returnTimeout bounds how long it takes to give an attempt back whose caller has gone.
	returnTimeout = 2 * time.Second
)

// attempt is a guess at a password or a code that was counted and may now be made.
type attempt struct {
	limits  []limit
	counted []Throttle // in the order of limits, as they were stored
	reset   bool       // success clears the slots rather than take back what was added
}

// refused says that one of the limits doesn't allow an attempt yet: an *issuer.ThrottledError. Nil is that all do.
func refused(r Reader, limits []limit) error {
	now, err := r.Now()
	if err != nil {
		return err
	}
	var wait time.Duration
	for _, l := range limits {
		t, err := findThrottle(r, l.slot)
		if err != nil {
			return err
		}
		wait = max(wait, l.schedule.wait(t, now))
	}
	if wait > 0 {
		return &issuer.ThrottledError{RetryAfter: wait}
	}
	return nil
}

// count counts an attempt against every limit, or refuses it and counts nothing. It comes before the hash. Where there
// is no place at the gate to wait for one it isn't tried: a flood that is turned away writes nothing, which those who
// refresh would have to wait for.
func (a *Accounts) count(ctx context.Context, who caller, limits []limit) (attempt, error) {
	if a.gate.full(who) {
		return attempt{}, issuer.ErrBusy
	}
	return a.countAll(ctx, limits)
}

// charge is count for what takes no hash. What is refused anyway is refused by a look, and writes nothing.
func (a *Accounts) charge(ctx context.Context, limits []limit) (attempt, error) {
	if len(limits) == 0 {
		return attempt{}, nil
	}
	if err := a.store.ViewAccounts(ctx, func(r Reader) error { return refused(r, limits) }); err != nil {
		return attempt{}, err
	}
	return a.countAll(ctx, limits)
}

func (a *Accounts) countAll(ctx context.Context, limits []limit) (attempt, error) {
	if len(limits) == 0 {
		return attempt{}, nil
	}
	var counted []Throttle
	// Whether an attempt is allowed and that it was made are one transaction: of many guesses at once each sees all
	// that were counted before it, so they cost no more hashes than one after the other.
	err := a.store.UpdateAccounts(ctx, func(tx Tx) (err error) {
		if err := refused(tx, limits); err != nil {
			return err
		}
		counted, err = countIn(tx, limits)
		return err
	})
	if err != nil {
		return attempt{}, err
	}
	a.sweep(ctx)
	return attempt{limits: limits, counted: counted}, nil
}

func countIn(tx Tx, limits []limit) ([]Throttle, error) {
	now, err := tx.Now()
	if err != nil {
		return nil, err
	}
	counted := make([]Throttle, 0, len(limits))
	for _, l := range limits {
		t, err := findThrottle(tx, l.slot)
		if err != nil {
			return nil, err
		}
		t = l.schedule.count(t, now)
		if err := tx.PutThrottle(t); err != nil {
			return nil, err
		}
		counted = append(counted, t)
	}
	return counted, nil
}

// giveBack takes back what the attempt was counted for, since it was no wrong guess.
func (t attempt) giveBack(tx Tx) error {
	now, err := tx.Now()
	if err != nil {
		return err
	}
	for n, l := range t.limits {
		found, err := findThrottle(tx, l.slot)
		if err != nil {
			return err
		}
		found = l.schedule.giveBack(found, t.counted[n])
		if t.reset || found.empty(now) {
			err = tx.DeleteThrottle(l.slot)
		} else {
			err = tx.PutThrottle(found)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// abandon gives back an attempt of which no hash was computed, also when its caller has gone. Where that fails the
// attempt stays counted, which only delays the next.
func (a *Accounts) abandon(ctx context.Context, t attempt) {
	if len(t.limits) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), returnTimeout)
	defer cancel()
	t.reset = false
	// Reading and writing back are one transaction, so that an attempt that is counted meanwhile isn't lost.
	_ = a.store.UpdateAccounts(ctx, t.giveBack)
}

// sweep removes a bounded number of throttles that have run out, once in a while. What it can't remove now it removes
// the next time.
func (a *Accounts) sweep(ctx context.Context) {
	if a.attempts.Add(1)%sweepEvery != 0 {
		return
	}
	// One statement that removes what nobody has counted on: an attempt at the same time comes before it, and its slot
	// isn't empty, or after it, and begins the slot anew.
	_ = a.store.UpdateAccounts(ctx, func(tx Tx) error {
		now, err := tx.Now()
		if err != nil {
			return err
		}
		return tx.SweepThrottles(now, sweepLimit)
	})
}

// findThrottle returns the throttle of a slot; the empty one where there is none.
func findThrottle(r Reader, slot int64) (Throttle, error) {
	t, err := r.Throttle(slot)
	if errors.Is(err, issuer.ErrNotFound) {
		return Throttle{Slot: slot}, nil
	}
	return t, err
}
