package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/api"
	"github.com/jot-auth/jot/server/internal/webtest"
	"github.com/jot-auth/jot/server/issuer"
)

// marker stands in the input of most rows and must not stand in an answer.
const marker = "mArKeR"

// bad is a request that is refused.
type bad struct {
	method, path, body string
	headers            []string
	want               int
}

// checkBadInput sends the requests; afterwards the access token of the account is as good as before.
func (f *fixture) checkBadInput(t *testing.T, access string, requests map[string]bad) {
	t.Helper()
	for name, c := range requests {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequest(c.method, f.server.URL+"/base"+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if c.body != "" {
				r.Header.Set("Content-Type", "application/json")
			}
			for n := 0; n < len(c.headers); n += 2 {
				if c.headers[n] == "Content-Type" {
					r.Header.Del("Content-Type")
				}
				r.Header.Add(c.headers[n], c.headers[n+1])
			}
			f.checkRefused(t, r, c.want)
		})
	}
	f.call("GET", "/v1/me", "", bearer(access)...).want(t, 200)
}

func TestBadBodies(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	f.signUp()
	access, _ := f.logIn(nil)
	large := `{"username":"` + strings.Repeat(marker, 10<<20/len(marker)) + `","password":"x"}`
	f.checkBadInput(t, access, map[string]bad{
		"not JSON":                {"POST", "/v1/login", marker, nil, 400},
		"half an object":          {"POST", "/v1/login", `{"username":"` + marker, nil, 400},
		"null":                    {"POST", "/v1/login", `null`, nil, 400},
		"array":                   {"POST", "/v1/login", `["` + marker + `"]`, nil, 400},
		"wrong type":              {"POST", "/v1/login", `{"username":["` + marker + `"]}`, nil, 400},
		"invalid UTF-8":           {"POST", "/v1/login", "{\"username\":\"" + marker + "\xff\"}", nil, 400},
		"doubled member":          {"POST", "/v1/login", `{"username":"a","username":"` + marker + `"}`, nil, 400},
		"doubled member, escaped": {"POST", "/v1/login", `{"username":"a","usern\u0061me":"` + marker + `"}`, nil, 400},
		"member in capitals":      {"POST", "/v1/login", `{"USERNAME":"` + marker + `"}`, nil, 400},
		"unknown member":          {"POST", "/v1/login", `{"` + marker + `":1}`, nil, 400},
		"too deep":                {"POST", "/v1/login", strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000), nil, 400},
		"no body":                 {"POST", "/v1/login", "", nil, 415},
		"wrong content type":      {"POST", "/v1/login", `{}`, []string{"Content-Type", "text/" + marker}, 415},
		"10 MB":                   {"POST", "/v1/login", large, nil, 413},
		"GET of sign-up":          {"GET", "/v1/signup", "", nil, 405},
		"GET of login":            {"GET", "/v1/login", "", nil, 405},
		"PUT of refresh":          {"PUT", "/v1/refresh", `{}`, nil, 405},
		"DELETE of logout":        {"DELETE", "/v1/logout", "", nil, 405},
		"POST of me":              {"POST", "/v1/me", `{}`, nil, 405},
		"nowhere":                 {"GET", "/v1/" + marker, "", nil, 404},
	})
}

func TestBadSignUps(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	f.signUp()
	access, _ := f.logIn(nil)
	signUp := func(name string) string {
		return webtest.Object(t, map[string]any{"username": name, "password": password})
	}
	f.checkBadInput(t, access, map[string]bad{
		"roles at sign-up":      {"POST", "/v1/signup", `{"username":"bob","password":"` + password + `","roles":["` + marker + `"]}`, nil, 400},
		"claims at sign-up":     {"POST", "/v1/signup", `{"username":"bob","password":"` + password + `","claims":{"` + marker + `":1}}`, nil, 400},
		"taken name":            {"POST", "/v1/signup", signUp("ADA@example.com"), nil, 409},
		"NUL in name":           {"POST", "/v1/signup", signUp(marker + "\x00"), nil, 400},
		"newline in name":       {"POST", "/v1/signup", signUp(marker + "\n" + marker), nil, 400},
		"escape in name":        {"POST", "/v1/signup", signUp("\x1b[31m" + marker), nil, 400},
		"right-to-left in name": {"POST", "/v1/signup", signUp("\u202e" + marker), nil, 400},
		"SQL in name":           {"POST", "/v1/signup", signUp(marker + "'; DROP TABLE accounts; --"), nil, 400},
		"name of 60 KiB":        {"POST", "/v1/signup", signUp(strings.Repeat(marker, 10_000)), nil, 400},
		"short password":        {"POST", "/v1/signup", `{"username":"bob","password":"` + marker + `"}`, nil, 400},
		"password is name":      {"POST", "/v1/signup", `{"username":"` + marker + marker + `","password":"` + marker + marker + `"}`, nil, 400},
	})
}

func TestBadTokens(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	f.signUp()
	access, refresh := f.logIn(nil)
	f.checkBadInput(t, access, map[string]bad{
		"no token":                  {"GET", "/v1/me", "", nil, 401},
		"broken token":              {"GET", "/v1/me", "", bearer(marker), 401},
		"token of 1 MiB":            {"GET", "/v1/me", "", bearer(strings.Repeat("a", 1<<20)), 401},
		"payload altered":           {"GET", "/v1/me", "", bearer(strings.Replace(access, ".", ".e", 1)), 401},
		"refresh token as access":   {"GET", "/v1/me", "", bearer(refresh), 401},
		"another scheme":            {"GET", "/v1/me", "", []string{"Authorization", "Basic " + marker}, 401},
		"empty bearer":              {"GET", "/v1/me", "", []string{"Authorization", "Bearer"}, 400},
		"two Authorization headers": {"GET", "/v1/me", "", append(bearer(access), bearer(access)...), 400},
		"bearer after a tab":        {"GET", "/v1/me", "", []string{"Authorization", "Bearer\t" + access}, 400},
		"two bearer tokens":         {"GET", "/v1/me", "", []string{"Authorization", "Bearer " + access + " " + marker}, 400},
		"token without a scheme":    {"GET", "/v1/me", "", []string{"Authorization", access}, 400},
		"doubled at refresh":        {"POST", "/v1/refresh", `{}`, []string{"Cookie", api.RefreshCookie + "=" + refresh + "; " + api.RefreshCookie + "=" + marker}, 400},
		"doubled at logout":         {"POST", "/v1/logout", `{}`, []string{"Cookie", api.RefreshCookie + "=" + refresh + "; " + api.RefreshCookie + "=" + marker}, 400},
		"cookie and bearer":         {"GET", "/v1/me", "", append(bearer(access), "Cookie", api.AccessCookie+"="+access), 400},
		"refresh cookie and bearer": {"POST", "/v1/logout", `{}`, append(bearer(access), "Cookie", api.RefreshCookie+"="+refresh), 400},
		"two cookies of one name":   {"GET", "/v1/me", "", []string{"Cookie", api.AccessCookie + "=" + access + "; " + api.AccessCookie + "=" + marker}, 400},
		"refresh token twice":       {"POST", "/v1/refresh", `{"refresh_token":"` + marker + `"}`, []string{"Cookie", api.RefreshCookie + "=" + refresh}, 400},
		"refresh twice at logout":   {"POST", "/v1/logout", `{"refresh_token":"` + marker + `"}`, []string{"Cookie", api.RefreshCookie + "=" + refresh}, 400},
		"no refresh token":          {"POST", "/v1/refresh", `{}`, nil, 400},
		"nothing to refresh":        {"POST", "/v1/refresh", "", nil, 400},
		"broken refresh token":      {"POST", "/v1/refresh", `{"refresh_token":"jrt_` + marker + `"}`, nil, 401},
		"access token as refresh":   {"POST", "/v1/refresh", webtest.Object(t, map[string]any{"refresh_token": access}), nil, 401},
		"large refresh token":       {"POST", "/v1/refresh", `{"refresh_token":"jrt_` + strings.Repeat("a", 60<<10) + `"}`, nil, 401},
	})
}

// checkRefused wants a status and a generic body, and that the server answers afterwards.
func (f *fixture) checkRefused(t *testing.T, r *http.Request, want int) {
	t.Helper()
	a := f.send(r)
	if a.status != want || strings.Contains(strings.ToLower(a.body), strings.ToLower(marker)) || len(a.body) > 500 {
		t.Errorf("%d, want %d: %.500s", a.status, want, a.body)
	}
	if want == 405 && a.header.Get("Allow") == "" {
		t.Error("no Allow")
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
	if problem := a.want(t, want); problem["status"] != float64(want) || problem["title"] == "" {
		t.Errorf("problem %v", problem)
	}
	if want == 401 && a.header.Get("WWW-Authenticate") == "" {
		t.Error("no challenge")
	}
	if log := f.log.Take(); log != "" {
		t.Errorf("bad input reached the log: %s", log)
	}
	f.call("GET", "/v1/me", "").want(t, 401)
}

func TestChunkedBodyOf10MB(t *testing.T) {
	f := serve(t, api.Options{})
	// A reader of no known type is sent in chunks.
	body := io.MultiReader(strings.NewReader(`{"username":"`), strings.NewReader(strings.Repeat(marker, 10<<20/len(marker))))
	r, err := http.NewRequest("POST", f.server.URL+"/base/v1/login", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	f.checkRefused(t, r, 413)
}

func TestTokenOf1MiBInBody(t *testing.T) {
	f := serve(t, api.Options{})
	r, err := http.NewRequest("POST", f.server.URL+"/base/v1/refresh", strings.NewReader(`{"refresh_token":"`+strings.Repeat("a", 1<<20)+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	f.checkRefused(t, r, 413)
}

func TestSignUpIsOffByDefault(t *testing.T) {
	f := serve(t, api.Options{})
	a := f.call("POST", "/v1/signup", webtest.Object(t, map[string]any{"username": name, "password": password}))
	if problem := a.want(t, 403); problem["type"] != "urn:jot:problem:sign-up-off" {
		t.Errorf("problem %v", problem)
	}
	f.call("POST", "/v1/login", webtest.Object(t, map[string]any{"username": name, "password": password})).want(t, 401)
}

// TestForeignClient keeps another client's token, good as it is, from a person's account.
func TestForeignClient(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	sub := f.signUp()
	tokens, err := f.issuer.Issue(t.Context(), issuer.Grant{Subject: sub, ClientID: "client_other", Resource: "petstore"})
	if err != nil {
		t.Fatal(err)
	}
	f.call("GET", "/v1/me", "", bearer(tokens.Access)...).want(t, 403)
	f.call("POST", "/v1/logout", `{"everywhere":true}`, bearer(tokens.Access)...).want(t, 403)
	f.call("POST", "/v1/refresh", webtest.Object(t, map[string]any{"refresh_token": tokens.Refresh})).want(t, 401)
	if _, err := f.issuer.Refresh(t.Context(), issuer.RefreshRequest{Token: tokens.Refresh, ClientID: "client_other"}); err != nil {
		t.Errorf("the other client's refresh token is burned: %v", err)
	}
}

// broken is accounts that fail. Their second factors and passkeys aren't reached.
type broken struct {
	api.SecondFactors
	api.Passkeys
	err error
}

func (b broken) SignUp(context.Context, issuer.Enrolment, issuer.Device) (string, error) {
	return "", b.err
}

func (b broken) LogIn(context.Context, string, string, issuer.Device) (issuer.Proof, error) {
	return issuer.Proof{}, b.err
}
func (b broken) ChangePassword(context.Context, string, string, string, bool, issuer.Device) (issuer.Proof, error) {
	return issuer.Proof{}, b.err
}
func (b broken) ChangeEmail(context.Context, string, string, string, issuer.Device) error {
	return b.err
}
func (b broken) StoredAccount(context.Context, string) (issuer.StoredAccount, error) {
	return issuer.StoredAccount{}, b.err
}
func (b broken) VerifyEmail(context.Context, string) error                 { return b.err }
func (b broken) RequestReset(context.Context, string, issuer.Device) error { return b.err }
func (b broken) CompleteReset(context.Context, string, string) error       { return b.err }
func (b broken) Person(context.Context, string) (issuer.Person, error) {
	return issuer.Person{}, b.err
}

func TestFailuresAreHidden(t *testing.T) {
	whole := serve(t, api.Options{})
	for _, c := range []struct {
		err        error
		want       int
		retryAfter string
		logged     bool
	}{
		{fmt.Errorf("hash: %w", issuer.ErrBusy), 503, "1", false},
		{fmt.Errorf("dial 10.0.0.1: %w", issuer.ErrUnavailable), 503, "5", true},
		{errors.New("dial 10.0.0.1: no such column"), 500, "", true},
	} {
		f := mount(t, whole.issuer, broken{err: c.err}, api.Options{OpenSignUp: true})
		for _, path := range []string{"/v1/signup", "/v1/login"} {
			a := f.call("POST", path, webtest.Object(t, map[string]any{"username": name, "password": password}))
			a.want(t, c.want)
			if a.header.Get("Retry-After") != c.retryAfter || strings.Contains(a.body, "10.0.0.1") {
				t.Errorf("%v: %v %s", c.err, a.header, a.body)
			}
			if log := f.log.Take(); strings.Contains(log, c.err.Error()) != c.logged || strings.Contains(log, password) || strings.Contains(log, name) {
				t.Errorf("%v: log %q", c.err, log)
			}
		}
	}
}

func TestHead(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	f.signUp()
	access, _ := f.logIn(nil)
	if a := f.call("HEAD", "/v1/me", "", bearer(access)...); a.status != 200 || a.body != "" {
		t.Errorf("HEAD: %d %q", a.status, a.body)
	}
}
