package jose

import "strings"

// IsMediaType reports whether a type is written as RFC 6838 §4.2 allows, roughly: printable ASCII without spaces.
func IsMediaType(t string) bool {
	return t != "" && !strings.ContainsFunc(t, func(c rune) bool { return c <= ' ' || c > '~' })
}

// SameType compares media types as RFC 7515 §4.1.9 shortens them: without regard to case, with or without
// "application/".
func SameType(a, b string) bool { return a == b || equalASCII(bareType(a), bareType(b)) }

// IsJWT reports whether a type is that of a JSON Web Token (RFC 7519 §5.1, RFC 8725 §3.11).
func IsJWT(t string) bool {
	const suffix = "+jwt"
	bare := bareType(t)
	return equalASCII(bare, "jwt") || len(bare) >= len(suffix) && equalASCII(bare[len(bare)-len(suffix):], suffix)
}

func bareType(t string) string {
	const prefix = "application/"
	if len(t) > len(prefix) && equalASCII(t[:len(prefix)], prefix) && !strings.Contains(t[len(prefix):], "/") {
		return t[len(prefix):]
	}
	return t
}

// equalASCII ignores the case of ASCII letters only: a media type has no others (RFC 6838 §4.2).
func equalASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
