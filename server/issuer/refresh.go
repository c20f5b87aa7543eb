package issuer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// Counters say which refresh token of a session is good. Tokens are numbered from 1. Every number below Current but
// Previous is spent: tokens that were rotated away, and those burned because their reply was lost.
type Counters struct {
	Current   uint64
	Previous  uint64    // 0 before the first refresh
	RotatedAt time.Time // when Current came to be
}

// outcome is what a presented refresh token means.
type outcome int

const (
	rotated   outcome = iota // the good one: it is used up, and there is a new one
	repeated                 // the one before, again within the grace window: the same answer again
	replyLost                // the one before, later: the client never saw the good one, which is burned
	reused                   // a spent one: somebody else has used this session
	rewound                  // one that was never issued: the database has forgotten it
)

// present is the refresh rule: what a token with this number means and which counters follow. A clock that went back is
// taken for a grace window that is still open, since the other way would burn a token that a client holds.
func (c Counters) present(number uint64, now time.Time, grace time.Duration) (Counters, outcome) {
	switch {
	case number > c.Current:
		return c, rewound
	case number == c.Current:
		return Counters{Current: c.Current + 1, Previous: c.Current, RotatedAt: now}, rotated
	case number == 0 || number != c.Previous:
		return c, reused
	case now.Sub(c.RotatedAt) <= grace:
		return c, repeated
	default:
		return Counters{Current: c.Current + 1, Previous: c.Previous, RotatedAt: now}, replyLost
	}
}

// RefreshRequest asks for the next tokens of a session.
type RefreshRequest struct {
	Token     string   // the refresh token
	ClientID  string   // "" is the default client; must be the one that the token was issued to
	Resource  string   // audience of the access token; "" or the session's
	Scope     []string // of this access token only, at most the session's; nil asks for all of it
	UserAgent string
	Address   string

	KeyThumbprint string // of the key that the client proved to have (RFC 9449): the access token is bound to it; "": it proved none
}

// Refresh trades a refresh token for the next tokens of its session. Whoever presents the same token again within the
// grace window gets the same refresh token as the first; whoever presents a spent one ends the session. A token that
// isn't accepted, for whatever reason, is ErrInvalidGrant; a scope beyond the session's is ErrInvalidScope and another
// resource ErrInvalidTarget, and neither changes anything; nor does another key than that of the session,
// ErrInvalidGrant.
func (i *Issuer) Refresh(ctx context.Context, r RefreshRequest) (Tokens, error) {
	if err := checkThumbprint(r.KeyThumbprint); err != nil {
		return Tokens{}, err
	}
	if c := i.config.client(r.ClientID); c != nil {
		r.ClientID = c.ID
	}
	token, err := i.openRefreshToken(r.Token, r.ClientID)
	if err != nil {
		_, unknown := i.clientID(ctx, r.ClientID)
		return Tokens{}, cmp.Or(unknown, err)
	}
	r.UserAgent, r.Address = clip(r.UserAgent, maxUserAgent), clip(r.Address, maxAddress)
	d, err := i.decideRefresh(ctx, r, token)
	if err != nil {
		return Tokens{}, err
	}
	if d == nil {
		return Tokens{}, ErrInvalidGrant
	}
	return i.sign(ctx, d)
}

// decideRefresh waits for the database for a third of the grace window at most, and is ErrBusy then. A request that
// came in time, but was decided after the window, would burn the token that another tab got meanwhile.
func (i *Issuer) decideRefresh(ctx context.Context, r RefreshRequest, token refreshToken) (d *draft, err error) {
	soon, cancel := context.WithTimeout(ctx, i.config.RefreshGrace/3)
	defer cancel()
	// Of many that present one token at once, one transaction rotates the counters and the others see that it did:
	// they all get the same successor. A logout or change of claims comes before or after, never in between.
	var decided *update
	ahead := Foresight{Session: token.session}.with(&i.config, r.ClientID, r.Resource)
	err = i.commitForeseen(soon, ahead, func(u *update) (err error) {
		decided = u
		d, err = u.refresh(r, token)
		return err
	})
	if err == nil {
		i.counts.refreshes[decided.meaning].Add(1)
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return d, err
}

// refresh applies the refresh rule. No draft and no error means that the token is refused, and that what this changed
// is to be kept.
func (u *update) refresh(r RefreshRequest, token refreshToken) (*draft, error) {
	session, subject, err := u.Session(token.session)
	if errors.Is(err, ErrNotFound) || err == nil && !subject.Deleted.IsZero() {
		return nil, ErrInvalidGrant
	}
	if err != nil {
		return nil, err
	}
	client, err := u.issuer.client(u, r.ClientID)
	if err != nil {
		return nil, err
	}
	subject.Ending.applyTo(&session)
	if !session.live(u.now) || session.ClientID != client.ID || !session.provedBy(client, r.KeyThumbprint) {
		return nil, ErrInvalidGrant
	}
	before := session.Counters
	var meaning outcome
	session.Counters, meaning = before.present(token.counter, u.now, u.issuer.config.RefreshGrace)
	u.meaning = meaning
	switch meaning {
	case reused:
		return nil, u.reused(r, session, token)
	case rewound:
		return nil, u.rewound(r, session, token)
	}
	return u.next(r, client, &subject, session, before, meaning)
}

// next drafts the next tokens of a session whose refresh token is good.
func (u *update) next(r RefreshRequest, client *Client, subject *Subject, session Session, before Counters, meaning outcome) (*draft, error) {
	if r.Resource != "" && r.Resource != session.Resource {
		return nil, ErrInvalidTarget
	}
	resource, err := u.issuer.resource(u, session.Resource)
	if errors.Is(err, ErrInvalidTarget) {
		return nil, ErrInvalidGrant
	}
	if err != nil {
		return nil, err
	}
	if subject.Disabled || !session.of(client, resource) {
		return nil, ErrInvalidGrant
	}
	scope, err := narrowScope(r.Scope, &session, client, resource, subject)
	if err != nil {
		return nil, err
	}
	d, err := u.draft(subject, &session, client, resource, scope, terms{thumbprint: r.KeyThumbprint})
	if err != nil {
		return nil, err
	}
	if meaning == repeated {
		return d, u.repeated(r, session)
	}
	if meaning == replyLost {
		detail := fmt.Sprintf("refresh token %d was presented again; %d is burned, %d follows", before.Previous, before.Current, session.Counters.Current)
		if err := u.event(EventReplyLost, r, session, detail); err != nil {
			return nil, err
		}
	}
	session.use(u.now, u.issuer.idleTTL(client), r.UserAgent, r.Address)
	session.Reported = ""
	return d, u.UpdateSession(session)
}

// repeated changes no counter; it only tells when a second device is at work.
func (u *update) repeated(r RefreshRequest, session Session) error {
	if !session.elsewhere(r.UserAgent, r.Address) {
		return nil
	}
	return u.eventOnce(EventRefreshElsewhere, r, session, "a refresh token was used twice within the grace window, from two places")
}

// reused ends a session whose spent refresh token was presented.
func (u *update) reused(r RefreshRequest, session Session, token refreshToken) error {
	detail := fmt.Sprintf("refresh token %d was presented, %d is current; the session has ended", token.counter, session.Counters.Current)
	if err := u.end(session, EndedByReuse); err != nil {
		return err
	}
	return u.event(EventRefreshReused, r, session, detail)
}

// rewound raises the alarm about a genuine token that the database doesn't know of.
func (u *update) rewound(r RefreshRequest, session Session, token refreshToken) error {
	if session.Reported != EventDatabaseRewound {
		u.issuer.config.Logger.Error("database rewound: a refresh token is ahead of the database; stop the server and run 'jot recover'",
			"session", session.ID, "presented", token.counter, "current", session.Counters.Current)
	}
	detail := fmt.Sprintf("refresh token %d is genuine, but the database only knows of %d", token.counter, session.Counters.Current)
	return u.eventOnce(EventDatabaseRewound, r, session, detail)
}
