// Package together lets callers that come at once share what each would wait for by itself, such as a commit: whoever's
// turn it is does the work of all who wait then.
package together

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// atOnce bounds how many share a turn, and so for how long the first of them waits for the others.
const atOnce = 32

var (
	// ErrApart is the outcome of work that wasn't done, and that its caller has to do by itself.
	ErrApart = errors.New("the work of several was undone")

	// ErrFull tells a caller that as many wait already as may.
	ErrFull = errors.New("too many wait for their turn")
)

// Line is the callers that wait, each with its work. Once the fields are set it is safe for concurrent use. No
// goroutine is its own.
type Line[W any] struct {
	// Turn holds an element while a caller works, and has room for one. Whoever wants to work alone takes the turn,
	// too.
	Turn chan struct{}

	// Run does several callers' work as one, in the order in which they came, and sets the outcome of each. An error of
	// its own is the outcome of all; that of a panic is ErrApart, since it is for its own caller to see.
	Run func(work []W, outcomes []error) error

	// Key tells apart what can share a turn: of several of one key the first has to be done before the next begins. ""
	// is no key, as is nil.
	Key func(W) string

	// Room is how many may wait; 0 is any number.
	Room int

	mutex   sync.Mutex
	waiting []*caller[W]
}

// caller is one who waits.
type caller[W any] struct {
	work W
	done chan error // its outcome, with room for it
}

// Join works when it is the caller's turn, which lasts until it leaves, unless another one has done the caller's work
// meanwhile. It returns the outcome: that of Run, ErrApart or ErrFull. It fails with the context's error when that ends
// before anybody has begun with the work. leave is never nil.
func (l *Line[W]) Join(ctx context.Context, work W) (leave func(), err error) {
	c := &caller[W]{work, make(chan error, 1)}
	if !l.add(c) {
		return func() {}, ErrFull
	}
	select {
	case l.Turn <- struct{}{}:
		for len(c.done) == 0 {
			l.run(l.take())
		}
		return func() { <-l.Turn }, <-c.done
	case err = <-c.done:
		return func() {}, err
	case <-ctx.Done():
		if l.remove(c) {
			return func() {}, fmt.Errorf("waiting for the turn: %w", ctx.Err())
		}
		return func() {}, <-c.done
	}
}

// Waiting returns how many wait and aren't worked for yet.
func (l *Line[W]) Waiting() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return len(l.waiting)
}

// run tells each caller its outcome.
func (l *Line[W]) run(callers []*caller[W]) {
	work, outcomes := make([]W, len(callers)), make([]error, len(callers))
	for n, c := range callers {
		work[n] = c.work
	}
	err := ErrApart // of a panic
	defer func() {
		recover()
		for n, c := range callers {
			if err != nil {
				outcomes[n] = err
			}
			c.done <- outcomes[n]
		}
	}()
	err = l.Run(work, outcomes)
}

func (l *Line[W]) add(c *caller[W]) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.Room > 0 && len(l.waiting) == l.Room {
		return false
	}
	l.waiting = append(l.waiting, c)
	return true
}

// take returns those who share this turn, in the order in which they came.
func (l *Line[W]) take() []*caller[W] {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	var taken []*caller[W]
	keys := make(map[string]bool)
	l.waiting = slices.DeleteFunc(l.waiting, func(c *caller[W]) bool {
		if len(taken) == atOnce {
			return false
		}
		if key := l.key(c); key != "" {
			if keys[key] {
				return false
			}
			keys[key] = true
		}
		taken = append(taken, c)
		return true
	})
	return taken
}

func (l *Line[W]) key(c *caller[W]) string {
	if l.Key == nil {
		return ""
	}
	return l.Key(c.work)
}

// remove reports whether nobody had taken the caller yet.
func (l *Line[W]) remove(c *caller[W]) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	place := slices.Index(l.waiting, c)
	if place >= 0 {
		l.waiting = slices.Delete(l.waiting, place, place+1)
	}
	return place >= 0
}
