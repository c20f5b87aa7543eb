package server_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server"
)

// ask sends a request from an address, and answers the status and body.
func ask(handler http.Handler, host, from, path string) (int, string) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host, r.RemoteAddr = host, from
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	return answer.Code, answer.Body.String()
}

// scrape answers the metrics.
func scrape(t *testing.T, s *server.Server) string {
	t.Helper()
	code, body := ask(server.AdminHandler(s), "127.0.0.1", "127.0.0.1:5", "/metrics")
	if code != http.StatusOK {
		t.Errorf("/metrics: %d %s", code, body)
	}
	return body
}

func TestAdminListener(t *testing.T) {
	s, _ := newServer(t, "https://auth.example.com", nil)
	admin := server.AdminHandler(s)
	const loopback, elsewhere = "127.0.0.1:5", "192.0.2.1:5"
	for _, test := range []struct {
		host, from, path string
		status           int
	}{
		{"127.0.0.1:8421", loopback, "/metrics", 200},
		{"10.1.2.3:8421", elsewhere, "/metrics", 200},
		{"127.0.0.1:8421", loopback, "/healthz", 200},
		{"127.0.0.1:8421", loopback, "/readyz", 200},
		{"127.0.0.1:8421", loopback, "/debug/pprof/", 200},
		{"localhost:8421", loopback, "/debug/pprof/goroutine?debug=1", 200},
		{"[::1]:8421", "[::1]:5", "/debug/pprof/heap", 200},
		{"10.1.2.3:8421", elsewhere, "/debug/pprof/heap", 403},
		{"evil.example.com:8421", loopback, "/debug/pprof/heap", 403}, // DNS rebinding
		{"evil.example.com:8421", loopback, "/metrics", 403},
		{"jot.example.com:8421", elsewhere, "/metrics", 200}, // a name is how others reach it
		{"evil.example.com:8421", loopback, "/healthz", 200},
		{"127.0.0.1:8421", loopback, "/debug/pprof/cmdline", 404}, // arguments may hold what others shouldn't see
		{"127.0.0.1:8421", loopback, "/v1/me", 404},
		{"127.0.0.1:8421", loopback, "/", 404},
	} {
		if code, _ := ask(admin, test.host, test.from, test.path); code != test.status {
			t.Errorf("%s at %s from %s: %d, want %d", test.path, test.host, test.from, code, test.status)
		}
	}
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/profile", "/debug/vars"} {
		if code, _ := ask(s.Handler(), "auth.example.com", loopback, path); code != http.StatusNotFound {
			t.Errorf("the public handler answers %s with %d", path, code)
		}
	}
}

func TestMetrics(t *testing.T) {
	s := newSite(t)
	s.signUpAndLogIn(t, "ada")
	tokens := s.signUpAndLogIn(t, "grace")
	s.post(t, "/v1/login", "", map[string]string{"username": "ada", "password": "not the password"})
	s.post(t, "/v1/refresh", "", map[string]string{"refresh_token": tokens.Refresh})
	s.post(t, "/v1/refresh", "", map[string]string{"refresh_token": tokens.Refresh})
	_, body := s.post(t, "/v1/login", "", map[string]string{"username": "ada", "password": password})
	s.post(t, "/v1/logout", read(t, body).Access, struct{}{})
	for _, path := range []string{"/made/up/1", "/made/up/2", "/v1/nothing"} {
		s.post(t, path, "", struct{}{})
	}
	metrics := ""
	eventually(t, "nobody writes", func() bool { // upkeep may, for a moment
		metrics = scrape(t, s.server)
		return strings.Contains(metrics, `jot_database_connections{pool="writer",state="in_use"} 0`+"\n")
	})
	for _, line := range []string{
		`jot_logins_total{outcome="ok"} 3`,
		`jot_logins_total{outcome="wrong"} 1`,
		`jot_logins_total{outcome="busy"} 0`,
		`jot_sessions_total 3`,
		`jot_access_tokens_total 5`,
		`jot_refreshes_total{outcome="rotated"} 1`,
		`jot_refreshes_total{outcome="repeated"} 1`,
		`jot_refreshes_total{outcome="reused"} 0`,
		`jot_revocation_rules 1`,
		`jot_revocation_log_sequence 1`,
		`jot_feed_readers 0`,
		`jot_password_hashes{state="waiting"} 0`,
		`jot_http_requests_total{method="POST",route="POST /v1/login",status="2xx"} 3`,
		`jot_http_requests_total{method="POST",route="POST /v1/login",status="4xx"} 1`,
		`jot_http_requests_total{method="POST",route="none",status="4xx"} 3`,
		`jot_http_request_duration_seconds_count{route="POST /v1/login"} 4`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("%s is missing", line)
		}
	}
	for _, name := range []string{"jot_signing_key_age_seconds", "jot_signing_key_rotation_seconds", "jot_build_info{", "go_goroutines", "jot_http_requests_in_flight"} {
		if !strings.Contains(metrics, "\n"+name) {
			t.Errorf("%s is missing", name)
		}
	}
	document, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`(?m)^# TYPE (jot_\S+)`).FindAllStringSubmatch(metrics, -1) {
		if !strings.Contains(string(document), "`"+name[1]+"`") {
			t.Errorf("docs/configuration.md doesn't explain %s", name[1])
		}
	}
	for _, secret := range []string{"grace", "made/up", tokens.Refresh} {
		if strings.Contains(metrics, secret) {
			t.Errorf("the metrics hold %q", secret)
		}
	}
	if t.Failed() {
		t.Log(metrics)
	}
}
