package issuer

import "context"

// Watcher is a Store over a database that several servers share.
type Watcher interface {
	// Watch calls changed soon after another server wrote to the log or changed the keys, whenever it may have missed
	// that, and at least every few seconds. It returns when the context ends, or at once when there can't be another
	// server.
	Watch(ctx context.Context, changed func())
}

// watch is the goroutine that hears of other servers, over a store that can; Close ends it.
func (i *Issuer) watch(ctx context.Context, w Watcher) {
	w.Watch(ctx, func() {
		select {
		case i.heard <- struct{}{}:
		default: // upkeep hasn't looked yet
		}
	})
}

// catchUp takes in what other servers wrote: rules, keys, and the longest life of a token.
func (i *Issuer) catchUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, upkeepTimeout)
	defer cancel()
	if err := i.store.View(ctx, i.followLog); err != nil {
		return err
	}
	return i.reloadKeys(ctx)
}
