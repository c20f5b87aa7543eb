package issuer_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

func (f *fixture) redeemDevice(code string) (issuer.Tokens, error) {
	return f.RedeemDevice(f.Context(), issuer.DeviceGrant{DeviceCode: code, ClientID: "client_web", UserAgent: "television", Address: "192.0.2.7"})
}

// TestDeviceSession: the session of a device is of the login in which it was allowed, and of the device's address.
func TestDeviceSession(t *testing.T) {
	c, _, _ := browsing()
	f := newFixture(t, c)
	began := f.clock.Now()
	secret := f.signIn()
	f.clock.Advance(time.Minute)
	device, ask := f.ask(secret)
	f.do(f.allow(secret, ask))
	before, err := f.Stats(t.Context())
	f.do(err)
	f.clock.Advance(time.Minute)
	tokens, err := f.redeemDevice(device.DeviceCode)
	f.do(err)

	s := f.rawSession(tokens.SessionID)
	if !slices.Equal(s.AMR, []string{"pwd", "otp"}) || !s.AuthTime.Equal(began) || s.UserAgent != "television" || s.Address != "192.0.2.7" || !s.Created.Equal(f.clock.Now()) {
		t.Errorf("session %+v", s)
	}
	if after, err := f.Stats(t.Context()); err != nil || after.Sessions != before.Sessions+1 {
		t.Errorf("%d sessions were begun, and then %d, %v", before.Sessions, after.Sessions, err)
	}
	told, err := f.Events(t.Context(), issuer.EventFilter{Kind: issuer.EventDeviceAllowed}, 0, 10)
	if err != nil || len(told) != 1 || told[0].Subject != "ann" || told[0].ClientID != "client_web" || told[0].Detail != "petstore: pets:read pets:write" {
		t.Errorf("events %+v, %v", told, err)
	}
}

// TestDeviceAfterTheDecision: what the person or the client has lost since a device was allowed, it doesn't get.
func TestDeviceAfterTheDecision(t *testing.T) {
	stored := issuer.Client{ID: "client_tv", Scopes: []string{"pets:read"}, DeviceGrant: true}
	for name, c := range map[string]struct {
		change func(*fixture) error
		want   error
	}{
		"nothing happened":      {func(*fixture) error { return nil }, nil},
		"logged out everywhere": {func(f *fixture) error { return f.EndSessions(f.Context(), "ann") }, issuer.ErrInvalidGrant},
		"disabled":              {func(f *fixture) error { return f.DisableSubject(f.Context(), "ann") }, issuer.ErrInvalidGrant},
		"disabled for a moment": {func(f *fixture) error {
			return errors.Join(f.DisableSubject(f.Context(), "ann"), f.EnableSubject(f.Context(), "ann"))
		}, issuer.ErrInvalidGrant},
		"deleted":                {func(f *fixture) error { return f.DeleteSubject(f.Context(), "ann") }, issuer.ErrInvalidGrant},
		"the client lost it":     {func(f *fixture) error { return f.changeTV(func(c *issuer.Client) { c.DeviceGrant = false }) }, issuer.ErrUnauthorizedClient},
		"the client is bound":    {func(f *fixture) error { return f.changeTV(func(c *issuer.Client) { c.RequireDPoP = true }) }, issuer.ErrProofRequired},
		"the resource is closed": {func(f *fixture) error { return f.changeTV(func(c *issuer.Client) { c.Resources = []string{"zoo"} }) }, issuer.ErrInvalidGrant},
		"another client of its name": {func(f *fixture) error {
			err := f.DeleteClient(f.Context(), "client_tv")
			f.clock.Advance(5 * time.Second) // for as long nobody takes the place of one that was deleted
			return errors.Join(err, f.CreateClient(f.Context(), stored))
		}, issuer.ErrInvalidGrant},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, config())
			f.do(f.CreateClient(t.Context(), stored))
			f.do(f.EndSessions(t.Context(), "ann")) // what is allowed after a logout everywhere isn't of before
			secret := f.signIn()
			device, err := f.StartDevice(t.Context(), issuer.DeviceRequest{ClientID: "client_tv"})
			f.do(err)
			ask, err := f.FindDevice(t.Context(), secret, device.UserCode)
			f.do(errors.Join(err, f.allow(secret, ask), c.change(f)))
			if _, err := f.RedeemDevice(t.Context(), issuer.DeviceGrant{DeviceCode: device.DeviceCode, ClientID: "client_tv"}); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

func (f *fixture) changeTV(alter func(*issuer.Client)) error {
	_, err := f.ChangeClient(f.Context(), "client_tv", func(c *issuer.Client) error { alter(c); return nil })
	return err
}

// TestDeviceOfAnotherClient: a device code is worth nothing to another client, and stays good for its own.
func TestDeviceOfAnotherClient(t *testing.T) {
	c, _, _ := browsing()
	c.Clients = append(c.Clients, issuer.Client{ID: "client_tv", Scopes: []string{"pets:read"}, DeviceGrant: true})
	f := newFixture(t, c)
	secret := f.signIn()
	device, ask := f.ask(secret)
	f.do(f.allow(secret, ask))
	if _, err := f.RedeemDevice(t.Context(), issuer.DeviceGrant{DeviceCode: device.DeviceCode, ClientID: "client_tv"}); !errors.Is(err, issuer.ErrInvalidGrant) {
		t.Errorf("another client: error %v, want ErrInvalidGrant", err)
	}
	if _, err := f.redeemDevice(device.DeviceCode); err != nil {
		t.Errorf("its own, afterwards: %v", err)
	}
}

// TestDeviceInTime: a device may ask a second earlier than its interval says, and a code is good until the moment at
// which it expires.
func TestDeviceInTime(t *testing.T) {
	c, _, _ := browsing()
	f := newFixture(t, c)
	secret := f.signIn()
	device, _ := f.ask(secret)
	late, ask := f.ask(secret)
	f.do(f.allow(secret, ask))
	ends := f.clock.Now().Add(device.ExpiresIn)
	for _, step := range []struct {
		after time.Duration
		want  error
	}{
		{0, issuer.ErrAuthorizationPending},
		{device.Interval - time.Second, issuer.ErrAuthorizationPending},
		{device.Interval - time.Second - time.Millisecond, issuer.ErrSlowDown},
		{2*device.Interval - time.Second - time.Millisecond, issuer.ErrSlowDown},
		{3*device.Interval - time.Second, issuer.ErrAuthorizationPending},
	} {
		f.clock.Advance(step.after)
		if _, err := f.redeemDevice(device.DeviceCode); !errors.Is(err, step.want) {
			t.Errorf("after %v: error %v, want %v", step.after, err, step.want)
		}
	}
	f.clock.Advance(ends.Sub(f.clock.Now()))
	if _, err := f.redeemDevice(late.DeviceCode); !errors.Is(err, issuer.ErrExpiredCode) {
		t.Errorf("at its end: error %v, want ErrExpiredCode", err)
	}
	if _, err := f.FindDevice(t.Context(), secret, device.UserCode); !errors.Is(err, issuer.ErrUserCode) {
		t.Errorf("at its end: error %v, want ErrUserCode", err)
	}
}
