package oauth_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

const inactive = "{\"active\":false}\n"

// storing stores a confidential client and returns its secret.
func (f *fixture) storing(c issuer.Client) string {
	f.t.Helper()
	secret, hash := issuer.NewClientSecret()
	c.SecretHash = hash
	if err := f.issuer.CreateClient(f.t.Context(), c); err != nil {
		f.t.Fatal(err)
	}
	return secret
}

func (f *fixture) introspect(token, id, secret string) answer {
	f.t.Helper()
	a := f.post("/oauth2/introspect", "token", token, "client_id", id, "client_secret", secret)
	if a.status != 200 || a.header.Get("Cache-Control") != "no-store" {
		f.t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
	return a
}

func TestIntrospect(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	const store = "client_petstore"
	secret := f.storing(issuer.Client{ID: store, Scopes: []string{"pets:read"}, Resources: []string{"petstore"}})
	tokens := f.tokens()
	token, err := f.verify(tokens.Access)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"active": true, "iss": "https://auth.example.com", "sub": tokens.Subject, "aud": "petstore", "client_id": app, "token_type": "Bearer",
		"exp": float64(token.Expires().Unix()), "iat": float64(token.IssuedAt().Unix()), "jti": token.ID(), "sid": tokens.SessionID,
		"scope": "pets:write pets:read", "auth_time": float64(token.AuthTime().Unix()), "amr": []any{"pwd"}, "acr": "urn:jot:acr:1fa",
	}
	if got := f.introspect(tokens.Access, store, secret).members(t); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	body := `{"token":"` + tokens.Access + `","token_type_hint":"refresh_token","client_id":"` + store + `","client_secret":"` + secret + `"}`
	if a := f.call("POST", "/oauth2/introspect", "application/json", strings.NewReader(body)); a.members(t)["active"] != true {
		t.Errorf("in JSON: %d %s", a.status, a.body)
	}

	// A refresh token is its own client's business alone.
	own, err := f.issuer.Issue(t.Context(), issuer.Grant{Subject: tokens.Subject, ClientID: store})
	if err != nil {
		t.Fatal(err)
	}
	members := f.introspect(own.Refresh, store, secret).members(t)
	if members["active"] != true || members["sub"] != tokens.Subject || members["client_id"] != store || members["scope"] != "pets:read" || members["token_type"] != nil {
		t.Errorf("refresh token: %v", members)
	}
	renewed, err := f.issuer.Refresh(t.Context(), issuer.RefreshRequest{Token: own.Refresh, ClientID: store})
	if err != nil {
		t.Fatal(err)
	}
	if a := f.introspect(own.Refresh, store, secret); a.members(t)["active"] != true {
		t.Error("the token before, which would be taken again, isn't active")
	}
	if _, err := f.issuer.Refresh(t.Context(), issuer.RefreshRequest{Token: renewed.Refresh, ClientID: store}); err != nil {
		t.Fatal(err)
	}
	if a := f.introspect(own.Refresh, store, secret); a.body != inactive {
		t.Errorf("a spent token: %s", a.body)
	}
	if a := f.introspect(renewed.Refresh, store, secret); a.members(t)["active"] != true {
		t.Error("asking about a spent token ended the session")
	}
}

// TestIntrospectTellsNothing: whatever is wrong, and whosever a token is, the answer is the same.
func TestIntrospectTellsNothing(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	const store, anywhere = "client_petstore", "client_anywhere"
	secret := f.storing(issuer.Client{ID: store, Scopes: []string{"pets:read"}, Resources: []string{"petstore"}})
	loose := f.storing(issuer.Client{ID: anywhere, Scopes: []string{"pets:read"}})
	tokens := f.tokens()
	zoo, err := f.issuer.Issue(t.Context(), issuer.Grant{Subject: tokens.Subject, ClientID: app, Resource: "zoo"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ token, client, secret string }{
		"made up":                      {marker, store, secret},
		"of another API":               {zoo.Access, store, secret},
		"resources left open":          {tokens.Access, anywhere, loose},
		"another client's refresh":     {tokens.Refresh, store, secret},
		"a broken refresh token":       {tokens.Refresh[:len(tokens.Refresh)-1], store, secret},
		"a token without a signature":  {tokens.Access[:strings.LastIndex(tokens.Access, ".")+1], store, secret},
		"another token in an envelope": {"a.b.c.d.e", store, secret},
	} {
		if a := f.introspect(c.token, c.client, c.secret); a.body != inactive {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	if a := f.later().introspect(tokens.Access, store, secret); a.body != inactive {
		t.Errorf("an expired token: %s", a.body)
	}
	for name, end := range map[string]func(issuer.Tokens) error{
		"revoked":  func(o issuer.Tokens) error { return f.issuer.RevokeToken(t.Context(), o.Refresh, store) },
		"logout":   func(o issuer.Tokens) error { return f.issuer.EndSessions(t.Context(), o.Subject) },
		"disabled": func(o issuer.Tokens) error { return f.issuer.DisableSubject(t.Context(), o.Subject) },
		"deleted":  func(o issuer.Tokens) error { return f.issuer.DeleteSubject(t.Context(), o.Subject) },
	} {
		own, err := f.issuer.Issue(t.Context(), issuer.Grant{Subject: f.tokens().Subject, ClientID: store})
		if err := errors.Join(err, end(own)); err != nil {
			t.Fatal(err)
		}
		for _, token := range []string{own.Access, own.Refresh} {
			if a := f.introspect(token, store, secret); a.body != inactive {
				t.Errorf("%s: %s", name, a.body)
			}
		}
	}
}

func TestIntrospectBadInput(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	secret, access := f.confidential(robot), f.tokens().Access
	mine := "&client_id=" + robot + "&client_secret=" + secret
	for name, c := range map[string]struct {
		body    string
		headers []string
		status  int
		code    string
	}{
		"no client":       {"token=" + access, nil, 400, "invalid_request"},
		"a public client": {"client_id=" + app + "&token=" + access, nil, 401, "invalid_client"},
		"unknown client":  {"client_id=" + marker + "&token=" + access, nil, 401, "invalid_client"},
		"wrong secret":    {"client_id=" + robot + "&client_secret=" + marker + "&token=" + access, nil, 401, "invalid_client"},
		"Basic, wrong":    {"token=" + access, basic(robot, marker), 401, "invalid_client"},
		"Bearer":          {"token=" + access, []string{"Authorization", "Bearer " + access}, 401, "invalid_client"},
		"two methods":     {"token=" + access + mine, basic(robot, secret), 400, "invalid_request"},
		"no token":        {mine[1:], nil, 400, "invalid_request"},
		"empty token":     {"token=" + mine, nil, 400, "invalid_request"},
		"two tokens":      {"token=" + access + "&token=x" + mine, nil, 400, "invalid_request"},
		"1 MiB":           {"token=" + strings.Repeat("a", 1<<20) + mine, nil, 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			a := f.call("POST", "/oauth2/introspect", formType, strings.NewReader(c.body), c.headers...)
			a.wantError(t, c.status, c.code)
			if strings.Contains(a.body, marker) {
				t.Errorf("answered %s", a.body)
			}
		})
	}
	if a := f.call("GET", "/oauth2/introspect?token="+access, "", nil); a.status != 405 {
		t.Errorf("GET: %d", a.status)
	}
}

// TestIntrospectByAssertion: a client that proves itself by a key may ask as well as one with a secret.
func TestIntrospectByAssertion(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	key := newKey(t, jot.ES256)
	f.keyed(robot, key)
	a := f.token(asserting(signed(t, key, "", assertionClaims(robot)), "grant_type", "client_credentials"))
	own, _ := a.members(t)["access_token"].(string)
	for token, active := range map[string]bool{own: true, f.tokens().Access: false} {
		a := f.post("/oauth2/introspect", "token", token, "client_assertion_type", jwtBearer, "client_assertion", signed(t, key, "", assertionClaims(robot)))
		if a.status != 200 || a.members(t)["active"] != active {
			t.Errorf("%d %s, want active %v", a.status, a.body, active)
		}
	}
}
