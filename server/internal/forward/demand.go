package forward

import (
	"net/http"
	"strings"

	"github.com/jot-auth/jot/server/internal/web"
)

// maxScopes bounds the scopes that one location asks for.
const maxScopes = 64

// demand is what a proxy's configuration asks of a token. It stands in the address that the proxy calls, which its clients can't change.
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
	for _, scope := range d.scopes {
		if scope == "" || strings.ContainsFunc(scope, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }) || len(d.scopes) > maxScopes {
			return demand{}, web.NewProblem(http.StatusBadRequest, "the scope is malformed")
		}
	}
	return d, nil
}
