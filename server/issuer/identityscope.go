package issuer

import (
	"slices"
	"strings"
)

// The scopes of OpenID Connect (Core 1.0 §5.4 and §11). They are about the person rather than about an API, so that
// every client may ask for them at the authorization endpoint. A resource that declares one of these names means its
// own.
const (
	scopeOpenID  = "openid"
	scopeProfile = "profile"
	scopeEmail   = "email"
	scopeOffline = "offline_access"
)

// IdentityScopes are the scopes of OpenID Connect that the authorization endpoint knows.
func IdentityScopes() []string {
	return []string{scopeOpenID, scopeProfile, scopeEmail, scopeOffline}
}

// isIdentity reports whether a scope, asked for with a resource, is one of OpenID Connect.
func isIdentity(scope string, resource *Resource) bool {
	return slices.Contains(IdentityScopes(), scope) && !slices.Contains(resource.Scopes, scope)
}

// apart parts a scope in that of OpenID Connect and that of the resource.
func apart(scope []string, resource *Resource) (identity, own []string) {
	for _, token := range scope {
		if isIdentity(token, resource) {
			identity = append(identity, token)
		} else {
			own = append(own, token)
		}
	}
	return identity, own
}

// authorizedScope decides what an authorization request gets, as grantScope does for a login.
func authorizedScope(requested []string, client *Client, resource *Resource, subject *Subject) ([]string, error) {
	if checkScope(requested) != nil {
		return nil, ErrInvalidScope
	}
	identity, own := apart(requested, resource)
	if requested != nil && own == nil {
		return identity, nil
	}
	granted, err := grantScope(own, client, resource, subject.Scope)
	return append(identity, granted...), err
}

func join(scope []string) string { return strings.Join(scope, " ") }
