package telemetry_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/logtest"
	"github.com/jot-auth/jot/server/internal/telemetry"
)

func TestRequestsAreLogged(t *testing.T) {
	var log logtest.Buffer
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		telemetry.Logger(r.Context()).Info("from within", "sent", w.Header().Get(telemetry.RequestIDHeader))
		io.WriteString(w, "hello")
	})
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("out of luck") })
	mux.HandleFunc("GET /late", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "begun")
		panic("too late for a status")
	})
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error("a stream can't be flushed:", err)
		}
	})
	for path, status := range map[string]int{"/public": 200, "/missing": 404} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=60")
			w.WriteHeader(status)
		})
	}
	server := httptest.NewServer(telemetry.Requests{Logger: slog.New(slog.NewJSONHandler(&log, nil))}.Handler(mux))
	defer server.Close()

	tests := []struct {
		path   string
		status int
	}{{"/hello/grace?access_token=secret-in-the-query", 200}, {"/panic", 500}, {"/stream", 200}, {"/nowhere", 404}, {"/public", 200}, {"/missing", 404}}
	for _, test := range tests {
		response, err := server.Client().Get(server.URL + test.path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != test.status || response.Header.Get(telemetry.RequestIDHeader) == "" {
			t.Errorf("%s: %s", test.path, response.Status)
		}
	}
	if response, err := server.Client().Get(server.URL + "/late"); err == nil {
		if _, err = io.ReadAll(response.Body); err == nil {
			t.Error("an answer that broke off looks complete")
		}
		response.Body.Close()
	}

	server.Close() // a client may have its answer before the line is written
	var routes []string
	for line := range strings.Lines(log.String()) {
		var entry struct {
			Msg, Route, ID, Sent string
			Took                 *float64 `json:"took_ms"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry.ID == "" || entry.Msg == "from within" && entry.ID != entry.Sent {
			t.Errorf("the request's ID is %q: %s", entry.Sent, line)
		}
		if entry.Msg == "request" {
			routes = append(routes, entry.Route)
			if entry.Took == nil || *entry.Took < 0 {
				t.Errorf("without how long it took: %s", line)
			}
		}
	}
	slices.Sort(routes)
	routes = slices.Compact(routes) // a client may repeat what broke off on a connection that it had used before
	if want := []string{"", "GET /hello/{name}", "GET /late", "GET /missing", "GET /panic", "GET /stream"}; !slices.Equal(routes, want) {
		t.Errorf("logged routes %q, want %q", routes, want)
	}
	for _, secret := range []string{"secret-in-the-query", "grace"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, log.String())
		}
	}
}
