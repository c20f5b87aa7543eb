package console_test

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"hash"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/console"
	"github.com/jot-auth/jot/server/internal/logtest"
	"github.com/jot-auth/jot/server/internal/oauth"
	"github.com/jot-auth/jot/server/internal/telemetry"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

const (
	issuerURL = "https://auth.example.com/base"
	app       = "client_app"   // the operator's own
	shop      = "client_shop"  // somebody else's
	other     = "client_other" // somebody else's, too
	backend   = "client_backend"
	tv        = "client_tv"
	callback  = "https://app.example.com/callback"
	password  = "correct horse battery"
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// fixture is the whole way down to a database, behind a listener on loopback.
type fixture struct {
	*testing.T
	store    *sqlstore.Store
	issuer   *issuer.Issuer
	accounts *accounts.Accounts
	server   *httptest.Server
	log      *logtest.Buffer
	secret   string // of the backend
	ada      string // her subject
}

func serve(t *testing.T) *fixture {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return serveOver(t, store, console.Options{})
}

func serveOver(t *testing.T, store *sqlstore.Store, o console.Options) *fixture {
	t.Helper()
	return serveSigned(t, store, o, jot.ES256)
}

// serveSigned is serveOver with another algorithm.
func serveSigned(t *testing.T, store *sqlstore.Store, o console.Options, algorithm jot.Algorithm) *fixture {
	t.Helper()
	secret, hash := issuer.NewClientSecret()
	scopes := []string{"pets:read", "pets:write"}
	i, err := issuer.New(t.Context(), store, issuer.Config{
		URL:       issuerURL,
		Algorithm: algorithm,
		Resources: []issuer.Resource{{Audience: "petstore", Name: "The petstore", Scopes: scopes}, {Audience: "zoo", Scopes: []string{"pets:read"}}},
		Clients: []issuer.Client{
			{ID: app, Name: "The app", Scopes: scopes, FirstParty: true, RedirectURIs: []string{callback, "http://127.0.0.1/callback"}, PostLogoutRedirectURIs: []string{"https://app.example.com/bye"}},
			{ID: shop, Name: "The <shop>", Scopes: scopes, RedirectURIs: []string{"https://shop.example.com/cb?tenant=1"}},
			{ID: other, Scopes: scopes, DeviceGrant: true, RedirectURIs: []string{callback, "https://other.example.com/callback"}, PostLogoutRedirectURIs: []string{"https://other.example.com/bye"}},
			{ID: tv, Name: "The <TV>", Scopes: scopes, DeviceGrant: true},
			{ID: backend, Scopes: scopes, FirstParty: true, DeviceGrant: true, SecretHash: hash, RedirectURIs: []string{callback}},
		},
		KeyEncryptionKey: make([]byte, 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	a, err := accounts.New(store, i, accounts.Config{SignUpScope: scopes, SignUpClaims: json.RawMessage(`{"name":"Ada","email":"ada@example.com","role":"vet"}`)})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{T: t, store: store, issuer: i, accounts: a, log: new(logtest.Buffer), secret: secret}
	if f.ada, err = a.Add(t.Context(), "ada", password); err != nil {
		t.Fatal(err)
	}
	pages, err := console.New(i, a, o)
	if err != nil {
		t.Fatal(err)
	}
	protocols, err := oauth.New(i, a)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	pages.Register(mux)
	protocols.Register(mux)
	logger := slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelError}))
	f.server = httptest.NewServer(telemetry.LogRequests(logger, mux))
	t.Cleanup(func() { f.server.Close(); i.Close(); store.Close() })
	return f
}

// answer is a response, read to its end.
type answer struct {
	status   int
	header   http.Header
	location *url.URL
	body     string
}

// browser keeps cookies, those for TLS alone too, and follows the server's own redirects.
type browser struct {
	*fixture
	cookies map[string]string
}

func (f *fixture) browser() *browser { return &browser{f, map[string]string{}} }

// send sends one request to an address of the issuer.
func (b *browser) send(method, address string, form url.Values, headers ...string) answer {
	b.Helper()
	if form == nil {
		return b.sendText(method, address, "", headers...)
	}
	return b.sendText(method, address, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

// sendText is send for a form as it's written.
func (b *browser) sendText(method, address, form string, headers ...string) answer {
	b.Helper()
	path := strings.TrimPrefix(strings.TrimPrefix(address, "https://auth.example.com"), b.server.URL)
	r, err := http.NewRequestWithContext(context.WithoutCancel(b.Context()), method, b.server.URL+path, strings.NewReader(form))
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; n < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	for _, cookie := range response.Cookies() {
		b.cookies[cookie.Name] = cookie.Value
		if cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
		}
		if !strings.HasPrefix(cookie.Name, "__Host-") || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.SameSite < http.SameSiteLaxMode {
			b.Errorf("cookie %v", cookie)
		}
	}
	a := answer{status: response.StatusCode, header: response.Header, body: string(text)}
	if location := response.Header.Get("Location"); location != "" {
		if a.location, err = url.Parse(location); err != nil {
			b.Fatal(err)
		}
	}
	b.checkHeaders(address, a)
	return a
}

// checkHeaders: no page is cached or framed, no address of it is told to others, and none has a script but the one of
// passkeys, where there may be one: a policy allows that file alone.
func (b *browser) checkHeaders(address string, a answer) {
	b.Helper()
	if a.header.Get("Cache-Control") != "no-store" {
		b.Errorf("%s may be cached", address)
	}
	if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		return
	}
	b.checkScript(address, a)
	policy := a.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none';", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'", "style-src 'sha256-"} {
		if !strings.Contains(policy, part) {
			b.Errorf("%s: policy %q lacks %s", address, policy, part)
		}
	}
	referrer := "same-origin"
	if strings.Contains(address, "?code=") || formTarget.MatchString(a.body) && strings.Contains(a.body, "<h1>Almost done</h1>") {
		referrer = "strict-origin"
	}
	if a.header.Get("Referrer-Policy") != referrer || a.header.Get("X-Frame-Options") != "DENY" {
		b.Errorf("%s: %v", address, a.header)
	}
}

// get follows redirects within the server.
// checkScript is checkHeaders' part about scripts.
func (b *browser) checkScript(address string, a answer) {
	b.Helper()
	const script, source = `<script type="module" src="passkey.js"></script>`, "script-src " + issuerURL + "/passkey.js;"
	policy := a.header.Get("Content-Security-Policy")
	scripts := strings.Count(a.body, "<script")
	if scripts > 1 || strings.Count(a.body, script) != scripts || strings.Count(policy, "script-src") != scripts || strings.Count(policy, source) != scripts {
		b.Errorf("%s: %d scripts under %q", address, scripts, policy)
	}
}

func (b *browser) get(address string) answer {
	b.Helper()
	a := b.send("GET", address, nil)
	for n := 0; a.location != nil && (!a.location.IsAbs() || a.location.Host == "auth.example.com"); n++ {
		if n == 5 {
			b.Fatal("redirected in a circle")
		}
		a = b.send("GET", a.location.String(), nil)
	}
	return a
}

// request is a good authorization request of the app, changed by name, value, …; "" takes a parameter away.
func request(changes ...string) url.Values {
	query := url.Values{
		"client_id": {app}, "redirect_uri": {callback}, "response_type": {"code"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
		"state": {"s t&ate"}, "scope": {"openid pets:read"}, "nonce": {"n-1"},
	}
	for n := 0; n < len(changes); n += 2 {
		query.Set(changes[n], changes[n+1])
		if changes[n+1] == "" {
			query.Del(changes[n])
		}
	}
	return query
}

func (b *browser) authorize(changes ...string) answer {
	b.Helper()
	return b.get("/base/oauth2/authorize?" + request(changes...).Encode())
}

var hidden = regexp.MustCompile(`name="request" value="([^"]*)"`)

// submit sends the form of a page.
func (b *browser) submit(page answer, action string, fields ...string) answer {
	b.Helper()
	found := hidden.FindStringSubmatch(page.body)
	if found == nil {
		b.Fatalf("no form: %d %s", page.status, page.body)
	}
	form := url.Values{"request": {html.UnescapeString(found[1])}}
	for n := 0; n < len(fields); n += 2 {
		form.Set(fields[n], fields[n+1])
	}
	a := b.send("POST", "/base"+action, form, "Sec-Fetch-Site", "same-origin")
	if a.location != nil && !a.location.IsAbs() {
		return b.get(a.location.String())
	}
	return a
}

// logIn fills in the page to log in on.
func (b *browser) logIn(page answer) answer {
	b.Helper()
	return b.submit(page, "/login", "username", "ada", "password", password)
}

// code is the one of an answer that must be good.
func (a answer) code(t *testing.T) string {
	t.Helper()
	if a.status != http.StatusSeeOther || a.location == nil || a.location.Query().Get("code") == "" || a.location.Query().Get("iss") != issuerURL {
		t.Fatalf("no code: %d %v %.300s", a.status, a.location, a.body)
	}
	return a.location.Query().Get("code")
}

// wantRefusal is an error that the client is told.
func (a answer) wantRefusal(t *testing.T, code string) {
	t.Helper()
	if a.status != http.StatusSeeOther || a.location == nil || a.location.Host != "app.example.com" {
		t.Fatalf("%d %v %.300s", a.status, a.location, a.body)
	}
	query := a.location.Query()
	if query.Get("error") != code || query.Get("iss") != issuerURL || query.Has("code") {
		t.Errorf("answered %v, want %s", query, code)
	}
}

// wantPage is one that leads nowhere.
func (a answer) wantPage(t *testing.T, status int, text string) {
	t.Helper()
	if a.status != status || a.location != nil || !strings.Contains(a.body, text) {
		t.Errorf("%d %v %.600s, want %d and %q", a.status, a.location, a.body, status, text)
	}
}

// redeem trades a code, with parameters changed by name, value, ….
func (f *fixture) redeem(code string, changes ...string) (int, map[string]any) {
	f.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {app}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
	for n := 0; n < len(changes); n += 2 {
		form.Set(changes[n], changes[n+1])
		if changes[n+1] == "" {
			form.Del(changes[n])
		}
	}
	return f.token(form)
}

func (f *fixture) token(form url.Values) (int, map[string]any) {
	f.Helper()
	response, err := http.PostForm(f.server.URL+"/base/oauth2/token", form)
	if err != nil {
		f.Error(err)
		return 0, nil
	}
	defer response.Body.Close()
	var members map[string]any
	if err := json.NewDecoder(response.Body).Decode(&members); err != nil {
		f.Error(err)
	}
	return response.StatusCode, members
}

// tokens redeems a code that must be good.
func (f *fixture) tokens(code string, changes ...string) map[string]any {
	f.Helper()
	status, members := f.redeem(code, changes...)
	if status != http.StatusOK {
		f.Fatalf("%d %v", status, members)
	}
	return members
}

// claims reads a JWT without checking it.
func claims(t *testing.T, token any) (header, payload map[string]any) {
	t.Helper()
	parts := strings.Split(token.(string), ".")
	for n, into := range []*map[string]any{&header, &payload} {
		text, err := base64.RawURLEncoding.DecodeString(parts[n])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, payload
}

func TestCodeFlow(t *testing.T) {
	f := serve(t)
	b := f.browser()
	page := b.authorize()
	page.wantPage(t, 200, "<strong>The app</strong>")
	wrong := b.submit(page, "/login", "username", "ada", "password", "wrong")
	wrong.wantPage(t, 400, "Wrong username or password")
	a := b.logIn(wrong)
	code := a.code(t)
	if a.location.Query().Get("state") != "s t&ate" || !strings.HasPrefix(a.location.String(), callback+"?") {
		t.Errorf("sent to %v", a.location)
	}
	members := f.tokens(code)
	access, err := f.issuer.Verifier().Verify(t.Context(), members["access_token"].(string))
	if err != nil || access.Subject() != f.ada || access.ClientID() != app || !access.HasAudience("petstore") || members["scope"] != "openid pets:read" || access.Scope() != "openid pets:read" {
		t.Errorf("%v %v", members, err)
	}
	header, id := claims(t, members["id_token"])
	sum := sha256.Sum256([]byte(members["access_token"].(string)))
	for name, want := range map[string]any{
		"iss": issuerURL, "sub": f.ada, "aud": app, "nonce": "n-1", "sid": access.SessionID(), "auth_time": float64(access.AuthTime().Unix()),
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]), "acr": issuer.ACROneFactor, "iat": float64(access.IssuedAt().Unix()), "exp": float64(access.Expires().Unix()),
	} {
		if id[name] != want {
			t.Errorf("%s of the ID token is %v, want %v", name, id[name], want)
		}
	}
	if header["typ"] != "JWT" || header["alg"] != "ES256" || id["amr"].([]any)[0] != "pwd" || id["client_id"] != nil || id["scope"] != nil {
		t.Errorf("ID token %v %v", header, id)
	}
	if _, err := f.issuer.Verifier().Verify(t.Context(), members["id_token"].(string)); err == nil {
		t.Error("an ID token passes for an access token")
	}

	// Signed in, nobody is asked again; and a refresh brings an ID token of the same login.
	second := f.tokens(b.authorize("nonce", "n-2").code(t))
	status, refreshed := f.token(url.Values{"grant_type": {"refresh_token"}, "client_id": {app}, "refresh_token": {second["refresh_token"].(string)}})
	if status != 200 {
		t.Fatalf("%d %v", status, refreshed)
	}
	_, fresh := claims(t, refreshed["id_token"])
	if fresh["auth_time"] != id["auth_time"] || fresh["nonce"] != nil || fresh["sid"] == id["sid"] {
		t.Errorf("refreshed ID token %v", fresh)
	}
	if status, plain := f.redeem(b.authorize("scope", "pets:read").code(t)); status != 200 || plain["id_token"] != nil {
		t.Errorf("without openid: %d %v", status, plain)
	}
	if log := f.log.Take(); log != "" {
		t.Errorf("logged %s", log)
	}
}

// TestAlgorithms: each algorithm that signs access tokens signs ID tokens, whose at_hash has the hash of that
// algorithm.
func TestAlgorithms(t *testing.T) {
	for algorithm, hash := range map[jot.Algorithm]func() hash.Hash{jot.ES256: sha256.New, jot.RS256: sha256.New, jot.EdDSA: sha512.New} {
		store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f := serveSigned(t, store, console.Options{}, algorithm)
		b := f.browser()
		tokens := f.tokens(b.logIn(b.authorize()).code(t))
		header, id := claims(t, tokens["id_token"])
		sum := hash()
		sum.Write([]byte(tokens["access_token"].(string)))
		if half := sum.Sum(nil)[:sum.Size()/2]; header["alg"] != string(algorithm) || id["at_hash"] != base64.RawURLEncoding.EncodeToString(half) {
			t.Errorf("%s: %v, at_hash %v", algorithm, header, id["at_hash"])
		}
		verifier, err := jot.NewVerifier(f.issuer, jot.VerifierOptions{Issuer: issuerURL, Audience: app})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verifier.Verify(t.Context(), tokens["id_token"].(string)); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
}
