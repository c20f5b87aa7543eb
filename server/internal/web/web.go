// Package web is what the HTTP packages share: strict request bodies, and answers
// in one form. It knows the issuer's domain errors, and no endpoint.
package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/telemetry"
)

// CursorHeader says up to where in the revocation log verifiers have to know the rules.
const CursorHeader = jothttp.CursorHeader

// NoStore keeps an answer out of every cache, as RFC 6749 §5.1 asks of tokens.
func NoStore(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
}

// WriteJSON answers with v as JSON and a newline. It panics when v doesn't encode, which is a
// fault of this program: whoever logs requests answers with 500.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	writeJSON(w, status, "application/json", v)
}

func writeJSON(w http.ResponseWriter, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("web: an answer can't be encoded: %v", err))
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}

// RequestID answers the ID under which the log has the request that is being answered; "" where nothing logs it.
func RequestID(w http.ResponseWriter) string { return w.Header().Get(telemetry.RequestIDHeader) }

// ParseScope splits a scope into its tokens (RFC 6749 §3.3); an empty one is nil. The
// issuer judges them.
func ParseScope(scope string) []string {
	if scope == "" {
		return nil
	}
	return strings.Split(scope, " ")
}

// plainPath is a path that reads the same in a request, a cookie and a pattern of http.ServeMux.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`)

// BasePath returns the path of an issuer's URL, without a slash at its end, which is the
// prefix of every route. It refuses one that doesn't consist of plain segments, and one below
// /.well-known, which belongs to the host.
func BasePath(issuerURL string) (string, error) {
	u, err := url.Parse(issuerURL)
	if err != nil {
		return "", fmt.Errorf("issuer URL: %w", err)
	}
	base := strings.TrimSuffix(u.EscapedPath(), "/")
	if !plainPath.MatchString(base) || base != "" && path.Clean(base) != base {
		return "", fmt.Errorf("issuer URL: its path %q can't be served; use segments of letters, digits and - . _ ~", base)
	}
	if strings.HasPrefix(base+"/", "/.well-known/") {
		return "", fmt.Errorf("issuer URL: its path %q is below /.well-known; choose another", base)
	}
	return base, nil
}

// Handle registers a handler for a route, a method and a path such as "GET /v1/me", below
// a base path.
func Handle(mux *http.ServeMux, base, route string, h http.Handler) {
	method, path, _ := strings.Cut(route, " ")
	mux.Handle(method+" "+base+path, h)
}

// Problems serves mux, and answers with a problem document where mux has no route (404) or none for the method (405,
// with Allow). A path that isn't clean is a 404 too: ServeMux would redirect it, which repeats the request's words and
// lets a proxy before it read another path than this server. So is one that isn't UTF-8 or has control characters,
// which no name has and no database takes.
func Problems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 {
			// It may have stated a length as well, which net/http hides: whoever reads that one would take
			// the rest of the connection for something else (RFC 9112 §6.1).
			w.Header().Set("Connection", "close")
		}
		if !isClean(r.URL.EscapedPath()) || !IsText(r.URL.Path) {
			WriteProblem(w, NewProblem(http.StatusNotFound, ""))
			return
		}
		found, pattern := mux.Handler(r)
		switch {
		case pattern == "":
			found.ServeHTTP(problemWriter{w}, r)
		case strings.Contains(pattern, "{"): // mux finds it once more, with what the wildcards stand for
			mux.ServeHTTP(w, r)
		default:
			r.Pattern = pattern
			found.ServeHTTP(w, r)
		}
	})
}

// isClean reports whether a path begins with a slash and has no empty segment, "." or "..".
func isClean(p string) bool {
	return p == "/" || strings.HasPrefix(p, "/") && path.Clean(p) == strings.TrimSuffix(p, "/")
}

// problemWriter puts a problem document in the place of a body in plain text.
type problemWriter struct{ http.ResponseWriter }

func (w problemWriter) WriteHeader(status int) {
	WriteProblem(w.ResponseWriter, NewProblem(status, ""))
}

func (w problemWriter) Write(text []byte) (int, error) { return len(text), nil }
