package oauth_test

import (
	"net/url"
	"testing"

	"github.com/jot-auth/jot/jothttp"
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

// TestBoundDevice: the session of a device that proves a key is bound to it, as any public client's; a proof that is no good burns nothing.
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

// TestBoundUserInfo: a bound token opens it with a proof of its key for this very request, once; a bearer token needs none.
func TestBoundUserInfo(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	start := f.television(issuer.Client{ID: "client_tv"})
	holder, thief := f.prover(), f.prover()
	bound := f.ask(start(), holder.proof()).members(t)["access_token"].(string)
	plain := f.ask(start()).members(t)["access_token"].(string)
	proof := func(p *prover, change func(*jothttp.ProofTarget)) string {
		target := jothttp.ProofTarget{Method: "GET", URL: "https://auth.example.com/userinfo", AccessToken: bound, Nonce: p.nonce}
		if change != nil {
			change(&target)
		}
		signed, err := p.Sign(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	used := proof(holder, nil)
	for name, c := range map[string]struct {
		scheme, token, proof string
		status               int
	}{
		"as a bearer token":             {"Bearer", bound, proof(holder, nil), 401},
		"no proof":                      {"DPoP", bound, "", 401},
		"another key":                   {"DPoP", bound, proof(thief, nil), 401},
		"another method":                {"DPoP", bound, proof(holder, func(t *jothttp.ProofTarget) { t.Method = "POST" }), 401},
		"another address":               {"DPoP", bound, proof(holder, func(t *jothttp.ProofTarget) { t.URL = tokenURL }), 401},
		"another server":                {"DPoP", bound, proof(holder, func(t *jothttp.ProofTarget) { t.URL = "https://other.example.com/userinfo" }), 401},
		"another token":                 {"DPoP", bound, proof(holder, func(t *jothttp.ProofTarget) { t.AccessToken = plain }), 401},
		"no token":                      {"DPoP", bound, proof(holder, func(t *jothttp.ProofTarget) { t.AccessToken = "" }), 401},
		"no nonce":                      {"DPoP", bound, proof(holder, func(t *jothttp.ProofTarget) { t.Nonce = "" }), 401},
		"stale nonce":                   {"DPoP", bound, proof(holder, func(t *jothttp.ProofTarget) { t.Nonce = "AAAA" }), 401},
		"a bearer token as a bound one": {"DPoP", plain, proof(holder, func(t *jothttp.ProofTarget) { t.AccessToken = plain }), 401},
		"a bearer token":                {"Bearer", plain, "", 200},
	} {
		headers := []string{"Authorization", c.scheme + " " + c.token}
		if c.proof != "" {
			headers = append(headers, "DPoP", c.proof)
		}
		a := f.call("GET", "/userinfo", "", nil, headers...)
		if a.status != c.status || a.header.Get("Cache-Control") != "no-store" || (a.status == 401) != (len(a.header.Values("WWW-Authenticate")) > 0) {
			t.Errorf("%s: %d %v", name, a.status, a.header)
		}
		if name == "no nonce" && a.header.Get("DPoP-Nonce") == "" {
			t.Errorf("%s: %v", name, a.header)
		}
	}
	for _, want := range []int{200, 401} {
		if a := f.call("GET", "/userinfo", "", nil, "Authorization", "DPoP "+bound, "DPoP", used); a.status != want {
			t.Errorf("%d %s, want %d", a.status, a.body, want)
		}
	}
}
