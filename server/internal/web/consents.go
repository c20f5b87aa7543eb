package web

import (
	"context"
	"strings"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// Allowances are what people let others' clients have.
type Allowances interface {
	Allowances(ctx context.Context, sub string) ([]issuer.Allowance, error)
}

// Consents is what the HTTP packages need of an *issuer.Issuer about that.
type Consents interface {
	Allowances
	WithdrawConsent(ctx context.Context, sub, clientID string) error
}

// ConsentRecord is a consent as answers and exports have it.
type ConsentRecord struct {
	ClientID     string    `json:"client_id"`
	ClientName   string    `json:"client_name,omitempty"`
	Resource     string    `json:"resource"`
	ResourceName string    `json:"resource_name,omitempty"`
	Scope        string    `json:"scope"`
	Given        time.Time `json:"given"`
}

// NewConsentRecord makes the record of a consent.
func NewConsentRecord(a issuer.Allowance) ConsentRecord {
	return ConsentRecord{
		ClientID: a.ClientID, ClientName: a.ClientName, Resource: a.Resource, ResourceName: a.ResourceName, Scope: strings.Join(a.Scope, " "), Given: a.Given,
	}
}

// ConsentsAnswer is all that somebody lets others' clients have.
type ConsentsAnswer struct {
	Consents []ConsentRecord `json:"consents"`
}

// ReadConsents reads the answer about a subject.
func ReadConsents(ctx context.Context, c Allowances, sub string) (ConsentsAnswer, error) {
	answer := ConsentsAnswer{Consents: []ConsentRecord{}}
	all, err := c.Allowances(ctx, sub)
	for _, a := range all {
		answer.Consents = append(answer.Consents, NewConsentRecord(a))
	}
	return answer, err
}
