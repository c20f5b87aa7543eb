package server_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
)

// seen is what a browser is shown at the server's pages.
type seen struct {
	body string
	next *url.URL // where it's sent outside of the server; nil: nowhere
}

// visit goes to an address with the browser's cookies, and follows redirects within the server.
func (l *life) visit(method, address string, form url.Values) seen {
	l.t.Helper()
	request, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		l.t.Fatal(err)
	}
	if form != nil {
		request.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}}
	}
	for name, value := range l.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		l.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, cookie := range response.Cookies() {
		l.cookies[cookie.Name] = l.secret("cookie "+cookie.Name, cookie.Value)
	}
	location := response.Header.Get("Location")
	if location == "" {
		return seen{body: string(text)}
	}
	next, err := request.URL.Parse(location)
	if err != nil {
		l.t.Fatal(err)
	}
	if next.Host == request.URL.Host {
		return l.visit(http.MethodGet, next.String(), nil)
	}
	return seen{next: next}
}

var sealed = regexp.MustCompile(`name="request" value="([^"]*)"`)

// submit sends the form of a page.
func (l *life) submit(page seen, path string, fields ...string) seen {
	l.t.Helper()
	found := sealed.FindStringSubmatch(page.body)
	if found == nil {
		l.t.Fatalf("no form for %s: %v %s", path, page.next, page.body)
	}
	form := url.Values{"request": {l.secret("sealed request", html.UnescapeString(found[1]))}}
	for n := 0; n < len(fields); n += 2 {
		form.Set(fields[n], fields[n+1])
	}
	return l.visit(http.MethodPost, l.url+path, form)
}

const lifeCallback = "https://app.example.com/callback"

// code sends the browser for an authorization code, and answers it with its verifier.
func (l *life) code() (code, verifier string) {
	l.t.Helper()
	verifier = l.secret("code verifier", rand.Text()+rand.Text())
	challenge := sha256.Sum256([]byte(verifier))
	page := l.visit(http.MethodGet, l.url+"/oauth2/authorize?"+url.Values{
		"response_type": {"code"}, "client_id": {"client_web"}, "redirect_uri": {lifeCallback}, "scope": {"openid profile pets:read"}, "code_challenge_method": {"S256"},
		"code_challenge": {l.secret("code challenge", base64.RawURLEncoding.EncodeToString(challenge[:]))}, "state": {l.secret("state", rand.Text())}, "nonce": {l.secret("nonce", rand.Text())},
		"login_hint": {l.name},
	}.Encode(), nil)
	if page.next == nil && strings.Contains(page.body, `name="password"`) {
		page = l.submit(page, "/login", "username", l.name, "password", l.wrong)
		page = l.submit(page, "/login", "username", l.name, "password", l.password)
	}
	if page.next == nil {
		page = l.submit(page, "/consent", "decision", "allow")
	}
	if page.next == nil || page.next.Query().Get("code") == "" {
		l.t.Fatalf("no code: %v %s", page.next, page.body)
	}
	return l.secret("authorization code", page.next.Query().Get("code")), verifier
}

// redeem asks for the tokens of a code.
func redeem(code, verifier string) asked {
	return form("grant_type", "authorization_code", "client_id", "client_web", "redirect_uri", lifeCallback, "code", code, "code_verifier", verifier)
}

// with adds a header to a request.
func (a asked) with(name, value string) asked {
	a.header = a.header.Clone()
	a.header.Set(name, value)
	return a
}

// pages logs in at the server's pages, and out.
func (l *life) pages() {
	l.t.Helper()
	code, verifier := l.code()
	l.ask(redeem(code, l.secret("wrong verifier", rand.Text()+rand.Text())).to("/oauth2/token", 400))
	tokens := l.ask(redeem(code, verifier).to("/oauth2/token", 200))
	l.ask(asked{"GET", "/userinfo", "", bearer(tokens["access_token"]), 200})
	l.ask(asked{"GET", "/verify?audience=petstore", "", bearer(tokens["access_token"]), 200})
	l.ask(asked{"GET", "/verify?audience=petstore&access_token=" + tokens["access_token"], "", bearer(tokens["access_token"]), 400})
	l.ask(redeem(code, verifier).to("/oauth2/token", 400)) // replayed: the session ends
	l.ask(asked{"GET", "/userinfo", "", bearer(tokens["access_token"]), 401})
	l.visit(http.MethodGet, l.url+"/oauth2/logout?"+url.Values{"id_token_hint": {tokens["id_token"]}, "state": {l.secret("state of the logout", rand.Text())}}.Encode(), nil)
}

// bound logs in with a key of the app's.
func (l *life) bound() {
	l.t.Helper()
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		l.t.Fatal(err)
	}
	signer, err := jothttp.NewProofSigner(key, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	nonce := ""
	proof := func(method, path, token string) string {
		proof, err := signer.Sign(l.t.Context(), jothttp.ProofTarget{Method: method, URL: l.url + path, AccessToken: token, Nonce: nonce})
		if err != nil {
			l.t.Fatal(err)
		}
		return l.secret("proof", proof)
	}
	code, verifier := l.code()
	request := redeem(code, verifier).with("DPoP", proof("POST", "/oauth2/token", ""))
	nonce = l.ask(request.to("/oauth2/token", 400))["DPoP-Nonce"]
	used := proof("POST", "/oauth2/token", "")
	tokens := l.ask(redeem(code, verifier).with("DPoP", used).to("/oauth2/token", 200))
	refresh := form("grant_type", "refresh_token", "client_id", "client_web", "refresh_token", tokens["refresh_token"])
	l.ask(refresh.with("DPoP", used).to("/oauth2/token", 400))
	fresh := l.ask(refresh.with("DPoP", proof("POST", "/oauth2/token", "")).to("/oauth2/token", 200))
	header := http.Header{"Authorization": {"DPoP " + fresh["access_token"]}, "Dpop": {proof("GET", "/userinfo", fresh["access_token"])}}
	l.ask(asked{"GET", "/userinfo", "", header, 200})
	l.ask(asked{"GET", "/userinfo", "", bearer(fresh["access_token"]), 401})
}

// gateway asks about a token and trades it, with a secret; job proves itself with a key.
func (l *life) gateway(secret, token string) {
	l.t.Helper()
	gateway := []string{"client_id", "client_gateway", "client_secret", secret}
	l.ask(form(append(gateway, "token", token)...).to("/oauth2/introspect", 200))
	exchange := append(gateway, "grant_type", "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token_type", "urn:ietf:params:oauth:token-type:access_token", "audience", "petstore")
	l.ask(form(append(exchange, "subject_token", token)...).to("/oauth2/token", 200))
	l.ask(form(append(exchange, "subject_token", l.secret("made-up token", rand.Text()+"."+rand.Text()+"."+rand.Text()))...).to("/oauth2/token", 400))
	basic := l.secret("basic", base64.StdEncoding.EncodeToString([]byte("client_gateway:"+secret)))
	l.ask(form("token", token).with("Authorization", "Basic "+basic).to("/oauth2/introspect", 200))
}

// assert proves with a key who a client is, twice with one assertion.
func (l *life) assert(key *jot.PrivateKey) {
	l.t.Helper()
	signer, err := jot.NewSigner(key, jot.SignerOptions{})
	if err != nil {
		l.t.Fatal(err)
	}
	assertion, err := signer.Sign(l.t.Context(), map[string]any{
		"iss": "client_keys", "sub": "client_keys", "aud": l.url, "jti": l.secret("jti", rand.Text()), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	})
	if err != nil {
		l.t.Fatal(err)
	}
	request := form("grant_type", "client_credentials", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", l.secret("assertion", assertion))
	l.ask(request.to("/oauth2/token", 200))
	l.ask(request.to("/oauth2/token", 400))
}

// letters verifies an address, and forgets the password.
func (l *life) letters(mail *mailbox) {
	l.t.Helper()
	address, password := l.secret("address", "countess@lovelace.example"), l.secret("password of the countess", "seven quiet lanterns drift")
	l.ask(asked{"POST", "/v1/signup", `{"username":"countess","password":"` + password + `","email":"` + address + `"}`, nil, 201})
	confirm := func(path, code, more string, status int) {
		l.ask(asked{"POST", path, `{"code":"` + l.secret("code of a letter", code) + `"` + more + `}`, nil, status})
	}
	confirm("/v1/email/confirm", "jvt_"+rand.Text()+rand.Text()[:17], "", 403)
	confirm("/v1/email/confirm", mail.code(l.t, address), "", 204)
	l.ask(asked{"POST", "/v1/password/reset", `{"email":"` + address + `"}`, nil, 202})
	code := mail.code(l.t, address)
	fresh := l.secret("new password", "nine amber kettles whistle")
	confirm("/v1/password/reset/confirm", code, `,"new":"`+l.secret("short password", "tooshort2")+`"`, 400)
	confirm("/v1/password/reset/confirm", code, `,"new":"`+fresh+`"`, 204)
	confirm("/v1/password/reset/confirm", code, `,"new":"`+fresh+`"`, 403)
}
