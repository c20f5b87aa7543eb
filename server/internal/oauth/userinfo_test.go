package oauth_test

import (
	"strings"
	"testing"

	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/issuer"
)

// TestBoundUserInfo: a bound token opens it with a proof of its key for this very request, once; a bearer token needs
// none.
func TestBoundUserInfo(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	start := f.television(issuer.Client{ID: "client_tv"})
	holder, thief := f.prover(), f.prover()
	bound := f.ask(start(), holder.proof()).members(t)["access_token"].(string)
	plain := f.ask(start()).members(t)["access_token"].(string)
	proof := func(p *prover, change func(*jothttp.ProofTarget)) string {
		target := jothttp.ProofTarget{Method: "GET", URL: "https://auth.example.com/userinfo", AccessToken: bound, Nonce: p.nonce}
		if change != nil {
			change(&target)
		}
		signed, err := p.Sign(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	used := proof(holder, nil)
	for name, c := range map[string]struct {
		scheme, token, proof string
		status               int
	}{
		"as a bearer token":             {"Bearer", bound, proof(holder, nil), 401},
		"no proof":                      {"DPoP", bound, "", 401},
		"another key":                   {"DPoP", bound, proof(thief, nil), 401},
		"another method":                {"DPoP", bound, proof(holder, func(t *jothttp.ProofTarget) { t.Method = "POST" }), 401},
		"another address":               {"DPoP", bound, proof(holder, func(t *jothttp.ProofTarget) { t.URL = tokenURL }), 401},
		"another server":                {"DPoP", bound, proof(holder, func(t *jothttp.ProofTarget) { t.URL = "https://other.example.com/userinfo" }), 401},
		"another token":                 {"DPoP", bound, proof(holder, func(t *jothttp.ProofTarget) { t.AccessToken = plain }), 401},
		"no token":                      {"DPoP", bound, proof(holder, func(t *jothttp.ProofTarget) { t.AccessToken = "" }), 401},
		"no nonce":                      {"DPoP", bound, proof(holder, func(t *jothttp.ProofTarget) { t.Nonce = "" }), 401},
		"stale nonce":                   {"DPoP", bound, proof(holder, func(t *jothttp.ProofTarget) { t.Nonce = "AAAA" }), 401},
		"a bearer token as a bound one": {"DPoP", plain, proof(holder, func(t *jothttp.ProofTarget) { t.AccessToken = plain }), 401},
		"a bearer token":                {"Bearer", plain, "", 200},
	} {
		headers := []string{"Authorization", c.scheme + " " + c.token}
		if c.proof != "" {
			headers = append(headers, "DPoP", c.proof)
		}
		a := f.call("GET", "/userinfo", "", nil, headers...)
		if a.status != c.status || a.header.Get("Cache-Control") != "no-store" || (a.status == 401) != (len(a.header.Values("WWW-Authenticate")) > 0) {
			t.Errorf("%s: %d %v", name, a.status, a.header)
		}
		if name == "no nonce" && a.header.Get("DPoP-Nonce") == "" {
			t.Errorf("%s: %v", name, a.header)
		}
	}
	for _, want := range []int{200, 401} {
		if a := f.call("GET", "/userinfo", "", nil, "Authorization", "DPoP "+bound, "DPoP", used); a.status != want {
			t.Errorf("%d %s, want %d", a.status, a.body, want)
		}
	}
}

// TestUserInfoCredentials: a token comes in the Authorization header, and in no second way beside it (RFC 6750 §2).
func TestUserInfoCredentials(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	token := f.ask(f.television(issuer.Client{ID: "client_tv"})()).members(t)["access_token"].(string)
	header := []string{"Authorization", "Bearer " + token}
	for name, c := range map[string]struct {
		method, query, media, body string
		headers                    []string
		status                     int
	}{
		"the header":                     {"POST", "", "", "", header, 200},
		"and a form of something else":   {"POST", "", formType, "a=b", header, 200},
		"and an empty form":              {"POST", "", formType, "", header, 200},
		"and a body of another kind":     {"POST", "", "application/json", `{"access_token":"x"}`, header, 200},
		"and the query, by GET":          {"GET", "?access_token=" + token, "", "", header, 400},
		"and the query, by POST":         {"POST", "?access_token=x", "", "", header, 400},
		"and an empty one in the query":  {"GET", "?access_token=", "", "", header, 200},
		"and the query twice":            {"GET", "?access_token=&access_token=" + token, "", "", header, 400},
		"and a form":                     {"POST", "", formType, "access_token=" + token, header, 400},
		"and a form that is too long":    {"POST", "", formType, "a=" + strings.Repeat("a", 64<<10), header, 413},
		"a form and the query":           {"POST", "?access_token=x", formType, "access_token=" + token, nil, 400},
		"a form alone":                   {"POST", "", formType, "access_token=" + token, nil, 401},
		"the query alone":                {"GET", "?access_token=" + token, "", "", nil, 401},
		"another scheme, and the query":  {"GET", "?access_token=" + token, "", "", []string{"Authorization", "Basic YTpi"}, 400},
		"a token that is no good beside": {"GET", "?access_token=" + token, "", "", []string{"Authorization", "Bearer x"}, 400},
	} {
		a := f.call(c.method, "/userinfo"+c.query, c.media, strings.NewReader(c.body), c.headers...)
		challenge := a.header.Get("WWW-Authenticate")
		if a.status != c.status || a.header.Get("Cache-Control") != "no-store" || (a.status == 400) != strings.Contains(challenge, `error="invalid_request"`) {
			t.Errorf("%s: %d %s %q", name, a.status, a.body, challenge)
		}
	}
	if a := f.call("POST", "/userinfo", formType, strings.NewReader("access_token=x&access_token=y"), header...); a.status != 400 {
		t.Errorf("two in a form: %d %s", a.status, a.body)
	}
}
