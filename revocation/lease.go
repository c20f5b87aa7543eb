package revocation

import (
	"errors"
	"math/rand/v2"
	"time"
)

// maxJump is how much the wall clock may gain on the monotonic one between two looks, and the issuer's
// clock on the local one in the life of a connection, before they no longer count as the same clock.
const maxJump = time.Second

// remapEvery is how long a connection lives: a new nonce bounds what clocks of different speed can hide.
// Each connection adds up to a quarter of it, so that many readers don't come back in step.
const remapEvery = 4 * time.Minute

var (
	// errRemap asks for a new connection, whose nonce maps the clocks again.
	errRemap = errors.New("feed: the clocks have to be compared again")

	errSuspended = errors.New("feed: the wall clock jumped ahead, as after a suspension; the lease is void")
	errBackwards = errors.New("feed: the issuer's time runs backwards")
)

// instant is one moment on both local clocks, as time since the reader was made. The wall clock can be
// set and goes on while the machine is suspended; the monotonic one may not.
type instant struct{ monotonic, wall time.Duration }

// jumped reports whether the wall clock gained on the monotonic one since the earlier instant.
func (i instant) jumped(since instant) bool {
	return (i.wall-since.wall)-(i.monotonic-since.monotonic) > maxJump
}

// clock tells the instant that is now.
type clock func() instant

func newClock(now func() time.Time) clock {
	start := now()
	wallStart := start.Round(0) // without the monotonic reading
	return func() instant {
		t := now()
		return instant{monotonic: t.Sub(start), wall: t.Round(0).Sub(wallStart)}
	}
}

// timeline maps the issuer's clock to the local monotonic one. It stands on one question with a nonce:
// the answer was made no earlier than the question, so the issuer's clock showed told at asked or later.
type timeline struct {
	asked time.Duration
	told  time.Time
}

// made returns the earliest moment at which the issuer can have made a statement of this time.
func (l timeline) made(t time.Time) time.Duration { return l.asked + t.Sub(l.told) }

// issuerTime returns the latest time that the issuer's clock can show now.
func (l timeline) issuerTime(now instant) time.Time { return l.told.Add(now.monotonic - l.asked) }

// lease is the right to answer for the issuer until a moment of the monotonic clock.
type lease struct {
	until   time.Duration
	granted instant
}

// remaining returns how long the lease still holds, 0 when it has ended. It ends early when the wall
// clock says that more time went by than the monotonic clock noticed.
func (l lease) remaining(now instant) time.Duration {
	if now.jumped(l.granted) {
		return 0
	}
	return max(0, l.until-now.monotonic)
}

// link is what one connection of the live stream knows about time.
type link struct {
	nonce    string  // goes with the request, and has to come back in the first statement
	seen     instant // the last look at the local clocks; at first, when the request was sent
	started  time.Duration
	remapAt  time.Duration
	timeline timeline
	last     time.Time // of the last statement; zero before the first
}

func newLink(nonce string, now instant) *link {
	return &link{
		nonce: nonce, seen: now, started: now.monotonic,
		remapAt: now.monotonic + remapEvery + rand.N(remapEvery/4),
	}
}

// expects returns the nonce that the next statement has to bear.
func (l *link) expects() string {
	if l.last.IsZero() {
		return l.nonce
	}
	return ""
}

// lease returns what a statement of the issuer's time t, which arrived now, is good for: the moment at
// which it was made, at the earliest, plus maxStaleness. However late it arrives, it renews nothing
// that the issuer didn't mean.
func (l *link) lease(t time.Time, now instant, maxStaleness time.Duration) (lease, error) {
	if now.jumped(l.seen) {
		return lease{}, errSuspended
	}
	l.seen = now
	if l.last.IsZero() {
		l.timeline = timeline{asked: l.started, told: t}
	}
	if t.Before(l.last) {
		return lease{}, errBackwards
	}
	l.last = t
	made := l.timeline.made(t)
	if made > now.monotonic+maxJump {
		return lease{}, errRemap
	}
	return lease{until: min(made, now.monotonic) + maxStaleness, granted: now}, nil
}
