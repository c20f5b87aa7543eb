package sqlstore

import (
	"context"
	"fmt"

	"github.com/jot-auth/jot/server/issuer"
)

// queue lets a number of callers write at once, first come, first served, and bounds how many wait for that.
type queue struct {
	places chan struct{} // holds an element for each caller that writes or waits
	turn   chan struct{} // holds an element while a caller writes
}

func newQueue(writers, places int) queue {
	return queue{places: make(chan struct{}, places), turn: make(chan struct{}, writers)}
}

// enter waits for the caller's turn, until it leaves. It fails with issuer.ErrBusy when the queue is full, and with the
// context's error.
func (q queue) enter(ctx context.Context) (leave func(), err error) {
	if err := q.takePlace(); err != nil {
		return nil, err
	}
	select {
	case q.turn <- struct{}{}:
		return func() { <-q.turn; <-q.places }, nil
	case <-ctx.Done():
		<-q.places
		return nil, fmt.Errorf("database: %w", ctx.Err())
	}
}

// takePlace fails with issuer.ErrBusy when the queue is full. The place is given back to places.
func (q queue) takePlace() error {
	select {
	case q.places <- struct{}{}:
		return nil
	default:
		return fmt.Errorf("%w: %d wait for the database", issuer.ErrBusy, cap(q.places))
	}
}
