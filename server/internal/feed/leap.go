package feed

import "time"

// maxLeap is how much the issuer's clock may gain on this server's before verifiers have to compare theirs with it
// anew. leaseMargin includes it.
const maxLeap = time.Second

// leaps notices when the issuer's clock is set ahead. A verifier takes the difference of two statements' times on one
// stream for the time between them; if that were too long, a statement that was delayed on its way would carry a lease
// for longer than the issuer meant.
type leaps struct {
	started time.Time     // on this server's clock
	first   time.Time     // what the issuer's showed then
	least   time.Duration // that it was ahead since, at most
}

// notice takes what the issuer's clock showed at some moment between two of this server's, and reports whether it leapt
// ahead.
func (l *leaps) notice(now, before, after time.Time) bool {
	if l.first.IsZero() {
		l.started, l.first = before, now
	}
	elapsed := now.Sub(l.first)
	atLeast, atMost := elapsed-after.Sub(l.started), elapsed-before.Sub(l.started)
	if atLeast-l.least > maxLeap {
		l.least = atMost
		return true
	}
	l.least = min(l.least, atMost)
	return false
}
