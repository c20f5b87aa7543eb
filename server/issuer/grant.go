package issuer

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// Grant asks for tokens for a subject that has just proved who it is.
type Grant struct {
	Subject   string
	ClientID  string          // "" is the default client
	Claims    json.RawMessage // not nil: for a login of your own; see Issue
	NoAdmin   bool            // whoever asks is trusted with users, and not with administrators: see ErrAdminOnly
	Resource  string          // audience of the access token; "" is the client's first resource, or else the default one
	Scope     []string        // nil asks for everything that client, resource and subject allow
	AMR       []string        // how the subject proved who it is (RFC 8176), such as "pwd"
	UserAgent string          // of the device, as it tells
	Address   string          // of the device
	Confirm   func(Tx) error  // as in Proof

	KeyThumbprint string // of the key that the client proved to have (RFC 9449): the tokens are bound to it; "": they aren't
}

// Tokens are the answer to a Grant or a refresh.
type Tokens struct {
	ID               string // ID token; "" where the scope has no openid, and of a login outside of the authorization endpoint
	Access           string // JWT (RFC 9068) that fits into a cookie of 4 KiB
	ExpiresIn        time.Duration
	Refresh          string   // opaque; replaces the one before; "" of a client that acts for itself
	Scope            []string // of the access token; may be less than what was asked for
	Subject          string
	SessionID        string        // "" of a client that acts for itself
	SessionExpiresIn time.Duration // how long the session lasts at most
	KeyThumbprint    string        // of the key that the access token is bound to (RFC 9449); "" of a bearer token
}

// Issue begins a session and gives its first tokens. The caller has authenticated the subject.
//
// Whoever keeps users of their own needs no other call: with Claims, the subject is made where it doesn't exist, and
// has these claims from now on, and with a Scope beside them that scope as its widest one. Where that is a change, its
// tokens of before are stale. What the client or the resource doesn't know of such a scope is left out. Claims and
// scope are as with NewSubject, an ID as with CreateSubject, or an *InputError.
//
// A scope that the client or the resource doesn't know is ErrInvalidScope; what the subject lacks is left out, as RFC
// 6749 §3.3 allows, and Tokens.Scope says so. An unknown subject is ErrNotFound, a disabled one ErrInvalidGrant, an
// unknown client or resource ErrInvalidClient or ErrInvalidTarget, a grant that isn't for NoAdmin ErrAdminOnly, and a
// token that fits into no cookie a *TokenSizeError. The subject is judged first, so that a caller can answer its
// refusal like a wrong password whatever else the request asks for.
func (i *Issuer) Issue(ctx context.Context, g Grant) (Tokens, error) {
	if err := errors.Join(checkAMR(g.AMR), g.checkSubject(), checkThumbprint(g.KeyThumbprint)); err != nil {
		return Tokens{}, err
	}
	var d *draft
	// The token's time, the subject's claims and generation, and the new session are of one transaction: a change of
	// the subject comes either before, and is in the token, or after, and its rule refuses the token. Of two that bring
	// one new subject along the second begins again, and finds it.
	err := i.commitForeseen(ctx, g.foresight(&i.config), func(u *update) (err error) {
		d, err = u.begin(g)
		return err
	})
	if err != nil {
		return Tokens{}, err
	}
	i.counts.sessions.Add(1)
	return i.sign(ctx, d)
}

// foresight is the subject, and client and resource too where nothing is locked between that and these: no account, and
// not who else is in office.
func (g *Grant) foresight(c *Config) Foresight {
	ahead := Foresight{Subject: g.Subject}
	takesOffice := g.Claims != nil && g.Scope != nil && !g.NoAdmin && !slices.Contains(g.Scope, ScopeAdmin)
	if g.Confirm != nil || takesOffice {
		return ahead
	}
	return ahead.with(c, g.ClientID, g.Resource)
}

// CheckGrant refuses a grant that Issue refuses whoever the subject is, by its client, resource, scope and key, with
// ErrInvalidClient, ErrInvalidTarget, ErrInvalidScope or ErrProofRequired: for a caller who is about to authenticate
// the subject, which takes long and may count. Issue judges it again.
func (i *Issuer) CheckGrant(ctx context.Context, g Grant) error {
	return i.store.View(ctx, func(r Reader) error {
		client, resource, err := i.parties(r, g)
		if err == nil {
			_, err = grantScope(g.Scope, client, resource, nil)
		}
		if err == nil {
			err = client.checkBinding(g.KeyThumbprint)
		}
		return err
	})
}

// parties are the client and the resource of a grant.
func (i *Issuer) parties(r Reader, g Grant) (*Client, *Resource, error) {
	client, err := i.client(r, g.ClientID)
	if err != nil {
		return nil, nil, err
	}
	resource, err := i.target(r, client, g.Resource)
	return client, resource, err
}

// begin stores a new session and drafts its first token.
func (u *update) begin(g Grant) (*draft, error) {
	subject, err := u.grantee(&g)
	if err != nil {
		return nil, err
	}
	if subject.Disabled {
		return nil, ErrInvalidGrant
	}
	if g.Confirm != nil {
		if err := g.Confirm(u.Tx); err != nil {
			return nil, err
		}
	}
	client, resource, err := u.issuer.parties(u, g)
	if err != nil {
		return nil, err
	}
	if g.NoAdmin && resource.Audience == u.issuer.AdminAudience() {
		return nil, ErrAdminOnly
	}
	scope, err := grantScope(g.Scope, client, resource, subject.Scope)
	if err != nil {
		return nil, err
	}
	session := u.newSession(&subject, client, resource, scope)
	session.AMR = slices.Clone(g.AMR)
	session.bind(client, g.KeyThumbprint)
	session.use(u.now, u.issuer.idleTTL(client), clip(g.UserAgent, maxUserAgent), clip(g.Address, maxAddress))
	d, err := u.draft(&subject, session, client, resource, scope, terms{thumbprint: g.KeyThumbprint})
	if err != nil {
		return nil, err
	}
	if err := u.InsertSession(*session); err != nil {
		return nil, err
	}
	return d, u.auditActor(EventSessionIssued, Event{Subject: subject.ID, Session: session.ID, ClientID: client.ID})
}

// newSession is a session that begins now, with a login of now.
func (m moment) newSession(subject *Subject, client *Client, resource *Resource, scope []string) *Session {
	return &Session{
		ID: rand.Text(), Subject: subject.ID, Generation: subject.Generation, ClientID: client.ID, Resource: resource.Audience, Scope: scope,
		AuthTime: m.now, Created: m.now, Expires: m.now.Add(shorter(client.AbsoluteTTL, m.issuer.config.AbsoluteTTL)),
		Counters: Counters{Current: 1, RotatedAt: m.now},
	}
}
