// Package nginx runs Debian's nginx with the configuration of docs/recipes/nginx.md in front of an API, against a whole server.
package nginx

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/interop/machine"
	"github.com/jot-auth/jot/interop/recipe"
	"github.com/jot-auth/jot/interop/running"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/issuer"
)

// world is a server, an API behind nginx, and a user of it.
type world struct {
	running.Server
	t     *testing.T
	proxy string // URL of nginx
	seen  http.Header
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{Server: running.Start(t), t: t}
	api := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.seen = r.Header.Clone()
		io.WriteString(rw, "the API")
	}))
	t.Cleanup(api.Close)
	address := machine.FreeAddress(t)
	w.proxy = "http://" + address
	serve(t, address, strings.NewReplacer("127.0.0.1:8420", strings.TrimPrefix(w.URL, "http://"), "127.0.0.1:9000", strings.TrimPrefix(api.URL, "http://"),
		"127.0.0.1:8080", address).Replace(recipe.Read(t, "nginx").Block("nginx")))
	return w
}

// serve runs nginx, in one process, until the test ends.
func serve(t *testing.T, address, configuration string) {
	t.Helper()
	program, dir := machine.Need(t, "install the package nginx", "nginx", "/usr/sbin/nginx"), t.TempDir()
	temporary := ""
	for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += fmt.Sprintf("%s_temp_path %s;\n", name, filepath.Join(dir, name))
	}
	whole := fmt.Sprintf("daemon off; master_process off; pid %s/pid; error_log stderr;\nevents {}\nhttp {\naccess_log off;\n%s%s}\n", dir, temporary, configuration)
	machine.Serve(t, address, nil, program, "-c", recipe.File(t, dir, "nginx.conf", whole), "-p", dir)
}

// tokens begins a session of a new subject.
func (w *world) tokens(subject string, g issuer.Grant) issuer.Tokens {
	w.t.Helper()
	if err := w.Issuer().CreateSubject(w.t.Context(), issuer.Subject{ID: subject, Scope: []string{"pets:read"}}); err != nil {
		w.t.Fatal(err)
	}
	g.Subject, g.ClientID = subject, running.App
	tokens, err := w.Issuer().Issue(w.t.Context(), g)
	if err != nil {
		w.t.Fatal(err)
	}
	return tokens
}

// call asks for the API through nginx, with headers given as name, value, ….
func (w *world) call(method string, headers ...string) *http.Response {
	w.t.Helper()
	w.seen = nil
	r, err := http.NewRequest(method, w.proxy+"/pets?audience=other", strings.NewReader(""))
	if err != nil {
		w.t.Fatal(err)
	}
	for n := 0; n < len(headers); n += 2 {
		r.Header.Add(headers[n], headers[n+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	return response
}

func TestForwardAuthentication(t *testing.T) {
	w := start(t)
	tokens := w.tokens("ada lovelace é", issuer.Grant{})
	bearer := "Bearer " + tokens.Access
	forged := []string{"X-Jot-Subject", "root", "X-Jot-Scope", "everything", "X-Jot-Client", "root", "X-Jot-Session", "root"}

	if response := w.call("GET", append(forged, "Authorization", bearer)...); response.StatusCode != 200 {
		t.Fatalf("a good token: %d", response.StatusCode)
	}
	for name, want := range map[string]string{
		"X-Jot-Subject": "ada%20lovelace%20%C3%A9", "X-Jot-Client": running.App, "X-Jot-Session": tokens.SessionID, "X-Jot-Scope": "pets:read",
	} {
		if got := w.seen.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}

	narrow := w.tokens("grace", issuer.Grant{Scope: []string{}})
	for name, c := range map[string]struct {
		headers   []string
		status    int
		challenge string
	}{
		"no token":           {forged, 401, `Bearer realm="jot"`},
		"a bad token":        {[]string{"Authorization", "Bearer a.b.c"}, 401, `Bearer realm="jot", error="invalid_token"`},
		"too little scope":   {[]string{"Authorization", "Bearer " + narrow.Access}, 403, ""},
		"a forged answer":    {[]string{"X-Original-URI", "/healthz", "X-Forwarded-Uri", "/healthz"}, 401, `Bearer realm="jot"`},
		"a cookie, one site": {[]string{"Cookie", "__Host-jot=" + tokens.Access, "Sec-Fetch-Site", "same-origin"}, 200, ""},
	} {
		response := w.call("POST", c.headers...)
		if challenges := strings.Join(response.Header.Values("WWW-Authenticate"), "; "); response.StatusCode != c.status || !strings.Contains(challenges, c.challenge) {
			t.Errorf("%s: %d, challenge %q", name, response.StatusCode, challenges)
		}
		if (w.seen != nil) != (c.status == 200) {
			t.Errorf("%s: reached the API: %v", name, w.seen != nil)
		}
	}

	cookie := []string{"Cookie", "__Host-jot=" + tokens.Access, "Sec-Fetch-Site", "cross-site"}
	if response := w.call("GET", cookie...); response.StatusCode != 200 {
		t.Errorf("a link from elsewhere: %d", response.StatusCode)
	}
	for name, response := range map[string]*http.Response{
		"a form from elsewhere": w.call("POST", cookie...),
		"a web socket":          w.call("GET", append(cookie, "Sec-WebSocket-Key", "x")...),
	} {
		if response.StatusCode != 403 {
			t.Errorf("%s: %d", name, response.StatusCode)
		}
	}

	// A revocation counts with the next request.
	form := url.Values{"token": {tokens.Refresh}, "client_id": {running.App}}
	response, err := http.PostForm(w.URL+"/oauth2/revoke", form)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	refused := w.call("GET", "Authorization", bearer)
	if response.StatusCode != 200 || refused.StatusCode != 401 || !strings.Contains(strings.Join(refused.Header.Values("WWW-Authenticate"), "; "), `error="invalid_token"`) {
		t.Errorf("after the revocation: %d, %v", refused.StatusCode, refused.Header)
	}
}

// TestBoundTokens: the proof is for the address at which its client called, which is nginx's.
func TestBoundTokens(t *testing.T) {
	w := start(t)
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jothttp.NewProofSigner(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	tokens := w.tokens("ada", issuer.Grant{KeyThumbprint: signer.Thumbprint()})
	proof := func(method, base string) string {
		proof, err := signer.Sign(t.Context(), jothttp.ProofTarget{Method: method, URL: base + "/pets", AccessToken: tokens.Access})
		if err != nil {
			t.Fatal(err)
		}
		return proof
	}
	used := proof("GET", w.proxy)
	for _, c := range []struct {
		name    string
		headers []string
		status  int
	}{
		{"with a proof", []string{"Authorization", "DPoP " + tokens.Access, "DPoP", used}, 200},
		{"the proof again", []string{"Authorization", "DPoP " + tokens.Access, "DPoP", used}, 401},
		{"without one", []string{"Authorization", "DPoP " + tokens.Access}, 401},
		{"as a bearer token", []string{"Authorization", "Bearer " + tokens.Access}, 401},
		{"for another method", []string{"Authorization", "DPoP " + tokens.Access, "DPoP", proof("POST", w.proxy)}, 401},
		{"for the server", []string{"Authorization", "DPoP " + tokens.Access, "DPoP", proof("GET", w.URL)}, 401},
		{"for a forged host", []string{"Authorization", "DPoP " + tokens.Access, "DPoP", proof("GET", "http://evil.example"), "X-Forwarded-Host", "evil.example"}, 401},
	} {
		if response := w.call("GET", c.headers...); response.StatusCode != c.status {
			t.Errorf("%s: %d %v", c.name, response.StatusCode, response.Header)
		}
	}
}
