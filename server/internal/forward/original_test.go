package forward

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/web"
)

// FuzzOriginal: whatever a proxy passes on, the request that is judged has one meaning: its host and its path are those
// that any reader of the whole address finds, and where there's doubt nobody's host and no origin.
func FuzzOriginal(f *testing.F) {
	for _, seed := range [][4]string{
		{"GET", "https", "api.example.com", "/pets?x=1"}, {"get", "http", "[::1]:80", "/"}, {"POST", "wss", "api.example.com:443", "//evil.example/x"}, {"GET", "ftp", "a", "/"},
		{"", "https", "a b", "/"}, {"GET", "https", "api.example.com", "http://evil.example/"}, {"GET", "https", "a:99999", "/%zz"}, {"GET", "https", "[::1", "/a#b"}, {"GET", "https", "a@b", "*"},
		{"GET", "https", "[::g]", "/"}, {"GET", "https", "a:", "/"}, {"GET", "https", ".", "/\\evil"}, {"GET", "https", "[1::2::3]:1", "/?"},
		{"GET", "https", "api.example.com", "/pets?x=#<%%%"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	s := &Server{proxies: web.Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}}}
	f.Fuzz(func(t *testing.T, method, proto, host, uri string) {
		r := httptest.NewRequest(http.MethodGet, "/verify?audience=petstore", nil)
		r.RemoteAddr = "10.0.0.1:5"
		r.Header = http.Header{methodHeader: {method}, protoHeader: {proto}, hostHeader: {host}, uriHeader: {uri}}
		got := s.original(r)
		if m := got.request.Method; m != http.MethodPost && (m != method || !aMethod.MatchString(m)) {
			t.Errorf("method %q is %q", method, m)
		}
		if h := got.request.Host; h != nobodysHost && h != host || got.request.URL.RawQuery != "audience=petstore" {
			t.Errorf("host %q is %q", host, h)
		}
		if got.origin == "" {
			if got.request.RequestURI != r.RequestURI {
				t.Errorf("%q is judged, of nobody knows what origin", got.request.RequestURI)
			}
			return
		}
		whole, err := url.Parse(got.origin + got.request.RequestURI)
		if err != nil || whole.Host != host || whole.User != nil || whole.Scheme != "http" && whole.Scheme != "https" || !strings.HasPrefix(whole.Path, "/") {
			t.Fatalf("%q, %q, %q are of %q: %v", proto, host, uri, got.origin, err)
		}
		if asked, err := url.ParseRequestURI(uri); err != nil || asked.Path != whole.Path || asked.RawQuery != whole.RawQuery {
			t.Errorf("%q is %v, or %v", uri, asked, whole)
		}
	})
}
