package admin_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/admin"
	"github.com/jot-auth/jot/server/internal/logtest"
	"github.com/jot-auth/jot/server/internal/telemetry"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/internal/webtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

const (
	issuerURL = "https://auth.example.com/base"
	password  = "correct horse battery"
)

// fixture is the whole way down to a database file, behind a listener on loopback, with an administrator called root.
type fixture struct {
	*testing.T
	store  *sqlstore.Store
	issuer *issuer.Issuer
	server *httptest.Server
	log    *logtest.Buffer
	root   string // subject of the administrator
	token  string // its access token
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, log: new(logtest.Buffer)}
	var err error
	if f.store, err = sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{}); err != nil {
		t.Fatal(err)
	}
	if f.issuer, err = issuer.New(t.Context(), f.store, config()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.issuer.Close(); f.store.Close() })
	f.serve()
	f.root = f.bootstrap("root")
	f.token = f.adminToken(f.root)
	return f
}

func (f *fixture) serve() {
	f.Helper()
	people, err := accounts.New(f.store, f.issuer, accounts.Config{})
	if err != nil {
		f.Fatal(err)
	}
	api, err := admin.New(f.issuer, accounts.NewAdmin(people, f.store))
	if err != nil {
		f.Fatal(err)
	}
	mux := http.NewServeMux()
	api.Register(mux)
	logger := slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelError}))
	f.server = httptest.NewServer(telemetry.LogRequests(logger, web.Problems(mux)))
	f.Cleanup(f.server.Close)
}

// bootstrap makes an administrator as an operator does, and returns its subject.
func (f *fixture) bootstrap(name string) string {
	f.Helper()
	code, _, err := issuer.InviteAdmin(f.Context(), f.store)
	if err != nil {
		f.Fatal(err)
	}
	made := f.call("POST", "/admin/v1/bootstrap", webtest.Object(f.T, map[string]any{"code": code, "username": name, "password": password})).want(f.T, 201)
	return made["sub"].(string)
}

// adminToken is what jot admin login gets.
func (f *fixture) adminToken(sub string) string {
	f.Helper()
	return f.issue(issuer.Grant{Subject: sub, ClientID: issuer.CommandClient, Resource: f.issuer.AdminAudience()}).Access
}

func (f *fixture) issue(g issuer.Grant) issuer.Tokens {
	f.Helper()
	tokens, err := f.issuer.Issue(f.Context(), g)
	if err != nil {
		f.Fatal(err)
	}
	return tokens
}

// answer is a response, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// call sends a JSON body, none when it is empty, without credentials.
func (f *fixture) call(method, path, body string, headers ...string) answer {
	f.Helper()
	r, err := http.NewRequestWithContext(f.Context(), method, f.server.URL+"/base"+path, strings.NewReader(body))
	if err != nil {
		f.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for n := 0; n < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		f.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		f.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// as is call with an access token.
func (f *fixture) as(token, method, path, body string, headers ...string) answer {
	f.Helper()
	return f.call(method, path, body, append(headers, "Authorization", "Bearer "+token)...)
}

// do is as for the administrator root.
func (f *fixture) do(method, path, body string) answer {
	f.Helper()
	return f.as(f.token, method, path, body)
}

// want ends the test unless the answer has the status, and reads a JSON body into members.
func (a answer) want(t *testing.T, status int) map[string]any {
	t.Helper()
	return webtest.Members(t, a.status, status, a.header, a.body)
}

func config() issuer.Config {
	return issuer.Config{
		URL:       issuerURL,
		Resources: []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read", "pets:write"}}},
		Clients: []issuer.Client{
			{ID: "client_app", Scopes: []string{"pets:read", "pets:write"}, FirstParty: true},
			{ID: "client_backend", Scopes: []string{issuer.ScopeSessions}},
		},
		KeyEncryptionKey: make([]byte, 32),
	}
}
