package console_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

// TestRefusedHere: until client and redirect URI are known to be good, nothing is sent anywhere (RFC 6749 §4.1.2.1, RFC
// 9700 §4.1 and §4.11).
func TestRefusedHere(t *testing.T) {
	f := serve(t)
	b := f.browser()
	b.logIn(b.authorize()).code(t)
	for name, query := range map[string]string{
		"nothing":                  "",
		"no client":                request("client_id", "").Encode(),
		"unknown client":           request("client_id", "client_nobody").Encode(),
		"client without URIs":      request("client_id", "client_jot").Encode(),
		"client of another's URI":  request("client_id", shop).Encode(),
		"client with NUL":          request("client_id", "client_app\x00").Encode(),
		"doubled client":           request().Encode() + "&client_id=" + app,
		"no redirect URI":          request("redirect_uri", "").Encode(),
		"doubled redirect URI":     request().Encode() + "&redirect_uri=" + url.QueryEscape(callback),
		"broken escape":            request().Encode() + "&a=%zz",
		"semicolon":                request().Encode() + ";a=b",
		"longer than ever":         request("state", strings.Repeat("a", 9000)).Encode(),
		"URI with a suffix":        request("redirect_uri", callback+"/x").Encode(),
		"URI with a slash":         request("redirect_uri", callback+"/").Encode(),
		"URI with a query":         request("redirect_uri", callback+"?x=1").Encode(),
		"URI with a fragment":      request("redirect_uri", callback+"#x").Encode(),
		"prefix of the URI":        request("redirect_uri", "https://app.example.com/").Encode(),
		"URI as a prefix of hosts": request("redirect_uri", "https://app.example.com.evil.example/callback").Encode(),
		"URI as user information":  request("redirect_uri", "https://app.example.com@evil.example/callback").Encode(),
		"URI behind a backslash":   request("redirect_uri", `https://evil.example\@app.example.com/callback`).Encode(),
		"URI with a parent":        request("redirect_uri", "https://app.example.com/x/../callback").Encode(),
		"URI with escaped letters": request("redirect_uri", "https://app.example.com/%63allback").Encode(),
		"URI in capitals":          request("redirect_uri", "https://APP.example.com/callback").Encode(),
		"path in capitals":         request("redirect_uri", "https://app.example.com/Callback").Encode(),
		"URI with a port":          request("redirect_uri", "https://app.example.com:443/callback").Encode(),
		"URI over HTTP":            request("redirect_uri", "http://app.example.com/callback").Encode(),
		"URI with a space":         request("redirect_uri", callback+" ").Encode(),
		"URI with a line break":    request("redirect_uri", callback+"\r\nSet-Cookie: a=b").Encode(),
		"no client at all":         request("client_id", "\x00").Encode(),
		"URI without a scheme":     request("redirect_uri", "//app.example.com/callback").Encode(),
		"path alone":               request("redirect_uri", "/callback").Encode(),
		"wildcard":                 request("redirect_uri", "https://*.example.com/callback").Encode(),
		"subdomain":                request("redirect_uri", "https://evil.app.example.com/callback").Encode(),
		"URI with a trailing dot":  request("redirect_uri", "https://app.example.com./callback").Encode(),
		"data":                     request("redirect_uri", "data:text/html,x").Encode(),
		"loopback of IPv6":         request("redirect_uri", "http://[::1]/callback").Encode(),
		"any address":              request("redirect_uri", "http://0.0.0.0/callback").Encode(),
		"loopback in another way":  request("redirect_uri", "http://127.1/callback").Encode(),
		"script":                   request("redirect_uri", "javascript:alert(1)").Encode(),
		"loopback by name":         request("redirect_uri", "http://localhost/callback").Encode(),
		"loopback, other path":     request("redirect_uri", "http://127.0.0.1:8080/other").Encode(),
		"loopback, as user":        request("redirect_uri", "http://127.0.0.1:8080@evil.example/callback").Encode(),
		"loopback over TLS":        request("redirect_uri", "https://127.0.0.1/callback").Encode(),
	} {
		for kind, who := range map[string]*browser{"signed in": b, "stranger": f.browser()} {
			if a := who.send("GET", "/base/oauth2/authorize?"+query, nil); a.status != http.StatusBadRequest || a.location != nil || strings.Contains(a.body, "evil") {
				t.Errorf("%s, %s: %d %v %.200s", name, kind, a.status, a.location, a.body)
			}
		}
	}
}

// TestRefusedThere is what the client is told, with state and issuer, whether or not somebody is signed in.
func TestRefusedThere(t *testing.T) {
	f := serve(t)
	b := f.browser()
	b.logIn(b.authorize()).code(t)
	good := request().Encode()
	for name, c := range map[string]struct{ query, code string }{
		"no response type":          {request("response_type", "").Encode(), "invalid_request"},
		"token":                     {request("response_type", "token").Encode(), "unsupported_response_type"},
		"hybrid":                    {request("response_type", "code id_token").Encode(), "unsupported_response_type"},
		"ID token":                  {request("response_type", "id_token").Encode(), "unsupported_response_type"},
		"nothing, please":           {request("response_type", "none").Encode(), "unsupported_response_type"},
		"code, twice":               {request("response_type", "code code").Encode(), "unsupported_response_type"},
		"in capitals":               {request("response_type", "CODE").Encode(), "unsupported_response_type"},
		"fragment":                  {request("response_mode", "fragment").Encode(), "invalid_request"},
		"no challenge":              {request("code_challenge", "").Encode(), "invalid_request"},
		"no challenge, no method":   {request("code_challenge", "", "code_challenge_method", "").Encode(), "invalid_request"},
		"plain":                     {request("code_challenge_method", "plain").Encode(), "invalid_request"},
		"plain by default":          {request("code_challenge_method", "").Encode(), "invalid_request"},
		"method in small letters":   {request("code_challenge_method", "s256").Encode(), "invalid_request"},
		"short challenge":           {request("code_challenge", challenge[1:]).Encode(), "invalid_request"},
		"long challenge":            {request("code_challenge", challenge+"A").Encode(), "invalid_request"},
		"challenge with padding":    {request("code_challenge", challenge+"=").Encode(), "invalid_request"},
		"challenge, not base64url":  {request("code_challenge", challenge[1:]+"+").Encode(), "invalid_request"},
		"challenge, trailing bits":  {request("code_challenge", challenge[:42]+"N").Encode(), "invalid_request"},
		"doubled response type":     {good + "&response_type=code", "invalid_request"},
		"doubled scope":             {good + "&scope=openid", "invalid_request"},
		"method of another hash":    {request("code_challenge_method", "S512").Encode(), "invalid_request"},
		"empty challenge":           {request("code_challenge", "").Encode() + "&code_challenge=", "invalid_request"},
		"doubled method":            {good + "&code_challenge_method=plain", "invalid_request"},
		"doubled nonce":             {request("nonce", "a").Encode() + "&nonce=b", "invalid_request"},
		"doubled prompt, twice":     {request("prompt", "login").Encode() + "&prompt=none", "invalid_request"},
		"doubled mode":              {request("response_mode", "query").Encode() + "&response_mode=query", "invalid_request"},
		"doubled challenge":         {good + "&code_challenge=" + challenge, "invalid_request"},
		"doubled, escaped":          {good + "&code%5Fchallenge=" + challenge, "invalid_request"},
		"doubled unknown":           {good + "&a=1&a=1", "invalid_request"},
		"two resources":             {good + "&resource=petstore&resource=zoo", "invalid_request"},
		"unknown resource":          {request("resource", "nowhere").Encode(), "invalid_target"},
		"NUL in the nonce":          {request("nonce", "a\x00").Encode(), "invalid_request"},
		"invalid UTF-8":             {good + "&nonce2=%ff", "invalid_request"},
		"unknown scope":             {request("scope", "openid pets:eat").Encode(), "invalid_scope"},
		"malformed scope":           {request("scope", "openid  pets:read").Encode(), "invalid_scope"},
		"doubled scope token":       {request("scope", "openid openid").Encode(), "invalid_scope"},
		"admin scope":               {request("scope", "jot:admin").Encode(), "invalid_scope"},
		"request object":            {request("request", "a.b.c").Encode(), "request_not_supported"},
		"request URI":               {request("request_uri", "https://evil.example/").Encode(), "request_uri_not_supported"},
		"registration":              {request("registration", "{}").Encode(), "registration_not_supported"},
		"unknown prompt":            {request("prompt", "create").Encode(), "invalid_request"},
		"none and login":            {request("prompt", "none login").Encode(), "invalid_request"},
		"doubled prompt":            {request("prompt", "login login").Encode(), "invalid_request"},
		"negative age":              {request("max_age", "-1").Encode(), "invalid_request"},
		"age in words":              {request("max_age", "1h").Encode(), "invalid_request"},
		"endless age":               {request("max_age", "99999999999999999999").Encode(), "invalid_request"},
		"short thumbprint":          {request("dpop_jkt", challenge[1:]).Encode(), "invalid_request"},
		"thumbprint with padding":   {request("dpop_jkt", challenge+"=").Encode(), "invalid_request"},
		"doubled thumbprint":        {good + "&dpop_jkt=" + challenge + "&dpop_jkt=" + challenge, "invalid_request"},
		"long nonce":                {request("nonce", strings.Repeat("a", 2049)).Encode(), "invalid_request"},
		"long state":                {request("state", strings.Repeat("a", 2049)).Encode(), "invalid_request"},
		"never silently":            {request("prompt", "none", "max_age", "0").Encode(), "login_required"},
		"scope, prompt and request": {request("scope", "nothing", "prompt", "x", "request", "y").Encode(), "request_not_supported"},
	} {
		for kind, who := range map[string]*browser{"signed in": b, "stranger": f.browser()} {
			a := who.send("GET", "/base/oauth2/authorize?"+c.query, nil)
			if a.location == nil || a.location.Query().Get("state") == "" {
				t.Errorf("%s, %s: %d %v", name, kind, a.status, a.location)
				continue
			}
			a.wantRefusal(t, c.code)
			if t.Failed() {
				t.Fatal(name, kind)
			}
		}
	}
	f.browser().authorize("prompt", "none").wantRefusal(t, "login_required")
	if a := f.browser().send("GET", "/base/oauth2/authorize?"+good+"&state=twice", nil); a.location.Query().Has("state") {
		t.Errorf("a doubled state came back: %v", a.location)
	}
	if log := f.log.Take(); log != "" {
		t.Errorf("logged %s", log)
	}
}

// TestFormsLeadToIPv6: a policy can't name an IPv6 address, and a browser leaves out what it can't read: then no answer
// would ever come to [::1].
func TestFormsLeadToIPv6(t *testing.T) {
	f := serve(t)
	if err := f.issuer.CreateClient(t.Context(), issuer.Client{ID: "client_native", Scopes: []string{"pets:read"}, RedirectURIs: []string{"http://[::1]/callback"}}); err != nil {
		t.Fatal(err)
	}
	b := f.browser()
	page := b.authorize("client_id", "client_native", "redirect_uri", "http://[::1]:51004/callback")
	if policy := page.header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "form-action 'self' https: http:") {
		t.Errorf("policy %q", policy)
	}
	b.submit(b.logIn(page), "/consent", "decision", "allow").code(t)
}

// TestRedirectURIsOfClients: the port of a loopback address is free (RFC 8252 §7.3), and a query stays as it is (RFC
// 6749 §3.1.2).
func TestRedirectURIsOfClients(t *testing.T) {
	f := serve(t)
	b := f.browser()
	page := b.authorize("redirect_uri", "http://127.0.0.1:51004/callback")
	if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https: http://127.0.0.1:51004") {
		t.Errorf("policy %q", policy)
	}
	a := b.logIn(page)
	if code := a.code(t); a.location.Host != "127.0.0.1:51004" || a.location.Path != "/callback" {
		t.Errorf("%s to %v", code, a.location)
	} else if status, members := f.redeem(code, "redirect_uri", "http://127.0.0.1/callback"); status != 400 || members["error"] != "invalid_grant" {
		t.Errorf("redeemed with another port: %d %v", status, members)
	} else {
		f.tokens(code, "redirect_uri", "http://127.0.0.1:51004/callback")
	}
	denied := b.submit(b.authorize("client_id", shop, "redirect_uri", "https://shop.example.com/cb?tenant=1"), "/consent", "decision", "deny")
	if !strings.HasPrefix(denied.location.String(), "https://shop.example.com/cb?tenant=1&error=access_denied&") {
		t.Errorf("sent to %v", denied.location)
	}
}

// TestFormRequest: a client may send its request as a form; what that form holds is judged like any other request, and
// only what can't be passed on is a page.
func TestFormRequest(t *testing.T) {
	f := serve(t)
	b := f.browser()
	b.logIn(b.authorize()).code(t)
	for _, path := range []string{"/base/oauth2/authorize", "/base/oauth2/logout"} {
		b.send("POST", path, url.Values{"state": {strings.Repeat("a", 9000)}}).wantPage(t, 400, "too long")
		b.send("POST", path, url.Values{"a": {"\x00"}}, "Content-Type", "text/plain").wantPage(t, 415, "That didn")
		b.sendText("POST", path, "a=%zz", "Content-Type", "application/x-www-form-urlencoded").wantPage(t, 400, "That didn")
	}
	b.get(b.send("POST", "/base/oauth2/authorize", url.Values{"a": {"1", "2"}}).location.String()).wantPage(t, 400, "That didn") // who asks isn't known
	for name, malformed := range map[string]url.Values{
		"doubled scope": {"scope": {"openid", "pets:read"}}, "doubled unknown": {"a": {"1", "1"}}, "doubled, without a value": {"a": {"", ""}},
		"NUL": {"a": {"\x00"}}, "invalid UTF-8": {"a": {"\xff"}},
	} {
		for kind, changes := range map[string][]string{"aloud": nil, "silent": {"prompt", "none"}, "silent, by a form": {"prompt", "none", "response_mode", "form_post"}} {
			form := request(changes...)
			maps.Copy(form, malformed)
			a := b.get(b.send("POST", "/base/oauth2/authorize", form).location.String())
			if a.location == nil || a.location.Query().Get("state") == "" {
				t.Fatalf("%s, %s: %d %v %.200s", name, kind, a.status, a.location, a.body)
			}
			a.wantRefusal(t, "invalid_request")
		}
	}
	a := b.send("POST", "/base/oauth2/authorize", request(), "Sec-Fetch-Site", "cross-site", "Origin", "https://app.example.com")
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.location.String(), issuerURL+"/oauth2/authorize?") {
		t.Fatalf("%d %v", a.status, a.location)
	}
	b.get(a.location.String()).code(t)
}
