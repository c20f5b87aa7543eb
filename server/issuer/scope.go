package issuer

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxScopes    = 64
	maxScopeSize = 64
)

// checkScope refuses a scope that isn't a list of distinct scope tokens (RFC 6749 §3.3), bounded in number and size.
func checkScope(scope []string) error {
	if len(scope) > maxScopes {
		return &InputError{"scope", "must name at most 64 scopes"}
	}
	for n, token := range scope {
		if !isScopeToken(token) {
			return &InputError{"scope", `must consist of scopes of 1 to 64 printable ASCII characters without space, " and \`}
		}
		if slices.Contains(scope[:n], token) {
			return &InputError{"scope", "must not name a scope twice"}
		}
	}
	return nil
}

func isScopeToken(token string) bool {
	for n := range len(token) {
		if c := token[n]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return token != "" && len(token) <= maxScopeSize
}

// grantScope decides what a login gets. A nil request asks for everything; a request for something that the client or
// the resource doesn't know is ErrInvalidScope, since that is a mistake in a program; what the subject doesn't have as
// its own is left out.
func grantScope(requested []string, client *Client, resource *Resource, own []string) ([]string, error) {
	if requested == nil {
		return intersect(resource.Scopes, client.Scopes, own), nil
	}
	if checkScope(requested) != nil || len(intersect(requested, client.Scopes, resource.Scopes)) < len(requested) {
		return nil, ErrInvalidScope
	}
	return intersect(requested, own), nil
}

// narrowScope decides what one refreshed access token gets (RFC 6749 §6). A nil request asks for the session's scope;
// more than that is ErrInvalidScope. What client, resource or subject have lost since the login is left out.
func narrowScope(requested []string, session *Session, client *Client, resource *Resource, subject *Subject) ([]string, error) {
	if requested == nil {
		requested = session.Scope
	}
	if checkScope(requested) != nil || len(intersect(requested, session.Scope)) < len(requested) {
		return nil, ErrInvalidScope
	}
	identity, own := apart(requested, resource)
	return append(identity, intersect(own, client.Scopes, resource.Scopes, subject.Scope)...), nil
}

// intersect returns what stands in every list, in the order of the first.
func intersect(first []string, others ...[]string) []string {
	common := make([]string, 0, len(first))
	for _, token := range first {
		if !slices.ContainsFunc(others, func(other []string) bool { return !slices.Contains(other, token) }) {
			common = append(common, token)
		}
	}
	return common
}

// checkName refuses an identifier that isn't 1 to 255 bytes of UTF-8 without control characters.
func checkName(field, name string) error {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return &InputError{field, "must be 1 to 255 bytes of UTF-8 without control characters"}
	}
	return nil
}
