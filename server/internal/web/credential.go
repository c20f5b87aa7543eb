package web

import (
	"net/http"
	"strings"

	"github.com/jot-auth/jot/server/issuer"
)

// maxScope bounds a request's scope, in bytes.
const maxScope = 4096

// Credential answers the access token that a request bears in its Authorization header
// or in the named cookie, and "" when it bears none. More than one of them is a *Problem
// of status 400, for two parties could each believe another one (RFC 6750 section 2).
func Credential(r *http.Request, cookie string) (string, error) {
	bearer, err := bearerToken(r)
	if err != nil {
		return "", err
	}
	value, err := Cookie(r, cookie)
	if err != nil {
		return "", err
	}
	if bearer != "" && value != "" {
		return "", invalidRequest("use a bearer token or a cookie, not both")
	}
	return bearer + value, nil
}

// bearerToken answers the token of the Authorization header. A header of another scheme
// isn't a bearer token, and that's all.
func bearerToken(r *http.Request) (string, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) > 1 {
		return "", invalidRequest("the request has two Authorization headers")
	}
	if len(headers) == 0 {
		return "", nil
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", nil
	}
	token = strings.TrimLeft(token, " ")
	if token == "" {
		return "", invalidRequest("the bearer token is empty")
	}
	return token, nil
}

// Cookie answers the value of a cookie, "" when it is absent, and a *Problem of status
// 400 when it comes twice.
func Cookie(r *http.Request, name string) (string, error) {
	cookies := r.CookiesNamed(name)
	if len(cookies) > 1 {
		return "", NewProblem(http.StatusBadRequest, "the request has a doubled cookie")
	}
	if len(cookies) == 0 {
		return "", nil
	}
	return cookies[0].Value, nil
}

func invalidRequest(detail string) *Problem {
	p := NewProblem(http.StatusBadRequest, detail)
	p.challenge = `, error="invalid_request"`
	return p
}

// ParseScope splits a scope into its tokens (RFC 6749 section 3.3). An empty scope is
// nil; one that is malformed, doubled or too long is issuer.ErrInvalidScope.
func ParseScope(scope string) ([]string, error) {
	if scope == "" {
		return nil, nil
	}
	if len(scope) > maxScope {
		return nil, issuer.ErrInvalidScope
	}
	tokens := strings.Split(scope, " ")
	seen := make(map[string]bool, len(tokens))
	for _, token := range tokens {
		if token == "" || seen[token] || strings.ContainsFunc(token, notScope) {
			return nil, issuer.ErrInvalidScope
		}
		seen[token] = true
	}
	return tokens, nil
}

// notScope says whether c is outside NQCHAR (RFC 6749 appendix A).
func notScope(c rune) bool {
	return c < '!' || c > '~' || c == '"' || c == '\\'
}
