package oauth_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/issuer"
)

const tokenURL = "https://auth.example.com/oauth2/token"

// prover makes proofs for the token endpoint.
type prover struct {
	*jothttp.ProofSigner
	f     *fixture
	key   *jot.PrivateKey
	nonce string
}

func (f *fixture) prover() *prover {
	f.t.Helper()
	key := newKey(f.t, jot.ES256)
	signer, err := jothttp.NewProofSigner(key, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return &prover{signer, f, key, f.issuer.DPoPNonce()}
}

func (p *prover) proof() string {
	p.f.t.Helper()
	proof, err := p.Sign(p.f.t.Context(), jothttp.ProofTarget{Method: "POST", URL: tokenURL, Nonce: p.nonce})
	if err != nil {
		p.f.t.Fatal(err)
	}
	return proof
}

func (p *prover) header() claims {
	text, err := p.key.Public().MarshalJSON()
	if err != nil {
		p.f.t.Fatal(err)
	}
	return claims{"typ": "dpop+jwt", "alg": "ES256", "jwk": json.RawMessage(text)}
}

func (p *prover) claims() claims {
	return claims{"htm": "POST", "htu": tokenURL, "iat": time.Now().Unix(), "jti": newID(), "nonce": p.nonce}
}

// ask asks for tokens, with these proofs.
func (f *fixture) ask(form string, proofs ...string) answer {
	f.t.Helper()
	var headers []string
	for _, proof := range proofs {
		headers = append(headers, "DPoP", proof)
	}
	return f.token(form, headers...)
}

func refreshing(token, client string, more ...string) string {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {client}}
	for n := 0; n < len(more); n += 2 {
		form.Set(more[n], more[n+1])
	}
	return form.Encode()
}

// bound begins a session of the public client that is bound to a key.
func (f *fixture) bound(p *prover) issuer.Tokens {
	f.t.Helper()
	tokens, err := f.issuer.Issue(f.t.Context(), issuer.Grant{Subject: f.tokens().Subject, ClientID: app, KeyThumbprint: p.Thumbprint()})
	if err != nil {
		f.t.Fatal(err)
	}
	return tokens
}

// at is the same at another time, as far as its issuer's own clock knows.
func (f *fixture) at(now time.Time) *fixture {
	f.t.Helper()
	c := f.config
	c.Now = func() time.Time { return now }
	return serveOver(f.t, f.store, c)
}

// A nonce is good for a while after the next one has come, which the answer tells, and no longer (RFC 9449 §8.2).
func TestNextNonce(t *testing.T) {
	began := time.Now()
	f := serve(t, "https://auth.example.com").at(began)
	holder := f.prover()
	tokens := f.bound(holder)
	for _, c := range []struct {
		after  time.Duration
		status int
		told   bool
	}{{0, 200, false}, {3 * time.Minute, 200, true}, {6 * time.Minute, 400, true}} {
		later := f.at(began.Add(c.after))
		a, want := later.ask(refreshing(tokens.Refresh, app), holder.proof()), ""
		if c.told {
			want = later.issuer.DPoPNonce()
		}
		if got := a.header.Get("DPoP-Nonce"); a.status != c.status || got != want {
			t.Errorf("after %s: %d with the nonce %q, want %d with %q", c.after, a.status, got, c.status, want)
		}
		if a.status == 200 {
			tokens.Refresh = a.members(t)["refresh_token"].(string)
		}
	}
}

func TestBoundRefresh(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	holder, thief := f.prover(), f.prover()
	tokens := f.bound(holder)
	for range 2 {
		a := f.ask(refreshing(tokens.Refresh, app), holder.proof())
		members := a.members(t)
		if a.status != 200 || members["token_type"] != "DPoP" || a.header.Get("DPoP-Nonce") == holder.nonce {
			t.Fatalf("%d %v %s", a.status, a.header, a.body)
		}
		token, err := f.verify(members["access_token"].(string))
		if err != nil {
			t.Fatal(err)
		}
		if thumbprint, bound := token.Confirmation(); thumbprint != holder.Thumbprint() || !bound {
			t.Errorf("bound to %q", thumbprint)
		}
		tokens.Access, tokens.Refresh = members["access_token"].(string), members["refresh_token"].(string)
	}
	// A refresh token without its key gains nothing, and changes nothing.
	f.ask(refreshing(tokens.Refresh, app), thief.proof()).wantError(t, 400, "invalid_grant")
	f.ask(refreshing(tokens.Refresh, app)).wantError(t, 400, "invalid_grant")
	if a := f.ask(refreshing(tokens.Refresh, app), holder.proof()); a.status != 200 {
		t.Errorf("the holder, afterwards: %d %s", a.status, a.body)
	}

	// A session that isn't bound can't be by whoever has its refresh token.
	plain := f.tokens()
	f.ask(refreshing(plain.Refresh, app), thief.proof()).wantError(t, 400, "invalid_grant")
	if a := f.ask(refreshing(plain.Refresh, app)); a.status != 200 || a.members(t)["token_type"] != "Bearer" {
		t.Errorf("unbound: %d %s", a.status, a.body)
	}

	// What is known of a bound token says to which key.
	secret := f.storing(issuer.Client{ID: "client_petstore", Resources: []string{"petstore"}})
	members := f.introspect(tokens.Access, "client_petstore", secret).members(t)
	if confirmation, _ := members["cnf"].(map[string]any); members["token_type"] != "DPoP" || confirmation["jkt"] != holder.Thumbprint() {
		t.Errorf("%v", members)
	}
}

// TestConfidentialProofs: a client that proves who it is may change its key.
func TestConfidentialProofs(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	secret, one, two := f.confidential(robot), f.prover(), f.prover()
	session, err := f.issuer.Issue(t.Context(), issuer.Grant{Subject: f.tokens().Subject, ClientID: robot, KeyThumbprint: one.Thumbprint()})
	if err != nil {
		t.Fatal(err)
	}
	refresh := session.Refresh
	for _, c := range []struct {
		proofs []string
		kind   string
	}{{[]string{one.proof()}, "DPoP"}, {[]string{two.proof()}, "DPoP"}, {nil, "Bearer"}} {
		a := f.ask(refreshing(refresh, robot, "client_secret", secret), c.proofs...)
		members := a.members(t)
		if a.status != 200 || members["token_type"] != c.kind {
			t.Fatalf("%d %s", a.status, a.body)
		}
		refresh = members["refresh_token"].(string)
	}
	a := f.ask("grant_type=client_credentials&client_id="+robot+"&client_secret="+secret, one.proof())
	token, err := f.verify(a.members(t)["access_token"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if thumbprint, _ := token.Confirmation(); thumbprint != one.Thumbprint() {
		t.Errorf("bound to %q", thumbprint)
	}
}

// TestRequireDPoP: a client that is to prove its key gets no bearer token, by whichever way.
func TestRequireDPoP(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	const bank = "client_bank"
	secret := f.storing(issuer.Client{ID: bank, Scopes: []string{"pets:read"}, RequireDPoP: true})
	own := "grant_type=client_credentials&client_id=" + bank + "&client_secret=" + secret
	f.ask(own).wantError(t, 400, "invalid_dpop_proof")
	if a := f.ask(own, f.prover().proof()); a.status != 200 || a.members(t)["token_type"] != "DPoP" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if _, err := f.issuer.Issue(t.Context(), issuer.Grant{Subject: f.tokens().Subject, ClientID: bank}); err == nil {
		t.Error("a session without a key")
	}
}

// TestProofBadInput has a row for each thing that RFC 9449 has the token endpoint check. The refresh token stays good,
// and so does the proof of a request that fails.
func TestProofBadInput(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	p, thief := f.prover(), f.prover()
	tokens := f.bound(p)
	claim := func(name string, value any) []string {
		return []string{forged(t, p.key, p.header(), p.claims().with(name, value))}
	}
	header := func(name string, value any) []string {
		return []string{forged(t, p.key, p.header().with(name, value), p.claims())}
	}
	private, err := p.key.ExportJWK()
	if err != nil {
		t.Fatal(err)
	}
	curve, err := newKey(t, jot.ES384).Public().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	const bad, stale = "invalid_dpop_proof", "use_dpop_nonce"
	for name, c := range map[string]struct {
		proofs []string
		code   string
	}{
		"two proofs":             {[]string{p.proof(), p.proof()}, bad},
		"two in one header":      {[]string{p.proof() + ", " + p.proof()}, bad},
		"empty":                  {[]string{""}, bad},
		"not a JWT":              {[]string{marker}, bad},
		"5 KiB":                  {claim("more", strings.Repeat("a", 5<<10)), bad},
		"no jti":                 {claim("jti", nil), bad},
		"a jti that is a number": {claim("jti", 1), bad},
		"a long jti":             {claim("jti", strings.Repeat("a", 256)), bad},
		"an empty jti":           {claim("jti", ""), bad},
		"no method":              {claim("htm", nil), bad},
		"a method in small":      {claim("htm", "post"), bad},
		"a method that's a list": {claim("htm", []string{"POST"}), bad},
		"no address":             {claim("htu", nil), bad},
		"an address over HTTP":   {claim("htu", "http://auth.example.com/oauth2/token"), bad},
		"another port":           {claim("htu", "https://auth.example.com:8443/oauth2/token"), bad},
		"a path alone":           {claim("htu", "/oauth2/token"), bad},
		"an iat that is a text":  {claim("iat", now.Format(time.RFC3339)), bad},
		"a nonce that's a list":  {claim("nonce", []string{p.nonce}), stale},
		"no typ":                 {header("typ", nil), bad},
		"no alg":                 {header("alg", nil), bad},
		"a critical extension":   {header("crit", []string{"more"}), bad},
		"a key of another curve": {header("jwk", json.RawMessage(curve)), bad},
		"a weak key":             {header("jwk", claims{"kty": "RSA", "e": "AQAB", "n": strings.Repeat("w", 171)}), bad},
		"another method":         {claim("htm", "GET"), bad},
		"another address":        {claim("htu", "https://evil.example/oauth2/token"), bad},
		"the issuer":             {claim("htu", "https://auth.example.com"), bad},
		"the listener's address": {claim("htu", f.server.URL+"/oauth2/token"), bad},
		"another endpoint":       {claim("htu", "https://auth.example.com/oauth2/revoke"), bad},
		"old":                    {claim("iat", now.Add(-2*time.Minute).Unix()), bad},
		"from the future":        {claim("iat", now.Add(time.Minute).Unix()), bad},
		"no iat":                 {claim("iat", nil), bad},
		"no nonce":               {claim("nonce", nil), stale},
		"a made-up nonce":        {claim("nonce", marker), stale},
		"a nonce with a newline": {claim("nonce", p.nonce+"\n"), stale},
		"a nonce that's altered": {claim("nonce", p.nonce[:len(p.nonce)-4]+"AAAA"), stale},
		"a longer nonce":         {claim("nonce", p.nonce+"AAAA"), stale},
		"another typ":            {header("typ", "JWT"), bad},
		"alg none":               {header("alg", "none"), bad},
		"another alg":            {header("alg", "ES384"), bad},
		"a symmetric alg":        {header("alg", "HS256"), bad},
		"a private key":          {header("jwk", json.RawMessage(private)), bad},
		"a secret key":           {header("jwk", claims{"kty": "oct", "k": strings.Repeat("A", 43)}), bad},
		"no key":                 {header("jwk", nil), bad},
		"another's signature":    {[]string{forged(t, thief.key, p.header(), p.claims())}, bad},
		"an access token":        {[]string{tokens.Access}, bad},
	} {
		t.Run(name, func(t *testing.T) {
			a := f.ask(refreshing(tokens.Refresh, app), c.proofs...)
			a.wantError(t, 400, c.code)
			nonce := a.header.Get("DPoP-Nonce") // which may have changed since
			if (nonce != "") != (c.code == stale) || nonce != "" && !f.issuer.CheckDPoPNonce(nonce) || strings.Contains(a.body, marker) {
				t.Errorf("%v %s", a.header, a.body)
			}
		})
	}
	proof := p.proof()
	f.ask(refreshing(tokens.Refresh, app, "scope", "more"), proof).wantError(t, 400, "invalid_scope")
	if a := f.ask(refreshing(tokens.Refresh, app), proof); a.status != 200 {
		t.Fatalf("bad input used something up: %d %s", a.status, a.body)
	}
	f.ask(refreshing(tokens.Refresh, app), proof).wantError(t, 400, bad)
	if log := f.log.Take(); log != "" {
		t.Errorf("bad input reached the log: %s", log)
	}
}
