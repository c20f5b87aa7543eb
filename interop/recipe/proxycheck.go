package recipe

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/interop/machine"
	"github.com/jot-auth/jot/interop/running"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/issuer"
)

// The subject who calls, and as whom the API knows them.
const (
	caller        = "ada lovelace é {env.HOME}"
	escapedCaller = "ada%20lovelace%20%C3%A9%20{env.HOME}"
)

// CheckWhole is Check for a proxy that hands on every answer of the server's, knows its own names and lets connections
// be upgraded.
func (p *Proxied) CheckWhole() {
	p.t.Helper()
	p.Check()
	p.checkAnswers()
	p.checkNames()
	p.checkUpgrades()
}

// Check sends requests through the proxy that the server lets go on, and such as it refuses.
func (p *Proxied) Check() {
	p.t.Helper()
	tokens := p.tokens(caller, issuer.Grant{})
	p.checkCaller(tokens)
	p.checkRefusals()
	p.checkCookies(tokens)
	p.checkRequests(tokens)
	p.checkHostile(tokens)
	p.checkBoundTokens()
	p.checkAddresses()
	p.checkRevocation(tokens)
}

func bearer(tokens issuer.Tokens) string { return "Bearer " + tokens.Access }

// wantCaller wants the API to be told of the caller, and of nobody else.
func (p *Proxied) wantCaller(name string, got *arrival, tokens issuer.Tokens) {
	p.t.Helper()
	if got == nil {
		p.t.Errorf("%s: the API wasn't reached", name)
		return
	}
	for header, want := range map[string]string{
		"X-Jot-Subject": escapedCaller, "X-Jot-Client": running.App, "X-Jot-Session": tokens.SessionID, "X-Jot-Scope": "pets:read",
	} {
		if values := got.Header.Values(header); len(values) != 1 || values[0] != want {
			p.t.Errorf("%s: %s is %q, want %q", name, header, values, want)
		}
	}
	for header := range got.Header {
		if strings.Contains(header, "_") {
			p.t.Errorf("%s: %s reached the API", name, header)
		}
	}
}

// forged are what a client may make up, in the spellings that some APIs take for one.
func forged() []string {
	var headers []string
	for _, member := range []string{"Subject", "Client", "Session", "Scope"} {
		for _, name := range []string{"X-Jot-", "X-Jot-", "X_Jot_", "X-Jot_", "X_Jot-"} {
			headers = append(headers, name+member, "root")
		}
	}
	return headers
}

func (p *Proxied) checkCaller(tokens issuer.Tokens) {
	p.t.Helper()
	for _, method := range []string{"GET", "POST"} {
		response, got := p.call(method, append(forged(), "Authorization", bearer(tokens))...)
		if response.StatusCode != http.StatusOK {
			p.t.Fatalf("a good token: %d", response.StatusCode)
		}
		p.wantCaller("a good token", got, tokens)
	}
	// What a connection's own headers are is the client's to say, and a proxy removes them.
	_, got, _ := p.raw("GET /pets", "Host", p.host(), "Authorization", bearer(tokens), "Connection", "X-Jot-Subject, X-Jot-Client, x-jot-session, X-Jot-Scope, X-Forwarded-Method, X-Forwarded-Uri")
	p.wantCaller("headers of the connection", got, tokens)
}

func (p *Proxied) checkRefusals() {
	p.t.Helper()
	narrow := p.tokens("grace", issuer.Grant{Scope: []string{}})
	for name, c := range map[string]struct {
		headers   []string
		status    int
		challenge string
	}{
		"no token":         {forged(), 401, `Bearer realm="jot"`},
		"a bad token":      {[]string{"Authorization", "Bearer a.b.c"}, 401, `Bearer realm="jot", error="invalid_token"`},
		"another scheme":   {[]string{"Authorization", "Basic YTpi"}, 401, `Bearer realm="jot"`},
		"too little scope": {[]string{"Authorization", bearer(narrow)}, 403, ""},
		"a forged answer":  {[]string{"X-Original-URI", "/healthz", "X-Forwarded-Uri", "/healthz", "X-Rewrite-URL", "/healthz"}, 401, `Bearer realm="jot"`},
	} {
		response, got := p.call("POST", c.headers...)
		if challenges := strings.Join(response.Header.Values("WWW-Authenticate"), "; "); response.StatusCode != c.status || !strings.Contains(challenges, c.challenge) {
			p.t.Errorf("%s: %d, challenge %q", name, response.StatusCode, challenges)
		}
		if got != nil {
			p.t.Errorf("%s: reached the API", name)
		}
	}
}

// checkCookies holds what another site's page may do with a cookie against the original request.
func (p *Proxied) checkCookies(tokens issuer.Tokens) {
	p.t.Helper()
	cookie := []string{"Cookie", "__Host-jot=" + tokens.Access}
	for name, c := range map[string]struct {
		method  string
		headers []string
		status  int
	}{
		"its own page":                  {"POST", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		"an old browser's own page":     {"POST", []string{"Origin", p.url}, 200},
		"a link from elsewhere":         {"GET", []string{"Sec-Fetch-Site", "cross-site"}, 200},
		"a form from elsewhere":         {"POST", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"an old browser's, elsewhere":   {"POST", []string{"Origin", "https://evil.example"}, 403},
		"a forged method":               {"POST", []string{"Sec-Fetch-Site", "cross-site", "X-Forwarded-Method", "GET"}, 403},
		"a forged method for overrides": {"POST", []string{"Sec-Fetch-Site", "cross-site", "X-HTTP-Method-Override", "GET"}, 403},
		"a forged host":                 {"POST", []string{"Origin", "https://evil.example", "X-Forwarded-Host", "evil.example"}, 403},
		"a web socket":                  {"GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-WebSocket-Key", "x"}, 403},
	} {
		response, got := p.call(c.method, append(c.headers, cookie...)...)
		if response.StatusCode != c.status || (got != nil) != (c.status == http.StatusOK) {
			p.t.Errorf("%s: %d, reached the API: %v", name, response.StatusCode, got != nil)
		}
	}
}

// checkRequests wants each method, address and body to reach the API as it was.
func (p *Proxied) checkRequests(tokens issuer.Tokens) {
	p.t.Helper()
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"} {
		if _, got := p.call(method, "Authorization", bearer(tokens)); got == nil || got.Method != method || got.RequestURI != "/pets?audience=other" {
			p.t.Errorf("%s: %+v arrived", method, got)
		}
	}
	body := bytes.Repeat([]byte("all of it "), 30_000)
	for _, method := range []string{"POST", "PUT"} {
		for _, chunked := range []bool{false, true} {
			content := io.Reader(bytes.NewReader(body))
			if chunked {
				content = io.MultiReader(content)
			}
			response, got := p.send(p.request(method, content, "Authorization", bearer(tokens), "Content-Type", "text/plain"))
			if response.StatusCode != http.StatusOK || got == nil || !bytes.Equal(got.body, body) || got.Header.Get("Content-Type") != "text/plain" {
				p.t.Errorf("%s, chunked %v: %d, and not the same body", method, chunked, response.StatusCode)
			}
		}
	}
}

// checkHostile sends what no client would.
func (p *Proxied) checkHostile(tokens issuer.Tokens) {
	p.t.Helper()
	host, good, cookie := p.host(), bearer(tokens), "__Host-jot="+tokens.Access
	for _, c := range []struct {
		name, line string
		headers    []string
	}{
		{"two tokens", "GET /pets", []string{"Host", host, "Authorization", good, "Authorization", good}},
		{"two tokens in a line", "GET /pets", []string{"Host", host, "Authorization", good + ", " + good}},
		{"a token and a cookie", "GET /pets", []string{"Host", host, "Authorization", good, "Cookie", cookie}},
		{"two cookies", "GET /pets", []string{"Host", host, "Cookie", cookie, "Cookie", cookie}},
		{"a token in the query", "GET /pets?access_token=" + tokens.Access, []string{"Host", host}},
		{"the server's own question", "GET /verify?audience=petstore", []string{"Host", host}},
		{"a way back", "GET /healthz/../pets", []string{"Host", host}},
		{"an escaped way back", "GET /healthz/%2e%2e/pets", []string{"Host", host}},
		{"a preflight", "OPTIONS /pets", []string{"Host", host, "Origin", "https://evil.example", "Access-Control-Request-Method", "POST"}},
	} {
		if response, got, _ := p.raw(c.line, c.headers...); response.StatusCode < 400 || got != nil {
			p.t.Errorf("%s: %d, reached the API: %v", c.name, response.StatusCode, got != nil)
		}
	}
}

// prover is a caller whose token is bound to a key.
type prover struct {
	*Proxied
	tokens issuer.Tokens
	signer *jothttp.ProofSigner
}

func (p *Proxied) prover(subject string) prover {
	p.t.Helper()
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		p.t.Fatal(err)
	}
	signer, err := jothttp.NewProofSigner(key, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return prover{p, p.tokens(subject, issuer.Grant{KeyThumbprint: signer.Thumbprint()}), signer}
}

// headers bear the token, with a proof for a method and an address.
func (p prover) headers(method, address string) []string {
	p.t.Helper()
	proof, err := p.signer.Sign(p.t.Context(), jothttp.ProofTarget{Method: method, URL: address, AccessToken: p.tokens.Access})
	if err != nil {
		p.t.Fatal(err)
	}
	return []string{"Authorization", "DPoP " + p.tokens.Access, "DPoP", proof}
}

// checkBoundTokens: the proof is for the address at which its client called, which is the proxy's.
func (p *Proxied) checkBoundTokens() {
	p.t.Helper()
	hedy := p.prover("hedy")
	used := hedy.headers("GET", p.url+"/pets")
	for _, c := range []struct {
		name    string
		headers []string
		status  int
	}{
		{"with a proof", used, 200},
		{"the proof again", used, 401},
		{"without one", used[:2], 401},
		{"as a bearer token", []string{"Authorization", bearer(hedy.tokens)}, 401},
		{"for another method", hedy.headers("POST", p.url+"/pets"), 401},
		{"for another path", hedy.headers("GET", p.url+"/verify"), 401},
		{"for the server", hedy.headers("GET", p.URL+"/pets"), 401},
		{"for a forged host", append(hedy.headers("GET", "https://evil.example/pets"), "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https"), 401},
		{"for a forged method", append(hedy.headers("POST", p.url+"/pets"), "X-Forwarded-Method", "POST"), 401},
		{"for a forged path", append(hedy.headers("GET", p.url+"/other"), "X-Forwarded-Uri", "/other"), 401},
	} {
		response, got := p.call("GET", c.headers...)
		if response.StatusCode != c.status || (got != nil) != (c.status == http.StatusOK) {
			p.t.Errorf("%s: %d %v, reached the API: %v", c.name, response.StatusCode, response.Header, got != nil)
		}
		if challenges := strings.Join(response.Header.Values("WWW-Authenticate"), "; "); c.status == http.StatusUnauthorized && !strings.Contains(challenges, "DPoP ") {
			p.t.Errorf("%s: no challenge for a proof: %s", c.name, challenges)
		}
	}
	if response, got, _ := p.raw("GET http://evil.example/pets", append(hedy.headers("GET", "http://evil.example/pets"), "Host", p.host())...); got != nil {
		p.t.Errorf("for a host in the request line: %d", response.StatusCode)
	}
}

// checkAddresses: a proof for an address as it was written is good. A proxy that cleans addresses up may refuse odd
// ones, but the API gets none that the proof isn't for.
func (p *Proxied) checkAddresses() {
	p.t.Helper()
	grete := p.prover("grete")
	for path, odd := range map[string]bool{
		"/": false, "/pets?a=b": false, "/pets/%C3%A9": false, "/pets%2Fada": false, "/pets;a=b": false, "/%7Benv.HOME%7D": false, "/pets//ada": true,
		"/x/../pets": true, "/pets/%2e%2e/x": true, "/pets?a#b": true, "//evil.example/pets": true, "/pets%00": true,
	} {
		response, got, _ := p.raw("GET "+path, append(grete.headers("GET", p.url+path), "Host", p.host())...)
		refused := odd && response.StatusCode >= 400 && got == nil
		if !refused && (response.StatusCode != http.StatusOK || got == nil || got.RequestURI != path) {
			p.t.Errorf("%s: %d, %v", path, response.StatusCode, got)
		}
	}
}

// checkRevocation: it counts with the next request.
func (p *Proxied) checkRevocation(tokens issuer.Tokens) {
	p.t.Helper()
	response, err := http.PostForm(p.URL+"/oauth2/revoke", url.Values{"token": {tokens.Refresh}, "client_id": {running.App}})
	if err != nil {
		p.t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		p.t.Fatalf("revoking: %d", response.StatusCode)
	}
	refused, got := p.call("GET", "Authorization", bearer(tokens))
	if refused.StatusCode != 401 || got != nil || !strings.Contains(strings.Join(refused.Header.Values("WWW-Authenticate"), "; "), `error="invalid_token"`) {
		p.t.Errorf("after the revocation: %d, %v", refused.StatusCode, refused.Header)
	}
}

// checkAnswers wants refusals other than 401 as the server wrote them, too.
func (p *Proxied) checkAnswers() {
	p.t.Helper()
	tokens, narrow := p.tokens("emmy", issuer.Grant{}), p.tokens("sofia", issuer.Grant{Scope: []string{}})
	for _, c := range []struct {
		headers   []string
		status    int
		challenge string
	}{
		{[]string{"Authorization", bearer(tokens), "Cookie", "__Host-jot=" + tokens.Access}, 400, `Bearer realm="jot", error="invalid_request"`},
		{[]string{"Authorization", bearer(narrow)}, 403, `Bearer realm="jot", error="insufficient_scope", scope="pets:read"`},
	} {
		response, _ := p.call("GET", c.headers...)
		if response.StatusCode != c.status || response.Header.Get("WWW-Authenticate") != c.challenge || response.Header.Get("Content-Type") != "application/problem+json" {
			p.t.Errorf("%d: %d %v", c.status, response.StatusCode, response.Header)
		}
	}
}

// checkNames wants nothing to reach the API by a name that isn't the proxy's.
func (p *Proxied) checkNames() {
	p.t.Helper()
	authorization := bearer(p.tokens("lise", issuer.Grant{}))
	for _, host := range []string{"evil.example", "192.0.2.1", "localhost.evil.example"} {
		if response, got, _ := p.raw("GET /pets", "Host", host, "Authorization", authorization); got != nil {
			p.t.Errorf("%s: %d", host, response.StatusCode)
		}
	}
}

// CheckFailsClosed wants nothing to reach the API while the server is away.
func CheckFailsClosed(t *testing.T, serve ServeProxy) {
	t.Helper()
	p := &Proxied{t: t}
	p.start(serve, machine.FreeAddress(t))
	if response, got := p.call("GET", "Authorization", "Bearer a.b.c"); response.StatusCode < 500 || got != nil {
		t.Errorf("without the server: %d, reached the API: %v", response.StatusCode, got != nil)
	}
}

// checkUpgrades wants connections that are upgraded to reach the API, and both sides to be heard.
func (p *Proxied) checkUpgrades() {
	p.t.Helper()
	tokens, katherine := p.tokens("mary", issuer.Grant{}), p.prover("katherine")
	asked := []string{"Host", p.host(), "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version", "13"}
	for name, c := range map[string]struct {
		headers []string
		status  int
	}{
		"without a token":               {nil, 401},
		"with a token":                  {[]string{"Authorization", bearer(tokens)}, 101},
		"with a proof":                  {katherine.headers("GET", p.url+"/pets"), 101},
		"with a cookie":                 {[]string{"Cookie", "__Host-jot=" + tokens.Access, "Origin", p.url}, 101},
		"with a cookie, from elsewhere": {[]string{"Cookie", "__Host-jot=" + tokens.Access, "Origin", "https://evil.example"}, 403},
	} {
		response, got, connection := p.raw("GET /pets", append(asked, c.headers...)...)
		if response.StatusCode != c.status || (got != nil) != (c.status == http.StatusSwitchingProtocols) {
			p.t.Errorf("an upgrade %s: %d, reached the API: %v", name, response.StatusCode, got != nil)
			continue
		}
		if got == nil {
			continue
		}
		echo := make([]byte, len("ping\n"))
		if _, err := io.WriteString(connection, "ping\n"); err != nil {
			p.t.Fatal(err)
		}
		if _, err := io.ReadFull(connection, echo); err != nil || string(echo) != "ping\n" {
			p.t.Errorf("an upgrade %s: %q %v", name, echo, err)
		}
	}
}
