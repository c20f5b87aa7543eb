package issuer_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestConsentBesideOneOfBefore: what somebody allows is added to what they allowed before, and not to what counts no
// more: that was allowed to another client of the name. It is told.
func TestConsentBesideOneOfBefore(t *testing.T) {
	f := newFixture(t, config())
	f.do(f.CreateClient(t.Context(), issuer.Client{ID: "client_app", Scopes: []string{"pets:read", "pets:write", "pets:admin"}, RedirectURIs: []string{callback}}))
	f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Scope: []string{"pets:read", "pets:write", "pets:admin"}}))
	f.do(f.store.Update(t.Context(), func(tx issuer.Tx) error {
		return tx.PutConsent(issuer.Consent{Subject: "ann", ClientID: "client_app", Resource: "petstore", Scope: []string{"pets:admin"}, Given: f.clock.Now().Add(-time.Second)})
	}))
	secret := f.signIn()
	for _, step := range []struct{ scope, want []string }{
		{[]string{"pets:write"}, []string{"pets:write"}},
		{[]string{"pets:read"}, []string{"pets:read", "pets:write"}},
	} {
		_, request, _ := browsing()
		request.ClientID, request.Scope = "client_app", step.scope
		asked, err1 := f.Authorize(t.Context(), request, secret, issuer.Shown{})
		given, err2 := f.Authorize(t.Context(), request, secret, asked.Shown())
		if err := errors.Join(err1, err2); err != nil || asked.Step != issuer.StepConsent || given.Step != issuer.StepAnswer {
			t.Fatalf("steps %d and %d, %v", asked.Step, given.Step, err)
		}
		all, err := f.Allowances(t.Context(), "ann")
		if err != nil || len(all) != 1 || !slices.Equal(all[0].Scope, step.want) {
			t.Errorf("%+v, %v, want %v", all, err, step.want)
		}
	}
	told, err := f.Events(t.Context(), issuer.EventFilter{Kind: issuer.EventConsentGiven}, 0, 10)
	if err != nil || len(told) != 2 || told[0].Subject != "ann" || told[0].ClientID != "client_app" {
		t.Errorf("%+v, %v", told, err)
	}
}
