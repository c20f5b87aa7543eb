package oauth_test

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

const (
	exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"
	accessType    = "urn:ietf:params:oauth:token-type:access_token"
)

// exchange trades a token as a client; more replaces parameters, "" takes one away.
func (f *fixture) exchange(token, client, secret string, more ...string) answer {
	f.t.Helper()
	form := url.Values{"grant_type": {exchangeGrant}, "subject_token": {token}, "subject_token_type": {accessType}, "client_id": {client}, "client_secret": {secret}}
	for n := 0; n < len(more); n += 2 {
		if form.Set(more[n], more[n+1]); more[n+1] == "" {
			form.Del(more[n])
		}
	}
	return f.token(form.Encode())
}

// gateway stores a client that may exchange tokens for the petstore for ones for the zoo.
func (f *fixture) gateway(id string, resources ...string) string {
	f.t.Helper()
	return f.storing(issuer.Client{ID: id, Scopes: []string{"pets:read", "pets:write"}, Resources: resources, ExchangeFrom: []string{"petstore", "zoo"}})
}

func TestExchange(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	const gateway = "client_gateway"
	secret := f.gateway(gateway, "zoo", "petstore")
	tokens := f.tokens()
	given, err := f.verify(tokens.Access)
	if err != nil {
		t.Fatal(err)
	}
	a := f.exchange(tokens.Access, gateway, secret, "audience", "zoo", "resource", "zoo", "requested_token_type", accessType)
	members := a.members(t)
	if a.status != 200 || len(members) != 5 || members["issued_token_type"] != accessType || members["token_type"] != "Bearer" || members["scope"] != "pets:read" ||
		a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	token, err := f.verify(members["access_token"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if token.Subject() != given.Subject() || token.SessionID() != given.SessionID() || token.ClientID() != gateway || !token.HasAudience("zoo") ||
		token.Expires().After(given.Expires()) || token.AuthTime() != given.AuthTime() || token.ID() == given.ID() {
		t.Errorf("%s", token.Payload())
	}
	if got := actors(t, token); got != "{client_gateway}" {
		t.Errorf("actors %s", got)
	}

	// The session's end is the end of what it was exchanged for.
	if err := f.issuer.EndSession(t.Context(), tokens.Subject, tokens.SessionID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.verify(members["access_token"].(string)); err == nil {
		t.Error("the exchanged token outlived the session")
	}
	f.exchange(tokens.Access, gateway, secret).wantError(t, 400, "invalid_request")

	// A token of a client that acts for itself is exchanged too, and a bound one is made.
	own := f.token("grant_type=client_credentials&client_id=" + gateway + "&client_secret=" + secret + "&resource=petstore&scope=pets:read").members(t)["access_token"].(string)
	p := f.prover()
	form := url.Values{"grant_type": {exchangeGrant}, "subject_token": {own}, "subject_token_type": {"urn:ietf:params:oauth:token-type:jwt"}, "client_id": {gateway}, "client_secret": {secret}}
	a = f.ask(form.Encode(), p.proof())
	if token, err = f.verify(a.members(t)["access_token"].(string)); err != nil || token.Subject() != gateway || token.Scope() != "pets:read" {
		t.Fatalf("%d %s, %v", a.status, a.body, err)
	}
	if thumbprint, _ := token.Confirmation(); thumbprint != p.Thumbprint() || a.members(t)["token_type"] != "DPoP" {
		t.Errorf("bound to %q: %s", thumbprint, a.body)
	}
}

// actors is who acted, the last one first.
func actors(t *testing.T, token *jot.Token) string {
	t.Helper()
	type act struct {
		Sub string `json:"sub"`
		Act *act   `json:"act"`
	}
	var claims struct {
		Act *act `json:"act"`
	}
	if err := token.Decode(&claims); err != nil {
		t.Fatal(err)
	}
	var names []string
	for a := claims.Act; a != nil; a = a.Act {
		names = append(names, a.Sub)
	}
	return fmt.Sprintf("{%s}", strings.Join(names, " "))
}

// TestExchangeChain: each client is named, and the fifth is refused.
func TestExchangeChain(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	token := f.tokens().Access
	for n := range 5 {
		id := fmt.Sprint("client_", n)
		a := f.exchange(token, id, f.gateway(id, "petstore"))
		if n == 4 {
			a.wantError(t, 400, "invalid_request")
			continue
		}
		if a.status != 200 {
			t.Fatalf("%d: %d %s", n, a.status, a.body)
		}
		token = a.members(t)["access_token"].(string)
	}
	verified, err := f.verify(token)
	if err != nil || actors(t, verified) != "{client_3 client_2 client_1 client_0}" {
		t.Errorf("%s, %v", actors(t, verified), err)
	}
}

// TestExchangeLife: the new token ends with the old one.
func TestExchangeLife(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	f.storing(issuer.Client{ID: "client_short", Scopes: []string{"pets:read"}, AccessTTL: time.Minute})
	tokens, err := f.issuer.Issue(t.Context(), issuer.Grant{Subject: f.tokens().Subject, ClientID: "client_short"})
	if err != nil {
		t.Fatal(err)
	}
	a := f.exchange(tokens.Access, "client_gateway", f.gateway("client_gateway", "petstore"))
	if life, _ := a.members(t)["expires_in"].(float64); a.status != 200 || life < 1 || life > 60 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestExchangeEndsWithItsClient: whatever ends the tokens of the client that was logged in to ends what was got in
// exchange for them.
func TestExchangeEndsWithItsClient(t *testing.T) {
	for name, end := range map[string]func(*issuer.Issuer) error{
		"revoked": func(i *issuer.Issuer) error { return i.RevokeClient(t.Context(), "client_lost") },
		"deleted": func(i *issuer.Issuer) error { return i.DeleteClient(t.Context(), "client_lost") },
	} {
		f := serve(t, "https://auth.example.com")
		f.storing(issuer.Client{ID: "client_lost", Scopes: []string{"pets:read"}})
		one, two := f.gateway("client_one", "petstore"), f.gateway("client_two", "zoo")
		tokens, err := f.issuer.Issue(t.Context(), issuer.Grant{Subject: f.tokens().Subject, ClientID: "client_lost"})
		if err != nil {
			t.Fatal(err)
		}
		first := f.exchange(tokens.Access, "client_one", one).members(t)["access_token"].(string)
		second := f.exchange(first, "client_two", two).members(t)["access_token"].(string)
		bystander := f.tokens().Access
		if err := end(f.issuer); err != nil {
			t.Fatal(err)
		}
		for which, token := range map[string]string{"its own": tokens.Access, "exchanged": first, "exchanged again": second} {
			if _, err := f.verify(token); err == nil {
				t.Errorf("%s: the token that is %s is still good", name, which)
			}
		}
		if _, err := f.verify(bystander); err != nil {
			t.Errorf("%s: another client's token: %v", name, err)
		}
		if a := f.exchange(bystander, "client_one", one); a.status != 200 {
			t.Errorf("%s: the next exchange: %d %s", name, a.status, a.body)
		}
	}
}

// TestExchangeEndsWithItsClientAfterAll: what a client got while it could exchange ends with the client whose tokens it
// exchanged, though the permission was withdrawn since: by an administrator, or in the configuration, before a restart.
func TestExchangeEndsWithItsClientAfterAll(t *testing.T) {
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	secret, hash := issuer.NewClientSecret()
	open := func(from []string) *fixture {
		i, err := issuer.New(t.Context(), store, issuer.Config{
			URL: "https://auth.example.com", Resources: []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read"}}, {Audience: "zoo", Scopes: []string{"pets:read"}}},
			Clients: []issuer.Client{
				{ID: app, Scopes: []string{"pets:read"}, FirstParty: true},
				{ID: "client_declared", Scopes: []string{"pets:read"}, Resources: []string{"zoo"}, SecretHash: hash, ExchangeFrom: from},
				{ID: "client_never", Scopes: []string{"pets:read"}, Resources: []string{"zoo"}, SecretHash: hash},
			},
			KeyEncryptionKey: make([]byte, 32),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { i.Close() })
		f := mount(t, i, nil)
		f.issuer = i
		return f
	}
	f := open([]string{"petstore"})
	stored := f.gateway("client_stored", "zoo")
	tokens := f.tokens()
	exchanged := map[string]string{
		"stored":   f.exchange(tokens.Access, "client_stored", stored).members(t)["access_token"].(string),
		"declared": f.exchange(tokens.Access, "client_declared", secret).members(t)["access_token"].(string),
	}
	_, err = f.issuer.ChangeClient(t.Context(), "client_stored", func(c *issuer.Client) error {
		c.ExchangeFrom = nil
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	f = open(nil)
	bystander, err := f.issuer.IssueToClient(t.Context(), issuer.ClientGrant{Client: issuer.ClientProof{ID: "client_never", Secret: secret}})
	if err != nil {
		t.Fatal(err)
	}
	for which, token := range exchanged {
		if _, err := f.verify(token); err != nil {
			t.Errorf("%s: withdrawing the permission ends no token: %v", which, err)
		}
	}
	if err := f.issuer.RevokeClient(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	for which, token := range exchanged {
		if _, err := f.verify(token); err == nil {
			t.Errorf("%s: the exchanged token outlives the client whose token it was exchanged for", which)
		}
	}
	if _, err := f.verify(bystander.Access); err != nil {
		t.Errorf("a client that never could exchange loses its token: %v", err)
	}
}

// TestExchangedTokensAreRevokedAlone: however many a client gives back, the session that they are of stays.
func TestExchangedTokensAreRevokedAlone(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	const gateway = "client_gateway"
	secret, tokens := f.gateway(gateway, "petstore"), f.tokens()
	for range 10 {
		token := f.exchange(tokens.Access, gateway, secret).members(t)["access_token"].(string)
		if err := f.issuer.RevokeToken(t.Context(), token, gateway); err != nil {
			t.Fatal(err)
		}
		if _, err := f.verify(token); err == nil {
			t.Fatal("a revoked token is still good")
		}
	}
	if _, err := f.verify(tokens.Access); err != nil {
		t.Errorf("the token that was exchanged: %v", err)
	}
}

// TestExchangeGoesByTheSubjectOfNow: a scope that the subject lost is not to be had for a token of before, however good
// that still is.
func TestExchangeGoesByTheSubjectOfNow(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	const gateway = "client_gateway"
	secret := f.gateway(gateway, "zoo")
	tokens := f.tokens()
	if err := f.issuer.ChangeSubject(t.Context(), tokens.Subject, issuer.Change{Scope: []string{}, Soft: true}); err != nil {
		t.Fatal(err)
	}
	a := f.exchange(tokens.Access, gateway, secret)
	if scope := a.members(t)["scope"]; a.status != 200 || scope != nil && scope != "" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestExchangeBadInput has a row for each bad request that RFC 8693 names.
func TestExchangeBadInput(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	const gateway = "client_gateway"
	secret := f.gateway(gateway, "zoo")
	tokens := f.tokens()
	narrow, err := f.issuer.Issue(t.Context(), issuer.Grant{Subject: tokens.Subject, ClientID: other, Scope: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	revoked := f.tokens()
	if err := f.issuer.RevokeToken(t.Context(), revoked.Access, app); err != nil {
		t.Fatal(err)
	}
	admin := f.issuer.AdminAudience()
	loose := f.storing(issuer.Client{ID: "client_loose", Scopes: []string{"pets:read", issuer.ScopeAdmin}, ExchangeFrom: []string{"petstore", admin}})
	office := f.token("grant_type=client_credentials&client_id=client_loose&client_secret=" + loose + "&resource=" + url.QueryEscape(admin) + "&scope=" + issuer.ScopeAdmin)
	elsewhere := f.storing(issuer.Client{ID: "client_elsewhere", Scopes: []string{"pets:read"}, ExchangeFrom: []string{"zoo"}})
	stranger := f.confidential("client_stranger")
	for name, c := range map[string]struct {
		a    answer
		code string
	}{
		"no subject token":        {f.exchange("", gateway, secret, "subject_token", ""), "invalid_request"},
		"no subject token type":   {f.exchange(tokens.Access, gateway, secret, "subject_token_type", ""), "invalid_request"},
		"an ID token":             {f.exchange(tokens.Access, gateway, secret, "subject_token_type", "urn:ietf:params:oauth:token-type:id_token"), "invalid_request"},
		"a made-up type":          {f.exchange(tokens.Access, gateway, secret, "subject_token_type", marker), "invalid_request"},
		"an actor token":          {f.exchange(tokens.Access, gateway, secret, "actor_token", tokens.Access, "actor_token_type", accessType), "invalid_request"},
		"an actor token's type":   {f.exchange(tokens.Access, gateway, secret, "actor_token_type", accessType), "invalid_request"},
		"an untyped actor token":  {f.exchange(tokens.Access, gateway, secret, "actor_token", tokens.Access), "invalid_request"},
		"a refresh token's type":  {f.exchange(tokens.Refresh, gateway, secret, "subject_token_type", "urn:ietf:params:oauth:token-type:refresh_token"), "invalid_request"},
		"a SAML assertion":        {f.exchange(marker, gateway, secret, "subject_token_type", "urn:ietf:params:oauth:token-type:saml2"), "invalid_request"},
		"an ID token, please":     {f.exchange(tokens.Access, gateway, secret, "requested_token_type", "urn:ietf:params:oauth:token-type:id_token"), "invalid_request"},
		"a made-up one, please":   {f.exchange(tokens.Access, gateway, secret, "requested_token_type", marker), "invalid_request"},
		"another issuer's token":  {f.exchange(signed(t, newKey(t, jot.ES256), "at+jwt", assertionClaims(app).with("aud", "petstore")), gateway, secret), "invalid_request"},
		"an unknown resource":     {f.exchange(tokens.Access, gateway, secret, "resource", marker), "invalid_target"},
		"a doubled scope token":   {f.exchange(tokens.Access, gateway, secret, "scope", "pets:read pets:read"), "invalid_scope"},
		"no client":               {f.exchange(tokens.Access, "", secret), "invalid_request"},
		"a refresh token, please": {f.exchange(tokens.Access, gateway, secret, "requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"), "invalid_request"},
		"a made-up token":         {f.exchange(marker, gateway, secret), "invalid_request"},
		"a refresh token":         {f.exchange(tokens.Refresh, gateway, secret), "invalid_request"},
		"a token that's altered":  {f.exchange(tokens.Access[:len(tokens.Access)-4]+"AAAA", gateway, secret), "invalid_request"},
		"an expired token":        {f.later().exchange(tokens.Access, gateway, secret), "invalid_request"},
		"a revoked token":         {f.exchange(revoked.Access, gateway, secret), "invalid_request"},
		"more scope":              {f.exchange(narrow.Access, gateway, secret, "scope", "pets:read"), "invalid_scope"},
		"a scope of elsewhere":    {f.exchange(tokens.Access, gateway, secret, "scope", "pets:write"), "invalid_scope"},
		"a malformed scope":       {f.exchange(tokens.Access, gateway, secret, "scope", " pets:read"), "invalid_scope"},
		"another audience":        {f.exchange(tokens.Access, gateway, secret, "audience", "petstore"), "invalid_target"},
		"an unknown audience":     {f.exchange(tokens.Access, gateway, secret, "audience", marker), "invalid_target"},
		"two targets":             {f.exchange(tokens.Access, gateway, secret, "audience", "zoo", "resource", "petstore"), "invalid_target"},
		"to administer":           {f.exchange(tokens.Access, "client_loose", loose, "audience", admin), "invalid_target"},
		"from administering":      {f.exchange(fmt.Sprint(office.members(t)["access_token"]), "client_loose", loose, "audience", "petstore"), "invalid_target"},
		"a public client":         {f.exchange(tokens.Access, app, ""), "unauthorized_client"},
		"not from this audience":  {f.exchange(tokens.Access, "client_elsewhere", elsewhere), "unauthorized_client"},
		"not at all":              {f.exchange(tokens.Access, "client_stranger", stranger), "unauthorized_client"},
		"a wrong client":          {f.exchange(tokens.Access, gateway, marker), "invalid_client"},
		"two subject tokens":      {f.token("grant_type=" + exchangeGrant + "&subject_token=a&subject_token=b&client_id=" + app), "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			c.a.wantError(t, 400, c.code)
			if strings.Contains(c.a.body, marker) {
				t.Errorf("answered %s", c.a.body)
			}
		})
	}
	for _, parameter := range []string{"subject_token", "subject_token_type", "requested_token_type", "audience", "resource", "scope", "actor_token", "actor_token_type", "grant_type"} {
		form := url.Values{
			"grant_type": {exchangeGrant}, "subject_token": {tokens.Access}, "subject_token_type": {accessType}, "client_id": {gateway}, "client_secret": {secret},
			"audience": {"zoo"}, "resource": {"zoo"}, "scope": {"pets:read"}, "requested_token_type": {accessType},
		}
		form.Add(parameter, "petstore")
		form.Add(parameter, "petstore") // RFC 8693 §2.1 lets a client name several targets, and no token of ours has more than one
		f.token(form.Encode()).wantError(t, 400, "invalid_request")
	}
	if err := f.issuer.DisableSubject(t.Context(), tokens.Subject); err != nil {
		t.Fatal(err)
	}
	f.exchange(tokens.Access, gateway, secret).wantError(t, 400, "invalid_request")
	if log := f.log.Take(); log != "" {
		t.Errorf("bad input reached the log: %s", log)
	}
}
