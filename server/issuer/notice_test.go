package issuer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// notices are all that wait to be told.
func (f *fixture) notices() (all []issuer.Notice) {
	f.Helper()
	f.do(f.store.Update(f.Context(), func(tx issuer.Tx) (err error) {
		all, err = tx.ClaimNotices(f.clock.Now().Add(24*time.Hour), f.clock.Now(), 100, nil)
		return err
	}))
	return all
}

// TestNoticesToDeletedClient: nobody tries to tell a client that was deleted: neither of sessions that had ended by
// then, nor of those that end afterwards.
func TestNoticesToDeletedClient(t *testing.T) {
	c, request, redeem := browsing()
	f := newFixture(t, c)
	told := issuer.Client{
		ID: "client_told", Scopes: []string{"pets:read"}, FirstParty: true, RedirectURIs: []string{callback}, BackchannelLogoutURI: "https://app.example.com/logout",
	}
	f.do(f.CreateClient(t.Context(), told))
	request.ClientID, request.Scope = told.ID, []string{"openid"}
	logIn := func() (sid string) {
		secret, _, err1 := f.SignIn(t.Context(), issuer.Proof{Subject: "ann", AMR: []string{"pwd"}}, "")
		d, err2 := f.Authorize(t.Context(), request, secret, issuer.Shown{})
		grant := redeem(d.Code)
		grant.Client.ID = told.ID
		tokens, err3 := f.RedeemCode(t.Context(), grant)
		f.do(errors.Join(err1, err2, err3))
		return tokens.SessionID
	}
	before, after := logIn(), logIn()
	f.do(f.EndSession(t.Context(), "ann", before))
	if waiting := f.notices(); len(waiting) != 1 || waiting[0].Session != before {
		t.Fatalf("there waits %+v: this tests nothing", waiting)
	}
	f.do(f.DeleteClient(t.Context(), told.ID))
	f.do(f.EndSession(t.Context(), "ann", after))
	if found, err := f.ClaimDeliveries(t.Context(), 1, nil); err != nil || len(found) > 0 {
		t.Errorf("to tell: %+v, %v", found, err)
	}
	if waiting := f.notices(); len(waiting) > 0 {
		t.Errorf("there waits %+v", waiting)
	}
}
