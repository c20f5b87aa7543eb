package oauth_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/logtest"
	"github.com/jot-auth/jot/server/internal/oauth"
	"github.com/jot-auth/jot/server/internal/telemetry"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

const (
	app   = "client_app"
	other = "client_other"
)

// fixture is the whole way down to a database file, behind a listener on loopback.
type fixture struct {
	t      *testing.T
	store  *sqlstore.Store
	config issuer.Config
	issuer *issuer.Issuer
	people *accounts.Accounts
	server *httptest.Server
	log    *logtest.Buffer
}

func serve(t *testing.T, issuerURL string) *fixture {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return serveOver(t, store, issuer.Config{
		URL:              issuerURL,
		Resources:        []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:write", "pets:read"}}, {Audience: "zoo", Scopes: []string{"pets:read"}}},
		Clients:          []issuer.Client{{ID: app, Scopes: []string{"pets:read", "pets:write"}, FirstParty: true}, {ID: other, Scopes: []string{"pets:read"}}},
		KeyEncryptionKey: make([]byte, 32),
	})
}

func serveOver(t *testing.T, store *sqlstore.Store, c issuer.Config) *fixture {
	t.Helper()
	i, err := issuer.New(t.Context(), store, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	people, err := accounts.New(store, i, accounts.Config{SignUpScope: []string{"pets:read", "pets:write"}})
	if err != nil {
		t.Fatal(err)
	}
	f := mount(t, i, people)
	f.store, f.config, f.issuer, f.people = store, c, i, people
	return f
}

// later is the same an hour later, as far as its verifier knows.
func (f *fixture) later() *fixture {
	f.t.Helper()
	c := f.config
	c.Now = func() time.Time { return time.Now().Add(time.Hour) }
	return serveOver(f.t, f.store, c)
}

// mount serves an issuer that may be a broken one. nil for people: nobody logs in.
func mount(t *testing.T, i oauth.Issuer, people oauth.People) *fixture {
	t.Helper()
	f := &fixture{t: t, log: new(logtest.Buffer)}
	handlers, err := oauth.New(i, people)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	handlers.Register(mux)
	logger := slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelError}))
	f.server = httptest.NewServer(telemetry.LogRequests(logger, mux))
	t.Cleanup(f.server.Close)
	return f
}

// tokens logs a new subject in.
func (f *fixture) tokens() issuer.Tokens {
	f.t.Helper()
	subject, err := issuer.NewSubject(nil, []string{"pets:read", "pets:write"})
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.issuer.CreateSubject(f.t.Context(), subject); err != nil {
		f.t.Fatal(err)
	}
	tokens, err := f.issuer.Issue(f.t.Context(), issuer.Grant{Subject: subject.ID, ClientID: app, AMR: []string{"pwd"}})
	if err != nil {
		f.t.Fatal(err)
	}
	return tokens
}

// answer is a response, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// call sends a request with headers given as name, value, ….
func (f *fixture) call(method, path, media string, body io.Reader, headers ...string) answer {
	f.t.Helper()
	r, err := http.NewRequest(method, f.server.URL+path, body)
	if err != nil {
		f.t.Fatal(err)
	}
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	for n := 0; n < len(headers); n += 2 {
		r.Header.Add(headers[n], headers[n+1])
	}
	r.Host = r.Header.Get("Host") // "" is the server's own
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

const formType = "application/x-www-form-urlencoded"

// post sends a form, given as name, value, ….
func (f *fixture) post(path string, parameters ...string) answer {
	f.t.Helper()
	form := url.Values{}
	for n := 0; n < len(parameters); n += 2 {
		form.Add(parameters[n], parameters[n+1])
	}
	return f.call("POST", path, formType, strings.NewReader(form.Encode()))
}

func (f *fixture) get(path string, headers ...string) answer {
	f.t.Helper()
	return f.call("GET", path, "", nil, headers...)
}

// members reads a JSON body.
func (a answer) members(t *testing.T) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(a.body), &members); err != nil {
		t.Fatalf("%v: %d %q", err, a.status, a.body)
	}
	return members
}

// wantError holds an answer to RFC 6749 §5.2.
func (a answer) wantError(t *testing.T, status int, code string) {
	t.Helper()
	members := a.members(t)
	if a.status != status || members["error"] != code {
		t.Errorf("%d %s, want %d %s", a.status, a.body, status, code)
	}
	if description, _ := members["error_description"].(string); strings.ContainsAny(description, `"\`) || (description == "") != (status == 500) {
		t.Errorf("description %q", description)
	}
	if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("header %v", a.header)
	}
	if (status == 401) != (a.header.Get("WWW-Authenticate") != "") {
		t.Errorf("challenge %q with status %d", a.header.Get("WWW-Authenticate"), status)
	}
}

func (f *fixture) verify(access string) (*jot.Token, error) {
	return f.issuer.Verifier().Verify(f.t.Context(), access)
}
