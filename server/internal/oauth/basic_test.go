package oauth

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestParseBasic refuses what isn't the Basic scheme, and what no client that encodes ID and secret sends (RFC 6749
// §2.3.1).
func TestParseBasic(t *testing.T) {
	encode := func(joined string) string { return base64.StdEncoding.EncodeToString([]byte(joined)) }
	if id, secret, ok := parseBasic("Basic " + encode("client%5Fa:se%3Acret+%C3%B6")); !ok || id != "client_a" || secret != "se:cret ö" {
		t.Errorf("%q and %q, %v", id, secret, ok)
	}
	for _, header := range []string{"", "Basic", "Bearer " + encode("a:b"), encode("a:b"), "Basic " + encode("a:b") + "\n", "Basic " + encode("a:bc")[:6], "Basic " + encode("ab")} {
		if id, secret, ok := parseBasic(header); ok {
			t.Errorf("%q is %q and %q", header, id, secret)
		}
	}
	for _, secret := range []string{"", "b&c", "b=c", "b:c", "b;c", "b#c", "b c", "b%", "%zz", "%ff", "%00", "%0A", "%7F", "b\x7f"} {
		for _, joined := range []string{"a:" + secret, secret + ":a"} {
			if id, secret, ok := parseBasic("Basic " + encode(joined)); ok {
				t.Errorf("%q is %q and %q", joined, id, secret)
			}
		}
	}
}

// FuzzParseBasic: what is read is what net/http reads, decoded, and what is encoded as clients do it is read again.
func FuzzParseBasic(f *testing.F) {
	for _, joined := range []string{"client_a:secret", ":", "a:", ":b", "a:b:c", "a%3Ab:c%20d", "a+b:c", "%ff:b", "%00:b", "a&b:c", "a%zz:b", "ä:ö"} {
		f.Add("Basic " + base64.StdEncoding.EncodeToString([]byte(joined)))
	}
	f.Add("bAsIc YTpi")
	f.Add("Basic  YTpi")
	f.Add("Basic YTpj\n")
	f.Add("Basic YTpjZB==")
	f.Fuzz(func(t *testing.T, header string) {
		id, secret, ok := parseBasic(header)
		if !ok {
			return
		}
		first, second, _ := (&http.Request{Header: http.Header{"Authorization": {header}}}).BasicAuth()
		plainID, err1 := url.QueryUnescape(first)
		plainSecret, err2 := url.QueryUnescape(second)
		if id == "" || secret == "" || err1 != nil || err2 != nil || plainID != id || plainSecret != secret {
			t.Errorf("%q is %q and %q; net/http reads %q and %q", header, id, secret, first, second)
		}
		if strings.ContainsAny(id+secret, "\x00\r\n") {
			t.Errorf("%q is %q and %q", header, id, secret)
		}
		encoded := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(secret)))
		if i, s, ok := parseBasic("Basic " + encoded); !ok || i != id || s != secret {
			t.Errorf("%q and %q are read again as %q and %q, %v", id, secret, i, s, ok)
		}
	})
}
