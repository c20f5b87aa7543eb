package oauth_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

const robot = "client_robot"

// confidential stores a client with a secret and returns that.
func (f *fixture) confidential(id string) string {
	f.t.Helper()
	secret, hash := issuer.NewClientSecret()
	err := f.issuer.CreateClient(f.t.Context(), issuer.Client{ID: id, Scopes: []string{"pets:read"}, SecretHash: hash})
	if err != nil {
		f.t.Fatal(err)
	}
	return secret
}

// basic is an Authorization header with both parts form-encoded, as RFC 6749 §2.3.1 asks.
func basic(id, secret string) []string {
	return rawBasic(url.QueryEscape(id) + ":" + url.QueryEscape(secret))
}

func rawBasic(joined string) []string {
	return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(joined))}
}

func (f *fixture) token(body string, headers ...string) answer {
	f.t.Helper()
	return f.call("POST", "/oauth2/token", formType, strings.NewReader(body), headers...)
}

func TestClientCredentials(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	secret := f.confidential(robot)
	odd := "client_ä +%&=:"
	oddSecret := f.confidential(odd)
	for name, a := range map[string]answer{
		"post":         f.token("grant_type=client_credentials&client_id=" + robot + "&client_secret=" + secret),
		"basic":        f.token("grant_type=client_credentials", basic(robot, secret)...),
		"same ID":      f.token("grant_type=client_credentials&client_id="+robot, basic(robot, secret)...),
		"lower case":   f.token("grant_type=client_credentials", "Authorization", "basic "+strings.TrimPrefix(basic(robot, secret)[1], "Basic ")),
		"escaped more": f.token("grant_type=client_credentials", rawBasic("%63lient%5Frobot:"+secret)...),
		"odd ID":       f.token("grant_type=client_credentials", basic(odd, oddSecret)...),
		"JSON": f.call("POST", "/oauth2/token", "application/json",
			strings.NewReader(`{"grant_type":"client_credentials","client_id":"`+robot+`","client_secret":"`+secret+`","scope":"pets:read","resource":"zoo"}`)),
	} {
		members := a.members(t)
		if a.status != 200 || len(members) != 4 || members["token_type"] != "Bearer" || members["scope"] != "pets:read" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
			continue
		}
		token, err := f.verify(members["access_token"].(string))
		if err != nil || token.Subject() != token.ClientID() || token.SessionID() != "" {
			t.Errorf("%s: %v, %v", name, token, err)
		}
	}
	f.token("grant_type=client_credentials&client_id="+app).wantError(t, 400, "unauthorized_client")
	f.token("grant_type=client_credentials&scope=pets:write", basic(robot, secret)...).wantError(t, 400, "invalid_scope")
	f.token("grant_type=client_credentials&resource=moon", basic(robot, secret)...).wantError(t, 400, "invalid_target")
	f.token("grant_type=client_credentials&scope=pets:read++pets:read", basic(robot, secret)...).wantError(t, 400, "invalid_scope")
	f.token("grant_type=client_credentials&scope=pets:read&scope=pets:read", basic(robot, secret)...).wantError(t, 400, "invalid_request")
	f.token("grant_type=client_credentials", basic(robot, marker)...).wantError(t, 401, "invalid_client")
	f.token("grant_type=client_credentials").wantError(t, 400, "invalid_request")
}

// TestClientAuthentication: a client that doesn't prove itself gets nowhere, and its refresh token stays good.
func TestClientAuthentication(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	secret := f.confidential(robot)
	other := f.confidential("client_second")
	subject := f.tokens().Subject
	session, err := f.issuer.Issue(t.Context(), issuer.Grant{Subject: subject, ClientID: robot})
	if err != nil {
		t.Fatal(err)
	}
	grant := "grant_type=refresh_token&refresh_token=" + session.Refresh
	mine := grant + "&client_id=" + robot
	for name, c := range map[string]struct {
		body    string
		headers []string
		status  int
		code    string
	}{
		"no secret":             {mine, nil, 400, "invalid_client"},
		"empty secret":          {mine + "&client_secret=", nil, 400, "invalid_client"},
		"wrong secret":          {mine + "&client_secret=" + other, nil, 400, "invalid_client"},
		"part of the secret":    {mine + "&client_secret=" + secret[:len(secret)-1], nil, 400, "invalid_client"},
		"more than the secret":  {mine + "&client_secret=" + secret + "A", nil, 400, "invalid_client"},
		"basic, wrong":          {grant, basic(robot, other), 401, "invalid_client"},
		"basic, unknown":        {grant, basic("client_"+marker, secret), 401, "invalid_client"},
		"basic, no prefix":      {grant, basic("robot", secret), 401, "invalid_client"},
		"basic, no colon":       {grant, rawBasic(robot), 401, "invalid_client"},
		"basic, no secret":      {grant, rawBasic(robot + ":"), 401, "invalid_client"},
		"basic, two colons":     {grant, rawBasic(robot + ":" + secret + ":"), 401, "invalid_client"},
		"basic, bad escape":     {grant, rawBasic(robot + ":%zz"), 401, "invalid_client"},
		"basic, half an escape": {grant, rawBasic(robot + ":" + secret + "%4"), 401, "invalid_client"},
		"basic, NUL":            {grant, rawBasic(robot + ":" + secret + "%00"), 401, "invalid_client"},
		"basic, not UTF-8":      {grant, rawBasic(robot + ":%ff"), 401, "invalid_client"},
		"basic, not base64":     {grant, []string{"Authorization", "Basic " + marker + "!"}, 401, "invalid_client"},
		"basic, base64url":      {grant, []string{"Authorization", "Basic -_-_"}, 401, "invalid_client"},
		"basic, empty":          {grant, []string{"Authorization", "Basic "}, 401, "invalid_client"},
		"another scheme":        {grant, []string{"Authorization", "Digest " + marker}, 401, "invalid_client"},
		"two methods":           {mine + "&client_secret=" + secret, basic(robot, secret), 400, "invalid_request"},
		"two clients":           {grant + "&client_id=client_second", basic(robot, secret), 400, "invalid_request"},
		"two headers":           {grant, append(basic(robot, secret), basic(robot, secret)...), 400, "invalid_request"},
		"two secrets":           {mine + "&client_secret=" + secret + "&client_secret=" + secret, nil, 400, "invalid_request"},
		"another client":        {grant, basic("client_second", other), 400, "invalid_grant"},
		"a public client":       {grant + "&client_id=" + app, nil, 400, "invalid_grant"},
	} {
		a := f.token(c.body, c.headers...)
		t.Run(name, func(t *testing.T) { a.wantError(t, c.status, c.code) })
		if strings.Contains(a.body, marker) || strings.Contains(a.body, secret) {
			t.Errorf("%s: answered %s", name, a.body)
		}
		revoked := f.call("POST", "/oauth2/revoke", formType, strings.NewReader(c.body+"&token="+session.Refresh), c.headers...)
		if (revoked.status == 200) != (c.code == "invalid_grant") { // RFC 7009: another client's token is no error, and stays good
			t.Errorf("%s: revocation answered %d %s", name, revoked.status, revoked.body)
		}
	}
	if a := f.token(grant, basic(robot, secret)...); a.status != 200 {
		t.Errorf("a wrong client burned the refresh token: %d %s", a.status, a.body)
	}
	if log := f.log.Take(); log != "" {
		t.Errorf("bad input reached the log: %s", log)
	}
}
