package issuer_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// leads are codes of client_web and of devices of it, which ann has allowed, and what trades them.
type leads struct {
	codes, devices []string
	trade          func(code string) (issuer.Tokens, error)
	tradeDevice    func(code string) (issuer.Tokens, error)
}

// newLeads makes as many codes, and as many of devices, from one browser.
func newLeads(t *testing.T, i *issuer.Issuer, secret string, count int) *leads {
	t.Helper()
	_, request, redeem := browsing()
	l := &leads{
		trade: func(code string) (issuer.Tokens, error) { return i.RedeemCode(t.Context(), redeem(code)) },
		tradeDevice: func(code string) (issuer.Tokens, error) {
			return i.RedeemDevice(t.Context(), issuer.DeviceGrant{DeviceCode: code, ClientID: "client_web"})
		},
	}
	for range count {
		d, err1 := i.Authorize(t.Context(), request, secret, issuer.Shown{})
		device, err2 := i.StartDevice(t.Context(), issuer.DeviceRequest{ClientID: "client_web"})
		ask, err3 := i.FindDevice(t.Context(), secret, device.UserCode)
		err4 := i.AnswerDevice(t.Context(), secret, issuer.DeviceAnswer{Code: ask.Code, Subject: ask.Subject, Scope: ask.Scope, Allow: true})
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
		l.codes, l.devices = append(l.codes, d.Code), append(l.devices, device.DeviceCode)
	}
	return l
}

// TestRevokedClientHasNoCodes: after a client's revocation no code of before gives it tokens, and neither does a device
// that somebody had allowed, or that waits. Who is signed in stays so, and other clients keep what they have.
func TestRevokedClientHasNoCodes(t *testing.T) {
	c, _, _ := browsing()
	f := newFixture(t, c)
	secret, _, err := f.SignIn(t.Context(), issuer.Proof{Subject: "ann", AMR: []string{"pwd"}}, "")
	f.do(err)
	before := newLeads(t, f.Issuer, secret, 1)
	waiting, err := f.StartDevice(t.Context(), issuer.DeviceRequest{ClientID: "client_web"})
	f.do(err)

	f.do(f.RevokeClient(t.Context(), "client_guest"))
	if _, err := f.FindDevice(t.Context(), secret, waiting.UserCode); err != nil {
		t.Errorf("a device, after another client's revocation: %v", err)
	}
	f.do(f.RevokeClient(t.Context(), "client_web"))
	if _, err := before.trade(before.codes[0]); !errors.Is(err, issuer.ErrInvalidGrant) {
		t.Errorf("the code: %v", err)
	}
	if _, err := before.tradeDevice(before.devices[0]); !errors.Is(err, issuer.ErrInvalidGrant) {
		t.Errorf("the device: %v", err)
	}
	if _, err := f.FindDevice(t.Context(), secret, waiting.UserCode); !errors.Is(err, issuer.ErrUserCode) {
		t.Errorf("the device that waits: %v", err)
	}

	f.clock.Advance(2 * time.Second) // the rule is about whole seconds
	after := newLeads(t, f.Issuer, secret, 1)
	for _, trade := range []func() (issuer.Tokens, error){
		func() (issuer.Tokens, error) { return after.trade(after.codes[0]) },
		func() (issuer.Tokens, error) { return after.tradeDevice(after.devices[0]) },
	} {
		tokens, err := trade()
		f.do(err)
		f.accept(tokens.Access)
	}
}

// TestCodesWhileClientIsRevoked: of codes that are traded meanwhile none leaves the client a session or a token.
func TestCodesWhileClientIsRevoked(t *testing.T) {
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	tradeWhileRevoked(t, store)
}

func tradeWhileRevoked(t *testing.T, store issuer.Store) {
	t.Helper()
	c, _, _ := browsing()
	i, err := issuer.New(t.Context(), store, c)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if err := i.CreateSubject(t.Context(), issuer.Subject{ID: "ann"}); err != nil {
		t.Fatal(err)
	}
	secret, _, err := i.SignIn(t.Context(), issuer.Proof{Subject: "ann", AMR: []string{"pwd"}}, "")
	if err != nil {
		t.Fatal(err)
	}
	before := newLeads(t, i, secret, 8)
	var all sync.WaitGroup
	got := make(chan string, 16)
	at := func(trade func(string) (issuer.Tokens, error), code string) {
		all.Go(func() {
			tokens, err := trade(code)
			if err == nil {
				got <- tokens.Access
			} else if !errors.Is(err, issuer.ErrInvalidGrant) {
				t.Error(err)
			}
		})
	}
	for n := range before.codes {
		at(before.trade, before.codes[n])
		at(before.tradeDevice, before.devices[n])
	}
	if err := i.RevokeClient(t.Context(), "client_web"); err != nil {
		t.Error(err)
	}
	all.Wait()
	close(got)
	for access := range got {
		if err := i.Verifier().Check(t.Context(), access); !errors.Is(err, jot.ErrRevoked) {
			t.Errorf("a token: %v", err)
		}
	}
	if live, _, err := i.SessionsOf(t.Context(), "ann", "", 100); err != nil || len(live) > 0 {
		t.Errorf("%d sessions are left, %v", len(live), err)
	}
}
