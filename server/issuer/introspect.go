package issuer

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jot-auth/jot"
)

// Introspection is what the server knows of a live token (RFC 7662 §2.2).
type Introspection struct {
	Access    *jot.Token // the claims of an access token; nil of a refresh token
	Subject   string
	ClientID  string
	SessionID string // "" of a client that acts for itself
	Audience  string
	Scope     []string
	IssuedAt  time.Time
	Expires   time.Time
}

// Introspect tells a client about a live token (RFC 7662). Confidential clients alone may ask: others are
// ErrUnauthorizedClient. A client learns of its own tokens, and of access tokens for the audiences that its Resources
// name: whoever holds one of those can read it, and learns from us whether it's still good. Resources that are left
// open name none. ErrNotFound is everything else, without a distinction: a token that isn't ours, that is over, that
// was revoked, or that is none of this client's business. It changes nothing, whichever token is shown. The caller has
// authenticated the client.
func (i *Issuer) Introspect(ctx context.Context, token string, by Client) (Introspection, error) {
	if !by.Confidential() {
		return Introspection{}, ErrUnauthorizedClient
	}
	if strings.HasPrefix(token, refreshPrefix) {
		return i.introspectRefreshToken(ctx, token, by)
	}
	return i.introspectAccessToken(ctx, token, by)
}

func (i *Issuer) introspectAccessToken(ctx context.Context, raw string, by Client) (Introspection, error) {
	token, err := i.verifyAccessToken(ctx, raw)
	if err != nil {
		return Introspection{}, err
	}
	audience := token.Audience()[0]
	if token.ClientID() != by.ID && !slices.Contains(by.Resources, audience) {
		return Introspection{}, ErrNotFound
	}
	return Introspection{
		Access: token, Subject: token.Subject(), ClientID: token.ClientID(), SessionID: token.SessionID(), Audience: audience,
		Scope: slices.Collect(token.Scopes()), IssuedAt: token.IssuedAt(), Expires: token.Expires(),
	}, nil
}

// verifyAccessToken verifies an access token of this issuer's, of either type. Any other token, whoever signed it, is
// ErrNotFound.
func (i *Issuer) verifyAccessToken(ctx context.Context, raw string) (*jot.Token, error) {
	token, err := i.anyType.Verify(ctx, raw)
	if errors.Is(err, jot.ErrInvalidToken) || err == nil && (token.ClientID() == "" || token.ID() == "" || len(token.Audience()) != 1) {
		return nil, ErrNotFound
	}
	return token, err
}

// introspectRefreshToken is about the two refresh tokens of a session that would be taken: the current one, and the one
// before. A spent one is no alarm here: nobody has tried to use it.
func (i *Issuer) introspectRefreshToken(ctx context.Context, text string, by Client) (Introspection, error) {
	token, err := i.openRefreshToken(text, by.ID)
	if err != nil {
		return Introspection{}, ErrNotFound
	}
	ahead := Foresight{Session: token.session}.with(&i.config, by.ID, "") // the resource is the session's
	var found Introspection
	err = i.store.View(ctx, func(r Reader) error {
		now, err := nowAnd(r, ahead)
		if err != nil {
			return err
		}
		found, err = i.lookAtSession(r, token, now)
		return err
	})
	if errors.Is(err, ErrInvalidClient) || errors.Is(err, ErrInvalidTarget) {
		err = ErrNotFound
	}
	if err != nil {
		return Introspection{}, err
	}
	return found, nil
}

func (i *Issuer) lookAtSession(r Reader, token refreshToken, now time.Time) (Introspection, error) {
	subject, session, err := subjectOfSession(r, token.session)
	if err != nil {
		return Introspection{}, err
	}
	client, err := i.client(r, session.ClientID)
	if err != nil {
		return Introspection{}, err
	}
	resource, err := i.resource(r, session.Resource)
	if err != nil {
		return Introspection{}, err
	}
	good := token.counter == session.Counters.Current || token.counter == session.Counters.Previous
	if !good || !session.live(now) || subject.Disabled || !session.of(client, resource) {
		return Introspection{}, ErrNotFound
	}
	scope, err := narrowScope(nil, &session, client, resource, &subject)
	if err != nil {
		return Introspection{}, err
	}
	expires := session.Expires
	if session.IdleExpires.Before(expires) {
		expires = session.IdleExpires
	}
	return Introspection{
		Subject: session.Subject, ClientID: session.ClientID, SessionID: session.ID, Audience: session.Resource, Scope: scope,
		IssuedAt: session.Counters.RotatedAt, Expires: expires,
	}, nil
}

// subjectOfSession finds a session as it is, whether or not its row says so already, and its subject. ErrNotFound is
// also that of a subject that was deleted.
func subjectOfSession(r SessionReader, sid string) (Subject, Session, error) {
	session, subject, err := r.Session(sid)
	if err == nil && !subject.Deleted.IsZero() {
		err = ErrNotFound
	}
	if err != nil {
		return Subject{}, Session{}, err
	}
	subject.Ending.applyTo(&session)
	return subject, session, nil
}
