package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/logtest"
	"github.com/jot-auth/jot/server/issuer"
)

const password = "correct horse battery staple"

// site is a token server that listens on loopback, as the command runs it.
type site struct {
	url, credential, dir string
	database             string // "": the SQLite file in dir/data
	server               *server.Server
	log                  *logtest.Buffer
}

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteOver(t, "")
}

// newSiteOver is newSite over a PostgreSQL database; "" is a SQLite file. Its configuration may be changed.
func newSiteOver(t *testing.T, database string, changes ...func(*server.Config)) *site {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{url: "http://" + listener.Addr().String(), credential: server.NewSecret().Text(), dir: t.TempDir(), database: database, log: &logtest.Buffer{}}
	config := server.Config{
		Issuer: issuer.Config{
			URL:              s.url,
			Resources:        []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read"}}},
			Clients:          []issuer.Client{{ID: "client_app", Scopes: []string{"pets:read"}, FirstParty: true}},
			KeyEncryptionKey: server.NewSecret().Bytes(),
		},
		Database: database, DataDir: filepath.Join(s.dir, "data"), OpenSignUp: true, SignUpScope: []string{"pets:read"}, NoThrottling: true,
		FeedCredentials: []string{s.credential}, Logger: slog.New(slog.NewJSONHandler(s.log, nil)),
	}
	for _, change := range changes {
		change(&config)
	}
	if s.server, err = server.New(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(ctx, listener) }() // ends with stop
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-served, s.server.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *site) post(t *testing.T, path, token string, body any) (int, []byte) {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return response.StatusCode, answer
}

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

func (s *site) signUpAndLogIn(t *testing.T, name string) tokens {
	t.Helper()
	credentials := map[string]string{"username": name, "password": password}
	if status, body := s.post(t, "/v1/signup", "", credentials); status != http.StatusCreated {
		t.Fatalf("sign up: %d %s", status, body)
	}
	status, body := s.post(t, "/v1/login", "", credentials)
	if status != http.StatusOK {
		t.Fatalf("log in: %d %s", status, body)
	}
	return read(t, body)
}

func read(t *testing.T, body []byte) (pair tokens) {
	t.Helper()
	if err := json.Unmarshal(body, &pair); err != nil || pair.Access == "" || pair.Refresh == "" {
		t.Errorf("no tokens in %s", body)
	}
	return pair
}

// verifier is what an API beside the server has: its keys and its feed, by HTTP. Its lease is so long that no busy
// machine ends it.
func (s *site) verifier(t *testing.T) *jot.Verifier {
	t.Helper()
	source := func(url string) *jwks.Source {
		source, err := jwks.NewSource(url, jwks.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { source.Close() })
		return source
	}
	feed, err := revocation.NewReader(revocation.ReaderOptions{
		URL: s.url + "/feed", Issuer: s.url, Keys: source(s.url + "/feed/jwks.json"), Credential: s.credential, MaxStaleness: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { feed.Close() })
	if err := feed.WaitFresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	verifier, err := jot.NewVerifier(source(s.url+"/.well-known/jwks.json"), jot.VerifierOptions{
		Issuer: s.url, Audience: "petstore", Type: "at+jwt", Revocation: feed,
	})
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

// waitRefused waits until the verifier refuses the token with the error. How long that takes is measured by a
// benchmark.
func waitRefused(t *testing.T, verifier *jot.Verifier, token string, want error) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if err := verifier.Check(t.Context(), token); errors.Is(err, want) {
			return
		} else if err != nil {
			t.Fatalf("refused with %v, want %v", err, want)
		}
	}
	t.Fatal("the token is still accepted")
}

func TestATokensLife(t *testing.T) {
	s := newSite(t)
	verifier := s.verifier(t)
	first := s.signUpAndLogIn(t, "ada")
	token, err := verifier.Verify(t.Context(), first.Access)
	if err != nil {
		t.Fatal(err)
	}
	if token.Scope() != "pets:read" || token.ClientID() != "client_app" || token.SessionID() == "" || token.ID() == "" {
		t.Errorf("claims %s", token.Payload())
	}

	status, body := s.post(t, "/v1/refresh", "", map[string]string{"refresh_token": first.Refresh})
	if status != http.StatusOK {
		t.Fatalf("refresh: %d %s", status, body)
	}
	second := read(t, body)
	for name, access := range map[string]string{"the first": first.Access, "the second": second.Access} {
		if err := verifier.Check(t.Context(), access); err != nil {
			t.Errorf("%s access token: %v", name, err)
		}
	}

	if status, body := s.post(t, "/v1/logout", second.Access, struct{}{}); status != http.StatusNoContent {
		t.Fatalf("log out: %d %s", status, body)
	}
	waitRefused(t, verifier, second.Access, jot.ErrRevoked)
	waitRefused(t, verifier, first.Access, jot.ErrRevoked) // of the same session
	if status, _ := s.post(t, "/v1/refresh", "", map[string]string{"refresh_token": second.Refresh}); status != http.StatusUnauthorized {
		t.Errorf("refresh after logout: %d", status)
	}
}

func TestLogOutEverywhere(t *testing.T) {
	s := newSite(t)
	verifier := s.verifier(t)
	phone := s.signUpAndLogIn(t, "ada")
	_, body := s.post(t, "/v1/login", "", map[string]string{"username": "ada", "password": password})
	laptop := read(t, body)
	if status, body := s.post(t, "/v1/logout", laptop.Access, map[string]bool{"everywhere": true}); status != http.StatusNoContent {
		t.Fatalf("log out: %d %s", status, body)
	}
	waitRefused(t, verifier, phone.Access, jot.ErrStaleClaims)
	status, body := s.post(t, "/v1/login", "", map[string]string{"username": "ada", "password": password})
	if status != http.StatusOK {
		t.Fatalf("log in again: %d %s", status, body)
	}
	if err := verifier.Check(t.Context(), read(t, body).Access); err != nil {
		t.Error("the token of a login after it:", err)
	}
}

// Where the access token has expired, the refresh token is enough to log out everywhere.
func TestLogOutEverywhereByRefreshToken(t *testing.T) {
	s := newSite(t)
	verifier := s.verifier(t)
	phone := s.signUpAndLogIn(t, "ada")
	_, body := s.post(t, "/v1/login", "", map[string]string{"username": "ada", "password": password})
	laptop := read(t, body)
	status, body := s.post(t, "/v1/logout", "", map[string]any{"everywhere": true, "refresh_token": laptop.Refresh})
	if status != http.StatusNoContent {
		t.Fatalf("log out: %d %s", status, body)
	}
	waitRefused(t, verifier, phone.Access, jot.ErrStaleClaims)
	for _, pair := range []tokens{phone, laptop} {
		if status, _ := s.post(t, "/v1/refresh", "", map[string]string{"refresh_token": pair.Refresh}); status != http.StatusUnauthorized {
			t.Errorf("refresh: %d", status)
		}
	}
}

// Two servers over one data directory would each learn of the other's revocations late.
func TestOneServerPerDataDirectory(t *testing.T) {
	s := newSite(t)
	config := server.Config{
		Issuer: issuer.Config{
			URL:              s.url,
			Resources:        []issuer.Resource{{Audience: "petstore"}},
			Clients:          []issuer.Client{{ID: "client_app", FirstParty: true}},
			KeyEncryptionKey: server.NewSecret().Bytes(),
		},
		DataDir: filepath.Join(s.dir, "data"), Logger: slog.New(slog.DiscardHandler),
	}
	if second, err := server.New(t.Context(), config); err == nil {
		second.Close()
		t.Error("a second server started")
	} else if !strings.Contains(err.Error(), "another server") {
		t.Error(err)
	}
}

// The race of tabs and lost replies: whoever presents the current token, or the one before it, gets the same successor.
func TestParallelRefreshesDoNotFork(t *testing.T) {
	const parallel = 50
	s := newSite(t)
	pair := s.signUpAndLogIn(t, "ada")
	successors := make([]string, parallel)
	var all sync.WaitGroup
	for i := range parallel {
		all.Go(func() { // ends with its request
			status, body := s.post(t, "/v1/refresh", "", map[string]string{"refresh_token": pair.Refresh})
			if status != http.StatusOK {
				t.Errorf("refresh: %d %s", status, body)
				return
			}
			successors[i] = read(t, body).Refresh
		})
	}
	all.Wait()
	for _, successor := range successors {
		if successor != successors[0] {
			t.Fatal("two refreshes of one token got different successors")
		}
	}
	status, body := s.post(t, "/v1/refresh", "", map[string]string{"refresh_token": successors[0]})
	if status != http.StatusOK {
		t.Fatalf("the one line of descent is dead: %d %s", status, body)
	}
	if status, _ := s.post(t, "/v1/refresh", "", map[string]string{"refresh_token": pair.Refresh}); status != http.StatusUnauthorized {
		t.Errorf("a token from two generations ago: %d", status)
	}
	if status, _ := s.post(t, "/v1/refresh", "", map[string]string{"refresh_token": read(t, body).Refresh}); status != http.StatusUnauthorized {
		t.Errorf("after a replay the session goes on: %d", status)
	}
}

func TestClaimsChange(t *testing.T) {
	s := newSite(t)
	verifier := s.verifier(t)
	pair := s.signUpAndLogIn(t, "ada")
	token, err := verifier.Verify(t.Context(), pair.Access)
	if err != nil {
		t.Fatal(err)
	}
	change := issuer.Change{Claims: json.RawMessage(`{"roles":["keeper"]}`)}
	if err := s.server.Issuer().ChangeSubject(t.Context(), token.Subject(), change); err != nil {
		t.Fatal(err)
	}
	waitRefused(t, verifier, pair.Access, jot.ErrStaleClaims)
	_, body := s.post(t, "/v1/refresh", "", map[string]string{"refresh_token": pair.Refresh})
	custom, _, err := jot.Verify[struct{ Roles []string }](t.Context(), verifier, read(t, body).Access)
	if err != nil || len(custom.Roles) != 0 { // names are case-sensitive: the claim is "roles"
		t.Errorf("%v, %v", custom, err)
	}
	claims, _, err := jot.Verify[struct {
		Roles []string `json:"roles"`
	}](t.Context(), verifier, read(t, body).Access)
	if err != nil || len(claims.Roles) != 1 {
		t.Errorf("%v, %v", claims, err)
	}
}

// Nothing that is secret reaches the log or the disk in the clear, and nobody else can read the files.
func TestSecretsStaySecret(t *testing.T) {
	s := newSite(t)
	pair := s.signUpAndLogIn(t, "ada")
	s.post(t, "/v1/refresh", "", map[string]string{"refresh_token": pair.Refresh})
	s.post(t, "/v1/login", "", map[string]string{"username": "ada", "password": "not the password at all"})
	s.post(t, "/v1/logout", pair.Access, struct{}{})

	secrets := []string{pair.Access, pair.Refresh, password, "not the password at all", s.credential}
	var files int
	err := filepath.WalkDir(filepath.Join(s.dir, "data"), func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			t.Errorf("%s has mode %04o", name, mode)
		}
		if entry.IsDir() {
			return nil
		}
		files++
		content, err := os.ReadFile(name)
		for _, secret := range append(secrets, `"d":"`) { // the private member of a JWK
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s holds a secret", name)
			}
		}
		return err
	})
	if err != nil || files == 0 {
		t.Fatal(files, err)
	}
	for _, secret := range secrets {
		if strings.Contains(s.log.String(), secret) {
			t.Error("the log holds a secret")
		}
	}
	if !strings.Contains(s.log.String(), "POST /v1/login") {
		t.Errorf("the log knows of no login:\n%s", s.log)
	}
}

func TestProbes(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		response, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
}

func TestNewRefusesWhatIsMissing(t *testing.T) {
	for name, config := range map[string]server.Config{
		"nothing":     {},
		"no data dir": {Issuer: issuer.Config{URL: "https://auth.example.com"}},
		"no issuer":   {DataDir: filepath.Join(t.TempDir(), "data")},
	} {
		if s, err := server.New(t.Context(), config); err == nil || s != nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// protectPets is what the README shows: an API that trusts the tokens of a jot server.
func protectPets(issuer, credential string, pets http.Handler, serve func(http.Handler) error) error {
	keys, err := jwks.NewSource(issuer+"/.well-known/jwks.json", jwks.Options{})
	if err != nil {
		return err
	}
	defer keys.Close()
	feedKeys, err := jwks.NewSource(issuer+"/feed/jwks.json", jwks.Options{})
	if err != nil {
		return err
	}
	defer feedKeys.Close()
	feed, err := revocation.NewReader(revocation.ReaderOptions{
		URL: issuer + "/feed", Issuer: issuer, Keys: feedKeys, Credential: credential,
	})
	if err != nil {
		return err
	}
	defer feed.Close()
	verifier, err := jot.NewVerifier(keys, jot.VerifierOptions{
		Issuer: issuer, Audience: "petstore", Type: "at+jwt", Revocation: feed,
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /pets/{id}", jothttp.Protect(verifier)(jothttp.RequireScope("pets:read")(pets)))
	return serve(mux)
}

// Middleware over keys and feed: a revoked session is refused by an API that never calls the server.
func TestProtectedAPI(t *testing.T) {
	s := newSite(t)
	pair := s.signUpAndLogIn(t, "ada")
	pets := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, jothttp.From(r.Context()).Subject())
	})
	err := protectPets(s.url, s.credential, pets, func(api http.Handler) error {
		petstore := httptest.NewServer(api)
		defer petstore.Close()
		call := func() int {
			request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, petstore.URL+"/pets/1", nil)
			request.Header.Set("Authorization", "Bearer "+pair.Access)
			response, err := petstore.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			return response.StatusCode
		}
		waitFor(t, call, http.StatusOK) // 503 until the feed is proven fresh
		if status, body := s.post(t, "/v1/logout", pair.Access, struct{}{}); status != http.StatusNoContent {
			t.Fatalf("log out: %d %s", status, body)
		}
		waitFor(t, call, http.StatusUnauthorized)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func waitFor(t *testing.T, call func() int, want int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		status := call()
		if status == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the API goes on answering %d, want %d", status, want)
		}
	}
}
