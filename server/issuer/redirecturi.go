package issuer

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/jot-auth/jot/server/internal/loopback"
)

const (
	maxRedirectURIs = 16
	maxRedirectURI  = 1024 // bytes of one
)

// answerParameters are what an answer to an authorization request adds to a redirect URI, which must not have them of
// its own.
var answerParameters = []string{"code", "error", "error_description", "error_uri", "iss", "state"}

func checkRedirectURIs(field string, uris []string) error {
	if len(uris) > maxRedirectURIs {
		return &InputError{field, "must be at most 16"}
	}
	for n, uri := range uris {
		if reason := checkRedirectURI(uri); reason != "" {
			return &InputError{field, reason}
		}
		if slices.Contains(uris[:n], uri) {
			return &InputError{field, "must be distinct"}
		}
	}
	return nil
}

// checkRedirectURI says what is wrong with a redirect URI, "" where nothing is: it must be https, http on loopback (RFC
// 8252 §7.3), or of an app's own scheme, which has a dot (§7.1). What two parsers may read in two ways is refused.
func checkRedirectURI(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || !plainURI(text) || !u.IsAbs() || u.Opaque != "":
		return "must be absolute URIs of at most 1024 printable ASCII characters"
	case strings.Contains(text, "#"):
		return "must have no fragment (RFC 6749 §3.1.2)"
	case u.User != nil:
		return "must have no user information"
	case strings.Contains(text, "*"):
		return "must not be patterns: list each"
	case hasDotSegment(u.Path):
		return "must have no dot segments in their paths"
	case slices.ContainsFunc(answerParameters, func(name string) bool { return u.Query().Has(name) }):
		return "must have no parameters that an answer has"
	case u.Scheme == "https" && u.Host != "", u.Scheme == "http" && loopback.Names(u.Hostname()), strings.Contains(u.Scheme, ".") && u.Path+u.Host != "":
		return ""
	}
	return "must be https, http on loopback, or of an app's own scheme with a dot in it, such as com.example.app:/callback (RFC 8252 §7)"
}

// checkBackchannelURI is strict about where logout tokens go.
func checkBackchannelURI(text string) error {
	if text == "" {
		return nil
	}
	if reason := checkRedirectURI(text); reason != "" || strings.Contains(text[:strings.Index(text, ":")], ".") {
		return &InputError{"backchannel_logout_uri", "must be https, or http on loopback, without user information and fragment"}
	}
	return nil
}

// plainURI reports whether a text has none but the characters of a URI (RFC 3986 §2).
func plainURI(text string) bool {
	return len(text) <= maxRedirectURI && !strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"<>\^`+"`{|}", r)
	})
}

func hasDotSegment(path string) bool {
	segments := strings.Split(path, "/")
	return slices.Contains(segments, ".") || slices.Contains(segments, "..")
}

// redirectsTo reports whether an answer for the client may go to a URI: one of those that it has, character by
// character (RFC 9700 §2.1). Only the port of a loopback address is the app's to choose at the moment (RFC 8252 §7.3).
func (c *Client) redirectsTo(uri string) bool {
	return slices.Contains(c.RedirectURIs, uri) || slices.ContainsFunc(c.RedirectURIs, func(own string) bool {
		before, after, ok := loopbackParts(own)
		stated, rest, alike := loopbackParts(uri)
		return ok && alike && before == stated && after == rest
	})
}

// answersAssured reports whether nobody but the client gets to use an answer that goes to one of its redirect URIs.
// Without a secret, any program on the person's machine may listen on loopback or claim a scheme of its own, and begin
// a request there as well, with a challenge of its own (RFC 8252 §8.6).
func (c *Client) answersAssured(uri string) bool {
	return c.Confidential() || strings.HasPrefix(uri, "https://")
}

// loopbackParts returns what stands before and behind the port of an http URI whose host is a loopback address.
func loopbackParts(uri string) (before, after string, ok bool) {
	authority, found := strings.CutPrefix(uri, "http://")
	if !found || !plainURI(uri) {
		return "", "", false
	}
	end := strings.IndexAny(authority, "/?#")
	if end < 0 {
		end = len(authority)
	}
	host, port := authority[:end], ""
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host, port = host[:colon], host[colon+1:]
		if !isPort(port) {
			return "", "", false
		}
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host, authority[end:], err == nil && address.IsLoopback()
}

// isPort reports whether a text is a port as everybody writes it.
func isPort(text string) bool {
	if text == "" || len(text) > 5 || text[0] == '0' || strings.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		return false
	}
	return len(text) < 5 || text <= "65535"
}
