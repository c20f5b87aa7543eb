package issuer

import (
	"context"
	"errors"
	"strings"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

// maxRevokedTokens bounds the access tokens of one session that are revoked one by one, so that nobody fills the memory
// of every verifier with them.
const maxRevokedTokens = 8

// RevokeToken revokes a token on behalf of its client (RFC 7009): of an access token nothing but itself, of the ninth
// one of a session and of a refresh token the whole session, whichever of the session's refresh tokens it is. What a
// client got in exchange for another's token takes no session along. A token that isn't ours, isn't this client's, or
// is of no use any more is no error, and changes nothing. "" is the default client.
func (i *Issuer) RevokeToken(ctx context.Context, token, clientID string) error {
	id, err := i.clientID(ctx, clientID)
	if err != nil {
		return err
	}
	if strings.HasPrefix(token, refreshPrefix) {
		return i.revokeRefreshToken(ctx, token, id)
	}
	return i.revokeAccessToken(ctx, token, id)
}

func (i *Issuer) revokeRefreshToken(ctx context.Context, text, clientID string) error {
	token, err := i.openRefreshToken(text, clientID)
	if err != nil {
		return nil
	}
	err = i.endSession(ctx, token.session, EndedByRevoke, func(s *Session) bool { return s.ClientID == clientID })
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

func (i *Issuer) revokeAccessToken(ctx context.Context, raw, clientID string) error {
	token, err := i.verifyAccessToken(ctx, raw)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil || token.ClientID() != clientID {
		return err
	}
	// Rule and count are one commit: however many are revoked at once, no more are revoked one by one.
	return i.commitTogether(ctx, token.SessionID(), func(u *update) (func() error, error) { return u.revokeAccessToken(token) })
}

func (u *update) revokeAccessToken(token *jot.Token) (write func() error, err error) {
	session, err := findSession(u, token.SessionID())
	known := !errors.Is(err, ErrNotFound) // it isn't when the database was rewound
	if err != nil && known {
		return nil, err
	}
	return func() error { return u.refuseToken(token, session, known) }, nil
}

func (u *update) refuseToken(token *jot.Token, session Session, known bool) error {
	own := known && session.ClientID == token.ClientID() // and not another client's, which has exchanged one of the session's
	if known && !session.Ended.IsZero() || own && session.RevokedTokens == maxRevokedTokens {
		return u.end(session, EndedByRevoke)
	}
	u.refuse(revocation.Rule{Kind: revocation.TokenID, Value: token.ID(), Subject: token.Subject(), Expires: outlive(token.Expires())})
	if !own {
		return nil
	}
	session.RevokedTokens++
	return u.UpdateSession(session)
}

// SessionOf finds the live session of a refresh token, whichever of the session's refresh tokens it is, so that it can
// be ended where no access token is at hand. It changes nothing. What isn't a genuine refresh token of this client is
// ErrInvalidGrant; a session that is over already is ErrNotFound. "" is the default client.
func (i *Issuer) SessionOf(ctx context.Context, refreshToken, clientID string) (Session, error) {
	id, err := i.clientID(ctx, clientID)
	if err != nil {
		return Session{}, err
	}
	token, err := i.openRefreshToken(refreshToken, id)
	if err != nil {
		return Session{}, err
	}
	var session Session
	err = i.store.View(ctx, func(r Reader) error {
		now, err := r.Now()
		if err != nil {
			return err
		}
		if session, err = findSession(r, token.session); err == nil && !session.live(now) {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return Session{}, err
	}
	return session, nil
}

// EndSession ends one session of a subject and refuses its access tokens: a logout. It fails with ErrNotFound when
// the subject has no such session. Ending it twice is no error.
func (i *Issuer) EndSession(ctx context.Context, subject, sid string) error {
	return i.endSession(ctx, sid, EndedByLogout, func(s *Session) bool { return s.Subject == subject })
}

// EndAnySession is EndSession for an administrator: whichever subject's session it is.
func (i *Issuer) EndAnySession(ctx context.Context, sid string) error {
	return i.endSession(ctx, sid, EndedByAdmin, func(*Session) bool { return true })
}

func (i *Issuer) endSession(ctx context.Context, sid string, why EndReason, own func(*Session) bool) error {
	// The session's end and the rule are one commit: a refresh at the same time either finds the session ended, or made
	// its access token before, and that token names the session.
	return i.commitTogether(ctx, sid, func(u *update) (func() error, error) {
		session, err := findSession(u, sid)
		if err == nil && !own(&session) {
			err = ErrNotFound
		}
		return func() error {
			if err := u.end(session, why); err != nil {
				return err
			}
			return u.auditActor(EventSessionEnded, Event{Subject: session.Subject, Session: session.ID, ClientID: session.ClientID})
		}, err
	})
}
