package issuer

import (
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

func TestForeignIssuersRefused(t *testing.T) {
	const url = "https://login.example.org"
	for _, test := range []struct {
		alter func(*Config)
		want  string
	}{
		{func(c *Config) { c.ForeignIssuers[0].URL = "http://login.example.org" }, "must be https"},
		{func(c *Config) { c.ForeignIssuers[0].URL = url + "?a=b" }, "without user, query and fragment"},
		{func(c *Config) { c.ForeignIssuers[0].URL = "ftp://localhost" }, "must be https"},
		{func(c *Config) { c.ForeignIssuers[0].URL = url + "?" }, "without user, query and fragment"},
		{func(c *Config) { c.ForeignIssuers[0].URL = url + "#" }, "without user, query and fragment"},
		{func(c *Config) { c.ForeignIssuers[0].URL = "https://ada@login.example.org" }, "without user, query and fragment"},
		{func(c *Config) { c.ForeignIssuers[0].URL = url + "/" + strings.Repeat("a", 255) }, "absolute URL"},
		{func(c *Config) { c.ForeignIssuers[0].URL = "login.example.org" }, "absolute URL"},
		{func(c *Config) { c.ForeignIssuers[0].URL = c.URL }, "or it's this issuer"},
		{func(c *Config) { c.ForeignIssuers = append(c.ForeignIssuers, c.ForeignIssuers[0]) }, "twice"},
		{func(c *Config) { c.ForeignIssuers[0].Audience = "" }, "must be our client ID there"},
		{func(c *Config) { c.ForeignIssuers[0].MaxTTL = 0 }, "up to 720h0m0s"},
		{func(c *Config) { c.ForeignIssuers[0].MaxTTL = time.Second - 1 }, "up to 720h0m0s"},
		{func(c *Config) { c.ForeignIssuers[0].MaxTTL = 30*24*time.Hour + 1 }, "up to 720h0m0s"},
		{func(c *Config) { c.ForeignIssuers[0].Algorithms = []jot.Algorithm{jot.RS256, jot.HS256} }, "ones with public keys"},
	} {
		c := Config{URL: "https://auth.example.com", ForeignIssuers: []ForeignIssuer{
			{URL: url, Audience: "our-id", MaxTTL: 30 * 24 * time.Hour, Algorithms: []jot.Algorithm{jot.RS256}},
		}}
		if err := c.checkForeign(); err != nil {
			t.Fatal(err)
		}
		test.alter(&c)
		if err := c.checkForeign(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want one that says %q", err, test.want)
		}
	}
}

func TestForeignIssuersTaken(t *testing.T) {
	for _, url := range []string{"https://login.example.org", "https://login.example.org/tenant/", "http://localhost:8080", "http://127.0.0.1"} {
		if err := (ForeignIssuer{URL: url, Audience: "our-id", MaxTTL: time.Second}).check(); err != nil {
			t.Error(err)
		}
	}
}

// One issuer's logouts are so many at once, and as many again when as much time has gone by as they count for.
func TestForeignLogoutsAreBounded(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	q := quota{size: 10, within: 10 * time.Minute}
	taken := func() (n int) {
		for q.take(now) {
			n++
		}
		return n
	}
	for _, step := range []struct {
		passes time.Duration
		want   int
	}{{0, 10}, {0, 0}, {time.Minute, 1}, {-time.Hour, 0}, {time.Hour + 3*time.Minute, 3}, {24 * time.Hour, 10}} {
		now = now.Add(step.passes)
		if got := taken(); got != step.want {
			t.Errorf("after %v more, %d are taken, not %d", step.passes, got, step.want)
		}
	}
	q.giveBack()
	if got := taken(); got != 1 {
		t.Errorf("%d are taken of the one that was given back", got)
	}
}
