package web

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestDocument: it comes whole, in part or not at all, as it's asked for, and caches know what to do with it.
func TestDocument(t *testing.T) {
	const text = `{"keys":[]}`
	d := NewDocument("application/jwk-set+json", []byte(text), 10*time.Minute)
	ask := func(method, name, value string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/", nil)
		if name != "" {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		return w
	}
	tag := ask("GET", "", "").Header().Get("ETag")
	if other := NewDocument("application/jwk-set+json", []byte(text+" "), 0); len(tag) < 20 || other.header.Get("ETag") == tag {
		t.Errorf("entity tags %q and %q", tag, other.header.Get("ETag"))
	}
	for _, c := range []struct {
		method, name, value string
		status              int
		body, length        string
	}{
		{"GET", "", "", 200, text, "11"},
		{"HEAD", "", "", 200, "", "11"},
		{"GET", "If-None-Match", tag, 304, "", ""},
		{"HEAD", "If-None-Match", tag, 304, "", ""},
		{"GET", "If-None-Match", `"x"`, 200, text, "11"},
		{"GET", "If-Match", `"x"`, 412, "", ""},
		{"GET", "Range", "bytes=0-1", 206, `{"`, "2"},
	} {
		w := ask(c.method, c.name, c.value)
		h := w.Header()
		if w.Code != c.status || w.Body.String() != c.body || h.Get("Content-Length") != c.length {
			t.Errorf("%s with %s %s: %d %v %s", c.method, c.name, c.value, w.Code, h, w.Body)
		}
		if h.Get("ETag") != tag || h.Get("Cache-Control") != "public, max-age=600" || h.Get("X-Content-Type-Options") != "nosniff" ||
			w.Code == http.StatusOK && h.Get("Content-Type") != "application/jwk-set+json" {
			t.Errorf("%s with %s %s: %v", c.method, c.name, c.value, h)
		}
	}
}
