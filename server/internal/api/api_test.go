package api_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/api"
	"github.com/jot-auth/jot/server/internal/logtest"
	"github.com/jot-auth/jot/server/internal/telemetry"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/internal/webtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

const (
	name     = "ada@example.com"
	password = "correct horse battery"
)

// fixture is the whole way down to a database file, behind a listener on loopback.
type fixture struct {
	t      *testing.T
	issuer *issuer.Issuer
	server *httptest.Server
	log    *logtest.Buffer
}

func serve(t *testing.T, o api.Options) *fixture {
	t.Helper()
	return serveAccounts(t, o, accounts.Config{
		SignUpScope: []string{"pets:read", "pets:write"}, SignUpClaims: json.RawMessage(`{"plan":"free"}`),
	})
}

func serveAccounts(t *testing.T, o api.Options, c accounts.Config) *fixture {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	i, err := issuer.New(t.Context(), store, issuer.Config{
		URL:              "https://auth.example.com/base",
		Resources:        []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read", "pets:write"}}, {Audience: "zoo", Scopes: []string{"pets:read"}}},
		Clients:          []issuer.Client{{ID: "client_other", Scopes: []string{"pets:read"}}, {ID: "client_app", Scopes: []string{"pets:read", "pets:write"}, FirstParty: true}, {ID: "client_console", Scopes: []string{"pets:read"}, FirstParty: true}},
		KeyEncryptionKey: make([]byte, 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	c.MaxWait = time.Minute // nobody is turned away, however slowly a busy machine hashes
	a, err := accounts.New(store, i, c)
	if err != nil {
		t.Fatal(err)
	}
	f := mount(t, i, a, o)
	t.Cleanup(func() { i.Close(); store.Close() })
	return f
}

// mount serves an issuer and accounts that may be broken ones.
func mount(t *testing.T, i *issuer.Issuer, a api.Accounts, o api.Options) *fixture {
	t.Helper()
	f := &fixture{t: t, issuer: i, log: new(logtest.Buffer)}
	handlers, err := api.New(i, i.Verifier(), a, o)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	handlers.Register(mux)
	logger := slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelError}))
	f.server = httptest.NewServer(telemetry.LogRequests(logger, web.Problems(mux)))
	t.Cleanup(f.server.Close)
	return f
}

// answer is a response, read to its end.
type answer struct {
	status  int
	header  http.Header
	body    string
	cookies map[string]*http.Cookie
}

// call sends a JSON body, none when it is empty, with headers given as name, value, ….
func (f *fixture) call(method, path, body string, headers ...string) answer {
	f.t.Helper()
	r, err := http.NewRequest(method, f.server.URL+"/base"+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for n := 0; n < len(headers); n += 2 {
		r.Header.Add(headers[n], headers[n+1])
	}
	return f.send(r)
}

func (f *fixture) send(r *http.Request) answer {
	f.t.Helper()
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: string(body), cookies: map[string]*http.Cookie{}}
	for _, cookie := range response.Cookies() {
		a.cookies[cookie.Name] = cookie
	}
	return a
}

// want ends the test unless the answer has the status, and reads a JSON body into members.
func (a answer) want(t *testing.T, status int) map[string]any {
	t.Helper()
	return webtest.Members(t, a.status, status, a.header, a.body)
}

// signUp makes the account that the tests use and answers its subject.
func (f *fixture) signUp() string {
	f.t.Helper()
	members := f.call("POST", "/v1/signup", webtest.Object(f.t, map[string]any{"username": name, "password": password})).want(f.t, 201)
	if len(members) != 1 || members["sub"] == "" {
		f.t.Fatalf("sign-up answered %v", members)
	}
	return members["sub"].(string)
}

// logIn answers an access and a refresh token.
func (f *fixture) logIn(more map[string]any) (access, refresh string) {
	f.t.Helper()
	request := map[string]any{"username": name, "password": password}
	for member, value := range more {
		request[member] = value
	}
	members := f.call("POST", "/v1/login", webtest.Object(f.t, request)).want(f.t, 200)
	return members["access_token"].(string), members["refresh_token"].(string)
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

func TestLife(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	sub := f.signUp()

	members := f.call("POST", "/v1/login", `{"username":"ADA@example.com","password":"`+password+`"}`).want(t, 200)
	if len(members) != 6 || members["token_type"] != "Bearer" || members["expires_in"] != 900.0 || members["scope"] != "pets:read pets:write" {
		t.Errorf("login answered %v", members)
	}
	access, refresh := members["access_token"].(string), members["refresh_token"].(string)

	me := f.call("GET", "/v1/me", "", bearer(access)...).want(t, 200)
	if me["sub"] != sub || me["scope"] != "pets:read pets:write" || me["client_id"] != "client_app" || me["sid"] == "" ||
		me["claims"].(map[string]any)["plan"] != "free" {
		t.Errorf("me = %v", me)
	}

	members = f.call("POST", "/v1/refresh", webtest.Object(t, map[string]any{"refresh_token": refresh})).want(t, 200)
	next := members["access_token"].(string)
	if members["refresh_token"] == refresh || next == access {
		t.Error("refresh answered the tokens of before")
	}

	if a := f.call("POST", "/v1/logout", `{}`, bearer(next)...); a.status != 204 || a.body != "" {
		t.Errorf("logout: %d %s", a.status, a.body)
	}
	for _, token := range []string{access, next} {
		a := f.call("GET", "/v1/me", "", bearer(token)...)
		a.want(t, 401)
		if got := a.header.Get("WWW-Authenticate"); got != `Bearer realm="jot", error="invalid_token"` {
			t.Errorf("challenge %q", got)
		}
	}
	a := f.call("POST", "/v1/refresh", webtest.Object(t, map[string]any{"refresh_token": members["refresh_token"]}))
	if problem := a.want(t, 401); problem["type"] != "urn:jot:problem:invalid-grant" || len(a.cookies) != 0 {
		t.Errorf("refresh after logout: %v, cookies %v", problem, a.cookies)
	}
}

func TestLogInNarrows(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	f.signUp()
	access, _ := f.logIn(map[string]any{"resource": "zoo", "scope": "pets:read"})
	me := f.call("GET", "/v1/me", "", bearer(access)...).want(t, 200)
	if me["scope"] != "pets:read" || me["aud"].([]any)[0] != "zoo" {
		t.Errorf("me = %v", me)
	}
	for request, kind := range map[string]string{
		`"scope":"pets:fly"`:       "urn:jot:problem:invalid-scope",
		`"scope":"pets:read  x"`:   "urn:jot:problem:invalid-scope",
		`"resource":"aquarium"`:    "urn:jot:problem:invalid-target",
		`"resource":"a\u0001\nb"`:  "urn:jot:problem:invalid-target",
		`"scope":"pets:read\u000"`: "about:blank",
	} {
		a := f.call("POST", "/v1/login", `{"username":"`+name+`","password":"`+password+`",`+request+`}`)
		if problem := a.want(t, 400); problem["type"] != kind {
			t.Errorf("%s: %v", request, problem)
		}
	}
}

func TestLogOut(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	f.signUp()
	t.Run("one session", func(t *testing.T) {
		one, _ := f.logIn(nil)
		other, _ := f.logIn(nil)
		f.call("POST", "/v1/logout", `{}`, bearer(one)...).want(t, 204)
		if f.alive(one) || !f.alive(other) {
			t.Errorf("alive: %v, %v; want only the other session", f.alive(one), f.alive(other))
		}
	})
	t.Run("everywhere", func(t *testing.T) {
		one, _ := f.logIn(nil)
		other, refresh := f.logIn(nil)
		f.call("POST", "/v1/logout", `{"everywhere":true}`, bearer(one)...).want(t, 204)
		if f.alive(one) || f.alive(other) {
			t.Errorf("alive: %v, %v; want neither", f.alive(one), f.alive(other))
		}
		f.call("POST", "/v1/refresh", webtest.Object(t, map[string]any{"refresh_token": refresh})).want(t, 401)
	})
	t.Run("without a body", func(t *testing.T) {
		access, _ := f.logIn(nil)
		a := f.call("POST", "/v1/logout", "", bearer(access)...)
		if a.want(t, 204); f.alive(access) || len(a.cookies) != 0 {
			t.Errorf("alive: %v, cookies %v", f.alive(access), a.cookies)
		}
	})
	t.Run("nobody", func(t *testing.T) {
		a := f.call("POST", "/v1/logout", `{}`)
		a.want(t, 401)
		if got := a.header.Get("WWW-Authenticate"); got != `Bearer realm="jot"` {
			t.Errorf("challenge %q", got)
		}
	})
}

func TestLogOutByRefreshToken(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	sub := f.signUp()
	t.Run("by refresh token", func(t *testing.T) {
		access, refresh := f.logIn(nil)
		f.call("POST", "/v1/logout", webtest.Object(t, map[string]any{"refresh_token": refresh})).want(t, 204)
		if f.alive(access) {
			t.Error("the access token is alive")
		}
	})
	t.Run("by refresh token, access token dead", func(t *testing.T) {
		dead, _ := f.logIn(nil)
		f.call("POST", "/v1/logout", `{}`, bearer(dead)...).want(t, 204)
		access, refresh := f.logIn(nil)
		f.call("POST", "/v1/logout", webtest.Object(t, map[string]any{"refresh_token": refresh}), bearer(dead)...).want(t, 204)
		if f.alive(access) {
			t.Error("the access token is alive")
		}
	})
	t.Run("two sessions at once", func(t *testing.T) {
		one, _ := f.logIn(nil)
		other, refresh := f.logIn(nil)
		f.call("POST", "/v1/logout", webtest.Object(t, map[string]any{"refresh_token": refresh}), bearer(one)...).want(t, 204)
		if f.alive(one) || f.alive(other) {
			t.Errorf("alive: %v, %v; want neither", f.alive(one), f.alive(other))
		}
	})
	t.Run("twice by refresh token", func(t *testing.T) {
		_, refresh := f.logIn(nil)
		for range 2 {
			f.call("POST", "/v1/logout", webtest.Object(t, map[string]any{"refresh_token": refresh})).want(t, 204)
		}
	})
	t.Run("not a genuine refresh token", func(t *testing.T) {
		access, refresh := f.logIn(nil)
		theirs, err := f.issuer.Issue(t.Context(), issuer.Grant{Subject: sub, ClientID: "client_other"})
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range []string{"garbage", "jrt_garbage", access, refresh[:len(refresh)-8] + "AAAAAAAA", theirs.Refresh} {
			a := f.call("POST", "/v1/logout", webtest.Object(t, map[string]any{"refresh_token": token}))
			if problem := a.want(t, 401); problem["type"] != "urn:jot:problem:invalid-grant" {
				t.Errorf("%.12s: %v", token, problem)
			}
		}
		if !f.alive(access) {
			t.Error("the access token is dead")
		}
	})
	t.Run("broken refresh token beside a good access token", func(t *testing.T) {
		access, _ := f.logIn(nil)
		f.call("POST", "/v1/logout", `{"refresh_token":"jrt_broken"}`, bearer(access)...).want(t, 401)
		if f.alive(access) {
			t.Error("the access token is alive")
		}
	})
	t.Run("everywhere, by a refresh token", func(t *testing.T) {
		other, _ := f.logIn(nil)
		access, refresh := f.logIn(nil)
		a := f.call("POST", "/v1/logout", webtest.Object(t, map[string]any{"everywhere": true, "refresh_token": refresh}))
		a.want(t, 204)
		if f.alive(access) || f.alive(other) {
			t.Error("an access token is alive")
		}
	})
}

// alive reports whether an access token is good.
func (f *fixture) alive(token string) bool {
	f.t.Helper()
	return f.call("GET", "/v1/me", "", bearer(token)...).status == 200
}

// TestLogInTellsNothing holds every failure to one answer, byte for byte.
func TestLogInTellsNothing(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	sub := f.signUp()
	f.call("POST", "/v1/signup", webtest.Object(t, map[string]any{"username": "eve", "password": password})).want(t, 201)
	if err := f.issuer.DisableSubject(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	answers := map[string]answer{}
	for kind, request := range map[string]map[string]any{
		"wrong password":  {"username": "eve", "password": "wrong horse battery"},
		"no password":     {"username": "eve"},
		"unknown name":    {"username": "nobody", "password": password},
		"impossible name": {"username": "\x01", "password": password},
		"no name":         {"password": password},
		"disabled":        {"username": name, "password": password},
		"disabled, wrong": {"username": name, "password": "wrong horse battery"},
	} {
		a := f.call("POST", "/v1/login", webtest.Object(t, request))
		if problem := a.want(t, 401); problem["type"] != "urn:jot:problem:invalid-credentials" {
			t.Errorf("%s: %v", kind, problem)
		}
		a.header.Del("Date")
		a.header.Del(telemetry.RequestIDHeader)
		answers[kind] = a
	}
	first := answers["unknown name"]
	for kind, a := range answers {
		if a.body != first.body || headers(a) != headers(first) {
			t.Errorf("%s is answered\n%s%s\nand an unknown name\n%s%s", kind, headers(a), a.body, headers(first), first.body)
		}
	}
	for member, value := range map[string]string{"resource": "aquarium", "scope": "pets:fly"} { // nobody could have it, and nobody is told more
		bodies := map[string]bool{}
		for _, who := range [][2]string{{name, password}, {name, wrong}, {"eve", password}, {"eve", wrong}, {"nobody", password}} {
			a := f.call("POST", "/v1/login", webtest.Object(t, map[string]any{"username": who[0], "password": who[1], member: value}))
			a.want(t, 400)
			bodies[a.body] = true
		}
		if len(bodies) != 1 {
			t.Errorf("%s: %v", member, bodies)
		}
	}
}

func headers(a answer) string {
	var b strings.Builder
	a.header.Write(&b)
	return b.String()
}

// configured is an issuer of which only the configuration is asked.
type configured struct {
	*issuer.Issuer
	url     string
	clients []issuer.Client
}

func (c configured) URL() string              { return c.url }
func (c configured) Clients() []issuer.Client { return c.clients }

func TestNewRefusesConfiguration(t *testing.T) {
	firstParty := []issuer.Client{{ID: "client_app", FirstParty: true}}
	for name, i := range map[string]configured{
		"no clients":            {url: "https://auth.example.com"},
		"no first-party client": {url: "https://auth.example.com", clients: []issuer.Client{{ID: "client_app"}}},
		"path with a pattern":   {url: "https://auth.example.com/{tenant}", clients: firstParty},
	} {
		if _, err := api.New(i, nil, nil, api.Options{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := api.New(configured{url: "https://auth.example.com", clients: firstParty}, nil, nil, api.Options{}); err != nil {
		t.Error(err)
	}
}
