package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/jot-auth/jot"
)

// maxActors bounds how many clients may have acted for one subject, each at the call of the one before.
const maxActors = 4

// Exchange asks to trade an access token for one that reaches another API.
type Exchange struct {
	ClientID      string // of the client that asks, which has just proved who it is
	SubjectToken  string // an access token of this issuer's
	Resource      string // audience of the new token; "" is the client's first resource, or else the default one
	Scope         []string
	KeyThumbprint string // as in Grant
}

// ExchangeToken lets a client act further on for the subject of an access token that it was shown (RFC 8693): an API
// that calls another one. The client is confidential, and its ExchangeFrom names the token's audience; what it may ask
// for is in its Resources and Scopes. The new token is the subject's, names the client as its actor (act) and whoever
// acted before, at most 4 in all, has no more scope than the old one and ends no later. It belongs to the same session,
// and ends with that; there is no refresh token.
//
// An *ExchangeError is a subject token that isn't good, for whatever reason. A client that may not ask is
// ErrUnauthorizedClient, another scope ErrInvalidScope, another audience ErrInvalidTarget.
func (i *Issuer) ExchangeToken(ctx context.Context, e Exchange) (Tokens, error) {
	if err := checkThumbprint(e.KeyThumbprint); err != nil {
		return Tokens{}, err
	}
	given, err := i.verifyAccessToken(ctx, e.SubjectToken)
	if errors.Is(err, ErrNotFound) {
		err = &ExchangeError{"the subject token is not an access token of this issuer that is still good"}
	}
	if err != nil {
		return Tokens{}, err
	}
	ahead := Foresight{Session: given.SessionID()}.with(&i.config, e.ClientID, e.Resource)
	if ahead.Session == "" {
		ahead.Subject = given.Subject()
	}
	var d *draft
	// Client, subject, session and the token's time are of one state of the database, and nobody waits for a lock:
	// whatever ends the session, changes the subject or deletes a client either comes before, and counts, or after, and
	// its rule refuses the new token as it does the old one.
	err = inTime(ctx, func() (now time.Time, err error) {
		err = i.store.View(ctx, func(r Reader) (err error) {
			if now, err = nowAnd(r, ahead); err == nil {
				d, err = moment{i, now}.exchange(r, e, given)
			}
			return err
		})
		return now, err
	})
	if err != nil {
		return Tokens{}, err
	}
	return i.sign(ctx, d)
}

// ExchangeError is a token that can't be exchanged (RFC 8693 §2.2.2, invalid_request). Its text is fit for a client.
type ExchangeError struct{ Reason string }

// Error says why.
func (e *ExchangeError) Error() string { return e.Reason }

func (m moment) exchange(r Reader, e Exchange, given *jot.Token) (*draft, error) {
	client, err := m.issuer.client(r, e.ClientID)
	if err != nil {
		return nil, err
	}
	from := given.Audience()[0]
	if !client.Confidential() || !slices.Contains(client.ExchangeFrom, from) {
		return nil, ErrUnauthorizedClient
	}
	resource, err := m.issuer.target(r, client, e.Resource)
	if err != nil {
		return nil, err
	}
	if admin := m.issuer.AdminAudience(); from == admin || resource.Audience == admin {
		return nil, ErrInvalidTarget // nobody administers by way of somebody else
	}
	subject, session, err := m.subjectOf(r, given)
	if err != nil {
		return nil, err
	}
	scope, err := exchangeScope(e.Scope, slices.Collect(given.Scopes()), client, resource, &subject, session)
	if err != nil {
		return nil, err
	}
	actor, err := nextActor(given, client.ID)
	if err != nil {
		return nil, err
	}
	d, err := m.draft(&subject, session, client, resource, scope, terms{e.KeyThumbprint, actor, given.Expires()})
	if errors.Is(err, ErrInvalidGrant) {
		return nil, &ExchangeError{"the subject token is about to expire"}
	}
	if err == nil {
		d.session = nil // nothing refreshes it
	}
	return d, err
}

// subjectOf finds whom a token is about, as they are now, and their session; nil of a client that acts for itself.
func (m moment) subjectOf(r Reader, given *jot.Token) (Subject, *Session, error) {
	over := &ExchangeError{"the subject token's session or subject is over"}
	if given.SessionID() == "" {
		subject, err := findSubject(r, given.Subject())
		if errors.Is(err, ErrNotFound) || err == nil && subject.Disabled {
			err = over
		}
		return subject, nil, err
	}
	subject, session, err := subjectOfSession(r, given.SessionID())
	if errors.Is(err, ErrNotFound) || err == nil && (!session.live(m.now) || subject.Disabled || subject.ID != given.Subject()) {
		err = over
	}
	return subject, &session, err
}

// exchangeScope decides what an exchanged token gets: of what the given one has, what client, resource and subject
// allow. A request for more is ErrInvalidScope. What is called like a scope of OpenID Connect stays behind: it may have
// been that, which every client may ask for, and opens nothing elsewhere.
func exchangeScope(requested, given []string, client *Client, resource *Resource, subject *Subject, session *Session) ([]string, error) {
	given = slices.DeleteFunc(given, func(token string) bool { return slices.Contains(IdentityScopes(), token) })
	own := subject.Scope
	if session == nil {
		own = given // a client that acts for itself has no scope but that of its tokens
	}
	if requested == nil {
		return intersect(given, client.Scopes, resource.Scopes, own), nil
	}
	if checkScope(requested) != nil || len(intersect(requested, given, client.Scopes, resource.Scopes)) < len(requested) {
		return nil, ErrInvalidScope
	}
	return intersect(requested, own), nil
}

// actor is who acts for a token's subject, and at whose call (RFC 8693 §4.1).
type actor struct {
	Subject string          `json:"sub"`
	Before  json.RawMessage `json:"act,omitempty"`
}

// nextActor puts a client before the actors of a token. One that says who alone may act (§4.4) is held to that.
func nextActor(given *jot.Token, client string) (*actor, error) {
	var claims struct {
		Actor    json.RawMessage `json:"act"`
		MayActor *struct {
			Subject string `json:"sub"`
		} `json:"may_act"`
	}
	if err := given.Decode(&claims); err != nil || claims.MayActor != nil && claims.MayActor.Subject != client {
		return nil, &ExchangeError{"the subject token says that somebody else may act"}
	}
	next := &actor{Subject: client, Before: claims.Actor}
	for before, depth := claims.Actor, 1; before != nil; depth++ {
		var a actor
		if depth == maxActors || json.Unmarshal(before, &a) != nil {
			return nil, &ExchangeError{"too many clients have acted for the subject already"}
		}
		before = a.Before
	}
	return next, nil
}
