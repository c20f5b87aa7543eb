package issuer

import (
	"context"
	"encoding/json"
	"errors"
)

// ClientGrant asks for a token for a client that acts for itself and has just proved who it is.
type ClientGrant struct {
	ClientID string
	Resource string   // audience of the access token; "" is the client's first resource, or else the default one
	Scope    []string // nil asks for everything that client and resource allow
}

// IssueToClient gives an access token to a client that acts for itself (RFC 6749 §4.4). The client is the token's subject: it has a
// generation and claims like any other, which ChangeSubject changes, and DisableSubject stops it. There is no session and no refresh token: it asks again. The caller has authenticated the client.
//
// A public client, which can't prove who it is, is ErrUnauthorizedClient; a disabled one ErrInvalidGrant; all else is as with Issue.
func (i *Issuer) IssueToClient(ctx context.Context, g ClientGrant) (Tokens, error) {
	if g.ClientID == "" {
		return Tokens{}, ErrInvalidClient // the default one is a person's
	}
	var d *draft
	// Client, claims, generation and the token's time are of one transaction: a deletion or change comes either before, and counts, or
	// after, and its rule refuses the token.
	err := i.commit(ctx, func(u *update) (err error) {
		d, err = u.beginOwn(g)
		return err
	})
	if err != nil {
		return Tokens{}, err
	}
	return i.sign(ctx, d)
}

// beginOwn drafts a token for a client itself.
func (u *update) beginOwn(g ClientGrant) (*draft, error) {
	client, err := u.issuer.client(u, g.ClientID)
	if err != nil {
		return nil, err
	}
	if client.SecretHash == nil {
		return nil, ErrUnauthorizedClient
	}
	resource, err := u.issuer.target(u, client, g.Resource)
	if err != nil {
		return nil, err
	}
	subject, err := u.ownSubject(client)
	if err != nil {
		return nil, err
	}
	if subject.Disabled {
		return nil, ErrInvalidGrant
	}
	scope, err := grantScope(g.Scope, client, resource, client.Scopes)
	if err != nil {
		return nil, err
	}
	return u.draft(&subject, nil, client, resource, scope)
}

// ownSubject finds the subject that a client is, and makes it when there is none yet. What it may do is in the client.
func (u *update) ownSubject(client *Client) (Subject, error) {
	subject, err := findSubject(u, client.ID)
	if errors.Is(err, ErrNotFound) {
		return u.makeSubject(Subject{ID: client.ID, Claims: json.RawMessage("{}")})
	}
	return subject, err
}
