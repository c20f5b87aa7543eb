package jot

import (
	"context"
	"time"
)

// defaultType is the "typ" of a token that is a JWT and nothing more particular (RFC 7519 §5.1).
const defaultType = "JWT"

// Refusals for the sake of a claim, made once: they never quote a value, so they are the same for every token.
var (
	errIssuer     = &ClaimError{Claim: "iss", Reason: "is not the issuer that this verifier accepts"}
	errAudience   = &ClaimError{Claim: "aud", Reason: "does not name this verifier's audience"}
	errNoExpiry   = &ClaimError{Claim: "exp", Reason: "is missing"}
	errNoIssuedAt = &ClaimError{Claim: "iat", Reason: "is missing, so the token's lifetime is unknown"}
	errLifetime   = &ClaimError{Claim: "exp", Reason: "is further from iat than the verifier's MaxTTL"}
)

// checkPolicy holds the claims against the options, with the verifier's own clock.
func (v *Verifier) checkPolicy(s *scratch) error {
	o := &v.options
	if !o.AnyType && !o.acceptsType(s.header.typ) {
		return ErrType
	}
	if err := v.checkTimes(&s.claims); err != nil {
		return err
	}
	if !o.AnyIssuer && (!s.claims.issuer.set || !s.equal(s.claims.issuer, o.Issuer)) {
		return errIssuer
	}
	if !o.AnyAudience && !s.audienceNames(o.Audience) {
		return errAudience
	}
	return nil
}

func (o *VerifierOptions) acceptsType(typ string) bool {
	if o.Type == "" {
		return typ == "" || sameType(typ, defaultType)
	}
	return sameType(typ, o.Type)
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

// checkTimes refuses a token from "exp" on, not only after it (RFC 7519 §4.1.4), and before "nbf".
func (v *Verifier) checkTimes(c *claimSet) error {
	if !c.expires.set && !v.options.NoExpiry {
		return errNoExpiry
	}
	now := v.options.Now()
	if c.expires.set && !c.expires.after(now.Add(-v.options.Leeway)) {
		return ErrExpired
	}
	if c.notBefore.set && c.notBefore.after(now.Add(v.options.Leeway)) {
		return ErrNotYetValid
	}
	if v.options.MaxTTL > 0 {
		return v.checkLifetime(c)
	}
	return nil
}

func (v *Verifier) checkLifetime(c *claimSet) error {
	switch {
	case !c.expires.set:
		return errNoExpiry
	case !c.issuedAt.set:
		return errNoIssuedAt
	case c.expires.time().After(c.issuedAt.time().Add(v.options.MaxTTL)):
		return errLifetime
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

func (s *scratch) bytes(place span) []byte { return s.payload[place.start:place.end] }
