package jothttp

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/jot-auth/jot"
)

var (
	// ErrBadRequest is a request whose credentials are malformed, or more than one: answer it with 400.
	ErrBadRequest = errors.New("jothttp: malformed credentials")
	// ErrNoToken is a request without a token: for [Options.OnRefuse], which may want to say nothing of those.
	ErrNoToken = errors.New("jothttp: the request carries no token")
	// ErrCrossOrigin is a request with a cookie that a page of another site made a browser send: for
	// [Options.OnRefuse].
	ErrCrossOrigin = errors.New("jothttp: cross-origin request with a cookie")
)

// Credential finds the one token of a request, as [Protect] does: in the Authorization header, as "Bearer" and a token
// (RFC 6750 §2.1), or in the cookie of this name; "" stands for no cookie. The token is "" when there is none, and
// hasn't been verified. A malformed one, and more than one, is [ErrBadRequest]; one of more than maxSize bytes is
// [jot.ErrTooLarge], where zero means 16 KiB.
//
// It is for credentials that no [jot.Verifier] checks. Who accepts a cookie has to refuse requests from other sites, as
// [http.CrossOriginProtection] does.
func Credential(r *http.Request, cookie string, maxSize int) (string, error) {
	found, err := credential(r, cookie, maxSize, schemeBearer)
	return found.token, err
}

// The schemes of the Authorization header.
const (
	schemeBearer = "Bearer" // RFC 6750 §2.1
	schemeDPoP   = "DPoP"   // RFC 9449 §7.1
)

// found is the one token of a request.
type found struct {
	token    string
	scheme   string // schemeBearer also of a cookie's, and where there is none
	inCookie bool
}

// credential is Credential for the schemes that are taken.
func credential(r *http.Request, name string, maxSize int, schemes ...string) (found, error) {
	if maxSize <= 0 {
		maxSize = defaultMaxSize
	}
	f, err := readAuthorization(r.Header.Values("Authorization"), maxSize, schemes)
	if err != nil || name == "" {
		return f, err
	}
	cookie, err := readCookie(r, name, maxSize)
	switch {
	case err != nil || cookie == "":
		return f, err
	case f.token != "":
		return found{scheme: f.scheme}, fmt.Errorf("%w: a cookie and an Authorization header: send one", ErrBadRequest)
	}
	return found{token: cookie, scheme: schemeBearer, inCookie: true}, nil
}

// credentials finds the request's token, and refuses it when another site sent it.
func (g *guard) credentials(r *http.Request) (found, error) {
	schemes := []string{schemeBearer, schemeDPoP}
	if g.DPoP == nil {
		schemes = schemes[:1]
	}
	f, err := credential(r, g.Cookie, g.MaxSize, schemes...)
	switch {
	case err != nil:
		return f, err
	case f.token == "":
		return f, ErrNoToken
	case f.inCookie:
		return f, g.checkOrigin(r)
	}
	return f, nil
}

// readAuthorization reads the token of the Authorization header (RFC 6750 §2.1, RFC 9110 §11.4). It is empty when there
// is no such header, or one of another scheme, which then is somebody else's. A single word is neither: most likely a
// token whose scheme was forgotten.
func readAuthorization(fields []string, maxSize int, schemes []string) (found, error) {
	f := found{scheme: schemeBearer}
	if len(fields) == 0 {
		return f, nil
	}
	if len(fields) > 1 {
		return f, fmt.Errorf("%w: %d Authorization headers: send one", ErrBadRequest, len(fields))
	}
	scheme, token, separated := strings.Cut(fields[0], " ")
	if !separated || !isHTTPToken(scheme) {
		return f, fmt.Errorf("%w: the Authorization header is not a scheme and a token", ErrBadRequest)
	}
	taken := slices.IndexFunc(schemes, func(s string) bool { return strings.EqualFold(s, scheme) })
	if taken < 0 {
		return f, nil
	}
	f.scheme, token = schemes[taken], strings.TrimLeft(token, " ")
	if len(token) > maxSize {
		return f, fmt.Errorf("jothttp: %w", jot.ErrTooLarge)
	}
	if !isB64Token(token) {
		return f, fmt.Errorf("%w: what follows %s is not one token", ErrBadRequest, f.scheme)
	}
	f.token = token
	return f, nil
}

// readCookie reads a token's cookie. An empty one, as some programs leave it at logout, counts as none.
func readCookie(r *http.Request, name string, maxSize int) (string, error) {
	sent, cookies := cookiesSent(r.Header, name), r.CookiesNamed(name)
	switch {
	case sent == 0:
		return "", nil
	case sent > 1:
		return "", fmt.Errorf("%w: %d cookies of one name", ErrBadRequest, sent)
	case len(cookies) != 1:
		return "", fmt.Errorf("%w: the cookie %s can't be read", ErrBadRequest, name)
	case len(cookies[0].Value) > maxSize:
		return "", fmt.Errorf("jothttp: %w", jot.ErrTooLarge)
	}
	return cookies[0].Value, nil
}

// cookiesSent counts the cookies of a name (RFC 6265 §4.2.1), also those that net/http passes over for what is in them:
// another reader of the request may take such a one for the token.
func cookiesSent(h http.Header, name string) (n int) {
	for _, line := range h.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			if sent, _, _ := strings.Cut(pair, "="); strings.Trim(sent, " \t") == name {
				n++
			}
		}
	}
	return n
}

// checkOrigin refuses an unsafe request that another site made a browser send. A protocol upgrade counts as unsafe
// although its method is GET: a web socket carries commands, and no CORS rule stands before it.
func (g *guard) checkOrigin(r *http.Request) error {
	if len(r.Header.Values("Upgrade")) > 0 {
		posted := *r
		posted.Method = http.MethodPost
		r = &posted
	}
	if err := g.CrossOrigin.Check(r); err != nil {
		return fmt.Errorf("%w: %w", ErrCrossOrigin, err)
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

// isHTTPToken checks the token of RFC 9110 §5.6.2.
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

// quotable reports whether s can stand in a quoted string without escapes (RFC 6749 appendix A.7, RFC 9110 §5.6.4).
func quotable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return true
}
