package revocation

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// streamAgain is how long a reader polls before it tries a stream once more; up to a quarter of it is added.
	streamAgain = 4 * time.Minute
	// pollPause is the least time from one poll to the next.
	pollPause = 50 * time.Millisecond
)

var (
	// errPolled is the good end of a poll.
	errPolled = errors.New("feed: polled")

	// errMute is a stream of which nothing came.
	errMute = fmt.Errorf("%w: no frame came, as behind a proxy that holds streams back; asking for single answers", errSilent)
)

// way is how a reader asks for frames. The zero value streams. Some proxies hold an answer back until it's whole: a
// connection stands, and no frame comes. Then the reader polls, and tries to stream again later.
type way struct {
	polls bool
	until time.Duration // when to try a stream again, on the monotonic clock
}

// next says when the reader asks again.
type next int

const (
	later next = iota
	afterPause
	atOnce
)

// after takes note of how an attempt ended.
func (w *way) after(err error, now time.Duration) next {
	switch {
	case errors.Is(err, errPolled):
		w.polls = now < w.until
		return afterPause
	case errors.Is(err, errRemap):
		return atOnce
	case w.polls:
		w.polls = false
	case errors.Is(err, errMute):
		w.polls, w.until = true, now+streamAgain+rand.N(streamAgain/4)
		return atOnce
	}
	return later
}

// meantToEnd reports whether a connection did all that it was for: nothing failed.
func meantToEnd(err error) bool { return errors.Is(err, errPolled) || errors.Is(err, errRemap) }

// ended says what the end of an answer means after so many good frames.
func (w *way) ended(frames int) error {
	if w.polls && frames > 0 {
		return errPolled
	}
	return &linkError{errors.New("the stream ended")}
}

func (w *way) connection() Connection {
	if w.polls {
		return Polling
	}
	return Streaming
}
