package issuer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// settingProbed holds when a server last looked whether it can write, in Unix milliseconds.
	settingProbed = "probed"

	probeInterval = time.Second     // how long an answer stands, so that who asks can't keep the disk busy
	probeTimeout  = 2 * time.Second // how long a database that hangs keeps one waiting
)

// probe is the last answer to the question whether the database can be written.
type probe struct {
	mu  sync.Mutex
	at  time.Time
	err error
}

// Ready reports whether tokens can be issued: nil, or an error that wraps ErrUnavailable or ErrBusy. It writes to the
// database, at most once a second, so it also tells of a full disk and of another process that keeps the database
// locked.
func (i *Issuer) Ready(ctx context.Context) error {
	i.probe.mu.Lock()
	defer i.probe.mu.Unlock()
	if i.probe.at.IsZero() || time.Since(i.probe.at) >= probeInterval {
		i.probe.err, i.probe.at = i.tryWrite(ctx), time.Now()
	}
	return i.probe.err
}

// tryWrite goes on when its caller is gone: the answer is for the others, too.
func (i *Issuer) tryWrite(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	// A transaction of its own: it only matters that it is committed.
	err := i.store.Update(ctx, func(tx Tx) error {
		now, err := tx.Now()
		if err != nil {
			return err
		}
		return tx.PutSetting(settingProbed, now.UnixMilli())
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}
