package issuer_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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

// TestEverybodyIsSignedOut: after what ends everything no browser that was signed in gets to a session without a login,
// no code of before is good, and neither is a device that somebody had allowed.
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

// TestEverybodyIsSignedOutHoweverMany: what one transaction doesn't forget of sign-ins, codes and devices, the next
// ones do.
func TestEverybodyIsSignedOutHoweverMany(t *testing.T) {
	everything := func(f *fixture) error { return f.RevokeEverything(f.Context()) }
	client := func(id string) func(*fixture) error {
		return func(f *fixture) error { return f.RevokeClient(f.Context(), id) }
	}
	for _, test := range []struct {
		name           string
		end            func(*fixture) error
		codes, devices int
		want           [3]int // sign-ins, codes and devices that are left
	}{
		{"everything, many sign-ins", everything, 501, 1, [3]int{0, 0, 0}},
		{"everything, many devices", everything, 1, 501, [3]int{0, 0, 0}},
		{"a client's, many codes", client("client_web"), 501, 1, [3]int{501, 0, 0}},
		{"a client's, many devices", client("client_web"), 1, 501, [3]int{1, 0, 0}},
		{"another client's", client("client_guest"), 2, 3, [3]int{2, 2, 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, _, _ := browsing()
			f := newFixture(t, c)
			f.insertLeads(test.codes, test.devices)
			f.do(test.end(f))
			if got := f.leadsLeft(test.codes); got != test.want {
				t.Errorf("%v sign-ins, codes and devices are left, want %v", got, test.want)
			}
		})
	}
}

// insertLeads stores as many sign-ins of ann's, each with a code for client_web, and as many devices that she has
// allowed.
func (f *fixture) insertLeads(codes, devices int) {
	f.Helper()
	now := f.clock.Now()
	f.do(f.store.Update(f.Context(), func(tx issuer.Tx) (err error) {
		for n := range codes {
			id := fmt.Sprint("sign-in ", n)
			err = errors.Join(err, tx.InsertSignIn(issuer.SignIn{ID: id, Hash: id, Subject: "ann", Generation: 1, AuthTime: now, Expires: now.Add(time.Hour)}), tx.InsertCode(issuer.Code{
				Hash: fmt.Sprint("code ", n), ClientID: "client_web", RedirectURI: callback, SignIn: id, Resource: "petstore", Issued: now, Expires: now.Add(time.Minute),
			}))
		}
		for n := range devices {
			err = errors.Join(err, tx.InsertDeviceCode(issuer.DeviceCode{
				Hash: fmt.Sprint("device ", n), UserHash: fmt.Sprint("user ", n), ClientID: "client_web", Resource: "petstore", Issued: now, Expires: now.Add(time.Minute),
				Decision: issuer.DeviceAllowed, Subject: "ann", Generation: 1,
			}))
		}
		return err
	}))
}

// leadsLeft counts what is left of the sign-ins, codes and devices of insertLeads. Without its sign-in no code is good.
func (f *fixture) leadsLeft(codes int) (left [3]int) {
	f.Helper()
	f.do(f.store.View(f.Context(), func(r issuer.Reader) (err error) {
		for n := range codes {
			_, signIn := r.SignIn(fmt.Sprint("sign-in ", n))
			_, code := r.Code(fmt.Sprint("code ", n))
			if signIn == nil {
				left[0]++
			}
			if signIn == nil && code == nil {
				left[1]++
			}
		}
		left[2], err = r.CountDeviceCodes("client_web", f.clock.Now())
		return err
	}))
	return left
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
