package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

func TestFail(t *testing.T) {
	for name, c := range map[string]struct {
		err        error
		status     int
		kind       string
		challenge  string
		retryAfter string
	}{
		"problem":       {NewProblem(415, ""), 415, "about:blank", "", ""},
		"input":         {&issuer.InputError{Field: "username", Reason: "must be short"}, 400, TypeInvalidInput, "", ""},
		"credentials":   {issuer.ErrInvalidCredentials, 401, TypeInvalidCredentials, `Bearer realm="jot"`, ""},
		"grant":         {issuer.ErrInvalidGrant, 401, TypeInvalidGrant, `Bearer realm="jot"`, ""},
		"scope":         {issuer.ErrInvalidScope, 400, TypeInvalidScope, "", ""},
		"target":        {issuer.ErrInvalidTarget, 400, TypeInvalidTarget, "", ""},
		"taken":         {issuer.ErrTaken, 409, TypeTaken, "", ""},
		"not found":     {issuer.ErrNotFound, 404, "about:blank", "", ""},
		"busy":          {issuer.ErrBusy, 503, "about:blank", "", "1"},
		"unavailable":   {issuer.ErrUnavailable, 503, "about:blank", "", "5"},
		"no key source": {jot.ErrUnavailable, 503, "about:blank", "", "5"},
		"timed out":     {context.DeadlineExceeded, 503, "about:blank", "", "5"},
		"bad token":     {jot.ErrSignature, 401, "about:blank", `Bearer realm="jot", error="invalid_token"`, ""},
		"stale claims":  {jot.ErrStaleClaims, 401, "about:blank", `Bearer realm="jot", error="invalid_token", error_description="stale claims"`, ""},
		"two headers":   {invalidRequest("two"), 400, "about:blank", `Bearer realm="jot", error="invalid_request"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, err := range []error{c.err, fmt.Errorf("wrapped with internals: %w", c.err)} {
				w := httptest.NewRecorder()
				WithLogger(slog.New(slog.DiscardHandler), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					Fail(w, r, err)
				})).ServeHTTP(w, httptest.NewRequest("POST", "/", nil))
				var p Problem
				if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
					t.Fatal(err)
				}
				h := w.Header()
				if w.Code != c.status || p.Status != c.status || p.Type != c.kind || p.Title == "" {
					t.Errorf("%d with %+v", w.Code, p)
				}
				if h.Get("WWW-Authenticate") != c.challenge || h.Get("Retry-After") != c.retryAfter ||
					h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/problem+json" {
					t.Errorf("header %v", h)
				}
				if strings.Contains(w.Body.String(), "internals") {
					t.Errorf("%s shows internals", w.Body)
				}
			}
		})
	}
}

// TestFailHidesUnknownErrors logs them, to the logger that was injected, and shows nothing.
func TestFailHidesUnknownErrors(t *testing.T) {
	var log bytes.Buffer
	mux := http.NewServeMux()
	Handle(mux, "/base", "GET /v1/{name}", WithLogger(slog.New(slog.NewTextHandler(&log, nil)),
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { Fail(w, r, errors.New("disk on fire")) })))
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/base/v1/private?token=hidden", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "fire") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "disk on fire") || !strings.Contains(log.String(), "/base/v1/{name}") ||
		strings.Contains(log.String(), "private") || strings.Contains(log.String(), "hidden") {
		t.Errorf("log: %s", &log)
	}
}

func TestCredential(t *testing.T) {
	for name, c := range map[string]struct {
		authorization []string
		cookies       []string
		want          string
		status        int
	}{
		"none":                {nil, nil, "", 0},
		"bearer":              {[]string{"Bearer tok"}, nil, "tok", 0},
		"scheme in any case":  {[]string{"bEARER tok"}, nil, "tok", 0},
		"cookie":              {nil, []string{"c=tok"}, "tok", 0},
		"another cookie":      {nil, []string{"d=tok"}, "", 0},
		"another scheme":      {[]string{"Basic dTpw"}, nil, "", 0},
		"scheme and cookie":   {[]string{"Basic dTpw"}, []string{"c=tok"}, "tok", 0},
		"empty bearer":        {[]string{"Bearer "}, nil, "", 400},
		"bare scheme":         {[]string{"Bearer"}, nil, "", 400},
		"two headers":         {[]string{"Bearer tok", "Bearer tok"}, nil, "", 400},
		"two schemes":         {[]string{"Bearer tok", "Basic dTpw"}, nil, "", 400},
		"bearer and cookie":   {[]string{"Bearer tok"}, []string{"c=tok"}, "", 400},
		"two cookies":         {nil, []string{"c=tok; c=kot"}, "", 400},
		"two cookie headers":  {nil, []string{"c=tok", "c=kot"}, "", 400},
		"bearer, two cookies": {[]string{"Bearer tok"}, []string{"c=tok; c=kot"}, "", 400},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			for _, v := range c.authorization {
				r.Header.Add("Authorization", v)
			}
			for _, v := range c.cookies {
				r.Header.Add("Cookie", v)
			}
			got, err := Credential(r, "c")
			if got != c.want || statusOf(t, err) != c.status {
				t.Errorf("Credential = %q, %v", got, err)
			}
		})
	}
}

func TestParseScope(t *testing.T) {
	if got, err := ParseScope("pets:read pets:write"); err != nil || fmt.Sprint(got) != "[pets:read pets:write]" {
		t.Errorf("ParseScope = %v, %v", got, err)
	}
	if got, err := ParseScope(""); got != nil || err != nil {
		t.Errorf("ParseScope of nothing = %v, %v", got, err)
	}
	for _, scope := range []string{" ", " a", "a ", "a  b", "a\tb", "a\x00", `a"`, `a\b`, "é", "a a", strings.Repeat("a", maxScope+1)} {
		if got, err := ParseScope(scope); err != issuer.ErrInvalidScope {
			t.Errorf("ParseScope(%q) = %v, %v", scope, got, err)
		}
	}
}

func TestClientAddress(t *testing.T) {
	for remote, want := range map[string]string{"192.0.2.1:1234": "192.0.2.1", "[2001:db8::1]:1234": "2001:db8::1", "@": "@"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = remote
		if got := ClientAddress(r); got != want {
			t.Errorf("ClientAddress of %q = %q", remote, got)
		}
	}
}

func TestBasePath(t *testing.T) {
	for url, want := range map[string]string{
		"https://auth.example.com": "", "https://auth.example.com/": "",
		"https://example.com/auth": "/auth", "https://example.com/a/b/": "/a/b",
	} {
		if got, err := BasePath(url); err != nil || got != want {
			t.Errorf("BasePath(%q) = %q, %v", url, got, err)
		}
	}
	for _, url := range []string{"https://example.com/a//b", "https://example.com/a/../b", "https://example.com/{x}", "https://example.com/%20", "auth", ":"} {
		if got, err := BasePath(url); err == nil {
			t.Errorf("BasePath(%q) = %q, accepted", url, got)
		}
	}
}

func TestWriteJSONOfWhatDoesNotEncode(t *testing.T) {
	w := httptest.NewRecorder()
	WriteJSON(w, 200, json.RawMessage("{"))
	if w.Code != 500 || strings.Contains(w.Body.String(), "{") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
