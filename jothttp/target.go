package jothttp

import (
	"encoding/hex"
	"net/url"
	"strings"
)

// sameTarget compares two addresses as RFC 9449 §4.3 does: without query and fragment, after the normalization of RFC
// 3986 §6.2.2 and 6.2.3. Dot segments aren't removed: whoever writes them means another address, or none.
func sameTarget(a, b string) bool {
	first, ok := normalTarget(a)
	second, ok2 := normalTarget(b)
	return ok && ok2 && first == second
}

func normalTarget(text string) (string, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
		return "", false
	}
	scheme, host := lower(u.Scheme), lower(u.Host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	default:
		return "", false
	}
	path := normalEscapes(u.EscapedPath())
	if path == "" {
		path = "/"
	}
	return scheme + "://" + strings.TrimSuffix(host, ":") + path, true
}

// normalEscapes decodes what need not be escaped, and writes the rest in capitals.
func normalEscapes(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] != '%' || i+2 >= len(path) {
			b.WriteByte(path[i])
			continue
		}
		decoded, err := hex.DecodeString(path[i+1 : i+3])
		if err == nil && (alphanumeric(decoded[0]) || strings.IndexByte("-._~", decoded[0]) >= 0) {
			b.WriteByte(decoded[0])
		} else {
			b.WriteString(strings.ToUpper(path[i : i+3]))
		}
		i += 2
	}
	return b.String()
}

// lower writes ASCII letters small, and no others: of a dotted capital I (U+0130) strings.ToLower makes an i, where the
// name of a host with it (RFC 5891) is another one.
func lower(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}
