package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/passkeytest"
	"github.com/jot-auth/jot/server/issuer"
)

// visitor is a person with a browser, which trusts loopback with cookies that are Secure, as browsers do.
type visitor struct {
	*testing.T
	client  *http.Client
	cookies map[string]*http.Cookie
	page    string
	at      *url.URL
}

func newVisitor(t *testing.T) *visitor {
	v := &visitor{T: t, cookies: map[string]*http.Cookie{}}
	v.client = &http.Client{Jar: v}
	return v
}

// SetCookies implements http.CookieJar.
func (v *visitor) SetCookies(_ *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		v.cookies[c.Name] = c
	}
}

// Cookies implements http.CookieJar.
func (v *visitor) Cookies(*url.URL) (all []*http.Cookie) {
	for _, c := range v.cookies {
		all = append(all, c)
	}
	return all
}

func (v *visitor) took(response *http.Response, err error) {
	v.Helper()
	check(v.T, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	check(v.T, err)
	v.page, v.at = string(text), response.Request.URL
}

func (v *visitor) open(address string) {
	v.Helper()
	v.took(v.client.Get(address))
}

var hiddenFields = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)

// submit sends the page's form, and goes where it leads.
func (v *visitor) submit(action string, fields ...string) {
	v.Helper()
	form := url.Values{}
	for _, hidden := range hiddenFields.FindAllStringSubmatch(v.page, -1) {
		form.Set(hidden[1], html.UnescapeString(hidden[2]))
	}
	for n := 0; n < len(fields); n += 2 {
		form.Set(fields[n], fields[n+1])
	}
	v.took(v.client.PostForm(v.at.ResolveReference(&url.URL{Path: action}).String(), form))
}

var passkeyOptions = regexp.MustCompile(`data-options="([^"]*)"`)

// usePasskey completes a login with a passkey.
func (v *visitor) usePasskey(device *passkeytest.Authenticator, p *passkeytest.Passkey) {
	v.Helper()
	found := passkeyOptions.FindStringSubmatch(v.page)
	if found == nil {
		v.Fatalf("nobody asks for a passkey: %s", v.page)
	}
	v.submit("factor", "credential", string(device.Get([]byte(html.UnescapeString(found[1])), p)))
}

// addPasskey gives the account of a token a passkey.
func (s *testServer) addPasskey(t *testing.T, device *passkeytest.Authenticator, token string) *passkeytest.Passkey {
	t.Helper()
	at := &adminServer{issuer: s.url, client: newAdminClient(identified{}), token: token}
	var options json.RawMessage
	check(t, at.ask(t.Context(), http.MethodPost, "/v1/factors/passkeys", map[string]any{"password": testPassword}, &options))
	p, credential := device.Create(options)
	check(t, at.ask(t.Context(), http.MethodPost, "/v1/factors/passkeys/confirm", map[string]any{"name": "Phone", "credential": json.RawMessage(credential)}, nil))
	return p
}

// logInByBrowser runs the command, and lets a visitor open the address that it prints.
func logInByBrowser(t *testing.T, issuerURL string, visit func(address string)) (code int, said string) {
	t.Helper()
	talk, stderr := io.Pipe()
	done := make(chan int, 1)
	go func() { // ends with the login, or with the test
		code := Run(t.Context(), []string{"admin", "login", "--issuer", issuerURL, "--browser"}, strings.NewReader(""), io.Discard, stderr)
		stderr.Close()
		done <- code
	}()
	var all bytes.Buffer
	lines := bufio.NewScanner(io.TeeReader(talk, &all))
	for lines.Scan() {
		if address, found := strings.CutPrefix(lines.Text(), "log in at "); found {
			visit(address)
		}
	}
	return <-done, all.String()
}

// TestBrowserLogin: an administrator whose second factor is a passkey logs in by a browser, and what others send to the
// waiting port changes nothing.
func TestBrowserLogin(t *testing.T) {
	dir := t.TempDir()
	s, stop, err := startServerAt("localhost", filepath.Join(dir, "data"))
	check(t, err)
	t.Cleanup(func() { check(t, stop()) })
	sub, err := s.makeAdmin("root")
	check(t, err)
	token, err := s.token(sub)
	check(t, err)
	t.Setenv("JOT_ADMIN_TOKEN", "")
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	device := passkeytest.New(t, s.url)
	phone := s.addPasskey(t, device, token)

	file := filepath.Join(dir, "password")
	check(t, os.WriteFile(file, []byte(testPassword+"\n"), secretMode))
	var said bytes.Buffer
	if code := Run(t.Context(), []string{"admin", "login", "--issuer", s.url, "--username", "root", "--password-file", file}, strings.NewReader(""), io.Discard, &said); code != exitFailure || !strings.Contains(said.String(), "log in with --browser") {
		t.Errorf("the password alone: exit code %d, %s", code, &said)
	}

	code, text := logInByBrowser(t, s.url, func(address string) {
		asked, err := url.Parse(address)
		check(t, err)
		back := asked.Query().Get("redirect_uri")
		for _, stray := range []string{back, back + "?state=x&code=x&iss=" + s.url, back + "/x?state=" + asked.Query().Get("state")} {
			if response, err := http.Get(stray); err != nil || response.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %v, %v", stray, response, err)
			} else {
				response.Body.Close()
			}
		}
		v := newVisitor(t)
		v.open(address)
		v.submit("login", "username", "root", "password", testPassword)
		v.usePasskey(device, phone)
		if !strings.Contains(v.page, "close this window") {
			t.Errorf("the browser ends at %s: %s", v.at.Redacted(), v.page)
		}
	})
	if code != exitOK || !strings.Contains(text, "logged in to "+s.url+" as root") {
		t.Fatalf("exit code %d, %s", code, text)
	}
	said.Reset()
	if code := Run(t.Context(), []string{"admin", "user", "list"}, strings.NewReader(""), &said, io.Discard); code != exitOK || !strings.HasPrefix(said.String(), "root\t") {
		t.Errorf("exit code %d, %s", code, &said)
	}

	if _, err := s.SignUp(t.Context(), "bobby", testPassword); err != nil {
		t.Fatal(err)
	}
	code, text = logInByBrowser(t, s.url, func(address string) {
		v := newVisitor(t)
		v.open(address)
		v.submit("login", "username", "bobby", "password", testPassword)
	})
	if code != exitFailure || !strings.Contains(text, "bobby is no administrator") {
		t.Errorf("no administrator: exit code %d, %s", code, text)
	}
}

// TestBrowserAnswer takes nothing but a code of the very server (RFC 9207).
func TestBrowserAnswer(t *testing.T) {
	const own = "https://auth.example.com"
	for query, want := range map[string]string{
		"code=c&iss=https://auth.example.com":  "",
		"code=c":                               "another server",
		"code=c&iss=https://other.example.com": "another server",
		"code=c&iss=https://auth.example.com&iss=https://auth.example.com": "another server",
		"code=c&code=d&iss=https://auth.example.com":                       "no code",
		"iss=https://auth.example.com":                                     "no code",
		"error=access_denied&code=c&iss=https://auth.example.com":          "access_denied",
	} {
		found, err := url.ParseQuery(query)
		check(t, err)
		code, err := codeOf(found, own)
		if (err == nil) != (want == "") || err == nil && code != "c" || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v, want %q", query, code, err, want)
		}
	}
	l := &browserLogin{redirect: "http://127.0.0.1:1" + issuer.CommandRedirectPath, state: "s", verifier: strings.Repeat("v", 43)}
	if asked, err := url.Parse(l.address(own, "ada")); err != nil || strings.Contains(asked.RawQuery, l.verifier) || asked.Query().Get("login_hint") != "ada" || asked.Query().Get("prompt") != "login" {
		t.Errorf("asked %s, %v", asked, err)
	}
}
