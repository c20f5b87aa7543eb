package forward

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/jot-auth/jot"
)

// caller is what the API behind the proxy is told of whoever calls.
type caller struct{ subject, client, session, scope string }

func callerOf(token *jot.Token) caller {
	return caller{token.Subject(), token.ClientID(), token.SessionID(), token.Scope()}
}

// write sets every header, also one that has nothing to say: a proxy that copies what it's given would else let through
// what its client made up.
func (c caller) write(h http.Header) {
	h.Set("X-Jot-Subject", escaped(c.subject))
	h.Set("X-Jot-Client", escaped(c.client))
	h.Set("X-Jot-Session", escaped(c.session))
	h.Set("X-Jot-Scope", strings.ReplaceAll(escaped(c.scope), "%20", " "))
}

// escaped percent-encodes all but visible ASCII, and the percent sign: two names that differ in white space at their
// ends, or in what a proxy reads otherwise, stay two.
func escaped(text string) string {
	var b strings.Builder
	for n := range len(text) {
		if c := text[n]; c <= ' ' || c > '~' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
