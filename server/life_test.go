package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// life drives a server, and remembers every secret that goes in or out.
type life struct {
	t       *testing.T
	url     string
	secrets map[string]string // what it is, by the secret
	cookies map[string]string // of a browser at the server's pages

	name, password, wrong string // of the account, and another password
}

func newLife(t *testing.T, url string) *life {
	l := &life{t: t, url: url, secrets: map[string]string{}, cookies: map[string]string{}}
	l.name = l.secret("username", "ada-lovelace@example.com")
	l.password = l.secret("password", "correct horse battery staple")
	l.wrong = l.secret("wrong password", "battery staple correct horse")
	return l
}

// secret remembers a secret, and its parts: neither half of a token may be logged.
func (l *life) secret(what, text string) string {
	for _, part := range append(strings.FieldsFunc(text, func(r rune) bool { return r == '.' || r == '_' }), text) {
		if len(part) >= 8 {
			l.secrets[part] = what
		}
	}
	return text
}

type asked struct {
	method, path, body string
	header             http.Header
	status             int
}

// ask sends a request and returns the answer, whose tokens and cookies are secrets too.
func (l *life) ask(a asked) map[string]string {
	l.t.Helper()
	request, err := http.NewRequest(a.method, l.url+a.path, strings.NewReader(a.body))
	if err != nil {
		l.t.Fatal(err)
	}
	request.Header = http.Header{"Content-Type": {"application/json"}}
	for name, values := range a.header {
		request.Header[name] = values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		l.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != a.status {
		l.t.Errorf("%s %.20s: %s, want %d: %s, %v", a.method, a.path, response.Status, a.status, text, err)
	}
	answer := map[string]string{}
	var members map[string]any
	json.Unmarshal(text, &members) // an empty body has none
	for name, value := range members {
		if list, ok := value.([]any); ok && name == "recovery_codes" {
			value = list[0]
		}
		if text, ok := value.(string); ok && secretMember.MatchString(name) {
			answer[name] = l.secret(name, text)
		}
	}
	if nonce := response.Header.Get("DPoP-Nonce"); nonce != "" {
		answer["DPoP-Nonce"] = l.secret("nonce of the server", nonce)
	}
	for _, cookie := range response.Cookies() {
		answer[cookie.Name] = l.secret("cookie "+cookie.Name, cookie.Value)
	}
	return answer
}

// secretMember names the members of answers that are secrets.
var secretMember = regexp.MustCompile(`(^|_)(token|codes?|secret|challenge)$`)

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

func form(pairs ...string) asked {
	values := url.Values{}
	for n := 0; n < len(pairs); n += 2 {
		values.Set(pairs[n], pairs[n+1])
	}
	return asked{method: "POST", body: values.Encode(), header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}
}

func (a asked) to(path string, status int) asked {
	a.path, a.status = path, status
	return a
}

// A whole life at the level debug: nothing that was secret in it is in the log, and each request is.
func TestNothingSecretIsLogged(t *testing.T) {
	listener := listenHere(t)
	l := newLife(t, "http://"+listener.Addr().String())
	kek, credential := server.NewSecret(), server.NewSecret()
	l.secret("key-encryption key", kek.Text())
	l.secret("key-encryption key", hex.EncodeToString(kek.Bytes()))
	l.secret("key-encryption key", base64.StdEncoding.EncodeToString(kek.Bytes()))
	l.secret("feed credential", credential.Text())
	clientSecret, hash := issuer.NewClientSecret()
	l.secret("client secret", clientSecret)
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		t.Fatal(err)
	}
	mail := newMailbox()
	var database server.Config
	s, log := newServer(t, l.url, func(c *server.Config) {
		c.Issuer.Clients = append(c.Issuer.Clients, issuer.Client{ID: "client_job", Scopes: []string{"pets:read"}, SecretHash: hash},
			issuer.Client{ID: "client_web", Scopes: []string{"pets:read"}, RedirectURIs: []string{lifeCallback}},
			issuer.Client{ID: "client_tv", Scopes: []string{"pets:read"}, DeviceGrant: true},
			issuer.Client{ID: "client_keys", Scopes: []string{"pets:read"}, KeySet: jot.NewKeySet(key.Public())},
			issuer.Client{ID: "client_gateway", Scopes: []string{"pets:read"}, Resources: []string{"petstore"}, ExchangeFrom: []string{"petstore"}, SecretHash: hash})
		c.Mail.Print = mail
		c.Issuer.KeyEncryptionKey, c.FeedCredentials = kek.Bytes(), []string{credential.Text()}
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		c.CORSOrigins = []string{"https://app.example.com"}
		database = server.Config{Database: c.Database, DataDir: c.DataDir}
	})
	stop := serveOn(t, s, server.Listeners{Public: listener, Admin: listenHere(t)})
	l.firstParty()
	l.cookieJar()
	l.clients(clientSecret, credential.Text())
	l.pages()
	l.bound()
	l.gateway(clientSecret, l.logIn("", nil)["access_token"])
	l.assert(key)
	l.letters(mail)
	l.device()
	l.passwordGrant()
	l.factors(s)
	l.administrator(database, s.Issuer().AdminAudience())
	if _, err := s.Issuer().RotateKey(t.Context(), issuer.RotateOptions{}); err != nil {
		t.Error(err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	l.checkLog(log.String())
}

// firstParty is the life of an account at the first-party API, with what goes wrong in it.
func (l *life) firstParty() {
	l.t.Helper()
	name, password, wrong := l.name, l.password, l.wrong
	l.ask(asked{"POST", "/v1/signup", credentials(name, password, ""), nil, 201})
	l.ask(asked{"POST", "/v1/signup", credentials(name, password, ""), nil, 409})
	l.ask(asked{"POST", "/v1/signup", credentials("bob", l.secret("short password", "tooshort1"), ""), nil, 400})
	l.ask(asked{"POST", "/v1/login", credentials(name, wrong, ""), nil, 401})
	l.ask(asked{"POST", "/v1/login", credentials(l.secret("unknown name", "nobody-at-all"), wrong, ""), nil, 401})
	l.ask(asked{"POST", "/v1/login", credentials(name, password, `,"`+l.secret("unknown member", "surprising-member")+`":1`), nil, 400})
	l.ask(asked{"POST", "/v1/login", `{"password":"` + wrong, nil, 400})
	l.ask(asked{"POST", "/v1/login?password=" + url.QueryEscape(wrong), credentials(name, password, ""), nil, 200})

	first := l.logIn("", http.Header{"X-Forwarded-For": {"192.0.2.77"}})
	second := l.ask(asked{"POST", "/v1/refresh", `{"refresh_token":"` + first["refresh_token"] + `"}`, nil, 200})
	l.ask(asked{"GET", "/v1/me", "", bearer(second["access_token"]), 200})
	l.ask(asked{"GET", "/v1/me?access_token=" + second["access_token"], "", nil, 401})
	forged := second["access_token"][:len(second["access_token"])-6] + "AAAAAA"
	l.ask(asked{"GET", "/v1/me", "", bearer(l.secret("forged token", forged)), 401})
	l.ask(asked{"GET", "/v1/me", "", http.Header{"Authorization": {"Basic " + l.secret("basic", base64.StdEncoding.EncodeToString([]byte(name+":"+password)))}}, 401})
	l.ask(asked{"POST", "/v1/refresh", `{"refresh_token":"` + l.secret("made-up refresh token", "jrt_"+server.NewSecret().Text()) + `"}`, nil, 401})

	third := l.ask(form("grant_type", "refresh_token", "client_id", "client_app", "refresh_token", second["refresh_token"]).to("/oauth2/token", 200))
	l.ask(form("grant_type", "refresh_token", "client_id", "client_app", "refresh_token", first["refresh_token"]).to("/oauth2/token", 400)) // reuse: the session ends
	l.ask(asked{"GET", "/v1/me", "", bearer(third["access_token"]), 401})
}

// cookieJar is the life of a session in cookies.
func (l *life) cookieJar() {
	l.t.Helper()
	cookies := l.logIn(`,"cookies":true`, http.Header{"Origin": {"https://app.example.com"}})
	jar := "__Host-jot=" + cookies["__Host-jot"] + "; __Secure-jot-refresh=" + cookies["__Secure-jot-refresh"]
	cookies = l.ask(asked{"POST", "/v1/refresh", "", http.Header{"Cookie": {jar}, "Content-Type": nil}, 200})
	jar = "__Host-jot=" + cookies["__Host-jot"] + "; __Secure-jot-refresh=" + cookies["__Secure-jot-refresh"]
	l.ask(asked{"POST", "/v1/logout", "", http.Header{"Cookie": {jar}, "Content-Type": nil, "Origin": {"https://evil.example.com"}}, 403})
	l.ask(asked{"POST", "/v1/logout", "", http.Header{"Cookie": {jar}, "Content-Type": nil}, 204})
}

// clients is what others than apps ask for: to revoke, tokens of their own, the feed.
func (l *life) clients(clientSecret, feedCredential string) {
	l.t.Helper()
	last := l.logIn("", nil)
	l.ask(form("client_id", "client_app", "token", last["access_token"]).to("/oauth2/revoke", 200))
	l.ask(form("client_id", "client_app", "token", last["refresh_token"]).to("/oauth2/revoke", 200))
	l.ask(form("grant_type", "client_credentials", "client_id", "client_job", "client_secret", clientSecret).to("/oauth2/token", 200))
	l.ask(form("grant_type", "client_credentials", "client_id", "client_job", "client_secret", l.secret("wrong client secret", "jcs_"+server.NewSecret().Text())).to("/oauth2/token", 400))
	l.ask(asked{"GET", "/feed/snapshot", "", bearer(feedCredential), 200})
	l.ask(asked{"GET", "/feed/snapshot", "", bearer(l.secret("wrong feed credential", server.NewSecret().Text())), 401})
	l.ask(asked{"GET", "/" + l.secret("path", "path-that-nobody-serves"), "", nil, 404})
}

// credentials are the body of a login, with more members.
func credentials(name, password string, more string) string {
	return `{"username":"` + name + `","password":"` + password + `"` + more + `}`
}

// logIn logs the account in, with more members in the body and headers.
func (l *life) logIn(more string, header http.Header) map[string]string {
	l.t.Helper()
	return l.ask(asked{"POST", "/v1/login", credentials(l.name, l.password, more), header, 200})
}

// checkLog looks for secrets, and for lines that must be there.
func (l *life) checkLog(text string) {
	l.t.Helper()
	for _, line := range []string{`"route":"POST /v1/logout","status":204`, `"route":"POST /oauth2/revoke","status":200`, `"route":"POST /login"`, `"route":"POST /oauth2/introspect","status":200`,
		`"route":"POST /v1/password/reset/confirm","status":204`, `"route":"POST /device/decision"`, `"route":"POST /v1/login/factor","status":200`, `"route":"POST /admin/v1/bootstrap","status":201`} {
		if !strings.Contains(text, line) {
			l.t.Errorf("the log lacks %s", line)
		}
	}
	for secret, what := range l.secrets {
		if strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret)) {
			l.t.Errorf("the log holds the %s %q", what, secret)
		}
	}
	checkRequestLines(l.t, text)
	if l.t.Failed() {
		l.t.Log(text)
	}
}

// checkRequestLines looks for what each request must say of itself.
func checkRequestLines(t *testing.T, text string) {
	t.Helper()
	seen, clients := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(text) {
		var entry struct{ Msg, ID, Route, Client string }
		if err := json.NewDecoder(bytes.NewReader([]byte(line))).Decode(&entry); err != nil {
			t.Fatalf("not JSON: %s", line)
		}
		if entry.Msg != "request" {
			continue
		}
		if entry.ID == "" || seen[entry.ID] {
			t.Errorf("a request without an ID of its own: %s", line)
		}
		seen[entry.ID], clients[entry.Client] = true, true
	}
	if len(seen) < 25 || !clients["127.0.0.1"] || !clients["192.0.2.77"] {
		t.Errorf("%d requests, from %v", len(seen), clients)
	}
}
