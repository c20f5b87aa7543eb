package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/jot-auth/jot/server/internal/loopback"
)

// What a page of another origin may send and read, and how long a browser may remember that.
const (
	corsMethods = "GET, POST, PUT, PATCH, DELETE"
	corsHeaders = "Authorization, Content-Type, DPoP"
	corsExposed = "DPoP-Nonce, Jot-Cursor, Jot-Refresh, Jot-Request-Id, Retry-After, WWW-Authenticate"
	corsMaxAge  = "600" // seconds
)

// corsPaths are those outside of /v1 that a client in a page asks, without cookies.
var corsPaths = []string{"/oauth2/token", "/oauth2/revoke", "/userinfo"}

// CORS says which origins of pages may use the endpoints from a browser. The zero value allows none, but for the public
// documents below /.well-known, which every page may read.
type CORS struct {
	Base    string   // path of the issuer's URL
	Origins []string // exactly as browsers send them: https://app.example.com
}

// ValidateOrigins says which of the origins isn't one, or isn't safe.
func ValidateOrigins(origins []string) error {
	var errs []error
	for _, origin := range origins {
		if err := checkOrigin(origin); err != nil {
			errs = append(errs, fmt.Errorf("CORS origin %.128q %w", origin, err))
		}
	}
	return errors.Join(errs...)
}

func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	switch {
	case strings.Contains(origin, "*"):
		return errors.New("is a pattern: list each origin, a page that you don't know could use a person's session")
	case origin == "null":
		return errors.New("is every sandboxed page and local file: list real origins")
	case err != nil || u.Host == "" || u.Scheme == "":
		return errors.New("isn't one: write it as https://app.example.com")
	case origin != u.Scheme+"://"+u.Host || origin != strings.ToLower(origin):
		return errors.New("is more than a scheme, a host and a port, in lower case: no page would ever match it")
	case strings.HasSuffix(u.Host, ":") || strings.HasPrefix(u.Port(), "0") || strings.ContainsFunc(u.Host, func(r rune) bool { return r > unicode.MaxASCII }):
		return errors.New("isn't what a browser sends: write the name in ASCII (xn--...), and the port without zeros in front")
	case u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80":
		return errors.New("states the default port, which browsers leave out")
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback.Names(u.Hostname())):
		return errors.New("isn't https: whoever is on the way could change the page")
	}
	return nil
}

// Handler answers preflights, and tells browsers which answers a page may read.
func (c CORS) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, below := strings.CutPrefix(r.URL.Path, c.Base)
		preflight := r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
		switch {
		case below && strings.HasPrefix(path, "/v1/"), below && slices.Contains(corsPaths, path):
			allowed := c.allow(w, r, strings.HasPrefix(path, "/v1/"))
			if preflight {
				answerPreflight(w, allowed)
				return
			}
		case strings.HasPrefix(path, "/.well-known/"), strings.HasPrefix(r.URL.Path, "/.well-known/"):
			w.Header().Set("Access-Control-Allow-Origin", "*") // public, and the same for everybody
			if preflight {
				answerPreflight(w, true)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// allow lets pages of a listed origin read the answer. Caches keep the answers to different origins apart, also those
// to none.
func (c CORS) allow(w http.ResponseWriter, r *http.Request, credentials bool) bool {
	header := w.Header()
	header.Add("Vary", "Origin")
	stated := r.Header.Values("Origin")
	if len(stated) != 1 || !slices.Contains(c.Origins, stated[0]) {
		return false
	}
	header.Set("Access-Control-Allow-Origin", stated[0])
	header.Set("Access-Control-Expose-Headers", corsExposed)
	if credentials {
		header.Set("Access-Control-Allow-Credentials", "true") // the cookies of POST /v1/login
	}
	return true
}

func answerPreflight(w http.ResponseWriter, allowed bool) {
	header := w.Header()
	header.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	if !allowed {
		WriteProblem(w, NewProblem(http.StatusForbidden, "this origin is not listed"))
		return
	}
	header.Set("Access-Control-Allow-Methods", corsMethods)
	header.Set("Access-Control-Allow-Headers", corsHeaders)
	header.Set("Access-Control-Max-Age", corsMaxAge)
	w.WriteHeader(http.StatusNoContent)
}
