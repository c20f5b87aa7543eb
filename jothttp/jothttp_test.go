package jothttp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
)

// api is a protected handler with everything that its answers depend on.
type api struct {
	signer  *jot.Signer
	options jothttp.Options
	wrap    func(http.Handler) http.Handler // inside Protect; nil: nothing
	verdict jot.Verdict
	outage  error // of the revocation check
	reasons []error
}

func newAPI(t *testing.T) *api {
	t.Helper()
	key, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	a := &api{verdict: jot.Current}
	if a.signer, err = jot.NewSigner(key, jot.SignerOptions{}); err != nil {
		t.Fatal(err)
	}
	verifier, err := jot.NewVerifier(jot.NewKeySet(key.Public()), jot.VerifierOptions{AnyIssuer: true, Audience: "petstore", Revocation: a})
	if err != nil {
		t.Fatal(err)
	}
	a.options = jothttp.Options{Verifier: verifier, OnRefuse: func(_ *http.Request, reason error) { a.reasons = append(a.reasons, reason) }}
	return a
}

func (a *api) CheckRevocation(context.Context, *jot.RevocationFacts) (jot.Verdict, error) {
	return a.verdict, a.outage
}

// token signs a token for alice.
func (a *api) token(t *testing.T, expires time.Duration) string {
	t.Helper()
	raw, err := a.signer.Sign(t.Context(), map[string]any{
		"sub": "alice", "aud": "petstore", "scope": "pets:read pets:write", "exp": time.Now().Add(expires).Unix(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// serve answers a request: 200 with the subject when it gets through.
func (a *api) serve(r *http.Request) *http.Response {
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, jothttp.From(r.Context()).Subject())
	})
	if a.wrap != nil {
		h = a.wrap(h)
	}
	w := httptest.NewRecorder()
	a.options.Protect()(h).ServeHTTP(w, r)
	return w.Result()
}

// request makes a request with these header fields, "Name: value" each.
func request(method string, fields ...string) *http.Request {
	r := httptest.NewRequest(method, "https://pets.example/pets", nil)
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// check compares an answer with the status and the exact challenge; "" means none.
func check(t *testing.T, response *http.Response, status int, challenge string) {
	t.Helper()
	if response.StatusCode != status {
		t.Errorf("status %d, want %d", response.StatusCode, status)
	}
	if got := strings.Join(response.Header.Values("WWW-Authenticate"), "\n"); got != challenge {
		t.Errorf("WWW-Authenticate: %s\nwant: %s", got, challenge)
	}
	if status >= 400 {
		checkProblem(t, response)
	}
}

// problems are the bodies of refusals, to the byte.
var problems = map[int]string{
	400: `{"type":"about:blank","title":"Bad Request","status":400}`,
	401: `{"type":"about:blank","title":"Unauthorized","status":401}`,
	403: `{"type":"about:blank","title":"Forbidden","status":403}`,
	500: `{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"jothttp: RequireScope, Require and StepUp stand inside Protect"}`,
	503: `{"type":"about:blank","title":"Service Unavailable","status":503}`,
}

func checkProblem(t *testing.T, response *http.Response) {
	t.Helper()
	body, _ := io.ReadAll(response.Body)
	if string(body) != problems[response.StatusCode]+"\n" {
		t.Errorf("body %q", body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/problem+json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

const (
	missing = `Bearer realm="api"`
	invalid = `Bearer realm="api", error="invalid_token"`
	stale   = `Bearer realm="api", error="invalid_token", error_description="stale claims"`
	badForm = `Bearer realm="api", error="invalid_request"`
)

func TestBearer(t *testing.T) {
	a := newAPI(t)
	good, expired := a.token(t, time.Minute), a.token(t, -time.Minute)
	huge := strings.Repeat("a", 1<<20)
	for _, test := range []struct {
		name      string
		fields    []string
		status    int
		challenge string
	}{
		{"none", nil, 401, missing},
		{"another scheme", []string{"Authorization: Basic YTpi"}, 401, missing},
		{"a scheme alone", []string{"Authorization: Negotiate"}, 400, badForm},
		{"a token alone", []string{"Authorization: " + good}, 400, badForm},
		{"good", []string{"Authorization: Bearer " + good}, 200, ""},
		{"scheme in lower case", []string{"Authorization: bearer " + good}, 200, ""},
		{"scheme in odd case", []string{"Authorization: bEARER " + good}, 200, ""},
		{"several spaces", []string{"Authorization: Bearer   " + good}, 200, ""},
		{"expired", []string{"Authorization: Bearer " + expired}, 401, invalid},
		{"not a JWT", []string{"Authorization: Bearer abc"}, 401, invalid},
		{"padded", []string{"Authorization: Bearer " + good + "="}, 401, invalid},
		{"1 MiB", []string{"Authorization: Bearer " + huge}, 401, invalid},
		{"1 MiB that is no token", []string{"Authorization: Bearer " + huge + "\x00"}, 401, invalid},
		{"two headers", []string{"Authorization: Bearer " + good, "Authorization: Bearer " + good}, 400, badForm},
		{"two headers of two schemes", []string{"Authorization: Bearer " + good, "Authorization: Basic YTpi"}, 400, badForm},
		{"two tokens", []string{"Authorization: Bearer " + good + " " + good}, 400, badForm},
		{"a list", []string{"Authorization: Bearer " + good + ", Bearer " + good}, 400, badForm},
		{"empty header", []string{"Authorization: "}, 400, badForm},
		{"no scheme", []string{"Authorization:  " + good}, 400, badForm},
		{"no token", []string{"Authorization: Bearer"}, 400, badForm},
		{"spaces for a token", []string{"Authorization: Bearer   "}, 400, badForm},
		{"padding for a token", []string{"Authorization: Bearer =="}, 400, badForm},
		{"tab", []string{"Authorization: Bearer\t" + good}, 400, badForm},
		{"trailing space", []string{"Authorization: Bearer " + good + " "}, 400, badForm},
		{"quoted", []string{`Authorization: Bearer "` + good + `"`}, 400, badForm},
		{"foreign letter", []string{"Authorization: Bearer é"}, 400, badForm},
		{"parameters", []string{`Authorization: Bearer token="a"`}, 400, badForm},
		{"a cookie when none is read", []string{"Cookie: __Host-jot=" + good}, 401, missing},
	} {
		t.Run(test.name, func(t *testing.T) {
			a.reasons = nil
			response := a.serve(request("GET", test.fields...))
			check(t, response, test.status, test.challenge)
			if got := response.Header.Values("Vary"); len(got) != 1 || got[0] != "Authorization" {
				t.Errorf("Vary: %q", got)
			}
			if told := len(a.reasons); (told == 1) != (test.status != 200) {
				t.Errorf("OnRefuse was called %d times", told)
			}
			for _, reason := range a.reasons {
				if strings.Contains(reason.Error(), good) {
					t.Errorf("the reason quotes the token: %v", reason)
				}
			}
		})
	}
}

func TestTokenElsewhereIsNotRead(t *testing.T) {
	a := newAPI(t)
	form := "access_token=" + a.token(t, time.Minute)
	r := httptest.NewRequest("POST", "https://pets.example/pets?"+form, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	check(t, a.serve(r), 401, missing)
}

func TestRevocationAnswers(t *testing.T) {
	for _, test := range []struct {
		name       string
		verdict    jot.Verdict
		outage     error
		status     int
		challenge  string
		retryAfter string
		refresh    string
	}{
		{"current", jot.Current, nil, 200, "", "", ""},
		{"refresh advised", jot.RefreshAdvised, nil, 200, "", "", "advised"},
		{"revoked", jot.Revoked, nil, 401, invalid, "", ""},
		{"stale claims", jot.StaleClaims, nil, 401, stale, "", ""},
		{"feed lost", jot.Revoked, jot.ErrUnavailable, 503, "", "2", ""},
		{"feed lost in another way", jot.Current, errors.New("no route to host"), 503, "", "2", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAPI(t)
			a.verdict, a.outage = test.verdict, test.outage
			response := a.serve(request("GET", "Authorization: Bearer "+a.token(t, time.Minute)))
			check(t, response, test.status, test.challenge)
			if got := response.Header.Get("Retry-After"); got != test.retryAfter {
				t.Errorf("Retry-After: %q, want %q", got, test.retryAfter)
			}
			if got := response.Header.Get(jothttp.RefreshHeader); got != test.refresh {
				t.Errorf("%s: %q, want %q", jothttp.RefreshHeader, got, test.refresh)
			}
		})
	}
}

// noKeys is a key source that failed.
type noKeys struct{ err error }

func (k noKeys) VerificationKeys(context.Context, jot.Algorithm, string) ([]jot.VerificationKey, error) {
	return nil, k.err
}

func TestKeySourceOutage(t *testing.T) {
	a := newAPI(t)
	raw := a.token(t, time.Minute)
	for _, err := range []error{jot.ErrUnavailable, errors.New("any other"), context.Canceled, jot.ErrInvalidToken} {
		verifier, bad := jot.NewVerifier(noKeys{err}, jot.VerifierOptions{AnyIssuer: true, AnyAudience: true})
		if bad != nil {
			t.Fatal(bad)
		}
		a.options.Verifier = verifier
		response := a.serve(request("GET", "Authorization: Bearer "+raw))
		check(t, response, 503, "")
		if got := response.Header.Get("Retry-After"); got != "2" {
			t.Errorf("Retry-After: %q", got)
		}
	}
}

func TestCookie(t *testing.T) {
	a := newAPI(t)
	a.options.Cookie = jothttp.CookieName
	good := a.token(t, time.Minute)
	cookie, header := "Cookie: __Host-jot="+good, "Authorization: Bearer "+good
	const cross, same = "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-origin"
	for _, test := range []struct {
		name, method string
		fields       []string
		status       int
		challenge    string
	}{
		{"none", "GET", nil, 401, missing},
		{"cookie", "GET", []string{cookie}, 200, ""},
		{"cookie among others", "GET", []string{"Cookie: a=b; __Host-jot=" + good + "; c=d"}, 200, ""},
		{"bearer", "POST", []string{header, cross}, 200, ""},
		{"another cookie", "GET", []string{"Cookie: jot=" + good}, 401, missing},
		{"empty cookie", "GET", []string{"Cookie: __Host-jot="}, 401, missing},
		{"empty cookie and bearer", "GET", []string{"Cookie: __Host-jot=", header}, 200, ""},
		{"expired", "GET", []string{"Cookie: __Host-jot=" + a.token(t, -time.Minute)}, 401, invalid},
		{"rubbish", "GET", []string{"Cookie: __Host-jot=abc"}, 401, invalid},
		{"unreadable", "GET", []string{`Cookie: __Host-jot=a"b`}, 400, badForm},
		{"unreadable, and a good one", "GET", []string{`Cookie: __Host-jot=a"b; __Host-jot=` + good}, 400, badForm},
		{"a good one, and an unreadable one", "GET", []string{cookie, `Cookie: a=b;__Host-jot = a\b`}, 400, badForm},
		{"1 MiB", "GET", []string{"Cookie: __Host-jot=" + strings.Repeat("a", 1<<20)}, 401, invalid},
		{"cookie and bearer", "GET", []string{cookie, header}, 400, badForm},
		{"cookie and a malformed header", "GET", []string{cookie, "Authorization: Bearer"}, 400, badForm},
		{"cookie and another scheme", "GET", []string{cookie, "Authorization: Basic YTpi"}, 200, ""},
		{"two cookies", "GET", []string{cookie + "; __Host-jot=" + good}, 400, badForm},
		{"two cookie headers", "GET", []string{cookie, cookie}, 400, badForm},

		{"post from the same origin", "POST", []string{cookie, same}, 200, ""},
		{"post from no browser", "POST", []string{cookie}, 200, ""},
		{"post from another site", "POST", []string{cookie, cross}, 403, ""},
		{"post from a sibling", "POST", []string{cookie, "Sec-Fetch-Site: same-site"}, 403, ""},
		{"post from an old browser", "POST", []string{cookie, "Origin: https://evil.example"}, 403, ""},
		{"post from an old browser, same origin", "POST", []string{cookie, "Origin: https://pets.example"}, 200, ""},
		{"delete from another site", "DELETE", []string{cookie, cross}, 403, ""},
		{"get from another site", "GET", []string{cookie, cross}, 200, ""},
		{"web socket from another site", "GET", []string{cookie, cross, "Upgrade: websocket"}, 403, ""},
		{"web socket from another site, behind an empty field", "GET", []string{cookie, cross, "Upgrade: ", "Upgrade: websocket"}, 403, ""},
		{"web socket from the same origin", "GET", []string{cookie, same, "Upgrade: websocket"}, 200, ""},
		{"post from another site without a cookie", "POST", []string{cross}, 401, missing},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := a.serve(request(test.method, test.fields...))
			check(t, response, test.status, test.challenge)
			if got := strings.Join(response.Header.Values("Vary"), ", "); got != "Authorization, Cookie" {
				t.Errorf("Vary: %s", got)
			}
		})
	}
}

func TestTrustedOrigin(t *testing.T) {
	a := newAPI(t)
	a.options.Cookie = jothttp.CookieName
	a.options.CrossOrigin = http.NewCrossOriginProtection()
	if err := a.options.CrossOrigin.AddTrustedOrigin("https://shop.example"); err != nil {
		t.Fatal(err)
	}
	cookie := "Cookie: __Host-jot=" + a.token(t, time.Minute)
	check(t, a.serve(request("POST", cookie, "Origin: https://shop.example", "Sec-Fetch-Site: cross-site")), 200, "")
	check(t, a.serve(request("POST", cookie, "Origin: https://evil.example", "Sec-Fetch-Site: cross-site")), 403, "")
}

func TestPreflight(t *testing.T) {
	a := newAPI(t)
	a.options.Cookie = jothttp.CookieName
	inside := false
	a.wrap = func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside = true })
	}
	origin, method := "Origin: https://shop.example", "Access-Control-Request-Method: PUT"
	for _, test := range []struct {
		name, method string
		fields       []string
		status       int
		challenge    string
	}{
		{"preflight", "OPTIONS", []string{origin, method}, 204, ""},
		{"with a header", "OPTIONS", []string{origin, method, "Authorization: Bearer abc"}, 204, ""},
		{"with a cookie", "OPTIONS", []string{origin, method, "Cookie: __Host-jot=abc"}, 204, ""},
		{"plain OPTIONS", "OPTIONS", nil, 401, missing},
		{"no method", "OPTIONS", []string{origin}, 401, missing},
		{"no origin", "OPTIONS", []string{method}, 401, missing},
		{"not OPTIONS", "GET", []string{origin, method}, 401, missing},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := a.serve(request(test.method, test.fields...))
			check(t, response, test.status, test.challenge)
			if inside {
				t.Error("it reached the handler")
			}
			for name := range response.Header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("Protect grants %s", name)
				}
			}
		})
	}
}

func TestCredential(t *testing.T) {
	for name, test := range map[string]struct {
		fields []string
		cookie string
		want   string
		err    error
	}{
		"none":                 {nil, "c", "", nil},
		"bearer":               {[]string{"Authorization: Bearer abc"}, "c", "abc", nil},
		"another scheme":       {[]string{"Authorization: Basic YTpi"}, "c", "", nil},
		"cookie":               {[]string{"Cookie: c=abc"}, "c", "abc", nil},
		"a cookie not read":    {[]string{"Cookie: c=abc; c=abc"}, "", "", nil},
		"scheme and cookie":    {[]string{"Authorization: Basic YTpi", "Cookie: c=abc"}, "c", "abc", nil},
		"both":                 {[]string{"Authorization: Bearer abc", "Cookie: c=abc"}, "c", "", jothttp.ErrBadRequest},
		"two cookies":          {[]string{"Cookie: c=abc; c=abc"}, "c", "", jothttp.ErrBadRequest},
		"no scheme":            {[]string{"Authorization: abc"}, "", "", jothttp.ErrBadRequest},
		"tab":                  {[]string{"Authorization: Bearer\tabc"}, "", "", jothttp.ErrBadRequest},
		"longest":              {[]string{"Authorization: Bearer " + strings.Repeat("a", 16<<10)}, "", strings.Repeat("a", 16<<10), nil},
		"one byte more":        {[]string{"Authorization: Bearer " + strings.Repeat("a", 16<<10+1)}, "", "", jot.ErrTooLarge},
		"cookie, one too many": {[]string{"Cookie: c=" + strings.Repeat("a", 16<<10+1)}, "c", "", jot.ErrTooLarge},
	} {
		got, err := jothttp.Credential(request("GET", test.fields...), test.cookie, 0)
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s: got %.20q, %v, want %.20q, %v", name, got, err, test.want, test.err)
		}
	}
}

func TestFromElsewhere(t *testing.T) {
	if token := jothttp.From(t.Context()); token != nil {
		t.Errorf("got %v from a context that passed no Protect", token)
	}
}

func TestMaxSize(t *testing.T) {
	a := newAPI(t)
	a.options.Cookie = jothttp.CookieName
	raw := a.token(t, time.Minute)
	a.options.MaxSize = len(raw) - 1
	check(t, a.serve(request("GET", "Authorization: Bearer "+raw)), 401, invalid)
	check(t, a.serve(request("GET", "Cookie: __Host-jot="+raw)), 401, invalid)
	a.options.MaxSize = len(raw)
	check(t, a.serve(request("GET", "Authorization: Bearer "+raw)), 200, "")
	check(t, a.serve(request("GET", "Cookie: __Host-jot="+raw)), 200, "")
}

func TestConstructionRefuses(t *testing.T) {
	v := newAPI(t).options.Verifier
	proofs, err := jothttp.NewProofVerifier(jothttp.ProofOptions{})
	if err != nil {
		t.Fatal(err)
	}
	base := func(base string) func() {
		return func() { jothttp.Options{Verifier: v, DPoP: &jothttp.DPoP{Proofs: proofs, Base: base}}.Protect() }
	}
	base("https://pets.example/behind/a/path")() // is good
	for name, construct := range map[string]func(){
		"no verifier":             func() { jothttp.Protect(nil) },
		"realm with a quote":      func() { jothttp.Options{Verifier: v, Realm: `a"b`}.Protect() },
		"realm with a backslash":  func() { jothttp.Options{Verifier: v, Realm: `a\`}.Protect() },
		"realm with a line break": func() { jothttp.Options{Verifier: v, Realm: "a\r\nSet-Cookie: b"}.Protect() },
		"realm beyond ASCII":      func() { jothttp.Options{Verifier: v, Realm: "café"}.Protect() },
		"cookie with a space":     func() { jothttp.Options{Verifier: v, Cookie: "a b"}.Protect() },
		"cookie with a sign":      func() { jothttp.Options{Verifier: v, Cookie: "a=b"}.Protect() },
		"no scope":                func() { jothttp.RequireScope() },
		"empty scope":             func() { jothttp.RequireScope("a", "") },
		"two scopes in one":       func() { jothttp.RequireScope("a b") },
		"scope with a quote":      func() { jothttp.RequireScope(`a"`) },
		"scope with a backslash":  func() { jothttp.RequireScope(`a\`) },
		"scope with a control":    func() { jothttp.RequireScope("a\n") },
		"scope beyond ASCII":      func() { jothttp.RequireScope("é") },
		"DPoP without proofs": func() {
			jothttp.Options{Verifier: v, DPoP: &jothttp.DPoP{Base: "https://pets.example"}}.Protect()
		},
		"DPoP without a base":    base(""),
		"base without a host":    base("https:///pets"),
		"base without a scheme":  base("pets.example"),
		"base of another scheme": base("ftp://pets.example"),
		"base with a user":       base("https://ada@pets.example"),
		"base with a slash":      base("https://pets.example/"),
		"base with a query":      base("https://pets.example?a"),
		"base with a fragment":   base("https://pets.example#a"),
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("accepted")
				}
			}()
			construct()
		})
	}
}
