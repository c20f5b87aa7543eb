package issuer

import (
	"context"
	"errors"
	"slices"
)

// Allowance is a consent that counts, and who and what it's about as people know them.
type Allowance struct {
	Consent
	ClientName   string   // "" where the client has none
	ResourceName string   // likewise
	Own          []string // the scopes that the resource knows: they mean what it says
}

// Allowances returns what a subject lets others' clients have, in the order of their IDs. What it allowed to a client
// or a resource that is gone isn't among it. It fails with ErrNotFound.
func (i *Issuer) Allowances(ctx context.Context, sub string) (all []Allowance, err error) {
	err = i.store.View(ctx, func(r Reader) error {
		subject, err := findSubject(r, sub)
		if err == nil {
			all, err = i.allowances(r, &subject)
		}
		return err
	})
	return all, err
}

// AllowancesSignedIn is Allowances of who is signed in with a secret. It fails with ErrNotFound where nobody is.
func (i *Issuer) AllowancesSignedIn(ctx context.Context, secret string) (sub string, all []Allowance, err error) {
	err = i.store.View(ctx, func(r Reader) error {
		now, err := r.Now()
		if err != nil {
			return err
		}
		_, subject, err := signedIn(r, secret, now)
		if err == nil {
			sub = subject.ID
			all, err = i.allowances(r, &subject)
		}
		return err
	})
	return sub, all, err
}

func (i *Issuer) allowances(r Reader, subject *Subject) (all []Allowance, err error) {
	given, err := r.Consents(subject.ID)
	if err != nil {
		return nil, err
	}
	for _, c := range given {
		a, err := i.allowance(r, subject, c)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// allowance fails with ErrNotFound for a consent that counts no more.
func (i *Issuer) allowance(r Reader, subject *Subject, c Consent) (Allowance, error) {
	client, err := i.client(r, c.ClientID)
	if errors.Is(err, ErrInvalidClient) {
		return Allowance{}, ErrNotFound
	}
	if err != nil {
		return Allowance{}, err
	}
	resource, err := i.resource(r, c.Resource)
	if errors.Is(err, ErrInvalidTarget) {
		return Allowance{}, ErrNotFound
	}
	if err != nil {
		return Allowance{}, err
	}
	if !c.counts(subject, client, resource) {
		return Allowance{}, ErrNotFound
	}
	return Allowance{Consent: c, ClientName: client.Name, ResourceName: resource.Name, Own: slices.Clone(resource.Scopes)}, nil
}

// withdrawalBatch is how many sessions one transaction ends.
const withdrawalBatch = 50

// WithdrawConsent takes back all that a subject lets a client have, and ends the sessions that the client has of it,
// those for when nobody is there (offline_access) included. It fails with ErrNotFound where there is neither, nor a
// device that waits for its first tokens. When it fails otherwise a part may be done: ask again.
func (i *Issuer) WithdrawConsent(ctx context.Context, sub, clientID string) error {
	var more bool
	// All that was allowed goes in the commit that ends the first sessions, with the subject's row held, so that no
	// session begins between the batches: a code that is traded at the same time comes before, and its session is found
	// here, or finds no consent. So do the codes of devices: their trade comes before, or finds no code.
	err := i.commit(ctx, func(u *update) (err error) {
		more, err = u.withdraw(sub, clientID)
		return err
	})
	for err == nil && more {
		// A batch begins with the subject, as all do that end sessions: of two that end the same one, the second finds
		// it ended.
		err = i.commit(ctx, func(u *update) error {
			if _, err := findSubject(u, sub); err != nil {
				return err
			}
			ended, err := u.endSessionsTo(sub, clientID)
			more = ended == withdrawalBatch
			return err
		})
	}
	return err
}

// withdraw deletes all that a subject lets a client have, and ends a first batch of sessions. The codes of devices come
// before the subject, as where they're traded.
func (u *update) withdraw(sub, clientID string) (more bool, err error) {
	codes, err := u.DeleteDeviceCodesTo(sub, clientID)
	if err != nil {
		return false, err
	}
	if _, err := findSubject(u, sub); err != nil {
		return false, err
	}
	consents, err := u.DeleteConsentsTo(sub, clientID)
	if err != nil {
		return false, err
	}
	ended, err := u.endSessionsTo(sub, clientID)
	if err != nil {
		return false, err
	}
	if codes+consents+ended == 0 {
		return false, ErrNotFound
	}
	return ended == withdrawalBatch, u.audit(EventConsentWithdrawn, Event{Subject: sub, ClientID: clientID})
}

// endSessionsTo ends a batch of the sessions that a client has of a subject, and returns how many these were.
func (u *update) endSessionsTo(sub, clientID string) (ended int, err error) {
	sessions, err := u.Sessions(SessionFilter{Subject: sub, ClientID: clientID}, u.now, Position{}, withdrawalBatch)
	if err != nil {
		return 0, err
	}
	for _, listed := range sessions {
		session, err := findSession(u, listed.ID)
		if err != nil {
			return 0, err
		}
		if err := u.end(session, EndedByWithdrawal); err != nil {
			return 0, err
		}
	}
	return len(sessions), nil
}
