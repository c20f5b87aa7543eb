package cli

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

// TestLoginMixUp: a server that passes on the tokens of another one doesn't make an administrator act there, and they
// don't stay good.
func TestLoginMixUp(t *testing.T) {
	s, stop, err := startServer(filepath.Join(t.TempDir(), "data"))
	check(t, err)
	t.Cleanup(func() { check(t, stop()) })
	sub, err := s.makeAdmin("mallory")
	check(t, err)
	tokens, err := s.Issuer().Issue(t.Context(), issuer.Grant{Subject: sub, ClientID: issuer.CommandClient, Resource: s.Issuer().AdminAudience()})
	check(t, err)
	revoked := ""
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request map[string]any
		check(t, json.NewDecoder(r.Body).Decode(&request))
		if r.URL.Path == "/oauth2/revoke" {
			revoked, _ = request["token"].(string)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{
			"access_token": tokens.Access, "token_type": "Bearer", "refresh_token": tokens.Refresh, "expires_in": 900, "scope": issuer.ScopeAdmin,
		})
	}))
	defer liar.Close()
	at := &adminServer{issuer: liar.URL, client: newAdminClient(identified{})}
	if _, err := at.logIn(t.Context(), "ada", testPassword, nil); err == nil || !strings.Contains(err.Error(), s.url) {
		t.Errorf("error %v, want one that names %s", err, s.url)
	}
	if revoked != tokens.Refresh {
		t.Errorf("revoked %q, want the tokens that were refused", revoked)
	}
}

// TestAdminURL: passwords and tokens travel encrypted, or not at all.
func TestAdminURL(t *testing.T) {
	for url, good := range map[string]bool{
		"https://auth.example.com": true, "https://auth.example.com/base": true, "http://127.0.0.1:8080": true, "http://[::1]:8080": true, "http://localhost": true,
		"http://auth.example.com": false, "http://127.0.0.1.example.com": false, "http://localhost.example.com": false, "http://127.1": false,
		"https://ada@auth.example.com": false, "https://auth.example.com?x": false, "https://auth.example.com#x": false, "ftp://auth.example.com": false,
		"auth.example.com": false, "//auth.example.com": false, "https:auth.example.com": false, "": false,
	} {
		if err := checkAdminURL(url); (err == nil) != good {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// TestAdminOverTLS: whoever is refused by TLS learns what to do.
func TestAdminOverTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	for url, want := range map[string]string{
		server.URL: "name its PEM file in $SSL_CERT_FILE",
		strings.Replace(server.URL, "https", "http", 1): "speaks TLS: write https://",
	} {
		at := &adminServer{issuer: url, client: newAdminClient(identified{})}
		if err := at.call(t.Context(), http.MethodGet, "/subjects", nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}

// TestAdminTokenStaysAtItsServer: neither a redirect nor anything else takes it to another address.
func TestAdminTokenStaysAtItsServer(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another server was asked, with the credentials %q", r.Header.Get("Authorization"))
	}))
	defer other.Close()
	redirecting := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer redirecting.Close()
	s := &adminServer{issuer: redirecting.URL, client: newAdminClient(identified{}), token: "secret"}
	if err := s.call(t.Context(), http.MethodGet, "/keys", nil, nil); err == nil {
		t.Error("a redirect passes for an answer")
	}
}
