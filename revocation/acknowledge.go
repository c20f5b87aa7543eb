package revocation

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync/atomic"
	"time"
)

const (
	acknowledgePause   = 20 * time.Millisecond // between two: what is asked for meanwhile shares the second one
	acknowledgeTimeout = 5 * time.Second
	acknowledgeRetry   = time.Second
	acknowledgeTries   = 10 // later than that, nobody waits any more

	maxVerifierID = 64 // bytes, of what the caller chose
)

// acknowledger tells the issuer how far the rules in force have come, where a statement asks for that. Only the newest
// place counts: one message covers all rules before it.
type acknowledger struct {
	client *client
	newest atomic.Pointer[Cursor]
	wake   chan struct{}
}

func newAcknowledger(c *client) *acknowledger {
	return &acknowledger{client: c, wake: make(chan struct{}, 1)}
}

// tell hands over a place of the log up to which every rule is in force. It never waits.
func (a *acknowledger) tell(at Cursor) {
	a.newest.Store(&at)
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// run sends until the context ends: the Reader's second goroutine, so that a slow answer keeps no frame waiting.
func (a *acknowledger) run(ctx context.Context) {
	for {
		select {
		case <-a.wake:
		case <-ctx.Done():
			return
		}
		for try := 1; a.send(ctx) != nil && try < acknowledgeTries; try++ {
			if !sleep(ctx, acknowledgeRetry) {
				return
			}
		}
		if !sleep(ctx, acknowledgePause) {
			return
		}
	}
}

func (a *acknowledger) send(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, acknowledgeTimeout)
	defer cancel()
	return a.client.acknowledge(ctx, *a.newest.Load())
}

// newVerifierID returns the ID under which a reader registers. Its random part tells readers of one name apart, which
// could vouch for each other otherwise.
func newVerifierID(name string) (string, error) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	if len(name) > maxVerifierID || strings.Trim(name, alphabet) != "" {
		return "", errors.New("revocation: VerifierID has to be at most 64 letters, digits, dots, hyphens and underscores")
	}
	if name == "" {
		return rand.Text(), nil
	}
	return name + "." + rand.Text(), nil
}
