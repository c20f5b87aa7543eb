package issuer_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestCodeSession: the session of a code is of the login in which it was given, and of the address from which it was
// redeemed.
func TestCodeSession(t *testing.T) {
	c, request, redeem := browsing()
	f := newFixture(t, c)
	began := f.clock.Now()
	secret := f.signIn()
	f.clock.Advance(time.Minute)
	d, err := f.Authorize(t.Context(), request, secret, issuer.Shown{})
	f.do(err)
	before, err := f.Stats(t.Context())
	f.do(err)
	grant := redeem(d.Code)
	grant.UserAgent, grant.Address = "browser", "192.0.2.7"
	tokens, err := f.RedeemCode(t.Context(), grant)
	f.do(err)
	s := f.rawSession(tokens.SessionID)
	if !slices.Equal(s.AMR, []string{"pwd", "otp"}) || !s.AuthTime.Equal(began) || s.UserAgent != "browser" || s.Address != "192.0.2.7" || s.SignIn == "" || !s.Created.Equal(f.clock.Now()) {
		t.Errorf("session %+v", s)
	}
	if after, err := f.Stats(t.Context()); err != nil || after.Sessions != before.Sessions+1 {
		t.Errorf("%d sessions were begun, and then %d, %v", before.Sessions, after.Sessions, err)
	}
}

// TestCodeAfterTheAnswer: what the client has lost since a code was given, it doesn't get for it; nor does another
// client, or another resource, of the same name.
func TestCodeAfterTheAnswer(t *testing.T) {
	client := issuer.Client{ID: "client_app", Scopes: []string{"pets:read"}, FirstParty: true, RedirectURIs: []string{callback}}
	shop := issuer.Resource{Audience: "shop", Scopes: []string{"pets:read"}}
	for name, c := range map[string]struct {
		change func(*fixture) error
		want   error
	}{
		"nothing happened": {func(*fixture) error { return nil }, nil},
		"the client may go elsewhere alone": {func(f *fixture) error {
			_, err := f.ChangeClient(f.Context(), client.ID, func(c *issuer.Client) error { c.Resources = []string{"zoo"}; return nil })
			return err
		}, issuer.ErrInvalidGrant},
		"the resource is gone": {func(f *fixture) error { return f.DeleteResource(f.Context(), shop.Audience) }, issuer.ErrInvalidGrant},
		"another resource of its name": {func(f *fixture) error {
			err := f.DeleteResource(f.Context(), shop.Audience)
			f.clock.Advance(5 * time.Second)
			return errors.Join(err, f.CreateResource(f.Context(), shop))
		}, issuer.ErrInvalidGrant},
		"another client of its name": {func(f *fixture) error {
			err := f.DeleteClient(f.Context(), client.ID)
			f.clock.Advance(5 * time.Second) // for as long nobody takes the place of one that was deleted
			return errors.Join(err, f.CreateClient(f.Context(), client))
		}, issuer.ErrInvalidGrant},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, config())
			f.do(f.CreateClient(t.Context(), client))
			f.do(f.CreateResource(t.Context(), shop))
			_, request, redeem := browsing()
			request.ClientID, request.Resource = client.ID, shop.Audience
			d, err := f.Authorize(t.Context(), request, f.signIn(), issuer.Shown{})
			f.do(errors.Join(err, c.change(f)))
			grant := redeem(d.Code)
			grant.Client.ID = client.ID
			if _, err := f.RedeemCode(t.Context(), grant); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}
