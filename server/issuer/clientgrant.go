package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// ClientGrant asks for a token for a client that acts for itself.
type ClientGrant struct {
	Client   ClientProof
	Resource string   // audience of the access token; "" is the client's first resource, or else the default one
	Scope    []string // nil asks for everything that client and resource allow

	KeyThumbprint string // as in Grant
}

// IssueToClient gives an access token to a client that acts for itself (RFC 6749 §4.4). The client is the token's
// subject: it has a generation and claims like any other, which ChangeSubject changes, and DisableSubject stops it.
// There is no session and no refresh token: it asks again.
//
// A client that doesn't prove who it is is ErrInvalidClient, a public one, which can't, ErrUnauthorizedClient; a
// disabled one ErrInvalidGrant; all else is as with Issue.
func (i *Issuer) IssueToClient(ctx context.Context, g ClientGrant) (Tokens, error) {
	if err := checkThumbprint(g.KeyThumbprint); err != nil {
		return Tokens{}, err
	}
	d, err := i.draftOwn(ctx, g)
	if errors.Is(err, ErrNotFound) {
		if err := i.makeOwnSubject(ctx, g.Client); err != nil {
			return Tokens{}, err
		}
		d, err = i.draftOwn(ctx, g)
	}
	if err != nil {
		return Tokens{}, err
	}
	return i.sign(ctx, d)
}

// draftOwn drafts a token for a client itself. ErrNotFound is that there is no subject for it yet.
func (i *Issuer) draftOwn(ctx context.Context, g ClientGrant) (d *draft, err error) {
	// Client, its proof, claims, generation and the token's time are of one state of the database, and nobody waits for
	// a lock: whatever changes or deletes the client's subject or disables it, or deletes the client, comes before, and
	// counts, or after, and has a rule for the generation that it ends, which refuses this token whenever it was
	// issued. A longer life than the rules of that time reckoned with is of a later state than theirs.
	ahead := Foresight{Subject: g.Client.ID}.with(&i.config, g.Client.ID, g.Resource)
	err = inTime(ctx, func() (now time.Time, err error) {
		err = i.store.View(ctx, func(r Reader) (err error) {
			if now, err = nowAnd(r, ahead); err == nil {
				d, err = moment{i, now}.beginOwn(r, g)
			}
			return err
		})
		return now, err
	})
	return d, err
}

func (m moment) beginOwn(r Reader, g ClientGrant) (*draft, error) {
	client, err := m.issuer.confidentialClient(r, g.Client)
	if err != nil {
		return nil, err
	}
	resource, err := m.issuer.target(r, client, g.Resource)
	if err != nil {
		return nil, err
	}
	subject, err := findSubject(r, client.ID)
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
	return m.draft(&subject, nil, client, resource, scope, terms{thumbprint: g.KeyThumbprint})
}

func (i *Issuer) confidentialClient(r ClientReader, p ClientProof) (*Client, error) {
	client, err := i.proved(r, p)
	if err == nil && !client.Confidential() {
		return nil, ErrUnauthorizedClient
	}
	return client, err
}

// makeOwnSubject makes the subject that a client is.
func (i *Issuer) makeOwnSubject(ctx context.Context, p ClientProof) error {
	// Whether the client exists and making its subject are one transaction: a deletion of the client comes after, and
	// deletes the subject too, or before, and none is made. Of two that make it, the second finds it. The subject comes
	// before the client, as everywhere.
	return i.commit(ctx, func(u *update) error {
		if _, err := u.ownSubject(p.ID); err != nil {
			return err
		}
		_, err := i.confidentialClient(u, p)
		return err
	})
}

// ownSubject finds the subject that a client is, and makes it when there is none yet. What it may do is in the client.
func (u *update) ownSubject(client string) (Subject, error) {
	subject, err := findSubject(u, client)
	if errors.Is(err, ErrNotFound) {
		return u.makeSubject(Subject{ID: client, Claims: json.RawMessage("{}")})
	}
	return subject, err
}
