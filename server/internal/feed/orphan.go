package feed

import (
	"context"
	"errors"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// An orphan is a verifier for which no server answers any more, since its own was killed, say. It is doubted first,
// which every server sees, and forgotten when it is still doubted after the same time once more. Its server may have
// been unable to register it anew, as on a full disk, where PostgreSQL deletes rows but changes none.

const (
	// orphanAge is how long one is left alone, before the doubt and after it: by then nothing that was said to it can
	// carry a lease. It's measured on this server's own clock, whatever the others show.
	orphanAge = registrationLife + streamLife + time.Minute

	orphanSearch = time.Minute // between two looks for orphans
)

// whereabouts are a verifier and the server that answers for it.
type whereabouts struct{ verifier, server string }

// sighting is when a verifier for which another server answers, or none, was seen first.
type sighting struct {
	verifier issuer.Verifier
	since    time.Time
}

// forgetOrphans forgets verifiers for which no server answers any more.
func (r *registry) forgetOrphans(ctx context.Context) error {
	if time.Since(r.searched) < orphanSearch {
		return nil
	}
	r.searched = time.Now()
	all, err := r.issuer.Verifiers(ctx)
	if err != nil {
		return err
	}
	doubtful, orphans := r.orphans(all)
	return errors.Join(r.issuer.DoubtVerifiers(ctx, doubtful), r.issuer.ForgetVerifiers(ctx, orphans))
}

// orphans returns those of all verifiers that have been unchanged for too long, and of these apart those that were
// doubted for as long.
func (r *registry) orphans(all []issuer.Verifier) (doubtful, orphans []issuer.Verifier) {
	r.mu.Lock()
	defer r.mu.Unlock()
	strangers := make(map[whereabouts]sighting)
	for _, v := range all {
		at := whereabouts{v.ID, v.Server}
		before, seen := r.strangers[at]
		switch {
		case r.present[v.ID] != nil && v.Server == r.server:
		case seen && before.verifier.Registered.Equal(v.Registered):
			strangers[at] = before
		default:
			strangers[at] = sighting{v, time.Now()}
		}
	}
	r.strangers = strangers
	for _, s := range strangers {
		switch {
		case time.Since(s.since) <= orphanAge+s.verifier.MaxStaleness+leaseMargin:
		case s.verifier.Registered.IsZero():
			orphans = append(orphans, s.verifier)
		default:
			doubtful = append(doubtful, s.verifier)
		}
	}
	return doubtful, orphans
}

// unforgotten returns which of this server's verifiers no other server forgets before the streams end that begin now,
// though they couldn't be registered anew. So they keep their leases. Where no other server has the database, that's
// all of them. On a full disk it's those that nobody doubts: whoever does so later gives them orphanAge from then on.
//
// After any other failure it's none: a write that hangs, or is refused since the database is read-only, is how a
// primary answers in whose place a standby was promoted. Only what it commits proves that it's the one on which others
// write their rules.
func (r *registry) unforgotten(ctx context.Context, failure error) func(id string) bool {
	if r.alone {
		return func(string) bool { return true }
	}
	undoubted := make(map[string]bool)
	if errors.Is(failure, issuer.ErrFull) {
		all, err := r.issuer.Verifiers(ctx)
		if err != nil {
			all = nil // its own turn reports that
		}
		for _, v := range all {
			undoubted[v.ID] = undoubted[v.ID] || v.Server == r.server && !v.Registered.IsZero()
		}
	}
	return func(id string) bool { return undoubted[id] }
}
