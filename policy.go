package jot

import (
	"context"
	"time"

	"github.com/jot-auth/jot/internal/jose"
)

// defaultType is the "typ" of a token that is a JWT and nothing more particular (RFC 7519 §5.1).
const defaultType = "JWT"

// maxIssuedAhead is how far "iat" may lie ahead of the verifier's clock, beyond the leeway, where MaxTTL or revocation
// rules go by it: clocks differ by less, and a token from further ahead would outlive what they say of it.
const maxIssuedAhead = time.Minute

func refuseClaim(claim, reason string) error { return &ClaimError{Claim: claim, Reason: reason} }

func missingExpiry() error { return refuseClaim("exp", "is missing") }

// checkPolicy holds the claims against the options, with the verifier's own clock.
func (v *Verifier) checkPolicy(s *scratch) error {
	o := &v.options
	if !o.AnyType && !o.acceptsType(s.header.typ) {
		return ErrType
	}
	if err := v.checkTimes(&s.claims); err != nil {
		return err
	}
	if !o.AnyIssuer && !s.equal(s.claims.issuer, o.Issuer) {
		return refuseClaim("iss", "is not the issuer that this verifier accepts")
	}
	return o.checkAudience(s)
}

func (o *VerifierOptions) checkAudience(s *scratch) error {
	switch {
	case o.AnyAudience:
	case o.NoAudience && s.claims.hasAudience:
		return refuseClaim("aud", "names recipients, and this verifier is none of them")
	case !o.NoAudience && !s.audienceNames(o.Audience):
		return refuseClaim("aud", "does not name this verifier's audience")
	}
	return nil
}

func (o *VerifierOptions) acceptsType(typ string) bool {
	if o.Type == "" {
		return typ == "" || jose.SameType(typ, defaultType)
	}
	return jose.SameType(typ, o.Type)
}

func (s *scratch) equal(place span, text string) bool {
	return string(s.payload[place.start:place.end]) == text
}

func (s *scratch) audienceNames(recipient string) bool {
	for _, place := range s.claims.audience {
		if s.equal(place, recipient) {
			return true
		}
	}
	return false
}

// checkTimes refuses a token from "exp" on, not only after it (RFC 7519 §4.1.4), before "nbf", and one from the future
// where its age counts.
func (v *Verifier) checkTimes(c *claimSet) error {
	if !c.expires.set && !v.options.NoExpiry {
		return missingExpiry()
	}
	now := v.options.Now()
	earliest, latest := now, now
	if v.options.Leeway > 0 {
		earliest, latest = now.Add(-v.options.Leeway), now.Add(v.options.Leeway)
	}
	if c.expires.set && !c.expires.after(earliest) {
		return ErrExpired
	}
	if c.notBefore.set && c.notBefore.after(latest) {
		return ErrNotYetValid
	}
	if ahead, bounded := v.maxIssuedAhead(); bounded && c.issuedAt.set && c.issuedAt.after(now.Add(ahead)) {
		return ErrNotYetValid
	}
	if v.options.MaxTTL > 0 {
		return v.checkLifetime(c)
	}
	return nil
}

// maxIssuedAhead bounds how far "iat" may lie ahead, where the policy goes by it.
func (v *Verifier) maxIssuedAhead() (ahead time.Duration, bounded bool) {
	if v.options.RequirePastIssuedAt {
		return v.options.Leeway, true
	}
	return v.options.Leeway + maxIssuedAhead, v.options.MaxTTL > 0 || v.options.Revocation != nil
}

func (v *Verifier) checkLifetime(c *claimSet) error {
	switch {
	case !c.expires.set:
		return missingExpiry()
	case !c.issuedAt.set:
		return refuseClaim("iat", "is missing, so the token's lifetime is unknown")
	case c.expires.time().After(c.issuedAt.time().Add(v.options.MaxTTL)):
		return refuseClaim("exp", "is further from iat than the verifier's MaxTTL")
	}
	return nil
}

// after reports whether d is later than t.
func (d date) after(t time.Time) bool {
	seconds := t.Unix()
	return d.seconds > seconds || d.seconds == seconds && int(d.nanos) > t.Nanosecond()
}

func (v *Verifier) checkRevocation(ctx context.Context, s *scratch) error {
	s.verdict = Current
	if v.options.Revocation == nil {
		return nil
	}
	if s.foreign != nil {
		return s.foreign
	}
	s.facts = RevocationFacts{
		Issuer:      s.bytes(s.claims.issuer),
		Subject:     s.bytes(s.claims.subject),
		SessionID:   s.bytes(s.claims.session),
		ID:          s.bytes(s.claims.id),
		ClientID:    s.bytes(s.claims.client),
		KeyID:       s.key.KeyID(),
		IssuedAt:    s.claims.issuedAt.seconds,
		HasIssuedAt: s.claims.issuedAt.set,
		Generation:  s.claims.generation,
	}
	verdict, err := v.options.Revocation.CheckRevocation(ctx, &s.facts)
	if err != nil {
		return unavailable(err)
	}
	switch s.verdict = verdict; verdict {
	case Current, RefreshAdvised:
		return nil
	case StaleClaims:
		return ErrStaleClaims
	}
	return ErrRevoked
}

// bytes returns a text that the checker may append to without writing into the token; nil when the claim is absent.
func (s *scratch) bytes(place span) []byte {
	if !place.set() {
		return nil
	}
	return s.payload[place.start:place.end:place.end]
}
