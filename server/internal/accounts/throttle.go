package accounts

import (
	"fmt"
	"time"
)

// Throttle is what is remembered of the attempts that were counted in one slot. The zero value, but for its Slot, is a
// slot without any.
type Throttle struct {
	Slot    int64
	Cleared time.Time // when the last attempt will be forgiven, and the slot is as good as empty
	Next    time.Time // attempts before this moment are refused
}

// Schedule says how fast attempts may follow each other that fail. Each one counts, and one is forgiven every Forgive.
// While fewer than Free are counted there is no delay; then the next attempt has to wait for Delay, the one after it
// for twice as long, and so on up to MaxDelay. So whoever guesses, however cleverly, has Free attempts and few more,
// and then one every Forgive. A zero field stands for the default that Config names.
type Schedule struct {
	Free     int
	Delay    time.Duration
	MaxDelay time.Duration
	Forgive  time.Duration
}

// The defaults. An address gets as many free attempts as wait at the gate at once and more, so that a house full of
// people behind one address isn't delayed by their number.
var (
	defaultPerAccount = Schedule{Free: 5, Delay: time.Second, MaxDelay: 15 * time.Minute, Forgive: 15 * time.Minute}
	defaultPerAddress = Schedule{Free: 100, Delay: time.Second, MaxDelay: 15 * time.Minute, Forgive: time.Minute}
	defaultPerNetwork = Schedule{Free: 400, Delay: time.Second, MaxDelay: 15 * time.Minute, Forgive: 10 * time.Second}
)

// complete fills in the defaults and refuses what would forget an attempt before its delay is over.
func (s Schedule) complete(name string, defaults Schedule) (Schedule, error) {
	setDefault(&s.Free, defaults.Free)
	setDefault(&s.Delay, defaults.Delay)
	setDefault(&s.MaxDelay, defaults.MaxDelay)
	setDefault(&s.Forgive, defaults.Forgive)
	switch {
	case s.Forgive < time.Millisecond || s.Delay < time.Millisecond:
		return s, fmt.Errorf("accounts: %s: Delay and Forgive must be at least 1 ms", name)
	case s.Delay > s.MaxDelay:
		return s, fmt.Errorf("accounts: %s: MaxDelay must not be below Delay", name)
	case s.MaxDelay/s.Forgive >= time.Duration(s.Free):
		return s, fmt.Errorf("accounts: %s: MaxDelay must be below Free times Forgive; else attempts are forgotten before their delay is over", name)
	}
	return s, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// wait says how long attempts in a slot are refused from now on. However the clock is set, it's never for longer than
// MaxDelay.
func (s Schedule) wait(t Throttle, now time.Time) time.Duration {
	return min(max(t.Next.Sub(now), 0), s.MaxDelay)
}

// count adds an attempt.
func (s Schedule) count(t Throttle, now time.Time) Throttle {
	if t.Cleared.Before(now) {
		t.Cleared = now
	}
	t.Cleared = t.Cleared.Add(s.Forgive)
	// Beyond the attempt that reaches the longest delay there is nothing to remember; this bounds what a clock that
	// went back leaves.
	if most := now.Add(time.Duration(s.most()) * s.Forgive); t.Cleared.After(most) {
		t.Cleared = most
	}
	t.Next = time.Time{} // not now: who read the clock before and waited for the slot would come too early
	if delay := s.delay(s.level(t, now)); delay > 0 {
		t.Next = now.Add(delay)
	}
	return t
}

// giveBack takes an attempt back that count added and that was none: the password was right. The delay that it brought
// goes with it, unless others have added to it since.
func (s Schedule) giveBack(t, counted Throttle) Throttle {
	t.Cleared = t.Cleared.Add(-s.Forgive)
	if t.Next.Equal(counted.Next) {
		t.Next = time.Time{}
	}
	return t
}

// level is how many attempts are counted and not forgiven.
func (s Schedule) level(t Throttle, now time.Time) int {
	left := max(t.Cleared.Sub(now), 0)
	return int((left + s.Forgive - 1) / s.Forgive)
}

// delay is how long the next attempt has to wait when so many are counted.
func (s Schedule) delay(level int) time.Duration {
	if level < s.Free {
		return 0
	}
	delay := s.Delay
	for range level - s.Free {
		if delay >= s.MaxDelay/2 {
			return s.MaxDelay
		}
		delay *= 2
	}
	return delay
}

// most is the level at which the delay is longest.
func (s Schedule) most() int {
	level := s.Free
	for s.delay(level) < s.MaxDelay {
		level++
	}
	return level
}

// empty reports whether a slot may be forgotten.
func (t Throttle) empty(now time.Time) bool { return !t.Cleared.After(now) && !t.Next.After(now) }
