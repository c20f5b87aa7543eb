package jothttp

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/jot-auth/jot"
)

var (
	errNoToken     = errors.New("jothttp: the request carries no token")
	errBadRequest  = errors.New("jothttp: malformed credentials")
	errCrossOrigin = errors.New("jothttp: cross-origin request with a cookie")
)

// credentials finds the request's one token.
func (g *guard) credentials(r *http.Request) (string, error) {
	token, err := bearer(r.Header.Values("Authorization"), g.MaxSize)
	if err != nil || g.Cookie == "" {
		return token, orNone(token, err)
	}
	cookie, err := g.cookie(r)
	if err != nil {
		return "", err
	}
	if cookie == "" {
		return token, orNone(token, nil)
	}
	if token != "" {
		return "", fmt.Errorf("%w: a cookie and an Authorization header: send one", errBadRequest)
	}
	if err := g.checkOrigin(r); err != nil {
		return "", err
	}
	return cookie, nil
}

// orNone is err, or errNoToken when there is neither an error nor a token.
func orNone(token string, err error) error {
	if err == nil && token == "" {
		return errNoToken
	}
	return err
}

// bearer reads the token of the Authorization header (RFC 6750 section 2.1, RFC 9110 section 11.4). It is empty when
// there is no such header, or one of another scheme, which then is somebody else's.
func bearer(fields []string, maxSize int) (string, error) {
	if len(fields) == 0 {
		return "", nil
	}
	if len(fields) > 1 {
		return "", fmt.Errorf("%w: %d Authorization headers: send one", errBadRequest, len(fields))
	}
	scheme, token, _ := strings.Cut(fields[0], " ")
	if !isHTTPToken(scheme) {
		return "", fmt.Errorf("%w: the Authorization header has no scheme", errBadRequest)
	}
	if !strings.EqualFold(scheme, "Bearer") {
		return "", nil
	}
	token = strings.TrimLeft(token, " ")
	if len(token) > maxSize {
		return "", fmt.Errorf("jothttp: %w", jot.ErrTooLarge)
	}
	if !isB64Token(token) {
		return "", fmt.Errorf("%w: what follows Bearer is not one token", errBadRequest)
	}
	return token, nil
}

// cookie reads the token's cookie. An empty one, as some programs leave it at logout, counts as none.
func (g *guard) cookie(r *http.Request) (string, error) {
	cookies := r.CookiesNamed(g.Cookie)
	if len(cookies) == 0 {
		return "", nil
	}
	if len(cookies) > 1 {
		return "", fmt.Errorf("%w: %d cookies of one name", errBadRequest, len(cookies))
	}
	if len(cookies[0].Value) > g.MaxSize {
		return "", fmt.Errorf("jothttp: %w", jot.ErrTooLarge)
	}
	return cookies[0].Value, nil
}

// checkOrigin refuses an unsafe request that another site made a browser send. A protocol upgrade counts as unsafe
// although its method is GET: a web socket carries commands, and no CORS rule stands before it.
func (g *guard) checkOrigin(r *http.Request) error {
	if r.Header.Get("Upgrade") != "" {
		posted := *r
		posted.Method = http.MethodPost
		r = &posted
	}
	if err := g.CrossOrigin.Check(r); err != nil {
		return fmt.Errorf("%w: %w", errCrossOrigin, err)
	}
	return nil
}

// isB64Token checks 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=".
func isB64Token(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		if !alphanumeric(s[i]) && strings.IndexByte("-._~+/", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// isHTTPToken checks the token of RFC 9110 section 5.6.2.
func isHTTPToken(s string) bool {
	for i := range len(s) {
		if !alphanumeric(s[i]) && strings.IndexByte("!#$%&'*+-.^_`|~", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// quotable says whether s can stand in a quoted string without escapes (RFC 6749 appendix A.7, RFC 9110 section 5.6.4).
func quotable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return true
}
