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
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/telemetry"
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
		"throttled":     {&issuer.ThrottledError{RetryAfter: 1001 * time.Millisecond}, 429, TypeThrottled, "", "2"},
		"second factor": {&issuer.SecondFactorError{Challenge: "jlt_x"}, 403, TypeSecondFactor, "", ""},
		"wrong code":    {issuer.ErrFactor, 403, TypeFactor, "", ""},
		"passkey":       {issuer.ErrPasskey, 403, TypePasskey, "", ""},
		"no passkeys":   {issuer.ErrNoPasskeys, 403, TypeNoPasskeys, "", ""},
		"invitation":    {issuer.ErrInvitation, 403, TypeInvitation, "", ""},
		"code":          {issuer.ErrCode, 403, TypeCode, "", ""},
		"no mail":       {issuer.ErrNoMail, 403, TypeNoMail, "", ""},
		"no proof":      {issuer.ErrProofRequired, 400, "about:blank", "", ""},
		"bootstrap":     {issuer.ErrBootstrap, 403, TypeBootstrap, "", ""},
		"declared":      {issuer.ErrDeclared, 409, TypeDeclared, "", ""},
		"key limit":     {issuer.ErrKeyLimit, 409, TypeKeyLimit, "", ""},
		"client":        {issuer.ErrInvalidClient, 400, TypeInvalidClient, "", ""},
		"admin only":    {issuer.ErrAdminOnly, 403, TypeAdminOnly, "", ""},
		"last admin":    {issuer.ErrLastAdmin, 409, TypeLastAdmin, "", ""},
		"hung up":       {context.Canceled, 503, "about:blank", "", "5"},
		"bad request":   {InvalidRequest("x"), 400, "about:blank", `Bearer realm="jot", error="invalid_request"`, ""},
		"scope too low": {InsufficientScope("jot:admin", "x"), 403, "about:blank", `Bearer realm="jot", error="insufficient_scope", scope="jot:admin"`, ""},
		"login too old": {LoginTooOld(10 * time.Minute), 401, "about:blank",
			`Bearer realm="jot", error="insufficient_user_authentication", error_description="a more recent login is needed", max_age="600"`, ""},
		"login too weak": {LoginTooWeak("urn:x"), 401, "about:blank",
			`Bearer realm="jot", error="insufficient_user_authentication", error_description="a stronger login is needed", acr_values="urn:x"`, ""},
		"two headers": {jothttp.ErrBadRequest, 400, "about:blank", `Bearer realm="jot", error="invalid_request"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, err := range []error{c.err, fmt.Errorf("wrapped with internals: %w", c.err)} {
				w := httptest.NewRecorder()
				telemetry.LogRequests(slog.New(slog.DiscardHandler), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
					h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/problem+json" || h.Get("X-Content-Type-Options") != "nosniff" {
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
	Handle(mux, "/base", "GET /v1/{name}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Fail(w, r, errors.New("disk on fire"))
	}))
	w := httptest.NewRecorder()
	telemetry.LogRequests(slog.New(slog.NewTextHandler(&log, nil)), mux).ServeHTTP(w, httptest.NewRequest("GET", "/base/v1/private?token=hidden", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "fire") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "disk on fire") || strings.Count(log.String(), w.Header().Get(telemetry.RequestIDHeader)) != 2 || !strings.Contains(log.String(), "/base/v1/{name}") ||
		strings.Contains(log.String(), "private") || strings.Contains(log.String(), "hidden") {
		t.Errorf("log: %s", &log)
	}
}

// TestProblemOfHalfALogin has what the other half takes.
func TestProblemOfHalfALogin(t *testing.T) {
	half := &issuer.SecondFactorError{Challenge: "jlt_x", ExpiresIn: 4200 * time.Millisecond, Factors: []string{"totp", "passkey"}, Passkey: json.RawMessage(`{"x":1}`)}
	const want = `{"type":"urn:jot:problem:second-factor","title":"A second factor is needed","status":403,"challenge":"jlt_x","expires_in":5,"factors":["totp","passkey"],"passkey":{"x":1}}`
	if got, err := json.Marshal(ProblemOf(half)); err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
}

// TestFailLogsFaults: what the operator has to mend is in the log, and what clients do isn't.
func TestFailLogsFaults(t *testing.T) {
	for err, logged := range map[error]bool{
		issuer.ErrUnavailable: true, errors.New("disk on fire"): true, issuer.ErrBusy: false, context.DeadlineExceeded: false, issuer.ErrInvalidCredentials: false,
		jot.ErrSignature: false, NewProblem(415, ""): false,
	} {
		var log bytes.Buffer
		telemetry.LogRequests(slog.New(slog.NewTextHandler(&log, nil)), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			Fail(w, r, fmt.Errorf("with internals: %w", err))
		})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil))
		if got := strings.Contains(log.String(), "with internals"); got != logged {
			t.Errorf("%v is logged: %v", err, got)
		}
	}
}

func TestParseScope(t *testing.T) {
	for scope, want := range map[string][]string{"": nil, "a": {"a"}, "pets:read pets:write": {"pets:read", "pets:write"}, " a": {"", "a"}} {
		if got := ParseScope(scope); !slices.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("ParseScope(%q) = %q, want %q", scope, got, want)
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
		"https://example.com/auth": "/auth", "https://example.com/a/b/": "/a/b", "https://example.com/A-z_0.9~": "/A-z_0.9~",
		"https://example.com/.well-known-not": "/.well-known-not",
	} {
		if got, err := BasePath(url); err != nil || got != want {
			t.Errorf("BasePath(%q) = %q, %v", url, got, err)
		}
	}
	for _, url := range []string{"https://example.com/a//b", "https://example.com/a/../b", "https://example.com/{x}", "https://example.com/%20", "https://example.com/%41uth",
		"https://example.com/a;b", "https://example.com/é", "https://example.com/.well-known", "https://example.com/.well-known/jot", "auth", ":"} {
		if got, err := BasePath(url); err == nil {
			t.Errorf("BasePath(%q) = %q, accepted", url, got)
		}
	}
}

func TestWriteJSON(t *testing.T) {
	w := httptest.NewRecorder()
	WriteJSON(w, 201, map[string]int{"a": 1})
	if w.Code != 201 || w.Body.String() != "{\"a\":1}\n" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %v %q", w.Code, w.Header(), w.Body)
	}
}

// TestWriteJSONOfWhatDoesNotEncode is a fault that telemetry.LogRequests answers.
func TestWriteJSONOfWhatDoesNotEncode(t *testing.T) {
	w := httptest.NewRecorder()
	telemetry.LogRequests(slog.New(slog.DiscardHandler), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		WriteJSON(w, 200, json.RawMessage("{"))
	})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "{") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestChunksEndTheConnection: such a request may have stated a length as well, for another reader.
func TestChunksEndTheConnection(t *testing.T) {
	for _, codings := range [][]string{nil, {"chunked"}} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil)
		r.TransferEncoding = codings
		Problems(http.NewServeMux()).ServeHTTP(w, r)
		if closes := w.Header().Get("Connection") == "close"; closes != (codings != nil) {
			t.Errorf("%q: Connection %q", codings, w.Header().Get("Connection"))
		}
	}
}

func TestProblems(t *testing.T) {
	const notFound = `{"type":"about:blank","title":"Not Found","status":404}`
	mux := http.NewServeMux()
	Handle(mux, "/base", "POST /v1/{name}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		WriteJSON(w, 200, r.PathValue("name"))
	}))
	Handle(mux, "/base", "GET /v1/me", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { WriteJSON(w, 200, r.Pattern) }))
	for _, c := range []struct {
		method, path  string
		status        int
		allow, answer string
	}{
		{"POST", "/base/v1/x", 200, "", `"x"`},
		{"GET", "/base/v1/x", 405, "POST", `{"type":"about:blank","title":"Method Not Allowed","status":405}`},
		{"GET", "/base/v1/me", 200, "", `"GET /base/v1/me"`}, // what the log says
		{"GET", "/nowhere", 404, "", notFound},
		{"POST", "/base//v1/x", 404, "", notFound},
		{"POST", "//base/v1/x", 404, "", notFound},
		{"POST", "/base/./v1/x", 404, "", notFound},
		{"POST", "/base/v1/y/../x", 404, "", notFound},
		{"POST", "/base/v1/x/", 404, "", notFound},
		{"POST", "/base/v1/x//", 404, "", notFound},
		{"POST", "/base/v1/%00", 404, "", notFound},
		{"POST", "/base/v1/%ff", 404, "", notFound},
		{"OPTIONS", "*", 404, "", notFound},
	} {
		w := httptest.NewRecorder()
		Problems(mux).ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.status || w.Body.String() != c.answer+"\n" || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: %d %v %s", c.method, c.path, w.Code, w.Header(), w.Body)
		}
		if h := w.Header(); w.Code != 200 && (h.Get("Content-Type") != "application/problem+json" || h.Get("Cache-Control") != "no-store") {
			t.Errorf("%s %s: %v", c.method, c.path, h)
		}
	}
}
