package issuer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

func TestConfigRefused(t *testing.T) {
	for _, test := range []struct {
		alter func(*issuer.Config)
		want  string
	}{
		{func(c *issuer.Config) { c.URL = "" }, "URL is empty"},
		{func(c *issuer.Config) { c.URL = "http://auth.example.com" }, "must be https"},
		{func(c *issuer.Config) { c.URL = "http://localhost.example.com" }, "must be https"},
		{func(c *issuer.Config) { c.URL = "https://auth.example.com/" }, "must not end in a slash"},
		{func(c *issuer.Config) { c.URL = "https://auth.example.com?a=b" }, "without user, query and fragment"},
		{func(c *issuer.Config) { c.URL = "https://auth.example.com#" }, "without user, query and fragment"},
		{func(c *issuer.Config) { c.URL = "https://me@auth.example.com" }, "without user, query and fragment"},
		{func(c *issuer.Config) { c.URL = "auth.example.com" }, "absolute URL"},
		{func(c *issuer.Config) { c.KeyEncryptionKey = nil }, "KeyEncryptionKey has 0 bytes"},
		{func(c *issuer.Config) { c.Algorithm = jot.HS256 }, "can't sign access tokens"},
		{func(c *issuer.Config) { c.Resources = nil }, "no resource"},
		{func(c *issuer.Config) { c.Resources[1].Audience = "petstore" }, "must be unique"},
		{func(c *issuer.Config) { c.Resources[0].Scopes = []string{"a b"} }, "scope"},
		{func(c *issuer.Config) { c.Resources[0].AccessTTL = 1500 * time.Millisecond }, "whole seconds"},
		{func(c *issuer.Config) { c.AccessTTL = 25 * time.Hour }, "config: AccessTTL is 25h0m0s, want whole seconds up to 24h0m0s"},
		{func(c *issuer.Config) { c.Clients = nil }, "no client"},
		{func(c *issuer.Config) { c.Clients[0].ID = "web" }, "begin with"},
		{func(c *issuer.Config) { c.Clients[0].ID = "client_" }, "begin with"},
		{func(c *issuer.Config) { c.Clients[0].ID = "client_web" }, "must be unique"},
		{func(c *issuer.Config) { c.Clients[0].Scopes = []string{"a", "a"} }, "scope"},
		{func(c *issuer.Config) { c.RefreshGrace = time.Hour }, "RefreshGrace"},
		{func(c *issuer.Config) { c.RefreshGrace = -1 }, "RefreshGrace"},
		{func(c *issuer.Config) { c.RefreshGrace = 9 * time.Second }, "RefreshGrace is 9s, want at least 10s"},
		{func(c *issuer.Config) { c.IdleTTL = -1 }, "IdleTTL"},
		{func(c *issuer.Config) { c.KeyLifetime = 6 * time.Minute }, "want at least KeySetMaxAge"},
		{func(c *issuer.Config) { c.AccessTTL, c.KeyLifetime = 24*time.Hour, 4*time.Hour }, "want at least 4h2m30s"},
	} {
		c := config()
		test.alter(&c)
		if _, err := issuer.New(t.Context(), nil, c); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want one that says %q", err, test.want)
		}
	}
}

func TestConfigAccepted(t *testing.T) {
	for _, url := range []string{"https://auth.example.com", "https://example.com/auth", "http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:1"} {
		c := config()
		c.URL = url
		f := newFixture(t, c)
		if f.URL() != url || len(f.Resources()) != 2 || f.Resources()[1].AccessTTL != time.Minute || f.Clients()[1].ID != "client_web" ||
			f.KeySetMaxAge() != 10*time.Minute || f.MaxTTL() != 15*time.Minute {
			t.Errorf("%s: resources %+v, clients %+v", f.URL(), f.Resources(), f.Clients())
		}
	}
}
