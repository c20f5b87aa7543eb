package server_test

import (
	"cmp"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
)

// internals must not stand in an answer either.
var internals = regexp.MustCompile(`(?i)sql|goroutine|panic|\.go:|runtime error|0x[0-9a-f]{6}|/tmp/|strconv|unmarshal|EOF`)

// attack is one bad request and the statuses that are right.
type attack struct {
	name    string
	method  string
	path    string // with the query, as it's sent
	headers []string
	body    string
	want    []int
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// attacker sends each request over a connection of its own, as written.
type attacker struct {
	*testing.T
	site   *site
	client *http.Client
	access string            // of ada, for the petstore
	bearer map[string]string // what each kind of route demands
}

func newAttacker(t *testing.T, s *site) *attacker {
	access := s.signUpAndLogIn(t, "ada").Access
	return &attacker{
		T: t, site: s, access: access, bearer: map[string]string{"access": access, "admin": s.administrator(t), "feed": s.credential},
		client: &http.Client{
			Timeout:       20 * time.Second,
			Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true, ExpectContinueTimeout: 20 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// administrator makes one as an operator does, and what surface's paths name, and returns an access token for the admin
// API.
func (s *site) administrator(t *testing.T) string {
	t.Helper()
	code, _, err := server.InviteAdmin(t.Context(), server.Config{Database: s.database, DataDir: filepath.Join(s.dir, "data")})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := s.post(t, "/admin/v1/bootstrap", "", map[string]string{"code": code, "username": "root", "password": password}); status != http.StatusCreated {
		t.Fatalf("bootstrap: %d %s", status, body)
	}
	i := s.server.Issuer()
	err = errors.Join(i.CreateSubject(t.Context(), issuer.Subject{ID: "x"}), i.CreateClient(t.Context(), issuer.Client{ID: "client_x"}),
		i.CreateResource(t.Context(), issuer.Resource{Audience: "x"}))
	if err != nil {
		t.Fatal(err)
	}
	status, body := s.post(t, "/v1/login", "", map[string]string{"username": "root", "password": password, "client_id": issuer.CommandClient, "resource": i.AdminAudience()})
	if status != http.StatusOK {
		t.Fatalf("log in: %d %s", status, body)
	}
	return read(t, body).Access
}

func (a *attacker) send(t *testing.T, x attack) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), x.method, a.site.url, strings.NewReader(x.body))
	if err != nil {
		t.Fatal(err)
	}
	if len(x.body) > 64<<10 {
		request.Header.Set("Expect", "100-continue") // a server that refuses it at once resets what is still being sent
	}
	path, query, _ := strings.Cut(x.path, "?")
	request.URL.Opaque, request.URL.RawQuery = "//"+request.URL.Host+path, query
	for n := 0; n < len(x.headers); n += 2 {
		request.Header.Add(x.headers[n], x.headers[n+1])
	}
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	response, err := a.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(body)}
}

// check sends an attack, and wants the right status and an answer that tells nothing.
func (a *attacker) check(t *testing.T, x attack) {
	t.Helper()
	r := a.send(t, x)
	if !slices.Contains(x.want, r.status) {
		t.Errorf("%s: %s %.100s: status %d, want %v: %.300s", x.name, x.method, x.path, r.status, x.want, r.body)
	}
	if r.status < 300 && strings.HasPrefix(x.path, "/admin/v1/") {
		return // what an administrator stored is shown to administrators
	}
	checkGeneric(t, x.name+": "+x.method+" "+x.path, r)
}

// pageField is where the page repeats the username, which can't end it.
var pageField = regexp.MustCompile(`name="username" value="[^"<>]*"`)

// checkGeneric: an answer to bad input repeats nothing of it and shows nothing of the inside.
func checkGeneric(t *testing.T, name string, r reply) {
	t.Helper()
	all := new(strings.Builder)
	r.header.Write(all)
	media, longest := r.header.Get("Content-Type"), 500
	if media == "text/html; charset=utf-8" {
		r.body, longest = pageField.ReplaceAllString(r.body, ""), 4000
	}
	if strings.Contains(strings.ToLower(all.String()+r.body), strings.ToLower(marker)) {
		t.Errorf("%.200s: the answer repeats the input:\n%s\n%.500s", name, all, r.body)
	}
	if r.status < 400 {
		return
	}
	if len(r.body) > longest || internals.MatchString(r.body) {
		t.Errorf("%.200s: the answer isn't generic: %.600s", name, r.body)
	}
	if r.header.Get("Jot-Request-Id") == "" {
		return // net/http's own refusal
	}
	if r.body != "" && !slices.Contains([]string{"application/problem+json", "application/json", "text/html; charset=utf-8"}, media) {
		t.Errorf("%.200s: Content-Type %q", name, media)
	}
	if r.status == 405 && r.header.Get("Allow") == "" || r.status == 401 && r.header.Get("WWW-Authenticate") == "" {
		t.Errorf("%.200s: status %d without its header", name, r.status)
	}
}

// TestBadInput sends every kind of bad request to every route, over connections to a listening server. Each is answered
// with the right status and nothing of the request or of the inside, the process lives on, and no goroutine stays
// behind.
func TestBadInput(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("server", func(t *testing.T) {
		a := newAttacker(t, newSite(t))
		t.Run("attacks", func(t *testing.T) {
			a.attackAll(t)
			a.attackWays(t)
			for name, attacks := range map[string]func(*testing.T){"two credentials": a.twoCredentials, "forwarded": a.forwarded, "raw": a.raw} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					attacks(t)
				})
			}
		})
		a.survived(t)
	})
	http.DefaultClient.CloseIdleConnections()
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// What SQLite stores without a word may be an error to PostgreSQL.
func TestBadInputPostgres(t *testing.T) {
	a := newAttacker(t, newSiteOver(t, pgtest.Database(t)))
	t.Run("attacks", a.attackAll)
	a.survived(t)
}

// attackAll sends the attacks that reach a handler to every route, with the credential that it demands. Its parallel
// tests end with the test that it's given.
func (a *attacker) attackAll(t *testing.T) {
	for route, e := range surface {
		method, pattern, _ := strings.Cut(route, " ")
		path := parameters.Replace(pattern)
		t.Run(route, func(t *testing.T) {
			t.Parallel()
			for _, x := range slices.Concat(bodyAttacks(method, path, e), injectionAttacks(method, path, e), addressAttacks(method, pattern, e)) {
				if e.bearer != "" {
					x.headers = append(x.headers, "Authorization", "Bearer "+a.bearer[e.bearer])
				}
				a.check(t, x)
			}
		})
	}
}

// attackWays is attackAll for the attacks that come to no handler.
func (a *attacker) attackWays(t *testing.T) {
	for route, e := range surface {
		method, pattern, _ := strings.Cut(route, " ")
		path := parameters.Replace(pattern)
		t.Run(route, func(t *testing.T) {
			t.Parallel()
			for _, x := range routeAttacks(method, path, e) {
				if x.name == "path" && (path != pattern || hasSiblings(path)) {
					x.want = append(x.want, 401, 405) // another value of a parameter
				}
				a.check(t, x)
			}
			if e.bearer == "admin" {
				a.otherTokens(t, method, path)
			}
		})
	}
}

// survived: after all of it the server serves, and its log holds neither the input nor an error.
func (a *attacker) survived(t *testing.T) {
	for kind, path := range map[string]string{"access": "/v1/me", "admin": "/admin/v1/keys"} {
		if status := a.send(t, attack{method: "GET", path: path, headers: []string{"Authorization", "Bearer " + a.bearer[kind]}}).status; status != http.StatusOK {
			t.Errorf("after all of it the token for %s is answered with %d", path, status)
		}
	}
	for _, text := range []string{marker, "level\":\"ERROR", "a handler panicked"} {
		if strings.Contains(a.site.log.String(), text) {
			t.Errorf("the log holds %q", text)
		}
	}
}

// otherTokens: what opens other doors opens none of the admin API.
func (a *attacker) otherTokens(t *testing.T, method, path string) {
	for name, headers := range map[string][]string{
		"token of a user":           {"Authorization", "Bearer " + a.access},
		"credential of the feed":    {"Authorization", "Bearer " + a.site.credential},
		"administrator in a cookie": {"Cookie", "__Host-jot=" + a.bearer["admin"]},
	} {
		a.check(t, attack{name, method, path, headers, "", []int{401}})
	}
}

// twoCredentials: whoever shows two is not asked which one counts.
func (a *attacker) twoCredentials(t *testing.T) {
	bearer := []string{"Authorization", "Bearer " + a.access}
	jsonHeader := []string{"Content-Type", "application/json"}
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for _, x := range []attack{
		{"bearer twice", "GET", "/v1/me", slices.Concat(bearer, bearer), "", []int{400}},
		{"bearer and cookie", "GET", "/v1/me", append(bearer, "Cookie", "__Host-jot="+a.access), "", []int{400}},
		{"two cookies", "GET", "/v1/me", []string{"Cookie", "__Host-jot=" + a.access + "; __Host-jot=" + marker}, "", []int{400}},
		{"refresh cookie and body", "POST", "/v1/refresh", append(jsonHeader, "Cookie", "__Secure-jot-refresh=x"), `{"refresh_token":"` + marker + `"}`, []int{400}},
		{"refresh cookie and bearer", "POST", "/v1/logout", slices.Concat(bearer, []string{"Cookie", "__Secure-jot-refresh=x"}), "", []int{400}},
		{"client twice", "POST", "/oauth2/token", slices.Concat(form, []string{"Authorization", "Basic " + marker}), "grant_type=refresh_token&client_id=client_app&client_secret=" + marker, []int{400, 401}},
		{"two Authorization headers", "POST", "/oauth2/revoke", slices.Concat(form, bearer, bearer), "token=x&client_id=client_app", []int{400}},
		{"bearer on the feed and cookie", "GET", "/feed/snapshot", []string{"Authorization", "Bearer " + marker, "Authorization", "Bearer " + a.site.credential}, "", []int{400}},
	} {
		a.check(t, x)
	}
}

// forwarded: neither Host nor what a proxy might say is believed by a server that has no proxy.
func (a *attacker) forwarded(t *testing.T) {
	spoofed := []string{
		"X-Forwarded-For", "203.0.113.66", "X-Real-Ip", "203.0.113.66", "Forwarded", "for=203.0.113.66;host=evil.example;proto=https", "X-Forwarded-Host", marker + ".example",
		"X-Forwarded-Proto", "https", "X-Forwarded-Prefix", "/" + marker, "X-Forwarded-Port", "1", "Host", marker + ".example", "True-Client-IP", "203.0.113.66", "User-Agent", "\xff\u202e",
	}
	for route, e := range surface {
		if method, path, _ := strings.Cut(route, " "); method == "GET" && e.bearer == "" {
			if r := a.send(t, attack{method: method, path: path, headers: spoofed}); r.status != cmp.Or(e.lacks, http.StatusOK) {
				t.Errorf("%s: %d", route, r.status)
			} else {
				checkGeneric(t, route, r)
			}
		}
	}
	r := a.send(t, attack{method: "POST", path: "/v1/login", headers: append(spoofed, "Content-Type", "application/json"), body: encode(map[string]string{"username": "ada", "password": password})})
	if r.status != http.StatusOK {
		t.Fatalf("log in: %d %s", r.status, r.body)
	}
	checked, err := a.site.server.Issuer().Verifier().Verify(t.Context(), read(t, []byte(r.body)).Access)
	if err != nil || checked.Issuer() != a.site.url {
		t.Fatalf("%v, %v", checked, err)
	}
	session, err := a.site.server.Issuer().Session(t.Context(), checked.SessionID())
	if err != nil || !net.ParseIP(session.Address).IsLoopback() {
		t.Errorf("the session's address is %q, %v", session.Address, err)
	}
}
