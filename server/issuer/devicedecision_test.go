package issuer_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// signIn signs ann in, and returns the secret.
func (f *fixture) signIn() string {
	f.Helper()
	secret, _, err := f.SignIn(f.Context(), issuer.Proof{Subject: "ann", AMR: []string{"pwd", "otp"}}, "")
	f.do(err)
	return secret
}

// ask begins the login of a device of client_web, and returns what it asks for of who is signed in.
func (f *fixture) ask(secret string, scope ...string) (issuer.DeviceStart, issuer.DeviceAsk) {
	f.Helper()
	device, err := f.StartDevice(f.Context(), issuer.DeviceRequest{ClientID: "client_web", Scope: scope})
	f.do(err)
	ask, err := f.FindDevice(f.Context(), secret, device.UserCode)
	f.do(err)
	return device, ask
}

// allow lets a device have what its page has shown.
func (f *fixture) allow(secret string, ask issuer.DeviceAsk) error {
	return f.AnswerDevice(f.Context(), secret, issuer.DeviceAnswer{Code: ask.Code, Subject: ask.Subject, Scope: ask.Scope, Allow: true})
}

// TestDeviceScope: a device gets no more than the page has shown that it asks for, also where the subject may have more
// since.
func TestDeviceScope(t *testing.T) {
	c, _, _ := browsing()
	f := newFixture(t, c)
	may := func(scope ...string) {
		f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Scope: scope, Soft: true}))
	}
	for _, asked := range [][]string{nil, {"pets:read", "pets:write"}} {
		secret := f.signIn()
		may("pets:read")
		device, shown := f.ask(secret, asked...)
		if !slices.Equal(shown.Scope, []string{"pets:read"}) {
			t.Fatalf("the page shows %v", shown.Scope)
		}
		may("pets:read", "pets:write")
		if err := f.allow(secret, shown); !errors.Is(err, issuer.ErrPending) {
			t.Errorf("more than was shown: error %v, want ErrPending", err)
		}
		may("pets:read")
		f.do(f.allow(secret, shown))
		may("pets:read", "pets:write")
		if tokens, err := f.redeemDevice(device.DeviceCode); err != nil || !slices.Equal(tokens.Scope, []string{"pets:read"}) {
			t.Errorf("asked for %v: got %v, %v", asked, tokens.Scope, err)
		}
	}
}

// TestDeviceOfAnotherPerson: what a page asked one person isn't answered by another, who has signed in there since.
func TestDeviceOfAnotherPerson(t *testing.T) {
	c, _, _ := browsing()
	f := newFixture(t, c)
	device, shown := f.ask(f.signIn())
	f.createSubject("bob")
	secret, _, err := f.SignIn(t.Context(), issuer.Proof{Subject: "bob"}, "")
	f.do(err)
	if err := f.allow(secret, shown); !errors.Is(err, issuer.ErrPending) || shown.Subject != "ann" {
		t.Errorf("%s was asked, bob's answer: error %v, want ErrPending", shown.Subject, err)
	}
	if _, err := f.redeemDevice(device.DeviceCode); !errors.Is(err, issuer.ErrAuthorizationPending) {
		t.Errorf("the device: error %v, want ErrAuthorizationPending", err)
	}
	if err := f.AnswerDevice(t.Context(), secret, issuer.DeviceAnswer{Code: "none"}); !errors.Is(err, issuer.ErrUserCode) {
		t.Errorf("a device that there isn't: error %v, want ErrUserCode", err)
	}
}

// TestDeniedDevice: nobody is told that a device was allowed which was denied, and neither decision is taken back.
func TestDeniedDevice(t *testing.T) {
	c, _, _ := browsing()
	f := newFixture(t, c)
	secret := f.signIn()
	device, ask := f.ask(secret)
	f.do(f.AnswerDevice(t.Context(), secret, issuer.DeviceAnswer{Code: ask.Code, Subject: ask.Subject, Scope: ask.Scope}))
	if err := f.allow(secret, ask); !errors.Is(err, issuer.ErrUserCode) {
		t.Errorf("allowed afterwards: error %v, want ErrUserCode", err)
	}
	if _, err := f.redeemDevice(device.DeviceCode); !errors.Is(err, issuer.ErrAccessDenied) {
		t.Errorf("error %v, want ErrAccessDenied", err)
	}
	if told, err := f.Events(t.Context(), issuer.EventFilter{Kind: issuer.EventDeviceAllowed}, 0, 10); err != nil || len(told) > 0 {
		t.Errorf("events %+v, %v", told, err)
	}
}

// TestDeviceBeforeTheDecision: what the client of a device that waits has lost isn't shown, and can't be allowed to a
// page that was shown before; nor can anything by who isn't signed in any more.
func TestDeviceBeforeTheDecision(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*fixture) error
		want   error
	}{
		"its grant":    {func(f *fixture) error { return f.changeTV(func(c *issuer.Client) { c.DeviceGrant = false }) }, issuer.ErrUserCode},
		"its resource": {func(f *fixture) error { return f.changeTV(func(c *issuer.Client) { c.Resources = []string{"zoo"} }) }, issuer.ErrUserCode},
		"its scope": {func(f *fixture) error {
			return f.changeTV(func(c *issuer.Client) { c.Scopes = []string{"pets:write"} })
		}, issuer.ErrUserCode},
		"all":         {func(f *fixture) error { return f.DeleteClient(f.Context(), "client_tv") }, issuer.ErrUserCode},
		"time":        {func(f *fixture) error { f.clock.Advance(10 * time.Minute); return nil }, issuer.ErrUserCode},
		"the sign-in": {func(f *fixture) error { f.clock.Advance(9 * time.Minute); return nil }, issuer.ErrNotFound},
		"the person":  {func(f *fixture) error { return f.DisableSubject(f.Context(), "ann") }, issuer.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, config())
			f.do(f.CreateClient(t.Context(), issuer.Client{ID: "client_tv", Scopes: []string{"pets:read", "pets:write"}, DeviceGrant: true}))
			secret := f.signIn()
			if errors.Is(c.want, issuer.ErrNotFound) {
				f.clock.Advance(12*time.Hour - 9*time.Minute)
			}
			device, err := f.StartDevice(t.Context(), issuer.DeviceRequest{ClientID: "client_tv", Scope: []string{"pets:read"}})
			f.do(err)
			ask, err := f.FindDevice(t.Context(), secret, device.UserCode)
			f.do(errors.Join(err, c.change(f)))
			if _, err := f.FindDevice(t.Context(), secret, device.UserCode); !errors.Is(err, c.want) {
				t.Errorf("found: error %v, want %v", err, c.want)
			}
			if err := f.allow(secret, ask); !errors.Is(err, c.want) {
				t.Errorf("allowed: error %v, want %v", err, c.want)
			}
		})
	}
}
