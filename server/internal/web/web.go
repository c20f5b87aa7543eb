// Package web is what the HTTP packages share: strict request bodies and credentials,
// and answers in one form. It knows the issuer's domain errors, and no endpoint.
package web

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// NoStore keeps an answer out of every cache, as RFC 6749 section 5.1 asks of tokens.
func NoStore(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
}

// WriteJSON answers with v as JSON. A v that doesn't encode is a fault of this program
// and answered with 500.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	writeJSON(w, status, "application/json", v)
}

func writeJSON(w http.ResponseWriter, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		slog.Error("answer could not be encoded", slog.Any("error", err))
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(body)
}

// ClientAddress answers the host that the connection comes from, without its port.
func ClientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// BasePath answers the path of an issuer's URL, without a slash at its end, which is the
// prefix of every route. It refuses a path that a request can't have or that http.ServeMux
// would read as a pattern.
func BasePath(issuerURL string) (string, error) {
	u, err := url.Parse(issuerURL)
	if err != nil {
		return "", fmt.Errorf("issuer URL: %w", err)
	}
	base := strings.TrimSuffix(u.Path, "/")
	if base != "" && (path.Clean(base) != base || base[0] != '/' || strings.ContainsAny(base, "{}% ")) {
		return "", fmt.Errorf("issuer URL: its path %q can't be served; use plain segments", u.Path)
	}
	return base, nil
}

// Handle registers a handler for a route, a method and a path such as "GET /v1/me", below
// a base path.
func Handle(mux *http.ServeMux, base, route string, h http.Handler) {
	method, path, _ := strings.Cut(route, " ")
	mux.Handle(method+" "+base+path, h)
}
