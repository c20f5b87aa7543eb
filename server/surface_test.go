package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// endpoint is a route as TestBadInput attacks it. A new route needs a row in surface, or TestSurface fails.
type endpoint struct {
	body     map[string]any // members of a request that would be good; nil: the route takes no body
	form     bool           // takes a form, too, and answers as RFC 6749 §5.2 has it
	harmless []string       // members in which almost any text is good
	bearer   string         // "access" or "feed" where a bearer token is demanded
	query    string         // of a request that would be good
}

// surface is every route that the server has.
var surface = map[string]endpoint{
	"POST /v1/signup":                             {body: map[string]any{"username": "eve", "password": password}, harmless: []string{"password"}},
	"POST /v1/login":                              {body: map[string]any{"username": "ada", "password": "wrong " + password, "resource": "petstore", "scope": "pets:read", "cookies": false}},
	"POST /v1/refresh":                            {body: map[string]any{"refresh_token": "jrt_x"}},
	"POST /v1/logout":                             {body: map[string]any{"everywhere": false, "refresh_token": "jrt_x"}},
	"POST /v1/password":                           {bearer: "access", body: map[string]any{"current": "wrong " + password, "new": "new " + password}},
	"GET /v1/me":                                  {bearer: "access"},
	"GET /v1/sessions":                            {bearer: "access"},
	"DELETE /v1/sessions/{sid}":                   {bearer: "access"},
	"POST /oauth2/token":                          {form: true, body: map[string]any{"grant_type": "refresh_token", "client_id": "client_app", "refresh_token": "jrt_x", "scope": "pets:read", "resource": "petstore"}},
	"POST /oauth2/revoke":                         {form: true, body: map[string]any{"token": "x", "token_type_hint": "refresh_token", "client_id": "client_app"}, harmless: []string{"token", "token_type_hint"}},
	"GET /.well-known/jwks.json":                  {},
	"GET /.well-known/openid-configuration":       {},
	"GET /.well-known/oauth-authorization-server": {},
	"GET /feed/jwks.json":                         {},
	"GET /feed/snapshot":                          {bearer: "feed"},
	"GET /feed/live":                              {bearer: "feed", query: "after=0&log=x&nonce=0123456789abcdef"},
	"GET /openapi.json":                           {},
	"GET /healthz":                                {},
	"GET /readyz":                                 {},
}

// adminListener registers routes that are on another listener: see serve_test.go.
const adminListener = "admin.go"

// TestSurface reads every route out of the source, however it's registered, and wants a row for each.
func TestSurface(t *testing.T) {
	route := regexp.MustCompile(`^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /[^ ]+$`)
	found := make(map[string]bool)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || path == adminListener || strings.HasPrefix(path, filepath.Join("internal", "cli")) {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil && route.MatchString(text) {
					found[text] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil || len(found) == 0 {
		t.Fatal(len(found), err)
	}
	for route := range found {
		if _, ok := surface[route]; !ok {
			t.Errorf("%s has no row in surface: nobody attacks it", route)
		}
	}
	for route := range surface {
		if !found[route] {
			t.Errorf("%s has a row in surface and isn't served", route)
		}
	}
}

// parameter is a part of a path that is anything.
var parameter = regexp.MustCompile(`\{[a-z]+\}`)

// marker stands in most of the bad input, and must not stand in an answer.
const marker = "mArKeR"

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
	access string
}

func newAttacker(t *testing.T, s *site) *attacker {
	return &attacker{T: t, site: s, access: s.signUpAndLogIn(t, "ada").Access, client: &http.Client{
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (a *attacker) send(t *testing.T, x attack) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), x.method, a.site.url, strings.NewReader(x.body))
	if err != nil {
		t.Fatal(err)
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
	checkGeneric(t, x.name+": "+x.method+" "+x.path, r)
}

// checkGeneric: an answer to bad input repeats nothing of it and shows nothing of the inside.
func checkGeneric(t *testing.T, name string, r reply) {
	t.Helper()
	all := new(strings.Builder)
	r.header.Write(all)
	if strings.Contains(strings.ToLower(all.String()+r.body), strings.ToLower(marker)) {
		t.Errorf("%.200s: the answer repeats the input:\n%s\n%.500s", name, all, r.body)
	}
	if r.status < 400 {
		return
	}
	if len(r.body) > 500 || internals.MatchString(r.body) {
		t.Errorf("%.200s: the answer isn't generic: %.600s", name, r.body)
	}
	if r.header.Get("Jot-Request-Id") == "" {
		return // net/http's own refusal
	}
	if media := r.header.Get("Content-Type"); r.body != "" && media != "application/problem+json" && media != "application/json" {
		t.Errorf("%.200s: Content-Type %q", name, media)
	}
	if r.status == 405 && r.header.Get("Allow") == "" || r.status == 401 && r.header.Get("WWW-Authenticate") == "" {
		t.Errorf("%.200s: status %d without its header", name, r.status)
	}
}

// bodyAttacks are those on a route's body.
func bodyAttacks(method, path string, e endpoint) []attack {
	if e.body == nil {
		return nil
	}
	bad, large, media := []int{400}, []int{413}, []int{415}
	if e.form {
		large, media = bad, bad // RFC 6749 §5.2
	}
	jsonHeader := []string{"Content-Type", "application/json"}
	var attacks []attack
	add := func(name, body string, want []int, headers ...string) {
		attacks = append(attacks, attack{name, method, path, headers, body, want})
	}
	good := encode(e.body)
	for name, body := range map[string]string{
		"not JSON": marker, "half JSON": good[:len(good)-2], "null": "null", "array": "[" + good + "]", "string": `"` + marker + `"`, "number": "1e999",
		"two objects": good + good, "rest after it": good + marker, "byte order mark": "\ufeff" + good, "invalid UTF-8": "{\"" + marker + "\xff\":1}", "NUL": good + "\x00",
		"unknown member": `{"` + marker + `":1}`, "prototype": `{"__proto__":{"` + marker + `":1}}`, "lone surrogate": `{"username":"\ud800` + marker + `"}`,
		"too deep": strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), "comment": "/*" + marker + "*/" + good, "trailing comma": good[:len(good)-1] + ",}",
	} {
		add(name, body, bad, jsonHeader...)
	}
	for member, value := range e.body {
		one := encode(map[string]any{member: value})
		add("doubled member", one[:len(one)-1]+","+one[1:], bad, jsonHeader...)
		add("doubled member, escaped", one[:len(one)-1]+fmt.Sprintf(`,"\u%04x`, member[0])+one[2+1:], bad, jsonHeader...)
		add("member in capitals", strings.Replace(good, member, strings.ToUpper(member), 1), bad, jsonHeader...)
		for name, wrong := range map[string]any{"object": map[string]any{marker: 1}, "list": []string{marker}, "number": 1.5} {
			body := maps.Clone(e.body)
			body[member] = wrong
			add(name+" for "+member, encode(body), bad, jsonHeader...)
		}
		add("true for text", strings.Replace(good, encode(value), "true", 1), wantTrue(value), jsonHeader...)
	}
	add("stated large body", `{"a":"`+strings.Repeat(marker, 20_000)+`"}`, large, jsonHeader...)
	add("text", good, media, "Content-Type", "text/"+marker)
	add("no type", good, media)
	add("two types", good, media, "Content-Type", "application/json", "Content-Type", "application/json")
	add("another charset", good, media, "Content-Type", "application/json; charset=utf-16")
	add("multipart", good, media, "Content-Type", "multipart/form-data; boundary="+marker)
	add("compressed", good, media, "Content-Type", "application/json", "Content-Encoding", "gzip")
	if !e.form {
		add("a form", "username="+marker, media, "Content-Type", "application/x-www-form-urlencoded")
		return attacks
	}
	formHeader := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for member, value := range e.body {
		pair := url.Values{member: {fmt.Sprint(value)}}.Encode()
		add("doubled parameter", pair+"&"+pair, bad, formHeader...)
		add("doubled parameter, escaped", pair+fmt.Sprintf("&%%%02x", member[0])+pair[1:], bad, formHeader...)
		add("in the URL only", "", bad, formHeader...)
	}
	for name, body := range map[string]string{
		"broken escape": "client_id=%zz" + marker, "semicolons": "client_id=a;token=" + marker, "NUL": "client_id=%00" + marker,
		"newline": "client_id=%0d%0aSet-Cookie:" + marker, "invalid UTF-8": "client_id=%ff" + marker, "large": "a=" + strings.Repeat(marker, 20_000),
		"JSON": good, "many": strings.Repeat("&a"+marker, 5000),
	} {
		add("form, "+name, body, bad, formHeader...)
	}
	return attacks
}

// wantTrue: true is a good value for what is a boolean.
func wantTrue(value any) []int {
	if _, ok := value.(bool); ok {
		return []int{200, 204, 400, 401}
	}
	return []int{400}
}

// injections are texts that mean something to somebody: a database, a header, a log, a template, a file system, a terminal.
var injections = []string{
	"'; DROP TABLE sessions; --" + marker, "\" OR 1=1 --" + marker, "a\r\nSet-Cookie: x=" + marker, "\x00" + marker, "${jndi:ldap://" + marker + "}",
	"../../../../etc/" + marker, "<script>" + marker + "</script>", "%s%n%x" + marker, "\x1b[2J" + marker, "\u202e" + marker, strings.Repeat(marker, 8000),
}

func injectionAttacks(method, path string, e endpoint) []attack {
	var attacks []attack
	for member, value := range e.body {
		if _, ok := value.(string); !ok {
			continue
		}
		want := []int{400, 401, 403}
		if slices.Contains(e.harmless, member) {
			want = append(want, 200, 201, 409)
		}
		for _, injection := range injections {
			body := maps.Clone(e.body)
			body[member] = injection
			attacks = append(attacks, attack{"injection into " + member, method, path, []string{"Content-Type", "application/json"}, encode(body), want})
			if !e.form {
				continue
			}
			form := url.Values{}
			for name, value := range body {
				form.Set(name, fmt.Sprint(value))
			}
			attacks = append(attacks, attack{"injection into " + member, method, path, []string{"Content-Type", "application/x-www-form-urlencoded"}, form.Encode(), want})
		}
	}
	return attacks
}

// routeAttacks are those on the way to a route: its method, its path and its credentials.
func routeAttacks(method, path string, e endpoint) []attack {
	var attacks []attack
	for _, other := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", marker} {
		if other == method {
			continue
		}
		attacks = append(attacks, attack{"method", other, path, nil, "", []int{405}})
		for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
			attacks = append(attacks, attack{"overridden method", other, path + "?_method=" + method, []string{header, method, "Content-Type", "application/x-www-form-urlencoded"}, "_method=" + method, []int{405}})
		}
	}
	first, rest, _ := strings.Cut(path[1:], "/")
	tricks := []string{
		"/" + path, path + "/", path + "//", path + "/.", path + "/..;/", "/." + path, "/x/.." + path, "/x/%2e%2e" + path, "/%2e" + path, "/" + first + "//" + rest,
		"/" + first + "/./" + rest, "/" + first + "%2f" + rest, "/" + first + "/" + marker + "/../" + rest, path + ";" + marker, path + "%00", path + "%20", path + "." + marker,
		path + "%2f", path + "%3f", `/\` + path, strings.ToUpper(path), "/%5c" + path, "//" + marker + ".example" + path, path + "/" + marker,
	}
	for _, trick := range tricks {
		attacks = append(attacks, attack{"path", method, trick, nil, "", []int{404}})
	}
	return append(attacks, credentialAttacks(method, path, e)...)
}

func credentialAttacks(method, path string, e endpoint) []attack {
	if e.bearer == "" {
		return nil
	}
	var attacks []attack
	if e.query != "" {
		path += "?" + e.query
	}
	for name, headers := range map[string][]string{
		"none": nil, "basic": {"Authorization", "Basic " + marker}, "wrong": {"Authorization", "Bearer " + marker},
		"1 MiB": {"Authorization", "Bearer " + strings.Repeat("a", 60_000)}, "another header": {"X-Authorization", "Bearer " + marker}, "proxy": {"Proxy-Authorization", "Bearer " + marker},
		"user of a proxy": {"X-Forwarded-User", "ada", "X-Remote-User", "ada", "X-Jot-Subject", "ada"}, "original URL": {"X-Original-URL", "/healthz", "X-Rewrite-URL", "/healthz"},
	} {
		attacks = append(attacks, attack{"credential: " + name, method, path, headers, "", []int{401}})
	}
	for name, headers := range map[string][]string{
		"two": {"Authorization", "Bearer a" + marker, "Authorization", "Bearer b" + marker}, "two in one": {"Authorization", "Bearer a, Bearer b" + marker},
		"empty": {"Authorization", "Bearer"}, "no scheme": {"Authorization", marker},
	} {
		attacks = append(attacks, attack{"credential: " + name, method, path, headers, "", []int{400}})
	}
	in := path + "?access_token=" + marker
	if e.query != "" {
		in = path + "&access_token=" + marker
	}
	return append(attacks, attack{"credential in the URL", method, in, nil, "", []int{401}})
}

func encode(v any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

// TestBadInput sends every kind of bad request to every route, over connections to a listening server. Each is answered with the right
// status and nothing of the request or of the inside, the process lives on, and no goroutine stays behind.
func TestBadInput(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("server", func(t *testing.T) {
		s := newSite(t)
		a := newAttacker(t, s)
		for route, e := range surface {
			method, path, _ := strings.Cut(route, " ")
			path = parameter.ReplaceAllString(path, "x")
			t.Run(route, func(t *testing.T) {
				for _, x := range slices.Concat(bodyAttacks(method, path, e), injectionAttacks(method, path, e)) {
					if e.bearer != "" {
						x.headers = append(x.headers, "Authorization", "Bearer "+a.access)
					}
					a.check(t, x)
				}
				for _, x := range routeAttacks(method, path, e) {
					if x.name == "path" && (strings.Contains(route, "{") || hasChildren(path)) {
						x.want = append(x.want, 401, 405) // another value of a parameter
					}
					a.check(t, x)
				}
			})
		}
		t.Run("two credentials", a.twoCredentials)
		t.Run("forwarded", a.forwarded)
		t.Run("raw", a.raw)
		if status := a.send(t, attack{method: "GET", path: "/v1/me", headers: []string{"Authorization", "Bearer " + a.access}}).status; status != http.StatusOK {
			t.Errorf("after all of it the access token is answered with %d", status)
		}
		for _, text := range []string{marker, "level\":\"ERROR", "a handler panicked"} {
			if strings.Contains(s.log.String(), text) {
				t.Errorf("the log holds %q", text)
			}
		}
	})
	http.DefaultClient.CloseIdleConnections()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// hasChildren reports whether a parameter follows the path in another route.
func hasChildren(path string) bool {
	for route := range surface {
		if strings.Contains(route, " "+path+"/{") {
			return true
		}
	}
	return false
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
		"X-Forwarded-Proto", "https", "X-Forwarded-Prefix", "/" + marker, "X-Forwarded-Port", "1", "Host", marker + ".example", "True-Client-IP", "203.0.113.66",
	}
	for route, e := range surface {
		if method, path, _ := strings.Cut(route, " "); method == "GET" && e.bearer == "" {
			if r := a.send(t, attack{method: method, path: path, headers: spoofed}); r.status != http.StatusOK {
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
