package web

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestCORS(t *testing.T) {
	const listed, other = "https://app.example.com", "https://evil.example.com"
	var reached bool
	handler := CORS{Base: "/auth", Origins: []string{listed}}.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached = true
		w.WriteHeader(http.StatusTeapot)
	}))
	for _, test := range []struct {
		name, method, path, origin, asks string
		status                           int
		allowed, credentials             string
	}{
		{"listed", "POST", "/auth/v1/login", listed, "", 418, listed, "true"},
		{"not listed", "POST", "/auth/v1/login", other, "", 418, "", ""},
		{"null", "POST", "/auth/v1/login", "null", "", 418, "", ""},
		{"in other letters", "POST", "/auth/v1/login", "https://APP.example.com", "", 418, "", ""},
		{"with a port", "POST", "/auth/v1/login", listed + ":8443", "", 418, "", ""},
		{"plain", "POST", "/auth/v1/login", "http://app.example.com", "", 418, "", ""},
		{"a longer name", "POST", "/auth/v1/login", listed + ".evil.example", "", 418, "", ""},
		{"no origin", "POST", "/auth/v1/login", "", "", 418, "", ""},
		{"token endpoint", "POST", "/auth/oauth2/token", listed, "", 418, listed, ""},
		{"revocation", "POST", "/auth/oauth2/revoke", listed, "", 418, listed, ""},
		{"public", "GET", "/auth/.well-known/jwks.json", other, "", 418, "*", ""},
		{"public, of the host", "GET", "/.well-known/oauth-authorization-server/auth", other, "", 418, "*", ""},
		{"feed", "GET", "/auth/feed/snapshot", listed, "", 418, "", ""},
		{"authorization endpoint", "GET", "/auth/oauth2/authorize", listed, "", 418, "", ""}, // RFC 10017: a page of another origin is sent there, and reads nothing
		{"introspection", "POST", "/auth/oauth2/introspect", listed, "", 418, "", ""},
		{"admin", "GET", "/auth/admin/v1/subjects", listed, "", 418, "", ""},
		{"another base", "POST", "/v1/login", listed, "", 418, "", ""},
		{"token endpoint of another base", "POST", "/oauth2/token", listed, "", 418, "", ""},

		{"preflight", "OPTIONS", "/auth/v1/sessions/1", listed, "DELETE", 204, listed, "true"},
		{"preflight of another", "OPTIONS", "/auth/v1/login", other, "POST", 403, "", ""},
		{"preflight for a token", "OPTIONS", "/auth/oauth2/token", listed, "POST", 204, listed, ""},
		{"preflight for a document", "OPTIONS", "/auth/.well-known/jwks.json", other, "GET", 204, "*", ""},
		{"preflight for the feed", "OPTIONS", "/auth/feed/snapshot", listed, "GET", 418, "", ""},
		{"OPTIONS that is no preflight", "OPTIONS", "/auth/v1/login", listed, "", 418, listed, "true"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, test.path, nil)
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			if test.asks != "" {
				r.Header.Set("Access-Control-Request-Method", test.asks)
			}
			answer := httptest.NewRecorder()
			reached = false
			handler.ServeHTTP(answer, r)
			header := answer.Header()
			if reached != (test.status == 418) {
				t.Errorf("the request goes on: %v", reached)
			}
			if answer.Code != test.status || header.Get("Access-Control-Allow-Origin") != test.allowed || header.Get("Access-Control-Allow-Credentials") != test.credentials {
				t.Errorf("%d %v", answer.Code, header)
			}
			if answer.Code == 204 && (header.Get("Access-Control-Max-Age") != "600" || header.Get("Access-Control-Allow-Methods") == "" ||
				header.Get("Access-Control-Allow-Headers") != "Authorization, Content-Type, DPoP") {
				t.Errorf("the preflight says %v", header)
			}
			if answer.Code == 403 && (header.Get("Access-Control-Max-Age") != "" || header.Get("Access-Control-Allow-Methods") != "") {
				t.Errorf("the preflight that is refused says %v", header)
			}
			if preflight := answer.Code == 204 || answer.Code == 403; preflight != slices.Contains(header.Values("Vary"), "Access-Control-Request-Method, Access-Control-Request-Headers") {
				t.Errorf("a cache may mix up preflights: %v", header)
			}
			if exposed := header.Get("Access-Control-Expose-Headers"); (exposed != "") != (test.allowed == listed) || exposed != "" && !strings.Contains(exposed, "Jot-Refresh") {
				t.Errorf("a page may read %q", exposed)
			}
			if test.allowed != "*" && test.status != 418 && header.Get("Vary") != "Origin" {
				t.Errorf("a cache may mix up origins: %v", header)
			}
		})
	}
}

func TestOriginsThatAreRefused(t *testing.T) {
	if err := ValidateOrigins([]string{"https://app.example.com", "https://app.example.com:8443", "http://localhost:3000", "http://127.0.0.1:3000", "https://app.example.com:80", "http://localhost:443"}); err != nil {
		t.Error(err)
	}
	for _, origin := range []string{
		"", "*", "null", "https://*.example.com", "https://app.example.com/", "https://app.example.com/x", "app.example.com", "//app.example.com",
		"https://App.example.com", "https://app.example.com:443", "http://app.example.com", "https://ada@app.example.com", "https://app.example.com?x", "javascript:alert(1)",
		"https://app.example.com:", "https://app.example.com:08443", "https://bücher.example.com", "https://", "http://localhost:80", "app://localhost", "ftp://127.0.0.1",
	} {
		if err := ValidateOrigins([]string{origin}); err == nil {
			t.Errorf("%q is accepted", origin)
		}
	}
}
