//go:build linux

package nginx

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/interop/machine"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
)

const password = "correct horse battery staple"

// forged is what clients claim of themselves.
var forged = []string{"X-Forwarded-For", "192.0.2.66", "Forwarded", "for=192.0.2.66;host=evil.example;proto=http", "X-Real-IP", "192.0.2.66", "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http"}

func TestServerBehind(t *testing.T) {
	f := startServers(t)
	f.checkNames()
	f.checkSession()
	f.checkThrottle()
	f.checkClosed()
	f.checkBounds()
	v := f.follow()
	f.checkEnforcement(v)
	f.checkReload(v)
	f.servers[0].Stop(t)
	f.checkSession()
	f.checkCache()
	f.checkLog()
}

// answer is one that was read whole.
type answer struct {
	*http.Response
	body []byte
}

func (a answer) member(name string) string {
	var members map[string]any
	json.Unmarshal(a.body, &members) // a page has none
	text, _ := members[name].(string)
	return text
}

// send sends a request with headers given as name, value, …. A body that begins with { is JSON, and any other a form.
func (f *front) send(client *http.Client, method, address, body string, headers ...string) answer {
	f.Helper()
	if strings.HasPrefix(address, "/") {
		address = issuer + address
	}
	request, err := http.NewRequestWithContext(f.Context(), method, address, strings.NewReader(body))
	if err != nil {
		f.Fatal(err)
	}
	switch {
	case strings.HasPrefix(body, "{"):
		request.Header.Set("Content-Type", "application/json")
	case body != "":
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for n := 0; n < len(headers); n += 2 {
		request.Header.Add(headers[n], headers[n+1])
	}
	response, err := client.Do(request)
	if err != nil {
		f.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		f.Fatal(err)
	}
	return answer{response, text}
}

// want is send for a request that has to be answered with a status.
func (f *front) want(status int, client *http.Client, method, address, body string, headers ...string) answer {
	f.Helper()
	a := f.send(client, method, address, body, headers...)
	if a.StatusCode != status {
		f.Fatalf("%s %s: %d %s", method, address, a.StatusCode, a.body)
	}
	return a
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// checkNames: clients find the issuer under its own name, over HTTP/2, and nothing under another one.
func (f *front) checkNames() {
	f.Helper()
	client := f.client(person)
	found := f.want(200, client, "GET", "/.well-known/openid-configuration", "", forged...)
	if found.ProtoMajor != 2 || found.member("issuer") != issuer || found.member("token_endpoint") != issuer+"/oauth2/token" {
		f.Errorf("%s: %s", found.Proto, found.body)
	}
	plain := "http://" + host + "/login?a=b"
	if location := f.want(301, client, "GET", plain, "").Header.Get("Location"); location != issuer+"/login?a=b" {
		f.Errorf("%s leads to %s", plain, location)
	}
	f.want(403, client, "POST", plain, "password=secret")
	if connection, err := tls.Dial("tcp", f.secure, &tls.Config{ServerName: "evil.example", InsecureSkipVerify: true}); err == nil {
		connection.Close()
		f.Error("there is a certificate for another name")
	}
	if status := f.raw("GET /login", "Host: evil.example"); status != http.StatusMisdirectedRequest {
		f.Errorf("another host over a connection to ours: %d", status)
	}
}

// raw sends a request over HTTP/1.1, in a spelling that no client would use, and answers the status.
func (f *front) raw(line string, headers ...string) int {
	f.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(stranger)}, Timeout: time.Minute}
	connection, err := tls.DialWithDialer(dialer, "tcp", f.secure, f.trust())
	if err != nil {
		f.Fatal(err)
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprintf(connection, "%s HTTP/1.1\r\n%s\r\nConnection: close\r\n\r\n", line, strings.Join(headers, "\r\n"))
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		f.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

// newAccount is a name that nobody has, and a password: members of a JSON object that is still open.
func newAccount() string {
	return fmt.Sprintf(`{"username": %q, "password": %q`, strings.ToLower(rand.Text()), password)
}

// checkSession: somebody logs in and refreshes, with tokens and with cookies, and is known by the address that nginx
// saw.
func (f *front) checkSession() {
	f.Helper()
	client := f.client(person)
	account := newAccount()
	f.want(201, client, "POST", "/v1/signup", account+"}", forged...)
	tokens := f.want(200, client, "POST", "/v1/login", account+"}", forged...)
	tokens = f.want(200, client, "POST", "/v1/refresh", fmt.Sprintf(`{"refresh_token": %q}`, tokens.member("refresh_token")), forged...)
	sessions := f.want(200, client, "GET", "/v1/sessions", "", bearer(tokens.member("access_token"))...)
	if text := string(sessions.body); !strings.Contains(text, `"address":"`+person+`"`) || strings.Contains(text, "192.0.2.66") {
		f.Errorf("the session's address: %s", text)
	}
	page := []string{"Origin", issuer} // as browsers say it that know no Sec-Fetch-Site
	cookies := f.want(200, client, "POST", "/v1/login", account+`, "cookies": true}`, page...).Cookies()
	var sent []string
	for _, c := range cookies {
		if !c.Secure || !c.HttpOnly {
			f.Errorf("the cookie %s isn't for this server alone", c.Name)
		}
		sent = append(sent, c.Name+"="+c.Value)
	}
	if refreshed := f.want(200, client, "POST", "/v1/refresh", "{}", append(page, "Cookie", strings.Join(sent, "; "))...).Cookies(); len(refreshed) < 2 {
		f.Errorf("refreshed with cookies: %v", refreshed)
	}
	f.want(403, client, "POST", "/v1/refresh", "{}", "Origin", "https://evil.example", "X-Forwarded-Host", "evil.example", "Cookie", strings.Join(sent, "; "))
}

// checkThrottle: who comes too often is throttled by the address that nginx saw, whatever it claims, and nobody else
// with it.
func (f *front) checkThrottle() {
	f.Helper()
	client, body := f.client(stranger), url.Values{"client_id": {app}}.Encode()
	for n := range 200 {
		a := f.send(client, "POST", "/oauth2/device_authorization", body, "X-Forwarded-For", fmt.Sprintf("192.0.2.%d", n))
		if a.StatusCode == http.StatusTooManyRequests {
			f.want(200, f.client(person), "POST", "/oauth2/device_authorization", body, "X-Forwarded-For", stranger)
			return
		}
		if a.StatusCode != http.StatusOK {
			f.Fatalf("a device: %d %s", a.StatusCode, a.body)
		}
	}
	f.Error("whoever makes addresses up isn't throttled")
}

// checkClosed: nobody reaches what is the operator's, and administrators do from where they are.
func (f *front) checkClosed() {
	f.Helper()
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/verify", "/verify?audience=petstore", "/_jot"} {
		f.want(404, f.client(operator), "GET", path, "")
	}
	for _, path := range []string{
		"/admin/v1/subjects", "/admin/bootstrap", "/%61dmin/v1/subjects", "//admin/v1/subjects", "/x/../admin/v1/subjects", "/admin%2fv1/subjects", "/admin/", "/./admin/v1/subjects",
	} {
		if status := f.raw("GET "+path, "Host: "+host); status != http.StatusForbidden {
			f.Errorf("%s: %d", path, status)
		}
	}
	client := f.client(operator)
	out, err := f.jot("admin", "bootstrap", "--json", "--config", f.configuration)
	var invitation struct{ Code string }
	if err = errors.Join(err, json.Unmarshal(out, &invitation)); err != nil {
		f.Fatal(err)
	}
	f.want(201, client, "POST", "/admin/v1/bootstrap", fmt.Sprintf(`{"code": %q, "username": "root", "password": %q}`, invitation.Code, password), forged...)
	login := f.want(200, client, "POST", "/v1/login", fmt.Sprintf(`{"username": "root", "password": %q, "client_id": "client_jot", "resource": %q}`, password, issuer+"/admin"))
	for kind, address := range map[string]string{"admin.bootstrapped": operator, "account.created": person} {
		events := f.want(200, client, "GET", "/admin/v1/events?kind="+kind, "", bearer(login.member("access_token"))...)
		if text := string(events.body); !strings.Contains(text, `"address":"`+address+`"`) || strings.Contains(text, "192.0.2.66") {
			f.Errorf("the events %s: %s", kind, text)
		}
	}
}

// jot runs the command beside a server.
func (f *front) jot(args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(f.Context(), time.Minute)
	defer cancel()
	process := exec.CommandContext(ctx, command, args...)
	process.Env = append(process.Environ(), f.environment...)
	return process.Output()
}

// checkBounds: what a server takes gets through, and what is larger is answered.
func (f *front) checkBounds() {
	f.Helper()
	client := f.client(person)
	large := `{"username": "` + strings.Repeat("a", 65<<10) + `"}`
	f.want(413, client, "POST", "/v1/login", large)
	request, err := http.NewRequestWithContext(f.Context(), "POST", issuer+"/v1/login", io.MultiReader(strings.NewReader(large)))
	if err != nil {
		f.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		f.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 413 {
		f.Errorf("a large body without a length: %d", response.StatusCode)
	}
	f.want(401, client, "POST", "/v1/login", `{"username": "`+strings.Repeat("a", 60<<10)+`", "password": "none of anybody"}`)
	longest := strings.Repeat("s", 2<<10)
	query := url.Values{
		"client_id": {app}, "response_type": {"code"}, "redirect_uri": {"https://app.example.com/callback"}, "scope": {"pets:read"}, "resource": {audience},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}, "state": {longest}, "nonce": {longest}, "login_hint": {longest},
	}
	page := f.want(303, client, "GET", "/oauth2/authorize?"+query.Encode(), "")
	login, err := page.Location()
	if err != nil {
		f.Fatal(err)
	}
	cookie, _, _ := strings.Cut(page.Header.Get("Set-Cookie"), ";")
	if status := f.raw("GET "+login.RequestURI(), "Host: "+host, "Cookie: "+cookie); status != http.StatusOK {
		f.Errorf("the page to log in, over HTTP/1.1: %d", status)
	}
	shown := f.want(200, client, "GET", login.String(), "", "Cookie", cookie, "Accept-Encoding", "gzip")
	if shown.Header.Get("Content-Encoding") != "" || shown.Header.Get("Strict-Transport-Security") == "" {
		f.Errorf("the page to log in: %v", shown.Header)
	}
}

// verifier is an API's, which follows the feed through nginx.
type verifier struct {
	*jot.Verifier
	reader *revocation.Reader
}

// source finds keys through nginx.
func (f *front) source(client *http.Client, path string) *jwks.Source {
	f.Helper()
	s, err := jwks.NewSource(issuer+path, jwks.Options{Client: client, MinRefresh: time.Millisecond})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	return s
}

func (f *front) follow() verifier {
	f.Helper()
	client := f.client(operator)
	reader := f.stream(client)
	v, err := jot.NewVerifier(f.source(client, "/.well-known/jwks.json"), jot.VerifierOptions{Issuer: issuer, Audience: audience, Type: "at+jwt", Revocation: reader})
	if err != nil {
		f.Fatal(err)
	}
	return verifier{v, reader}
}

// stream answers a reader to which frames come as they are made. One that gets none for three seconds polls, as all do
// where a proxy holds them back, and one may on a machine that stands still.
func (f *front) stream(client *http.Client) *revocation.Reader {
	f.Helper()
	keys := f.source(client, "/feed/jwks.json")
	for range 10 {
		reader, err := revocation.NewReader(revocation.ReaderOptions{
			URL: issuer + "/feed", Issuer: issuer, Keys: keys, Credential: f.credential, Client: client, OnError: func(err error) { f.Log("the reader: ", err) },
		})
		if err != nil {
			f.Fatal(err)
		}
		f.Cleanup(func() { reader.Close() })
		ctx, cancel := context.WithTimeout(f.Context(), 2*time.Minute)
		err = reader.WaitFresh(ctx)
		cancel()
		if err != nil {
			f.Fatal(err)
		}
		if reader.State().Connection == revocation.Streaming {
			return reader
		}
		reader.Close()
	}
	f.Fatal("no reader gets a stream")
	return nil
}

// checkEnforcement: when ?wait=enforced is answered, the verifier doesn't accept the token; and it hears of what nobody
// waits for.
func (f *front) checkEnforcement(v verifier) {
	f.Helper()
	client := f.client(person)
	for _, wait := range []string{"?wait=enforced", ""} {
		account := newAccount() + "}"
		f.want(201, client, "POST", "/v1/signup", account)
		tokens := f.want(200, client, "POST", "/v1/login", account)
		access := tokens.member("access_token")
		machine.Await(f.T, "a good token", func() error { return v.Check(f.Context(), access) })
		form := url.Values{"client_id": {app}, "token": {tokens.member("refresh_token")}}
		revoked := f.want(200, client, "POST", "/oauth2/revoke"+wait, form.Encode())
		if wait == "" {
			f.awaitCursor(v, revoked.Header.Get("Jot-Cursor"))
		}
		if v.Check(f.Context(), access) == nil {
			f.Errorf("accepted after the revocation%s: %+v", wait, v.reader.State())
		}
		machine.Await(f.T, "a revoked token", func() error {
			if err := v.Check(f.Context(), access); !errors.Is(err, jot.ErrRevoked) {
				return fmt.Errorf("the verifier says %v", err)
			}
			return nil
		})
	}
}

// awaitCursor returns when the verifier knows all up to a place of the log.
func (f *front) awaitCursor(v verifier, text string) {
	f.Helper()
	log, number, _ := strings.Cut(text, ":")
	sequence, err := revocation.ParseSequence(number)
	if err != nil {
		f.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(f.Context(), 2*time.Minute)
	defer cancel()
	if err := v.reader.AwaitSequence(ctx, log, sequence); err != nil {
		f.Error(err)
	}
}

// checkReload: new connections get another certificate, and the verifier that streams goes on.
func (f *front) checkReload(v verifier) {
	f.Helper()
	f.certify(3)
	f.nginx.Signal(f.T, syscall.SIGHUP)
	machine.Await(f.T, "the new certificate", func() error {
		connection, err := tls.Dial("tcp", f.secure, f.trust())
		if err != nil {
			return err
		}
		defer connection.Close()
		if serial := connection.ConnectionState().PeerCertificates[0].SerialNumber; serial.Int64() != 3 {
			return fmt.Errorf("it's still number %d", serial)
		}
		return nil
	})
	f.checkEnforcement(v)
}

// checkCache: a snapshot that nginx keeps is given to who has the credential, also while no server answers, and to
// nobody else.
func (f *front) checkCache() {
	f.Helper()
	client := f.client(operator)
	newest := f.want(307, client, "GET", "/feed/snapshot", "", bearer(f.credential)...)
	location, err := newest.Location()
	if err != nil {
		f.Fatal(err)
	}
	snapshot := location.String()
	fetched := f.want(200, client, "GET", snapshot, "", bearer(f.credential)...)
	others := map[string][]string{
		"nobody": nil, "somebody": bearer(secret()), "two": append(bearer(f.credential), bearer(secret())...), "the scheme alone": {"Authorization", "Bearer"},
	}
	for name, headers := range others {
		if a := f.send(client, "GET", snapshot, "", headers...); a.StatusCode != 401 && a.StatusCode != 400 {
			f.Errorf("%s: %d", name, a.StatusCode)
		}
	}
	f.servers[1].Stop(f.T)
	if kept := f.want(200, client, "GET", snapshot, "", bearer(f.credential)...); string(kept.body) != string(fetched.body) {
		f.Error("nginx keeps another snapshot than the server's")
	}
	for name, headers := range others {
		if a := f.send(client, "GET", snapshot, "", headers...); a.StatusCode < 400 || strings.Contains(string(a.body), string(fetched.body)) {
			f.Errorf("%s, while no server answers: %d", name, a.StatusCode)
		}
	}
}

// checkLog: nginx has noted no query of all that.
func (f *front) checkLog() {
	f.Helper()
	text, err := os.ReadFile(filepath.Join(f.dir, "jot.log"))
	if log := string(text); err != nil || !strings.Contains(log, `"GET /oauth2/authorize"`) || strings.Contains(log, "?") {
		f.Errorf("the log, %v: %.1000s", err, log)
	}
}

// A connection that breaks while a server has the request: only what asks for something is sent to the other one.
func TestBrokenConnection(t *testing.T) {
	for method, again := range map[string]bool{"GET": true, "POST": false, "PATCH": false} {
		var broken, answered atomic.Int64
		breaks := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			broken.Add(1)
			panic(http.ErrAbortHandler)
		}))
		t.Cleanup(breaks.Close)
		answers := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { answered.Add(1) }))
		t.Cleanup(answers.Close)
		f := newFront(t, [2]string{breaks.Listener.Addr().String(), answers.Listener.Addr().String()})
		var statuses []int
		for broken.Load() == 0 && len(statuses) < 10 { // until it's that one's turn
			statuses = append(statuses, f.send(f.client(person), method, "/oauth2/token", "").StatusCode)
		}
		status, sent := statuses[len(statuses)-1], broken.Load()+answered.Load()-int64(len(statuses))
		if broken.Load() != 1 || again && (status != 200 || sent != 1) || !again && (status != 502 || sent != 0) {
			t.Errorf("%s: %d broke, %d answered, statuses %v", method, broken.Load(), answered.Load(), statuses)
		}
	}
}
