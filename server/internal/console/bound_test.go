package console_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/issuer"
)

// holder is a client's key.
type holder struct {
	*jothttp.ProofSigner
	f *fixture
}

func (f *fixture) holder() holder {
	f.Helper()
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		f.Fatal(err)
	}
	signer, err := jothttp.NewProofSigner(key, nil)
	if err != nil {
		f.Fatal(err)
	}
	return holder{signer, f}
}

func (h holder) proof(nonce string) string {
	h.f.Helper()
	proof, err := h.Sign(h.f.Context(), jothttp.ProofTarget{Method: "POST", URL: issuerURL + "/oauth2/token", Nonce: nonce})
	if err != nil {
		h.f.Fatal(err)
	}
	return proof
}

// fresh is a proof with a good nonce.
func (h holder) fresh() string { return h.proof(h.f.issuer.DPoPNonce()) }

// prove asks the token endpoint, with these proofs and a form of name, value, ….
func (f *fixture) prove(proofs []string, form ...string) (int, map[string]any) {
	f.Helper()
	values := url.Values{}
	for n := 0; n < len(form); n += 2 {
		values.Set(form[n], form[n+1])
	}
	r, err := http.NewRequestWithContext(f.Context(), http.MethodPost, f.server.URL+"/base/oauth2/token", strings.NewReader(values.Encode()))
	if err != nil {
		f.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header["Dpop"] = proofs
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		f.Fatal(err)
	}
	defer response.Body.Close()
	var members map[string]any
	if err := json.NewDecoder(response.Body).Decode(&members); err != nil {
		f.Error(err)
	}
	return response.StatusCode, members
}

func redeeming(client, code string, more ...string) []string {
	return append([]string{"grant_type", "authorization_code", "client_id", client, "code", code, "redirect_uri", callback, "code_verifier", verifier}, more...)
}

func refreshing(client string, tokens map[string]any, more ...string) []string {
	return append([]string{"grant_type", "refresh_token", "client_id", client, "refresh_token", tokens["refresh_token"].(string)}, more...)
}

// wantBound: the access token is bound to a key; "" is none.
func (f *fixture) wantBound(status int, members map[string]any, thumbprint string) {
	f.Helper()
	if status != 200 {
		f.Fatalf("%d %v", status, members)
	}
	token, err := f.issuer.Verifier().Verify(f.Context(), members["access_token"].(string))
	if err != nil {
		f.Fatal(err)
	}
	got, bound := token.Confirmation()
	if got != thumbprint || bound != (thumbprint != "") || (members["token_type"] == "DPoP") != bound {
		f.Errorf("%v token for %q, %v; want %q", members["token_type"], got, bound, thumbprint)
	}
}

// TestBoundCode: a public client's code that was traded with a proof begins a session that is nobody's without the key.
func TestBoundCode(t *testing.T) {
	f := serve(t)
	b, mine, thief := f.browser(), f.holder(), f.holder()
	code := b.logIn(b.authorize("scope", "openid pets:read")).code(t)
	for name, c := range map[string]struct {
		proofs []string
		error  string
	}{
		"no nonce":        {[]string{mine.proof("")}, "use_dpop_nonce"},
		"a forged nonce":  {[]string{mine.proof(strings.Repeat("A", 34))}, "use_dpop_nonce"},
		"two proofs":      {[]string{mine.fresh(), mine.fresh()}, "invalid_dpop_proof"},
		"no proof at all": {[]string{"x"}, "invalid_dpop_proof"},
		"an empty one":    {[]string{""}, "invalid_dpop_proof"},
	} {
		if status, members := f.prove(c.proofs, redeeming(app, code)...); status != 400 || members["error"] != c.error {
			t.Errorf("%s: %d %v", name, status, members)
		}
	}
	used := mine.fresh()
	status, tokens := f.prove([]string{used}, redeeming(app, code)...)
	f.wantBound(status, tokens, mine.Thumbprint())
	if _, payload := claims(t, tokens["id_token"]); payload["cnf"] != nil {
		t.Errorf("an ID token that is bound: %v", payload)
	}
	for name, proofs := range map[string][]string{"no proof": nil, "a thief's proof": {thief.fresh()}} {
		if status, members := f.prove(proofs, refreshing(app, tokens)...); status != 400 || members["error"] != "invalid_grant" {
			t.Errorf("refresh with %s: %d %v", name, status, members)
		}
	}
	if status, members := f.prove([]string{used}, refreshing(app, tokens)...); status != 400 || members["error"] != "invalid_dpop_proof" {
		t.Errorf("refresh with the proof of the code: %d %v", status, members)
	}
	status, tokens = f.prove([]string{mine.fresh()}, refreshing(app, tokens)...)
	f.wantBound(status, tokens, mine.Thumbprint())

	// Whoever has the code, and a key of their own, ends the session and gets none.
	if status, members := f.prove([]string{thief.fresh()}, redeeming(app, code)...); status != 400 || members["error"] != "invalid_grant" {
		t.Errorf("the code again: %d %v", status, members)
	}
	if status, members := f.prove([]string{mine.fresh()}, refreshing(app, tokens)...); status != 400 || members["error"] != "invalid_grant" {
		t.Errorf("after the code came again: %d %v", status, members)
	}
}

// TestUnboundCode: a session that began without a key isn't bound later.
func TestUnboundCode(t *testing.T) {
	f := serve(t)
	b, thief := f.browser(), f.holder()
	tokens := f.tokens(b.logIn(b.authorize()).code(t))
	if status, members := f.prove([]string{thief.fresh()}, refreshing(app, tokens)...); status != 400 || members["error"] != "invalid_grant" {
		t.Errorf("bound late: %d %v", status, members)
	}
	status, tokens := f.prove(nil, refreshing(app, tokens)...)
	f.wantBound(status, tokens, "")
}

// TestBoundCodeOfBackend: a client that proves who it is may change its key from token to token.
func TestBoundCodeOfBackend(t *testing.T) {
	f := serve(t)
	b, one, two := f.browser(), f.holder(), f.holder()
	code := b.logIn(b.authorize("client_id", backend)).code(t)
	if status, members := f.prove([]string{one.fresh()}, redeeming(backend, code)...); status != 400 || members["error"] != "invalid_client" {
		t.Errorf("a proof in the place of the secret: %d %v", status, members)
	}
	status, tokens := f.prove([]string{one.fresh()}, redeeming(backend, code, "client_secret", f.secret)...)
	f.wantBound(status, tokens, one.Thumbprint())
	status, tokens = f.prove([]string{two.fresh()}, refreshing(backend, tokens, "client_secret", f.secret)...)
	f.wantBound(status, tokens, two.Thumbprint())
}

// TestCodeOfClientThatRequiresDPoP: without a proof it gets nothing, and its code stays good.
func TestCodeOfClientThatRequiresDPoP(t *testing.T) {
	f := serve(t)
	const strict = "client_strict"
	err := f.issuer.CreateClient(t.Context(), issuer.Client{ID: strict, Scopes: []string{"pets:read"}, FirstParty: true, RedirectURIs: []string{callback}, RequireDPoP: true})
	if err != nil {
		t.Fatal(err)
	}
	b, mine := f.browser(), f.holder()
	code := b.logIn(b.authorize("client_id", strict, "scope", "pets:read")).code(t)
	if status, members := f.prove(nil, redeeming(strict, code)...); status != 400 || members["error"] != "invalid_dpop_proof" {
		t.Errorf("no proof: %d %v", status, members)
	}
	status, tokens := f.prove([]string{mine.fresh()}, redeeming(strict, code)...)
	f.wantBound(status, tokens, mine.Thumbprint())
	if status, members := f.prove(nil, refreshing(strict, tokens)...); status != 400 || members["error"] != "invalid_grant" {
		t.Errorf("a refresh without a proof: %d %v", status, members)
	}
}
