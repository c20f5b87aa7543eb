package forward_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/forward"
	"github.com/jot-auth/jot/server/internal/logtest"
	"github.com/jot-auth/jot/server/internal/telemetry"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// fixture is an issuer over a database file, and its endpoint, which trusts the proxy 10.0.0.1.
type fixture struct {
	*testing.T
	issuer *issuer.Issuer
	mux    *http.ServeMux
}

func serve(t *testing.T) *fixture {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	i, err := issuer.New(t.Context(), store, issuer.Config{
		URL:       "https://auth.example.com",
		Resources: []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read", "pets:write"}}, {Audience: "zoo"}},
		Clients:   []issuer.Client{{ID: "client_app", Scopes: []string{"pets:read"}, FirstParty: true}}, KeyEncryptionKey: make([]byte, 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close(); store.Close() })
	s, err := forward.New(i, web.Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t, i, http.NewServeMux()}
	s.Register(f.mux)
	return f
}

// token is a new subject's.
func (f *fixture) token(subject, resource string) issuer.Tokens {
	f.Helper()
	return f.grant(subject, issuer.Grant{Resource: resource})
}

func (f *fixture) grant(subject string, g issuer.Grant) issuer.Tokens {
	f.Helper()
	if err := f.issuer.CreateSubject(f.Context(), issuer.Subject{ID: subject, Scope: []string{"pets:read"}}); err != nil {
		f.Fatal(err)
	}
	g.Subject, g.ClientID = subject, "client_app"
	tokens, err := f.issuer.Issue(f.Context(), g)
	if err != nil {
		f.Fatal(err)
	}
	return tokens
}

// ask asks from an address, with headers given as name, value, ….
func (f *fixture) ask(from, query string, headers ...string) *http.Response {
	f.Helper()
	r := httptest.NewRequest("GET", "http://auth.example.com/verify?"+query, nil)
	r.RemoteAddr = from + ":1234"
	for n := 0; n < len(headers); n += 2 {
		r.Header.Add(headers[n], headers[n+1])
	}
	w := httptest.NewRecorder()
	f.mux.ServeHTTP(w, r)
	return w.Result()
}

const (
	proxy, stranger = "10.0.0.1", "10.0.0.2"
	petstore        = "audience=petstore&scope=pets:read"
)

func TestVerify(t *testing.T) {
	f := serve(t)
	tokens, zoo := f.token(" ada\u00e9%", "petstore"), f.token("grace", "zoo")
	bearer := []string{"Authorization", "Bearer " + tokens.Access}
	for name, c := range map[string]struct {
		query   string
		headers []string
		status  int
		want    string // in the challenge
	}{
		"good":                 {petstore, bearer, 200, ""},
		"no scope asked":       {"audience=petstore", bearer, 200, ""},
		"no token":             {petstore, nil, 401, `Bearer realm="jot"`},
		"no good token":        {petstore, []string{"Authorization", "Bearer a.b.c"}, 401, `error="invalid_token"`},
		"another scheme":       {petstore, []string{"Authorization", "Basic YTpi"}, 401, `Bearer realm="jot"`},
		"another API's token":  {petstore, []string{"Authorization", "Bearer " + zoo.Access}, 401, `error="invalid_token"`},
		"for another API":      {"audience=zoo", bearer, 401, `error="invalid_token"`},
		"too little":           {"audience=petstore&scope=pets:read+pets:write", bearer, 403, `error="insufficient_scope", scope="pets:read pets:write"`},
		"a part of a scope":    {"audience=petstore&scope=pets", bearer, 403, `error="insufficient_scope"`},
		"two tokens":           {petstore, append(bearer, "Cookie", "__Host-jot="+tokens.Access), 400, `error="invalid_request"`},
		"no audience":          {"scope=pets:read", bearer, 400, ""},
		"an empty audience":    {"audience=", bearer, 400, ""},
		"two audiences":        {"audience=petstore&audience=zoo", bearer, 400, ""},
		"a mistake":            {"audience=petstore&scopes=pets:write", bearer, 400, ""},
		"a scope of no scopes": {"audience=petstore&scope=a++b", bearer, 400, ""},
		"a scope too long":     {"audience=petstore&scope=" + strings.Repeat("a", 65), bearer, 400, ""},
		"too many scopes":      {"audience=petstore&scope=a" + strings.Repeat("+a", 64), bearer, 400, ""},
		"scopes of 48 KB":      {"audience=petstore&scope=a" + strings.Repeat("+"+strings.Repeat("a", 1000), 48), bearer, 400, ""},
		"the longest scope":    {"audience=petstore&scope=" + strings.Repeat("a", 64), bearer, 403, strings.Repeat("a", 64)},
		"as many as may be":    {"audience=petstore&scope=a" + strings.Repeat("+a", 63), bearer, 403, `error="insufficient_scope"`},
		"a quotation mark":     {"audience=petstore&scope=%22", bearer, 400, ""},
		"a backslash":          {"audience=petstore&scope=%5C", bearer, 400, ""},
		"a tabulator":          {"audience=petstore&scope=%09", bearer, 400, ""},
		"a delete character":   {"audience=petstore&scope=%7F", bearer, 400, ""},
		"a tilde":              {"audience=petstore&scope=~", bearer, 403, `scope="~"`},
		"the token in the URL": {petstore + "&access_token=" + tokens.Access, nil, 401, `Bearer realm="jot"`},
	} {
		response := f.ask(proxy, c.query, c.headers...)
		challenge := strings.Join(response.Header.Values("WWW-Authenticate"), "; ")
		if response.StatusCode != c.status || !strings.Contains(challenge, c.want) || response.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", name, response.StatusCode, response.Header)
		}
		for header, want := range map[string]string{"X-Jot-Subject": "%20ada%C3%A9%25", "X-Jot-Client": "client_app", "X-Jot-Session": tokens.SessionID, "X-Jot-Scope": "pets:read"} {
			if c.status != 200 {
				want = ""
			}
			if got := response.Header.Values(header); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
	}
	if err := f.issuer.EndSession(t.Context(), tokens.Subject, tokens.SessionID); err != nil {
		t.Fatal(err)
	}
	if response := f.ask(proxy, petstore, bearer...); response.StatusCode != 401 {
		t.Errorf("after the logout: %d", response.StatusCode)
	}
}

// TestReasons: why a request is refused is in the log, in a word of ours, since proxies drop what the answer says; and
// nothing that was sent is.
func TestReasons(t *testing.T) {
	f := serve(t)
	var log logtest.Buffer
	logged := telemetry.LogRequests(slog.New(slog.NewJSONHandler(&log, nil)), f.mux)
	tokens, gone := f.token("ada", "petstore"), f.token("grace", "petstore")
	if err := f.issuer.EndSession(t.Context(), gone.Subject, gone.SessionID); err != nil {
		t.Fatal(err)
	}
	bearer := "Bearer " + tokens.Access
	for name, c := range map[string]struct {
		query, header, value, want string
	}{
		"good":                   {petstore, "Authorization", bearer, ""},
		"a mistake":              {"audience=petstore&scopes=pets:write", "Authorization", bearer, "bad_query"},
		"another API":            {"audience=zoo", "Authorization", bearer, "audience"},
		"too little":             {"audience=petstore&scope=pets:write", "Authorization", bearer, "insufficient_scope"},
		"no token":               {petstore, "Authorization", "Basic c2VjcmV0", "no_token"},
		"no scheme":              {petstore, "Authorization", "secret", "bad_credentials"},
		"a page of another site": {petstore, "Cookie", "__Host-jot=" + tokens.Access, "cross_origin"},
		"no token of ours":       {petstore, "Authorization", "Bearer secret", "malformed"},
		"a logout":               {petstore, "Authorization", "Bearer " + gone.Access, "revoked"},
		"an altered token":       {petstore, "Authorization", bearer[:len(bearer)-8] + "AAAAAAAA", "signature"},
	} {
		r := httptest.NewRequest("GET", "http://auth.example.com/verify?"+c.query, nil)
		r.RemoteAddr = proxy + ":1234"
		r.Header.Set(c.header, c.value)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		logged.ServeHTTP(httptest.NewRecorder(), r)
		text := log.Take()
		var line struct{ Reason string }
		if err := json.Unmarshal([]byte(text), &line); err != nil || line.Reason != c.want || c.want == "" && strings.Contains(text, "reason") {
			t.Errorf("%s: want %q: %v, %s", name, c.want, err, text)
		}
		if strings.Contains(text, "secret") || strings.Contains(text, tokens.Access[:20]) || strings.Contains(text, "pets") {
			t.Errorf("%s: the log has what was sent: %s", name, text)
		}
	}
}

// TestCookies: what a cookie may do depends on the original request, of which trusted proxies alone tell.
func TestCookies(t *testing.T) {
	f := serve(t)
	cookie := []string{"Cookie", "__Host-jot=" + f.token("ada", "petstore").Access}
	for name, c := range map[string]struct {
		from    string
		headers []string
		status  int
	}{
		"a page":                          {proxy, []string{"X-Forwarded-Method", "GET", "Sec-Fetch-Site", "same-origin"}, 200},
		"a link from elsewhere":           {proxy, []string{"X-Forwarded-Method", "GET", "Sec-Fetch-Site", "cross-site"}, 200},
		"a form of its own":               {proxy, []string{"X-Forwarded-Method", "POST", "Sec-Fetch-Site", "same-origin"}, 200},
		"a form from elsewhere":           {proxy, []string{"X-Forwarded-Method", "POST", "Sec-Fetch-Site", "cross-site"}, 403},
		"an old browser's own form":       {proxy, []string{"X-Forwarded-Method", "POST", "X-Forwarded-Host", "api.example.com", "Origin", "https://api.example.com"}, 200},
		"an old browser's, elsewhere":     {proxy, []string{"X-Forwarded-Method", "POST", "X-Forwarded-Host", "api.example.com", "Origin", "https://evil.example"}, 403},
		"the server's own name":           {proxy, []string{"X-Forwarded-Method", "POST", "X-Forwarded-Host", "api.example.com", "Origin", "https://auth.example.com"}, 403},
		"a preflight":                     {proxy, []string{"X-Forwarded-Method", "OPTIONS", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST"}, 200},
		"a web socket":                    {proxy, []string{"X-Forwarded-Method", "GET", "Sec-WebSocket-Key", "x", "Sec-Fetch-Site", "cross-site"}, 403},
		"no method":                       {proxy, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"two methods":                     {proxy, []string{"X-Forwarded-Method", "GET", "X-Forwarded-Method", "GET", "Sec-Fetch-Site", "cross-site"}, 403},
		"no method that is one":           {proxy, []string{"X-Forwarded-Method", "get", "Sec-Fetch-Site", "cross-site"}, 403},
		"a sandbox, host unknown":         {proxy, []string{"X-Forwarded-Method", "POST", "Origin", "null"}, 403},
		"a sandbox, host known":           {proxy, []string{"X-Forwarded-Method", "POST", "X-Forwarded-Host", "api.example.com", "Origin", "null"}, 403},
		"a sandbox, a stranger":           {stranger, []string{"Origin", "null"}, 403},
		"an origin without a host":        {proxy, []string{"X-Forwarded-Method", "POST", "Origin", "file://"}, 403},
		"a stranger's word":               {stranger, []string{"X-Forwarded-Method", "GET", "Sec-Fetch-Site", "cross-site"}, 403},
		"a stranger's host":               {stranger, []string{"X-Forwarded-Host", "evil.example", "Origin", "https://evil.example"}, 403},
		"a preflight, without the cookie": {proxy, nil, 0},
	} {
		headers := append(c.headers, cookie...)
		if c.status == 0 {
			headers, c.status = []string{"X-Forwarded-Method", "OPTIONS", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST"}, 401
		}
		if response := f.ask(c.from, petstore, headers...); response.StatusCode != c.status {
			t.Errorf("%s: %d %v", name, response.StatusCode, response.Header)
		}
	}
}

// TestHostileHosts: a name that a client made up, and a proxy passes on, is none of ours, whatever it looks like.
func TestHostileHosts(t *testing.T) {
	f := serve(t)
	bearer := "Bearer " + f.token("ada", "petstore").Access
	for _, host := range []string{"[::::]", "[.]", "[1.2.3.4]", "[::1]:99999", "a:99999", "..", "-", "a:", "a@b", "a/b", "%61", ""} {
		response := f.ask(proxy, petstore, "Authorization", bearer, "X-Forwarded-Method", "GET", "X-Forwarded-Proto", "https", "X-Forwarded-Host", host, "X-Forwarded-Uri", "/")
		if response.StatusCode != 200 {
			t.Errorf("%q: %d", host, response.StatusCode)
		}
	}
}

// TestProofs: a proof is for the address that the proxy states, and where that is none, no proof is good.
func TestProofs(t *testing.T) {
	f := serve(t)
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jothttp.NewProofSigner(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	token := f.grant("ada", issuer.Grant{Resource: "petstore", KeyThumbprint: signer.Thumbprint()}).Access
	for name, c := range map[string]struct {
		from, proto, uri, proved string
		status                   int
	}{
		"an address":         {proxy, "https", "/pets?a=b", "https://api.example.com/pets", 200},
		"without TLS":        {proxy, "http", "/pets", "http://api.example.com/pets", 200},
		"another scheme":     {proxy, "http", "/pets", "https://api.example.com/pets", 401},
		"a web socket":       {proxy, "wss", "/pets", "https://api.example.com/pets", 200},
		"one without TLS":    {proxy, "ws", "/pets", "http://api.example.com/pets", 200},
		"no scheme":          {proxy, "", "/pets", "https://api.example.com/pets", 401},
		"a scheme of others": {proxy, "ftp", "/pets", "https://api.example.com/pets", 401},
		"no path":            {proxy, "https", "*", "https://api.example.com/", 401},
		"another's address":  {proxy, "https", "http://evil.example/pets", "http://evil.example/pets", 401},
		"a double slash":     {proxy, "https", "//evil.example/pets", "https://evil.example/pets", 401},
		"an escaped slash":   {proxy, "https", "/pets%2Fada", "https://api.example.com/pets/ada", 401},
		"a stranger's word":  {stranger, "https", "/pets", "https://api.example.com/pets", 401},
	} {
		proof, err := signer.Sign(t.Context(), jothttp.ProofTarget{Method: "GET", URL: c.proved, AccessToken: token})
		if err != nil {
			t.Fatal(err)
		}
		response := f.ask(c.from, petstore, "Authorization", "DPoP "+token, "DPoP", proof,
			"X-Forwarded-Method", "GET", "X-Forwarded-Proto", c.proto, "X-Forwarded-Host", "api.example.com", "X-Forwarded-Uri", c.uri)
		if response.StatusCode != c.status {
			t.Errorf("%s: %d %v", name, response.StatusCode, response.Header)
		}
	}
}

// TestOneChallenge: where a token that is bound to a key would do, both challenges stand in one header.
func TestOneChallenge(t *testing.T) {
	f := serve(t)
	known := []string{"X-Forwarded-Method", "GET", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "api.example.com", "X-Forwarded-Uri", "/pets"}
	for name, c := range map[string]struct {
		headers []string
		want    string // what the list begins with
	}{
		"no token":   {nil, `Bearer realm="jot", DPoP realm="jot", algs="`},
		"no proof":   {[]string{"Authorization", "DPoP " + f.token("ada", "petstore").Access}, `Bearer realm="jot", DPoP realm="jot", algs="`},
		"no address": {[]string{"X-Forwarded-Host", "elsewhere.example"}, `Bearer realm="jot"`},
		"two paths":  {[]string{"X-Forwarded-Uri", "/elsewhere"}, `Bearer realm="jot"`},
	} {
		got := f.ask(proxy, petstore, append(c.headers, known...)...).Header.Values("WWW-Authenticate")
		if len(got) != 1 || !strings.HasPrefix(got[0], c.want) || strings.Contains(got[0], "DPoP") != strings.Contains(c.want, "DPoP") {
			t.Errorf("%s: %q", name, got)
		}
	}
}
