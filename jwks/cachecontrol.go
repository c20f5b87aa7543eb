package jwks

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxSeconds stands for every longer time (RFC 9111 §1.2.2).
const maxSeconds = 1 << 31

// lifetime is how long a response counts as fresh: what its Cache-Control and Age say, within the bounds; the upper
// bound when they say nothing.
func lifetime(h http.Header, shortest, longest time.Duration) time.Duration {
	stated, ok := parseCacheControl(h.Values("Cache-Control"))
	if !ok {
		return longest
	}
	if age, ok := parseSeconds(h.Get("Age")); ok {
		stated -= age
	}
	return min(max(stated, shortest), longest)
}

// parseCacheControl reads the freshness that Cache-Control fields state (RFC 9111 §5.2); ok is false when they
// state none. Of several max-age directives the shortest counts. No-cache, no-store and an unreadable max-age mean
// zero. s-maxage is for shared caches and not read.
func parseCacheControl(fields []string) (fresh time.Duration, ok bool) {
	for _, field := range fields {
		for field != "" {
			var name, value string
			name, value, field = nextDirective(field)
			age := time.Duration(0)
			switch strings.ToLower(name) {
			case "max-age":
				age, _ = parseSeconds(value)
			case "no-cache", "no-store":
			default:
				continue
			}
			if !ok || age < fresh {
				fresh, ok = age, true
			}
		}
	}
	return fresh, ok
}

// nextDirective cuts the first directive off a field. A comma in a quoted value does not end it.
func nextDirective(field string) (name, value, rest string) {
	end, quoted := len(field), false
scan:
	for i := 0; i < len(field); i++ {
		switch c := field[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == ',' && !quoted:
			end = i
			break scan
		}
	}
	if end < len(field) {
		rest = field[end+1:]
	}
	name, value, _ = strings.Cut(field[:end], "=")
	return strings.Trim(name, " \t"), strings.Trim(value, " \t"), rest
}

// parseSeconds reads delta-seconds, quoted or not (RFC 9111 §5.2: recipients ought to accept both).
func parseSeconds(s string) (d time.Duration, ok bool) {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n > maxSeconds {
		n = maxSeconds
	}
	return time.Duration(n) * time.Second, true
}
