package oauth_test

import (
	"net/url"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

// television stores a client for devices, and returns how its devices ask for their tokens.
func (f *fixture) television(c issuer.Client) (start func() (poll string)) {
	f.t.Helper()
	c.Scopes, c.DeviceGrant = []string{"pets:read"}, true
	if err := f.issuer.CreateClient(f.t.Context(), c); err != nil {
		f.t.Fatal(err)
	}
	secret, _, err := f.issuer.SignIn(f.t.Context(), issuer.Proof{Subject: f.tokens().Subject, AMR: []string{"pwd"}}, "")
	if err != nil {
		f.t.Fatal(err)
	}
	return func() string {
		begun, err := f.issuer.StartDevice(f.t.Context(), issuer.DeviceRequest{ClientID: c.ID, Scope: []string{"openid", "pets:read"}})
		if err != nil {
			f.t.Fatal(err)
		}
		ask, err := f.issuer.FindDevice(f.t.Context(), secret, begun.UserCode)
		if err == nil {
			err = f.issuer.AnswerDevice(f.t.Context(), secret, issuer.DeviceAnswer{Code: ask.Code, Subject: ask.Subject, Scope: ask.Scope, Allow: true})
		}
		if err != nil {
			f.t.Fatal(err)
		}
		return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {c.ID}, "device_code": {begun.DeviceCode}}.Encode()
	}
}

// TestBoundDevice: the session of a device that proves a key is bound to it, as any public client's; a proof that is no
// good burns nothing.
func TestBoundDevice(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	start := f.television(issuer.Client{ID: "client_tv", RequireDPoP: true})
	holder, thief := f.prover(), f.prover()
	poll := start()
	f.ask(poll).wantError(t, 400, "invalid_dpop_proof") // the client demands one
	f.ask(poll, "x").wantError(t, 400, "invalid_dpop_proof")
	a := f.ask(poll, holder.proof())
	members := a.members(t)
	token, err := f.verify(members["access_token"].(string))
	if err != nil || a.status != 200 || members["token_type"] != "DPoP" {
		t.Fatalf("%d %s, %v", a.status, a.body, err)
	}
	if thumbprint, _ := token.Confirmation(); thumbprint != holder.Thumbprint() {
		t.Errorf("bound to %q", thumbprint)
	}
	refresh := members["refresh_token"].(string)
	f.ask(refreshing(refresh, "client_tv"), thief.proof()).wantError(t, 400, "invalid_grant")
	f.ask(refreshing(refresh, "client_tv")).wantError(t, 400, "invalid_grant")
	if a := f.ask(refreshing(refresh, "client_tv"), holder.proof()); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
}
