package feed

import (
	"context"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// An orphan is a verifier for which no server answers any more, since its own was killed, say.

const (
	// orphanAge is how long one is left alone: by then nothing that was said to it can carry a lease. It's measured on this server's own clock, whatever the others show.
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
	return r.issuer.ForgetVerifiers(ctx, r.orphans(all))
}

// orphans returns those of all verifiers that have been unchanged for too long.
func (r *registry) orphans(all []issuer.Verifier) []issuer.Verifier {
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
	var orphans []issuer.Verifier
	for _, s := range strangers {
		if time.Since(s.since) > orphanAge+s.verifier.MaxStaleness+leaseMargin {
			orphans = append(orphans, s.verifier)
		}
	}
	return orphans
}
