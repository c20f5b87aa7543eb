package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

func TestRefresh(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	first := f.tokens()
	a := f.post("/oauth2/token", "grant_type", "refresh_token", "client_id", app, "refresh_token", first.Refresh, "resource", "petstore", "ignored", "as RFC 6749 wants")
	members := a.members(t)
	if a.status != 200 || len(members) != 5 || members["token_type"] != "Bearer" || members["expires_in"] != 900.0 ||
		members["scope"] != "pets:write pets:read" || members["refresh_token"] == first.Refresh || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v %s", a.status, a.header, a.body)
	}
	token, err := f.verify(members["access_token"].(string))
	if err != nil || token.Subject() != first.Subject || token.SessionID() != first.SessionID || token.ClientID() != app {
		t.Errorf("token of the refresh: %v", err)
	}

	body, err := json.Marshal(map[string]any{"grant_type": "refresh_token", "client_id": app, "refresh_token": members["refresh_token"], "scope": "pets:read"})
	if err != nil {
		t.Fatal(err)
	}
	a = f.call("POST", "/oauth2/token", "application/json", strings.NewReader(string(body)))
	if members := a.members(t); a.status != 200 || members["scope"] != "pets:read" {
		t.Errorf("in JSON, with less scope: %d %s", a.status, a.body)
	}
	f.post("/oauth2/token", "grant_type", "refresh_token", "client_id", app, "refresh_token", first.Refresh).wantError(t, 400, "invalid_grant")
	if _, err := f.verify(members["access_token"].(string)); err == nil {
		t.Error("the session outlived a replay")
	}
}

// marker stands in the input of most rows and must not stand in an answer.
const marker = "mArKeR"

func TestTokenBadInput(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	tokens := f.tokens()
	const grant = "grant_type=refresh_token"
	good := grant + "&client_id=" + app + "&refresh_token=" + tokens.Refresh
	for name, c := range map[string]struct {
		media, body string
		headers     []string
		status      int
		code        string
	}{
		"no parameters":             {formType, "", nil, 400, "invalid_request"},
		"no client":                 {formType, grant + "&refresh_token=" + tokens.Refresh, nil, 400, "invalid_request"},
		"no grant type":             {formType, "client_id=" + app, nil, 400, "invalid_request"},
		"empty grant type":          {formType, "grant_type=&client_id=" + app, nil, 400, "invalid_request"},
		"no refresh token":          {formType, grant + "&client_id=" + app, nil, 400, "invalid_request"},
		"unknown client":            {formType, grant + "&client_id=" + marker + "&refresh_token=" + tokens.Refresh, nil, 400, "invalid_client"},
		"another client":            {formType, grant + "&client_id=" + other + "&refresh_token=" + tokens.Refresh, nil, 400, "invalid_grant"},
		"a secret":                  {formType, good + "&client_secret=" + marker, nil, 400, "invalid_client"},
		"Basic":                     {formType, good, []string{"Authorization", "Basic Y2xpZW50X2FwcDo="}, 401, "invalid_client"},
		"Bearer":                    {formType, good, []string{"Authorization", "Bearer " + tokens.Access}, 401, "invalid_client"},
		"two Authorization headers": {formType, good, []string{"Authorization", "Basic Og==", "Authorization", "Basic Og=="}, 400, "invalid_request"},
		"implicit grant":            {formType, "grant_type=implicit&client_id=" + app, nil, 400, "unsupported_grant_type"},
		"grant type in capitals":    {formType, strings.Replace(good, "refresh_token&", "REFRESH_TOKEN&", 1), nil, 400, "unsupported_grant_type"},
		"made-up grant type":        {formType, "client_id=" + app + "&grant_type=" + marker, nil, 400, "unsupported_grant_type"},
		"SAML assertion":            {formType, "client_id=" + app + "&grant_type=urn:ietf:params:oauth:grant-type:saml2-bearer&assertion=" + marker, nil, 400, "unsupported_grant_type"},
		"JWT assertion":             {formType, "client_id=" + app + "&grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=" + marker, nil, 400, "unsupported_grant_type"},
		"a code, no grant type":     {formType, "client_id=" + app + "&code=" + marker, nil, 400, "invalid_request"},
		"empty client":              {formType, grant + "&client_id=&refresh_token=" + tokens.Refresh, nil, 400, "invalid_request"},
		"empty refresh token":       {formType, grant + "&client_id=" + app + "&refresh_token=", nil, 400, "invalid_request"},
		"doubled client":            {formType, good + "&client_id=" + app, nil, 400, "invalid_request"},
		"doubled scope":             {formType, good + "&scope=pets:read&scope=pets:read", nil, 400, "invalid_request"},
		"doubled scope token":       {formType, good + "&scope=pets:read+pets:read", nil, 400, "invalid_scope"},
		"scope with a quote":        {formType, good + "&scope=pets:read%22", nil, 400, "invalid_scope"},
		"doubled grant type":        {formType, good + "&" + grant, nil, 400, "invalid_request"},
		"doubled token":             {formType, good + "&refresh_token=" + marker, nil, 400, "invalid_request"},
		"doubled, escaped":          {formType, good + "&refresh%5Ftoken=" + marker, nil, 400, "invalid_request"},
		"doubled unknown":           {formType, good + "&" + marker + "=1&" + marker + "=1", nil, 400, "invalid_request"},
		"NUL":                       {formType, good + "%00", nil, 400, "invalid_request"},
		"bad escape":                {formType, good + "%" + marker, nil, 400, "invalid_request"},
		"broken token":              {formType, grant + "&client_id=" + app + "&refresh_token=jrt_" + marker, nil, 400, "invalid_grant"},
		"access token":              {formType, grant + "&client_id=" + app + "&refresh_token=" + tokens.Access, nil, 400, "invalid_grant"},
		"more scope":                {formType, good + "&scope=" + marker, nil, 400, "invalid_scope"},
		"malformed scope":           {formType, good + "&scope=+pets:read", nil, 400, "invalid_scope"},
		"another resource":          {formType, good + "&resource=zoo", nil, 400, "invalid_target"},
		"unknown resource":          {formType, good + "&resource=" + marker, nil, 400, "invalid_target"},
		"two resources":             {formType, good + "&resource=petstore&resource=zoo", nil, 400, "invalid_request"},
		"JSON, broken escape":       {"application/json", `{"scope":"\u12"}`, nil, 400, "invalid_request"},
		"not a form":                {formType, `{"` + marker, nil, 400, "invalid_request"},
		"text":                      {"text/plain", good, nil, 400, "invalid_request"},
		"no content type":           {"", good, nil, 400, "invalid_request"},
		"multipart":                 {"multipart/form-data; boundary=" + marker, good, nil, 400, "invalid_request"},
		"10 MB":                     {formType, good + strings.Repeat(marker, 10<<20/len(marker)), nil, 400, "invalid_request"},
		"token of 1 MiB":            {formType, grant + "&client_id=" + app + "&refresh_token=jrt_" + strings.Repeat("a", 1<<20), nil, 400, "invalid_request"},
		"JSON, not JSON":            {"application/json", marker, nil, 400, "invalid_request"},
		"JSON, unknown member":      {"application/json", `{"` + marker + `":1}`, nil, 400, "invalid_request"},
		"JSON, doubled member":      {"application/json", `{"client_id":"a","client_id":"` + marker + `"}`, nil, 400, "invalid_request"},
		"JSON, 10 MB":               {"application/json", `{"scope":"` + strings.Repeat(marker, 10<<20/len(marker)) + `"}`, nil, 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, body := range map[string]io.Reader{
				"length stated": strings.NewReader(c.body), "in chunks": io.MultiReader(strings.NewReader(c.body)),
			} {
				a := f.call("POST", "/oauth2/token", c.media, body, c.headers...)
				a.wantError(t, c.status, c.code)
				if strings.Contains(strings.ToLower(a.body), strings.ToLower(marker)) || len(a.body) > 500 {
					t.Errorf("%s: answered %.500s", kind, a.body)
				}
			}
			if log := f.log.Take(); log != "" {
				t.Errorf("bad input reached the log: %s", log)
			}
		})
	}
	if a := f.call("POST", "/oauth2/token", formType, strings.NewReader(good)); a.status != 200 {
		t.Errorf("the refresh token was burned by bad input: %d %s", a.status, a.body)
	}
}

// TestParametersOfTheURLDoNotCount keeps tokens out of access logs (RFC 6749 §3.2).
func TestParametersOfTheURLDoNotCount(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	path := "/oauth2/token?grant_type=refresh_token&client_id=" + app + "&refresh_token=" + f.tokens().Refresh
	f.call("POST", path, formType, strings.NewReader("")).wantError(t, 400, "invalid_request")
}

func TestMethods(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	for path, methods := range map[string][]string{
		"/oauth2/token": {"GET", "PUT", "DELETE"}, "/oauth2/revoke": {"GET", "PATCH"}, "/oauth2/introspect": {"GET", "PUT"}, "/oauth2/device_authorization": {"GET", "DELETE"},
		"/.well-known/jwks.json": {"POST", "DELETE"}, "/.well-known/openid-configuration": {"POST"},
	} {
		for _, method := range methods {
			if a := f.call(method, path, "", nil); a.status != 405 || a.header.Get("Allow") == "" {
				t.Errorf("%s %s: %d, Allow %q", method, path, a.status, a.header.Get("Allow"))
			}
		}
	}
}

func TestRevoke(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	revoke := func(parameters ...string) {
		t.Helper()
		a := f.post("/oauth2/revoke", append(parameters, "client_id", app)...)
		if a.status != 200 || a.body != "" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	refresh := func(token string) answer {
		t.Helper()
		return f.post("/oauth2/token", "grant_type", "refresh_token", "client_id", app, "refresh_token", token)
	}

	one := f.tokens()
	revoke("token", one.Access, "token_type_hint", "refresh_token") // a wrong hint is only a hint
	if _, err := f.verify(one.Access); err == nil {
		t.Error("the revoked access token verifies")
	}
	if a := refresh(one.Refresh); a.status != 200 {
		t.Errorf("the session ended with its access token: %d %s", a.status, a.body)
	}

	two := f.tokens()
	revoke("token", two.Refresh, "token_type_hint", "made up")
	if _, err := f.verify(two.Access); err == nil {
		t.Error("the access token of the revoked session verifies")
	}
	refresh(two.Refresh).wantError(t, 400, "invalid_grant")

	for _, token := range []string{two.Refresh, two.Access, "unknown", "jrt_unknown", "a.b.c"} {
		revoke("token", token)
	}
	three := f.tokens()
	if a := f.post("/oauth2/revoke", "client_id", other, "token", three.Refresh); a.status != 200 {
		t.Errorf("another client: %d %s", a.status, a.body)
	}
	if _, err := f.verify(three.Access); err != nil {
		t.Errorf("another client revoked a token: %v", err)
	}
	body := `{"token":"` + three.Access + `","client_id":"` + app + `"}`
	if a := f.call("POST", "/oauth2/revoke", "application/json", strings.NewReader(body)); a.status != 200 {
		t.Errorf("in JSON: %d %s", a.status, a.body)
	}
	if _, err := f.verify(three.Access); err == nil {
		t.Error("the access token revoked in JSON verifies")
	}
}

func TestRevokeBadInput(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	tokens := f.tokens()
	f.post("/oauth2/revoke", "client_id", app).wantError(t, 400, "invalid_request")
	f.post("/oauth2/revoke", "token", tokens.Access).wantError(t, 400, "invalid_request")
	f.post("/oauth2/revoke", "token", tokens.Access, "client_id", marker).wantError(t, 400, "invalid_client")
	f.post("/oauth2/revoke", "token", tokens.Access, "client_id", app, "client_secret", "x").wantError(t, 400, "invalid_client")
	f.post("/oauth2/revoke", "token", tokens.Access, "client_id", app, "token", marker).wantError(t, 400, "invalid_request")
	f.post("/oauth2/revoke", "token", strings.Repeat("a", 1<<20), "client_id", app).wantError(t, 400, "invalid_request")
	f.call("POST", "/oauth2/revoke", "text/plain", strings.NewReader("token=x")).wantError(t, 400, "invalid_request")
	if _, err := f.verify(tokens.Access); err != nil {
		t.Errorf("refused requests revoked the token: %v", err)
	}
}

// broken is an issuer whose store fails.
type broken struct {
	*issuer.Issuer
	err error
}

func (b broken) Refresh(context.Context, issuer.RefreshRequest) (issuer.Tokens, error) {
	return issuer.Tokens{}, b.err
}
func (b broken) RevokeToken(context.Context, string, string) error { return b.err }

func TestFailuresAreHidden(t *testing.T) {
	whole := serve(t, "https://auth.example.com")
	for _, c := range []struct {
		err        error
		status     int
		code       string
		retryAfter string
		logged     bool
	}{
		{fmt.Errorf("dial 10.0.0.1: %w", issuer.ErrUnavailable), 503, "temporarily_unavailable", "5", true},
		{fmt.Errorf("queue: %w", issuer.ErrBusy), 503, "temporarily_unavailable", "1", false},
		{errors.New("dial 10.0.0.1: no such column"), 500, "server_error", "", true},
	} {
		f := mount(t, broken{whole.issuer, c.err}, nil)
		for _, path := range []string{"/oauth2/token", "/oauth2/revoke"} {
			a := f.post(path, "grant_type", "refresh_token", "client_id", app, "refresh_token", marker, "token", marker)
			a.wantError(t, c.status, c.code)
			if a.header.Get("Retry-After") != c.retryAfter || strings.Contains(a.body, "10.0.0.1") {
				t.Errorf("%v: %v %s", c.err, a.header, a.body)
			}
			if log := f.log.Take(); strings.Contains(log, c.err.Error()) != c.logged || strings.Contains(log, marker) {
				t.Errorf("%v: log %q", c.err, log)
			}
		}
	}
}
