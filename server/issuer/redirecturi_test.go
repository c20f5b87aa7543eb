package issuer

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func TestCheckRedirectURI(t *testing.T) {
	for _, uri := range []string{
		"https://app.example.com/callback", "https://app.example.com", "https://app.example.com:8443/a?tenant=1", "https://app.example.com/a%20b",
		"http://127.0.0.1/callback", "http://127.0.0.1:3000/", "http://[::1]/callback", "http://localhost:3000/callback",
		"com.example.app:/callback", "com.example.app://callback", "https://app.example.com/~ada", "https://app.example.com/" + strings.Repeat("a", maxRedirectURI-24),
	} {
		if reason := checkRedirectURI(uri); reason != "" {
			t.Errorf("%s %s", uri, reason)
		}
	}
	for _, uri := range []string{
		"", "/callback", "app.example.com/callback", "//app.example.com/callback", "https:///callback", "https:app.example.com", "http://app.example.com/callback",
		"https://app.example.com/callback#", "https://app.example.com/#fragment", "https://ada@app.example.com/", "https://ada:pw@app.example.com/",
		"https://*.example.com/callback", "https://app.example.com/*", "https://app.example.com/a/../b", "https://app.example.com/a/%2e%2e/b", "https://app.example.com/./a",
		"https://app.example.com/a b", "https://app.example.com/\tx", "https://app.example.com\\@evil.example", "https://app.exämple.com/", "https://app.example.com/\x00",
		"https://app.example.com/?code=1", "https://app.example.com/?a=1&state=x", "https://app.example.com/?iss=x", "https://app.example.com/?error=x",
		"javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "myapp:/callback", "com.example.app:", "com.example.app:callback", "http://127.0.0.1.example.com/",
		"https://app.example.com/a\"b", "https://app.example.com/<b>", "https://app.example.com/^", "https://app.example.com/`", "https://app.example.com/{a}", "https://app.example.com/a|b",
		"https://app.example.com/\x7f", "ftp://127.0.0.1/callback", "javascript://localhost/%0aalert(1)", "https://app.example.com/" + strings.Repeat("a", maxRedirectURI-23),
	} {
		if checkRedirectURI(uri) == "" {
			t.Errorf("%.80q is taken", uri)
		}
	}
}

// TestRedirectsTo has the tricks by which a code was sent elsewhere (RFC 9700 §4.1).
func TestRedirectsTo(t *testing.T) {
	c := Client{RedirectURIs: []string{"https://app.example.com/callback", "http://127.0.0.1/callback", "http://[::1]:8080/callback?a=1", "http://localhost:3000/callback", "com.example.app:/callback", "http://192.0.2.1/callback"}}
	for uri, want := range map[string]bool{
		"https://app.example.com/callback":                true,
		"com.example.app:/callback":                       true,
		"http://127.0.0.1/callback":                       true,
		"http://127.0.0.1:51004/callback":                 true,
		"http://[::1]/callback?a=1":                       true,
		"http://[::1]:9/callback?a=1":                     true,
		"http://localhost:3000/callback":                  true,
		"http://192.0.2.1:51004/callback":                 false,
		"":                                                false,
		"https://app.example.com/callback/":               false,
		"https://app.example.com/callback/x":              false,
		"https://app.example.com/callback?x=1":            false,
		"https://app.example.com/callback#x":              false,
		"https://app.example.com/Callback":                false,
		"https://APP.example.com/callback":                false,
		"HTTPS://app.example.com/callback":                false,
		"http://app.example.com/callback":                 false,
		"https://app.example.com:443/callback":            false,
		"https://app.example.com/":                        false,
		"https://app.example.com/x/../callback":           false,
		"https://app.example.com/%63allback":              false,
		"https://app.example.com.evil.example/callback":   false,
		"https://app.example.com@evil.example/callback":   false,
		"https://evil.example/https://app.example.com/":   false,
		"https://evil.example#https://app.example.com":    false,
		"https://app.example.com\\@evil.example/callback": false,
		"http://127.0.0.1:51004/other":                    false,
		"http://127.0.0.1:/callback":                      false,
		"http://127.0.0.1:0/callback":                     false,
		"http://127.0.0.1:080/callback":                   false,
		"http://127.0.0.1:65536/callback":                 false,
		"http://127.0.0.1:99999/callback":                 false,
		"http://127.0.0.1:100000/callback":                false,
		"http://127.0.0.1:65535/callback":                 true,
		"http://127.0.0.1:1-1/callback":                   false,
		"http://127.0.0.1:1a/callback":                    false,
		"http://127.0.0.1:1@a.b/callback":                 false,
		"http://127.0.0.1:8080@evil.example/callback":     false,
		"http://127.0.0.1.evil.example/callback":          false,
		"http://127.0.0.2/callback":                       false,
		"http://[::1%25lo]/callback?a=1":                  false,
		"https://127.0.0.1/callback":                      false,
		"http://localhost/callback":                       false,
		"http://localhost:3001/callback":                  false,
		"com.example.app:/callback/x":                     false,
		"com.example.app://callback":                      false,
	} {
		if c.redirectsTo(uri) != want {
			t.Errorf("%q: %v", uri, !want)
		}
	}
	if (&Client{}).redirectsTo("") {
		t.Error("a client without redirect URIs has one")
	}
}

// FuzzRedirectsTo: an answer goes to a URI that the client could have, too, and that net/url finds to differ in the
// port of a loopback address at most.
func FuzzRedirectsTo(f *testing.F) {
	for _, seed := range [][2]string{
		{"https://app.example.com/callback", "https://app.example.com/callback"}, {"http://127.0.0.1/callback", "http://127.0.0.1:51004/callback"},
		{"http://[::1]:8080/callback?a=1", "http://[::1]/callback?a=1"}, {"http://127.0.0.1", "http://127.0.0.1:80"}, {"http://127.0.0.1?a", "http://127.0.0.1:1?a"},
		{"http://127.0.0.1/", "http://127.0.0.1:1@evil.example/"}, {"com.example.app:/callback", "com.example.app:/callback"}, {"http://[::ffff:127.0.0.1]/", "http://[::ffff:127.0.0.1]:9/"},
		{"http://127.0.0.1/%2f", "http://127.0.0.1:2/%2f"}, {"http://[127.0.0.1]/", "http://[127.0.0.1]:1/"}, {"http://[::1%25lo]/", "http://[::1%25lo]:5/"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, own, asked string) {
		if checkRedirectURI(own) != "" {
			return
		}
		c := Client{RedirectURIs: []string{own}}
		if !c.redirectsTo(own) {
			t.Errorf("%q isn't its own", own)
		}
		if asked == own || !c.redirectsTo(asked) {
			return
		}
		if reason := checkRedirectURI(asked); reason != "" {
			t.Fatalf("%q is taken for %q, and %s", asked, own, reason)
		}
		a, err1 := url.Parse(own)
		b, err2 := url.Parse(asked)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		address, err := netip.ParseAddr(b.Hostname())
		if err != nil || !address.IsLoopback() || a.Hostname() != b.Hostname() || a.Scheme != "http" || b.Scheme != "http" || b.User != nil ||
			a.EscapedPath() != b.EscapedPath() || a.RawQuery != b.RawQuery || a.ForceQuery != b.ForceQuery {
			t.Errorf("%q is taken for %q", asked, own)
		}
	})
}
