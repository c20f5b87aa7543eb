package issuer

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

// RevokeToken revokes a token on behalf of its client (RFC 7009): of an access token nothing but itself, of a refresh token
// its whole session, whichever of the session's refresh tokens it is. A token that isn't ours, isn't this client's, or is of no
// use any more is no error, and changes nothing. "" is the default client.
func (i *Issuer) RevokeToken(ctx context.Context, token, clientID string) error {
	client, err := i.config.client(clientID)
	if err != nil {
		return err
	}
	if strings.HasPrefix(token, refreshPrefix) {
		err := i.endSessionOf(ctx, token, client.ID, EndedByRevoke)
		if errors.Is(err, ErrInvalidGrant) {
			return nil
		}
		return err
	}
	return i.revokeAccessToken(ctx, token, client.ID)
}

func (i *Issuer) revokeAccessToken(ctx context.Context, raw, clientID string) error {
	token, err := i.verifier.Verify(ctx, raw)
	if errors.Is(err, jot.ErrInvalidToken) {
		return nil
	}
	if err != nil || token.ClientID() != clientID {
		return err
	}
	// The rule needs no state to agree with.
	return i.commit(ctx, func(u *update) error {
		u.refuse(revocation.Rule{Kind: revocation.TokenID, Value: token.ID(), Subject: token.Subject()})
		return nil
	})
}

// EndSessionOf ends the session of a refresh token, whichever of the session's refresh tokens it is: a logout for which no
// access token is at hand. What isn't a genuine refresh token of this client is ErrInvalidGrant; a session that is over already
// is no error. "" is the default client.
func (i *Issuer) EndSessionOf(ctx context.Context, refreshToken, clientID string) error {
	client, err := i.config.client(clientID)
	if err != nil {
		return err
	}
	return i.endSessionOf(ctx, refreshToken, client.ID, EndedByLogout)
}

func (i *Issuer) endSessionOf(ctx context.Context, refreshToken, clientID string, why EndReason) error {
	token, err := i.openRefreshToken(refreshToken, clientID)
	if err != nil {
		return err
	}
	err = i.endSession(ctx, token.session, why, func(s *Session) bool { return s.ClientID == clientID })
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// EndSession ends one session of a subject and refuses its access tokens: a logout. It fails with ErrNotFound when
// the subject has no such session. Ending it twice is no error.
func (i *Issuer) EndSession(ctx context.Context, subject, sid string) error {
	return i.endSession(ctx, sid, EndedByLogout, func(s *Session) bool { return s.Subject == subject })
}

func (i *Issuer) endSession(ctx context.Context, sid string, why EndReason, own func(*Session) bool) error {
	// The session's end and the rule are one commit: a refresh at the same time either finds the session ended, or made its
	// access token before, and that token names the session.
	return i.commit(ctx, func(u *update) error {
		session, err := u.Session(sid)
		if err != nil {
			return err
		}
		if !own(&session) {
			return ErrNotFound
		}
		if !session.Ended.IsZero() {
			return nil
		}
		return u.end(session, why)
	})
}

// EndSessions ends every session of a subject and refuses every access token that it has: a logout everywhere. It fails
// with ErrNotFound.
func (i *Issuer) EndSessions(ctx context.Context, subject string) error {
	// The sessions' end and the rule are one commit: a login at the same time either made its session and token before, and both are
	// caught, or comes after and waits until its token is newer than the rule.
	return i.commit(ctx, func(u *update) error {
		s, err := u.Subject(subject)
		if err != nil {
			return err
		}
		s.NotBefore = firstGoodSecond(u.now)
		u.refuse(revocation.Rule{Kind: revocation.SubjectIssuedAt, Value: subject, Minimum: s.NotBefore.Unix()})
		return errors.Join(u.UpdateSubject(s), u.EndSessions(subject, u.now, EndedEverywhere))
	})
}

// firstGoodSecond is the first time of issue that a token can't have had before now: now rounded up, and one second more,
// since times of issue are whole seconds.
func firstGoodSecond(now time.Time) time.Time {
	return now.Add(time.Second - 1).Truncate(time.Second).Add(time.Second)
}
