package issuer

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jot-auth/jot/revocation"
)

// RevokeAnyToken is RevokeToken for an administrator: whichever client's token it is, and one that isn't ours or is of
// no use any more fails with ErrNotFound, so that nobody takes a mistyped token for a revoked one.
func (i *Issuer) RevokeAnyToken(ctx context.Context, token string) error {
	if strings.HasPrefix(token, refreshPrefix) {
		return i.revokeAnyRefreshToken(ctx, token)
	}
	access, err := i.verifyAccessToken(ctx, token)
	if err != nil {
		return err
	}
	// As in revokeAccessToken, with the event.
	return i.commitTogether(ctx, access.SessionID(), func(u *update) (func() error, error) {
		revoke, err := u.revokeAccessToken(access)
		return func() error {
			if err := revoke(); err != nil {
				return err
			}
			return u.audit(EventRevocationToken, Event{Subject: access.Subject(), Session: access.SessionID(), ClientID: access.ClientID(), Detail: "access token " + access.ID()})
		}, err
	})
}

// revokeAnyRefreshToken ends the session that a token names, if it's the genuine one of that session's client.
func (i *Issuer) revokeAnyRefreshToken(ctx context.Context, text string) error {
	named, ok := parseRefreshToken(text)
	if !ok {
		return ErrNotFound
	}
	return i.endSession(ctx, named.session, EndedByAdmin, func(s *Session) bool {
		_, err := i.openRefreshToken(text, s.ClientID)
		return err == nil
	})
}

// RevokeClient ends every session of a client, voids its codes, those of devices too, and refuses every access token
// that it has, and what others got in exchange for one. It fails with ErrNotFound when there is no such client, nor
// what one has left that the configuration doesn't name any more. When it fails otherwise a part may be done: ask
// again.
//
// Where the database's clock was ahead and was set back, what the client got in exchange by it is good again when the
// clock gets there, unless the client is deleted: nothing tells it from what the client is to get then.
func (i *Issuer) RevokeClient(ctx context.Context, id string) error {
	_, err := i.Client(ctx, id)
	gone := errors.Is(err, ErrNotFound)
	if gone {
		err = i.store.View(ctx, func(r Reader) error { return leftBehind(r, id) })
	}
	if err != nil {
		return err
	}
	if err := i.forgetCodes(ctx, id); err != nil {
		return err
	}
	if err := i.outdateOwn(ctx, id); err != nil {
		return err
	}
	rule := revocation.Rule{Kind: revocation.ClientIssuedAt, Value: id}
	if err := i.revokeAll(ctx, rule, EventRevocationClient); err != nil || !gone {
		return err
	}
	return i.refuseExchangesAhead(ctx, id)
}

// outdateOwn makes the access tokens stale that a client got for itself: to a rule about the time, those of a clock
// that was ahead are of the future.
func (i *Issuer) outdateOwn(ctx context.Context, id string) error {
	// The generation and its rule are one commit: a token is of the generation before, and is caught, or of this one.
	return i.commit(ctx, func(u *update) error {
		own, err := findSubject(u, id)
		if errors.Is(err, ErrNotFound) { // it never got one, or was deleted
			return nil
		}
		if err != nil {
			return err
		}
		return u.outdate(own, revocation.SubjectGeneration)
	})
}

// outdateClients does so with what any client got for itself.
func (i *Issuer) outdateClients(ctx context.Context) error {
	var own []Subject
	for more := true; more; more = len(own) == sweepBatch {
		after := "" // only a commit moves on: what is rolled back runs again
		if len(own) > 0 {
			after = own[len(own)-1].ID
		}
		// As in outdateOwn. What a client gets that is new to the subjects meanwhile is of the present clock.
		err := i.commit(ctx, func(u *update) (err error) {
			if own, err = u.ClientSubjects(after, sweepBatch); err != nil {
				return err
			}
			for _, s := range own {
				if err := u.outdate(s, revocation.SubjectGeneration); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// leftBehind fails with ErrNotFound for a client of which nothing is known: no session, no token of its own, and none
// that it may have got in exchange.
func leftBehind(r Reader, id string) error {
	if !strings.HasPrefix(id, ClientPrefix) {
		return ErrNotFound
	}
	sessions, err1 := r.Sessions(SessionFilter{ClientID: id}, time.Time{}, Position{}, 1)
	until, err2 := exchangesUntil(r, id)
	if err := errors.Join(err1, err2); err != nil || len(sessions) > 0 || until > 0 {
		return err
	}
	_, err := r.Subject(id)
	return err
}

// RevokeEverything ends every session, signs every browser out and refuses every access token of this issuer, those of
// clients that act for themselves included: for a database that somebody else has seen. When it fails a part may be
// done: ask again.
func (i *Issuer) RevokeEverything(ctx context.Context) error {
	if err := i.signEverybodyOut(ctx); err != nil {
		return err
	}
	if err := i.outdateClients(ctx); err != nil {
		return err
	}
	return i.revokeAll(ctx, revocation.Rule{Kind: revocation.IssuerIssuedAt}, EventRevocationAll)
}

// revokeAll refuses the access tokens first, then ends the sessions, in small transactions since they may be a million,
// and then refuses the access tokens that sessions got before it was their turn. A session that begins meanwhile may
// end, too.
func (i *Issuer) revokeAll(ctx context.Context, rule revocation.Rule, kind EventKind) error {
	if err := i.refuseIssued(ctx, rule, kind); err != nil {
		return err
	}
	var ended []Session
	for more := true; more; more = len(ended) == sweepBatch {
		last := lastOf(ended) // only a commit moves on: what is rolled back runs again
		// A refresh either comes before, and the rule that follows refuses its token, or finds its session ended.
		err := i.commit(ctx, func(u *update) (err error) {
			if ended, err = u.EndSessionsOf(rule.Value, u.now, EndedByAdmin, last, sweepBatch); err == nil {
				u.refuseAhead(ended)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return i.refuseIssued(ctx, rule, "")
}

// refuseAhead refuses, one by one, the access tokens of sessions that were used before the clock was set back: to a
// rule about the time they are of the future.
func (u *update) refuseAhead(sessions []Session) {
	for _, s := range sessions {
		if s.LastUsed.After(u.now) {
			u.refuseIssued(revocation.Rule{Kind: revocation.Session, Value: s.ID, Subject: s.Subject}, s.LastUsed)
		}
	}
}

// refuseIssued refuses what was issued until now, and tells of it unless kind is "".
func (i *Issuer) refuseIssued(ctx context.Context, rule revocation.Rule, kind EventKind) error {
	// The rule and the event are one commit; a token is issued in a commit before, and is caught, or after.
	return i.commit(ctx, func(u *update) error {
		rule.Minimum = secondAfter(u.now)
		u.refuseIssued(rule, u.now)
		if rule.Kind == revocation.ClientIssuedAt {
			if err := u.refuseExchanged(rule, u.now); err != nil {
				return err
			}
		}
		if kind == "" {
			return nil
		}
		return u.audit(kind, Event{ClientID: rule.Value})
	})
}
