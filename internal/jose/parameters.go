package jose

import (
	"slices"
	"strings"
)

// registered are the header parameters of RFC 7515 §4.1, RFC 7516 §4.1 and RFC 7518 §4.
var registered = []string{
	"alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit",
	"enc", "zip", "epk", "apu", "apv", "iv", "tag", "p2s", "p2c",
}

// IsRegistered reports whether a header parameter is one of the RFCs' own, and so never an extension (RFC 7515
// §4.1.11).
func IsRegistered(name string) bool { return slices.Contains(registered, name) }

// IsReserved reports whether a header parameter isn't free to be set by a caller: it's registered, or "b64" (RFC 7797
// §3), in whichever letter case.
func IsReserved(name string) bool {
	return strings.EqualFold(name, "b64") || slices.ContainsFunc(registered, func(r string) bool { return strings.EqualFold(r, name) })
}
