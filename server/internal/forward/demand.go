package forward

import (
	"net/http"
	"slices"
	"strings"

	"github.com/jot-auth/jot/server/internal/web"
)

// Bounds of what one location asks for, which comes back in the challenge of a refusal. No resource has more scopes,
// nor longer ones.
const (
	maxScopes    = 64
	maxScopeSize = 64 // bytes of each
)

// demand is what a proxy's configuration asks of a token. It stands in the address that the proxy calls, which its
// clients can't change.
type demand struct {
	audience string
	scopes   []string // all of them
}

// readDemand reads it from the query: strictly, so that a mistake in the configuration opens nothing.
func readDemand(r *http.Request) (demand, error) {
	query, err := web.ParseQuery(r)
	if err != nil {
		return demand{}, err
	}
	for name := range query {
		if name != "audience" && name != "scope" {
			return demand{}, web.NewProblem(http.StatusBadRequest, "the query has a parameter other than audience and scope")
		}
	}
	d := demand{query.Get("audience"), web.ParseScope(query.Get("scope"))}
	if d.audience == "" {
		return demand{}, web.NewProblem(http.StatusBadRequest, "the query has no audience: name the API that the proxy protects")
	}
	if len(d.scopes) > maxScopes || !allTokens(d.scopes) {
		return demand{}, web.NewProblem(http.StatusBadRequest, "the scope is not a list of at most 64 scopes, each of 1 to 64 printable ASCII characters")
	}
	return d, nil
}

// allTokens reports whether each is a scope token (RFC 6749 §3.3) as a resource may have it.
func allTokens(scopes []string) bool {
	return !slices.ContainsFunc(scopes, func(scope string) bool {
		odd := strings.ContainsFunc(scope, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' })
		return scope == "" || len(scope) > maxScopeSize || odd
	})
}
