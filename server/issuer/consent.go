package issuer

import (
	"errors"
	"slices"
	"time"
)

// Consent is what a subject lets a client, which isn't the operator's own, have of a resource.
type Consent struct {
	Subject  string
	ClientID string
	Resource string
	Scope    []string
	Given    time.Time
}

// Shown is what a page shows that asks for consent, and whom it asks. The zero value is no page.
type Shown struct {
	Subject  string
	Resource string // audience
	Scope    string // as in a token
}

// Shown is what a page has to show of a decision.
func (d *Decision) Shown() Shown { return Shown{d.Subject, d.Resource.Audience, join(d.Scope)} }

// consented reports whether the subject has allowed all of a scope. What it allowed to a client or a resource of the
// same name before, or what somebody else allowed under its ID, doesn't count.
func consented(r Reader, subject *Subject, client *Client, resource *Resource, scope []string) (bool, error) {
	c, err := r.Consent(subject.ID, client.ID, resource.Audience)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return c.counts(subject, client, resource) && len(intersect(scope, c.Scope)) == len(scope), err
}

// counts reports whether a consent is of this very subject, to this very client and resource.
func (c *Consent) counts(subject *Subject, client *Client, resource *Resource) bool {
	return !c.Given.Before(subject.Created) && !c.Given.Before(client.Created) && !c.Given.Before(resource.Created)
}

// consent remembers what a subject allows, beside what it allowed before.
func (u *update) consent(subject *Subject, client *Client, resource *Resource, scope []string) error {
	all := slices.Clone(scope)
	before, err := u.Consent(subject.ID, client.ID, resource.Audience)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	valid, err := consented(u, subject, client, resource, nil)
	if err != nil {
		return err
	}
	if valid {
		all = slices.Compact(slices.Sorted(slices.Values(append(all, before.Scope...))))
	}
	if err := u.PutConsent(Consent{Subject: subject.ID, ClientID: client.ID, Resource: resource.Audience, Scope: all, Given: u.now}); err != nil {
		return err
	}
	return u.audit(EventConsentGiven, Event{Subject: subject.ID, ClientID: client.ID, Detail: resource.Audience + ": " + join(scope)})
}
