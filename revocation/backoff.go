package revocation

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	firstDelay = 100 * time.Millisecond
	maxDelay   = 5 * time.Second
)

// backoff is the delay before the next attempt: it doubles up to maxDelay, and each wait lasts between
// half of it and all of it, so that many readers don't come back in step.
type backoff time.Duration

// wait waits and reports whether to go on.
func (b *backoff) wait(ctx context.Context) bool {
	delay := min(max(2*time.Duration(*b), firstDelay), maxDelay)
	*b = backoff(delay)
	return sleep(ctx, delay/2+rand.N(delay/2))
}

// sleep reports whether it slept to the end, which it doesn't when the context ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
