package revocation

import (
	"fmt"
	"time"

	"github.com/jot-auth/jot"
)

// Policy says what a [Reader] answers when the feed was proven fresh once and isn't any more. Before the first proof it
// answers nothing, whatever the policy.
type Policy int

const (
	// Closed answers jot.ErrUnavailable: nobody whose token may have been revoked gets in. It's the default.
	Closed Policy = iota
	// AgeLimit answers for tokens that were issued less than a minute ago, by the rules of before, and
	// jot.ErrUnavailable for all others: a client that refreshes gets in, and whoever the issuer has refused since then
	// doesn't for longer than that.
	AgeLimit
	// Open answers for every token by the rules of before, and refuses, as before, one that is so old that its rules
	// may be gone, or doesn't say how old it is. Who is revoked while the feed is down stays in until the token
	// expires.
	Open
)

// ageLimit is the age that AgeLimit accepts.
const ageLimit = time.Minute

// lapse ends the grant for good: a clock that jumps back must not revive it.
func (r *Reader) lapse(g *grant) {
	if r.grant.CompareAndSwap(g, nil) {
		r.lapsed.Store(g)
	}
}

// withoutLease answers as the policy says.
func (r *Reader) withoutLease(f *jot.RevocationFacts, now instant) (jot.Verdict, error) {
	g := r.lapsed.Load()
	switch {
	case g == nil || r.options.WithoutLease == Closed:
	case r.options.WithoutLease == Open && outlived(f, g.timeline.issuerTime(now), r.maxTTLOf(g, f.Issuer)):
		return jot.Revoked, nil // as before: a lost feed brings no token back to life
	case r.options.WithoutLease == Open || g.isYoung(f, now):
		return g.set.Verdict(f), nil
	}
	return jot.Revoked, *r.noLease.Load()
}

// lacksLease makes the error of a reader that can't know, with the feed's failure since it was proven last. What is
// wrong with the feed refuses no token: its error isn't to be found in this one.
func (r *Reader) lacksLease(failure error) {
	err := fmt.Errorf("revocation: the feed is not fresh: %w", jot.ErrUnavailable)
	if failure != nil {
		err = fmt.Errorf("revocation: the feed is not fresh: %v: %w", failure, jot.ErrUnavailable)
	}
	r.noLease.Store(&err)
}

// isYoung reports whether a token was issued within the age limit, by the issuer's clock. After a suspension nobody
// knows that.
func (g *grant) isYoung(f *jot.RevocationFacts, now instant) bool {
	latest := g.timeline.issuerTime(now)
	return !now.jumped(g.lease.granted) && f.HasIssuedAt && f.IssuedAt >= latest.Add(-ageLimit).Unix() && f.IssuedAt <= latest.Add(skew).Unix()
}
