package issuer_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/jot-auth/jot/server/issuer"
)

const callback = "https://app.example.com/callback"

// browsing is a client that asks through a browser (RFC 7636 appendix B), and for devices.
func browsing() (issuer.Config, issuer.Authorization, func(code string) issuer.CodeGrant) {
	c := config()
	c.Clients[1].RedirectURIs, c.Clients[1].DeviceGrant = []string{callback}, true
	request := issuer.Authorization{
		ClientID: "client_web", RedirectURI: callback, ResponseType: "code", Challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", ChallengeMethod: "S256",
	}
	return c, request, func(code string) issuer.CodeGrant {
		return issuer.CodeGrant{Code: code, Client: issuer.ClientProof{ID: "client_web"}, RedirectURI: callback, Verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}
	}
}

// TestEverybodyIsSignedOut: after what ends everything no browser that was signed in gets to a session without a login, no code of before is good, and neither is a device that somebody had allowed.
func TestEverybodyIsSignedOut(t *testing.T) {
	for name, end := range map[string]func(*fixture){
		"revocation": func(f *fixture) { f.do(f.RevokeEverything(f.Context())) },
		"recovery": func(f *fixture) {
			f.do(f.Close())
			f.recover(issuer.Witness{})
			f.start()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, request, redeem := browsing()
				f := newBubbleFixture(t, c)
				defer func() { f.Close() }()
				secret, _, err := f.SignIn(t.Context(), issuer.Proof{Subject: "ann", AMR: []string{"pwd"}}, "")
				f.do(err)
				before, err := f.Authorize(t.Context(), request, secret, issuer.Shown{})
				f.do(err)
				device, err := f.StartDevice(t.Context(), issuer.DeviceRequest{ClientID: "client_web"})
				f.do(err)
				ask, err := f.FindDevice(t.Context(), secret, device.UserCode)
				f.do(err)
				f.do(f.AnswerDevice(t.Context(), secret, issuer.DeviceAnswer{Code: ask.Code, Subject: ask.Subject, Scope: ask.Scope, Allow: true}))

				end(f)
				if d, err := f.Authorize(t.Context(), request, secret, issuer.Shown{}); err != nil || d.Step != issuer.StepLogIn {
					t.Errorf("the browser is at step %d, %v", d.Step, err)
				}
				_, err = f.RedeemCode(t.Context(), redeem(before.Code))
				if !errors.Is(err, issuer.ErrInvalidGrant) {
					t.Errorf("the code: %v", err)
				}
				_, err = f.RedeemDevice(t.Context(), issuer.DeviceGrant{DeviceCode: device.DeviceCode, ClientID: "client_web"})
				if !errors.Is(err, issuer.ErrInvalidGrant) {
					t.Errorf("the device: %v", err)
				}
			})
		})
	}
}

// TestEverybodyIsSignedOutAtOnce: of browsers that get codes and trade them meanwhile none has a session left.
func TestEverybodyIsSignedOutAtOnce(t *testing.T) {
	c, request, redeem := browsing()
	f := newFixture(t, c)
	secrets := make([]string, 8)
	for n := range secrets {
		var err error
		secrets[n], _, err = f.SignIn(t.Context(), issuer.Proof{Subject: "ann", AMR: []string{"pwd"}}, "")
		f.do(err)
	}
	var all sync.WaitGroup
	for _, secret := range secrets {
		all.Go(func() {
			d, err := f.Authorize(t.Context(), request, secret, issuer.Shown{})
			if err == nil && d.Step == issuer.StepAnswer {
				_, err = f.RedeemCode(t.Context(), redeem(d.Code))
			}
			if err != nil && !errors.Is(err, issuer.ErrInvalidGrant) && !errors.Is(err, issuer.ErrBusy) { // the fixture's clock stands still
				t.Error(err)
			}
		})
	}
	all.Go(func() {
		if err := f.RevokeEverything(t.Context()); err != nil {
			t.Error(err)
		}
	})
	all.Wait()
	if live, _, err := f.SessionsOf(t.Context(), "ann", "", 100); err != nil || len(live) > 0 {
		t.Errorf("%d sessions are left, %v", len(live), err)
	}
}
