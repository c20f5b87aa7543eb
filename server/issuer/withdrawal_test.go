package issuer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestAllowances: what a subject lets others have is what counts. What somebody else of its name allowed isn't among
// it, nor what it allowed to a client or a resource that is gone, or that another one of the name has replaced since.
func TestAllowances(t *testing.T) {
	f := newFixture(t, config())
	before := f.clock.Now().Add(-time.Second)
	f.clock.Advance(time.Second)
	f.do(f.CreateClient(t.Context(), issuer.Client{ID: "client_new", Scopes: []string{"pets:read"}}))
	f.createResource(issuer.Resource{Audience: "new", Scopes: []string{"pets:read"}})
	created := f.clock.Now()
	f.do(f.store.Update(t.Context(), func(tx issuer.Tx) error {
		var errs []error
		for _, c := range []issuer.Consent{
			{ClientID: "client_web", Resource: "petstore", Given: created},
			{ClientID: "client_web", Resource: "zoo", Given: before},
			{ClientID: "client_web", Resource: "new", Given: created.Add(-time.Millisecond)},
			{ClientID: "client_web", Resource: "gone", Given: created},
			{ClientID: "client_new", Resource: "petstore", Given: created.Add(-time.Millisecond)},
			{ClientID: "client_new", Resource: "new", Given: created},
			{ClientID: "client_gone", Resource: "petstore", Given: created},
		} {
			c.Subject, c.Scope = "ann", []string{"pets:read"}
			errs = append(errs, tx.PutConsent(c))
		}
		return errors.Join(errs...)
	}))
	all, err := f.Allowances(t.Context(), "ann")
	f.do(err)
	var got []string
	for _, a := range all {
		got = append(got, a.ClientID+" at "+a.Resource)
	}
	if len(got) != 2 || got[0] != "client_new at new" || got[1] != "client_web at petstore" {
		t.Errorf("%q", got)
	}
}

// TestWithdrawManySessions: a withdrawal ends all sessions of the client, also where one transaction doesn't.
func TestWithdrawManySessions(t *testing.T) {
	for _, count := range []int{50, 51, 101} {
		f := newFixture(t, config())
		f.clock.now.Store(time.Now().UnixMilli())
		f.insertSessions(count)
		kept := f.issue(issuer.Grant{Subject: "ann", ClientID: "client_guest"})
		f.do(f.WithdrawConsent(t.Context(), "ann", "client_web"))
		if live, _, err := f.SessionsOf(t.Context(), "ann", "", 200); err != nil || len(live) != 1 || live[0].ID != kept.SessionID {
			t.Errorf("of %d sessions %d are left, %v", count, len(live)-1, err)
		}
		if err := f.WithdrawConsent(t.Context(), "ann", "client_web"); !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("again: error %v, want ErrNotFound", err)
		}
	}
}

// TestWithdrawOwn: whoever takes back what a client was allowed ends sessions of their own, and nobody else's.
func TestWithdrawOwn(t *testing.T) {
	f := newFixture(t, config())
	f.createSubject("bob")
	anns, bobs := f.issue(issuer.Grant{Subject: "ann", ClientID: "client_web"}), f.issue(issuer.Grant{Subject: "bob", ClientID: "client_web"})
	f.do(f.WithdrawConsent(t.Context(), "ann", "client_web"))
	for sid, ended := range map[string]bool{anns.SessionID: true, bobs.SessionID: false} {
		session, err := f.Session(t.Context(), sid)
		if f.do(err); session.Ended.IsZero() == ended {
			t.Errorf("%s: %+v", session.Subject, session)
		}
	}
	told, err := f.Events(t.Context(), issuer.EventFilter{Kind: issuer.EventConsentWithdrawn}, 0, 10)
	if err != nil || len(told) != 1 || told[0].Subject != "ann" || told[0].ClientID != "client_web" {
		t.Errorf("%+v, %v", told, err)
	}
}
